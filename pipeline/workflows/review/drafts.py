"""Drafts: what an inspector marks before handing it in; previewed, undone, at last made into decisions."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from pydantic import TypeAdapter, ValidationError

from pipeline.audit import AuditEntry
from pipeline.errors import CallscoreError, StorageError
from pipeline.findings import Finding
from pipeline.scorecard import Review, Scorecard
from pipeline.scoring.added import by_person, with_people
from pipeline.scoring.standing import visible
from pipeline.storage.queue_records import Conflict, Draft, DraftKey, NextStep, QueueLine, Seen
from pipeline.storage.records import StoredCall
from pipeline.storage.store import Store
from pipeline.workflows.review.decide import Terms, review
from pipeline.workflows.review.marks import Marks, reviews_of
from pipeline.workflows.review.sheet import Sheet, card_with

_MARKS = TypeAdapter(Marks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """A draft that was kept. `holder`: who else holds the call, None: nobody else."""

    draft: Draft
    holder: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A mark that cannot be kept as it is: which (the name of item, finding or rule), why, what to do."""

    name: str
    message: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """The card that a draft would make of what its author may see, without the marks that have `faults`.
    `findings`: those of the call, and those that the draft adds."""

    card: Scorecard
    findings: tuple[Finding, ...]
    faults: tuple[Fault, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Meanwhile:
    """Nothing was handed in: since the draft was saved others decided `reviews`, or (`rescored`) the call was
    scored anew. Handing in with `seen` says that this is known."""

    reviews: tuple[Review, ...]
    rescored: bool
    seen: Seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """The sheet before and after; the draft is gone."""

    before: Sheet
    after: Sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Handing:
    """A draft to hand in: its version, and what its author knows by now (None: as when it was saved). Without
    `done` the decisions count and the call stays theirs; `partial`: done although items are left; `final`: it
    settles what it says; `audit` is for the audit log."""

    key: DraftKey
    version: int
    done: bool = True
    partial: bool = False
    final: bool = False
    seen: Seen | None = None
    audit: tuple[AuditEntry, ...] = ()


def written(marks: Marks) -> str:
    """Marks as they are kept: JSON of all that is not as usual."""
    return _MARKS.dump_json(marks, exclude_defaults=True).decode()


def read(text: str, who: str) -> Marks:
    """Marks as they were kept; "": none. Raises StorageError: it is none."""
    if not text:
        return Marks(who=who)
    try:
        return replace(_MARKS.validate_json(text), who=who)
    except ValidationError as error:
        raise StorageError(
            f"存下的草稿读不懂：{error.error_count()} 处不符",
            hint="数据库是别的版本的 callscore 写的，或已损坏：用那个版本打开，或从备份恢复",
        ) from error


def marks_of(draft: Draft) -> Marks:
    return read(draft.marks, draft.key.who)


@dataclass(frozen=True, slots=True, kw_only=True)
class Saving:
    """Marks to keep, over which version of the draft (0: there is none), and what is known of the call."""

    key: DraftKey
    marks: Marks
    version: int
    seen: Seen


def save(store: Store, saving: Saving, *, at: datetime, until: datetime) -> Saved | Conflict:
    """Keep a draft, right or not. It claims a call that nobody holds, until `until`, and prolongs a claim."""
    key = saving.key
    marks = written(replace(saving.marks, who=key.who))
    step = NextStep(key=key, marks=marks, version=saving.version, seen=saving.seen)
    kept = store.save_draft(step, at=at, until=None if key.round_id else until)
    if isinstance(kept, Conflict):
        return kept
    line = None if key.round_id else store.queue_line(key.recording_id)
    return Saved(draft=kept, holder=_other(line, key.who))


def _other(line: QueueLine | None, who: str) -> str | None:
    return None if line is None or line.assigned_to == who else line.assigned_to


def preview(found: Sheet, marks: Marks, *, at: datetime) -> Preview:
    """What the marks would make of the card. Pure: nothing is read or written."""
    made: list[Review] = []
    faults = []
    for name, one in _single(marks):
        try:
            made += reviews_of(one, found, found.moment(at))
        except CallscoreError as error:
            faults.append(Fault(name=name, message=error.message, hint=error.hint or ""))
    reviews = (*found.reviews, *made)
    return Preview(
        card=card_with(found.stored, found.ruleset, found.template, reviews),
        findings=tuple(with_people(found.stored.findings, reviews, found.ruleset)),
        faults=tuple(faults),
    )


def _single(marks: Marks) -> Iterator[tuple[str, Marks]]:
    """Every mark by itself, with its name. What is accepted as a whole comes first and gives way to the
    rest."""
    bare = Marks(
        who=marks.who,
        reason=marks.reason,
        reasons=marks.reasons,
        blind=marks.blind,
        partial=marks.partial,
        final=marks.final,
    )
    if marks.accept_all:
        yield "", replace(bare, accept_all=True)
    yield from ((one[0], replace(bare, values=(one,))) for one in marks.values)
    yield from ((one, replace(bare, accept=(one,))) for one in marks.accept)
    yield from ((one, replace(bare, true=(one,))) for one in marks.true)
    yield from ((one, replace(bare, false=(one,))) for one in marks.false)
    yield from ((one.rule, replace(bare, added=(one,))) for one in marks.added)
    yield from ((one[0], replace(bare, notes=(one,))) for one in marks.notes)


def submit(store: Store, handing: Handing, *, at: datetime) -> "Result":
    """Hand a draft in: its marks become decisions and the draft ends, all or nothing.

    Conflict: the draft has another version; Meanwhile: the author does not know everything that was decided
    about the call and that they may see. Raises NotFound and UsageError for what the form does not allow.
    """
    key = handing.key
    draft = store.draft(key)
    if draft is None or draft.version != handing.version:
        return conflict_of(draft, at)
    marks = handed(draft, handing)
    known = handing.seen or draft.seen
    try:
        terms = Terms(
            check=lambda now: _check_known(store, now, known), draft_of=key.who, audit=handing.audit
        )
        before, after = review(store, key.recording_id, marks, at=at, terms=terms)
    except _Unknown as found:
        return found.meanwhile
    return Submitted(before=before, after=after)


Result = Submitted | Meanwhile | Conflict


class _Unknown(Exception):
    """Something was decided that the author of a draft has not been told."""

    def __init__(self, meanwhile: Meanwhile) -> None:
        super().__init__()
        self.meanwhile = meanwhile


def conflict_of(draft: Draft | None, at: datetime) -> Conflict:
    """What to say of a draft that is not the one that was handed in."""
    if draft is None:
        return Conflict(who="", at=at, version=0)
    return Conflict(who=draft.key.who, at=draft.at, version=draft.version)


def handed(draft: Draft, handing: Handing) -> Marks:
    """The marks of a draft as they are handed in."""
    return replace(marks_of(draft), done=handing.done, partial=handing.partial, final=handing.final)


def _check_known(store: Store, now: Sheet, known: Seen) -> None:
    meanwhile = meanwhile_of(store, now, known)
    if meanwhile is not None:
        raise _Unknown(meanwhile)


def meanwhile_of(store: Store, now: Sheet, known: Seen) -> Meanwhile | None:
    """What happened to a call since somebody saw it; None: nothing that they may see and did not do."""
    since = now.everything[known.reviews :]
    shown = visible(since, now.who, blind=now.blind)
    shown = tuple(review for review in shown if review.who != now.who)
    rescored = _rescored(store, now.stored, known)
    if not shown and not rescored:
        return None
    return Meanwhile(reviews=shown, rescored=rescored, seen=now.seen)


def _rescored(store: Store, now: StoredCall, known: Seen) -> bool:
    """Whether rules found something else since; cards that only people changed are the same here."""
    if now.scorecard_id == known.scorecard_id:
        return False
    then = store.scoring(known.scorecard_id)
    return (then.ruleset_digest, _heard(then)) != (now.ruleset_digest, _heard(now))


def _heard(stored: StoredCall) -> tuple[object, ...]:
    return tuple(finding for finding in stored.findings if not by_person(finding))
