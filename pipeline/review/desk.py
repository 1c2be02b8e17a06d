"""One inspector's work on one call: the sheet, the draft, and the card that the draft makes of it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.errors import UsageError
from pipeline.queue import HELD, WorkState, idle_state, progress
from pipeline.review.site import Form, Visit
from pipeline.review.things import call_named, call_thing, number_in
from pipeline.scorecard import Scorecard
from pipeline.scoring.standing import is_done
from pipeline.storage.queue_records import Conflict, Draft, DraftKey, QueueLine, Seen
from pipeline.timeline import Recording
from pipeline.workflows.accounts.policy import Action, may
from pipeline.workflows.review.blind import blank, blinded
from pipeline.workflows.review.drafts import (
    Fault,
    Handing,
    Meanwhile,
    Saving,
    marks_of,
    preview,
    save,
    submit,
)
from pipeline.workflows.review.marks import Marks
from pipeline.workflows.review.queue import lease
from pipeline.workflows.review.rounds import round_sheet, submit_in_round
from pipeline.workflows.review.selected import Selected
from pipeline.workflows.review.sheet import Sheet, sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """`found` is the call as it is decided about; `shown` and `card`, what the draft makes of it, are what
    the page may show. `blind`: neither the machine's answer nor others' is in them. `base`: the address of
    the call; `holder`: who else has it now, "" for nobody; `is_final`: what is handed in settles the call."""

    found: Sheet
    shown: Sheet
    card: Scorecard
    base: str
    draft: Draft | None = None
    marks: Marks
    faults: tuple[Fault, ...] = ()
    blind: bool = False
    is_final: bool = False
    may_mark: bool = False
    holder: str = ""
    is_mine: bool = False
    round_id: int = 0

    @property
    def recording(self) -> Recording:
        return self.found.stored.recording

    @property
    def version(self) -> int:
        return self.draft.version if self.draft else 0

    @property
    def key(self) -> DraftKey:
        return DraftKey(recording_id=self.recording.id, who=self.found.who, round_id=self.round_id)


def desk(visit: Visit) -> Desk:
    """The call of the address, as this person may see it; in a calibration round where the address names one.
    Raises NotFound, UsageError."""
    return _in_round(visit) if "round" in visit.params else _in_queue(visit)


def _in_queue(visit: Visit) -> Desk:
    found = sheet(visit.store, visit.params["call"], visit.who.login)
    line = visit.store.queue_line(found.stored.recording.id)
    blind = found.blind and found.hidden > 0
    bare = Desk(
        found=found,
        shown=found,
        card=found.card,
        base=f"/calls/{found.stored.recording.id}",
        marks=Marks(who=visit.who.login),
        blind=blind,
        is_final=not blind and _settles(visit, found, line),
        may_mark=may(visit.who, Action.CALL_REVIEW, call_thing(visit)),
    )
    return _with_draft(_with_holder(bare, visit, line), visit)


def again(now: Desk, visit: Visit) -> Desk:
    """The desk after the draft was changed: what others decided meanwhile is told when it is handed in."""
    bare = replace(now, marks=Marks(who=visit.who.login))
    if not now.round_id:
        bare = _with_holder(bare, visit, visit.store.queue_line(now.recording.id))
    return _with_draft(bare, visit)


def _with_holder(bare: Desk, visit: Visit, line: QueueLine | None) -> Desk:
    held = line.assigned_to if line and line.state in HELD else None
    mine = held == visit.who.login
    return replace(bare, holder="" if mine else held or "", is_mine=mine)


def _in_round(visit: Visit) -> Desk:
    """In a round everybody is blind, until it ends and after it."""
    round_id = number_in(visit, "round")
    recording = call_named(visit, visit.params["call"])
    found = round_sheet(visit.store, round_id, recording.id, visit.who.login)
    open_still = visit.store.round(round_id).closed_at is None
    bare = Desk(
        found=found,
        shown=found,
        card=found.card,
        base=f"/rounds/{round_id}/calls/{recording.id}",
        marks=Marks(who=visit.who.login),
        blind=True,
        may_mark=open_still and not is_done(found.own, visit.who.login),
        round_id=round_id,
    )
    return _with_draft(bare, visit)


def _settles(visit: Visit, found: Sheet, line: QueueLine | None) -> bool:
    """Whether the person reviews what others have finished, and may settle it."""
    made = progress(found.everything)
    released = line is not None and line.released
    state = idle_state(made, released=released, appealed=False)
    finished = state in (WorkState.DONE, WorkState.RELEASED) and set(made.done) != {visit.who.login}
    return finished and may(visit.who, Action.CALL_RELEASE, call_thing(visit))


def _with_draft(bare: Desk, visit: Visit) -> Desk:
    """With what the person has marked, and (blind) without what they may not see."""
    draft = visit.store.draft(bare.key)
    kept = marks_of(draft) if draft else bare.marks
    marks = replace(kept, blind=bare.blind and not _saw_machine(bare, kept), final=bare.is_final)
    made = preview(bare.found, marks, at=visit.now)
    shown = replace(bare.found, stored=replace(bare.found.stored, findings=made.findings))
    return replace(
        bare,
        draft=draft,
        marks=marks,
        faults=made.faults,
        shown=blinded(shown) if bare.blind else shown,
        card=blank(made.card) if bare.blind else made.card,
    )


def _saw_machine(bare: Desk, kept: Marks) -> bool:
    """Whether the person began before anybody else had decided, with the machine's answer in sight: that
    stays on record, although it is not shown any more."""
    began = not kept.empty and not kept.blind
    return not bare.round_id and (began or any(r.saw_machine and r.decision.scores for r in bare.found.own))


def marked(now: Desk, visit: Visit) -> Conflict | None:
    """Keep one more mark of the draft; Conflict: it was changed in another window meanwhile. Raises
    UsageError for a mark that the form does not allow."""
    at = visit.now
    check_may_mark(now)
    if now.blind and kind_of(visit.form) in WANTS_SIGHT:
        raise UsageError("盲评时看不到机器的评级和发现，不能评它们", hint="给项目评级")
    marks = with_mark(now.marks, visit.form)
    _check_fits(now, marks, at)
    saving = Saving(
        key=now.key,
        marks=marks,
        version=visit.form.number("version", 0) or 0,
        seen=now.found.seen,
    )
    kept = save(visit.store, saving, at=at, until=lease(visit.site.settings, at))
    return kept if isinstance(kept, Conflict) else None


def check_may_mark(now: Desk) -> None:
    """Raises UsageError: the round is over for this person."""
    if not now.may_mark:
        raise UsageError("这一通已经交卷，或校准已结束，不能再改", hint="回到“校准”看结果")


def handed_in(now: Desk, visit: Visit, seen: Seen | None) -> Conflict | Meanwhile | None:
    """Hand the draft in; None: it is done. Who judges blind hands in everything. Raises UsageError."""
    check_may_mark(now)
    handing = Handing(
        key=now.key,
        version=visit.form.number("version", 0) or 0,
        partial=bool(visit.form.text("partial")) and not now.blind,
        final=now.is_final,
        seen=seen,
    )
    hand = submit_in_round if now.round_id else submit
    result = hand(visit.store, handing, at=visit.now)
    return result if isinstance(result, Conflict | Meanwhile) else None


def _check_fits(now: Desk, marks: Marks, at: datetime) -> None:
    """Raises UsageError: the form does not allow what was marked last; the draft stays as it was."""
    known = set(now.faults)
    for fault in preview(now.found, marks, at=at).faults:
        if fault not in known:
            raise UsageError(fault.message, hint=fault.hint)


def with_mark(marks: Marks, form: Form) -> Marks:
    """The marks with what one form says; a mark about the same thing gives way. Raises UsageError."""
    change = CHANGES.get(kind_of(form))
    if change is None:
        raise UsageError("不知道要记什么", hint="刷新页面，再做一次")
    return change(marks, form)


def kind_of(form: Form) -> str:
    return "accept" if form.text("accept") else form.text("kind")


WANTS_SIGHT = ("accept", "add", "false", "true")
"""The kinds of marks that are about what the machine said or found."""


def _without(marks: Marks, name: str) -> Marks:
    """Nothing said about an item or a finding any more."""
    return replace(
        marks,
        values=tuple(pair for pair in marks.values if pair[0] != name),
        reasons=tuple(pair for pair in marks.reasons if pair[0] != name),
        accept=tuple(one for one in marks.accept if one != name),
        true=tuple(one for one in marks.true if one != name),
        false=tuple(one for one in marks.false if one != name),
    )


def _with_reason(marks: Marks, name: str, form: Form) -> Marks:
    reason = form.text("reason")
    return replace(marks, reasons=(*marks.reasons, (name, reason))) if reason else marks


def _value(marks: Marks, form: Form) -> Marks:
    name, value = form.text("target"), form.text("value")
    if not value:
        raise UsageError("没有写分数", hint="填一个分数，再提交")
    clean = _without(marks, name)
    return _with_reason(replace(clean, values=(*clean.values, (name, value))), name, form)


def _accept(marks: Marks, form: Form) -> Marks:
    name = form.text("target")
    clean = _without(marks, name)
    return _with_reason(replace(clean, accept=(*clean.accept, name)), name, form)


def _true(marks: Marks, form: Form) -> Marks:
    name = form.text("target")
    clean = _without(marks, name)
    return replace(clean, true=(*clean.true, name))


def _false(marks: Marks, form: Form) -> Marks:
    name = form.text("target")
    clean = _without(marks, name)
    return _with_reason(replace(clean, false=(*clean.false, name)), name, form)


def _add(marks: Marks, form: Form) -> Marks:
    start, end = form.number("start"), form.number("end")
    if start is None or end is None:
        raise UsageError("没有选中话", hint="先在转写里选中几个字")
    rule = form.text("target")
    selected = Selected(rule=rule, start=start, end=end)
    if selected in marks.added:
        raise UsageError(
            "这几个字已经记过这条规则", hint="在没有归入项目的发现里看，或在用到这条规则的项目里看"
        )
    made = replace(marks, added=(*marks.added, selected))
    return _with_reason(made, rule, form)


def _take_back(marks: Marks, form: Form) -> Marks:
    """Without the words that the draft adds at this place for this rule."""
    start, end, rule = form.number("start"), form.number("end"), form.text("target")
    kept = tuple(
        one
        for one in marks.added
        if one.rule != rule or start is None or end is None or one.end <= start or one.start >= end
    )
    return replace(marks, added=kept)


def _note(marks: Marks, form: Form) -> Marks:
    return replace(marks, note=form.text("value"))


CHANGES: dict[str, Callable[[Marks, Form], Marks]] = {
    "accept": _accept,
    "add": _add,
    "false": _false,
    "note": _note,
    "take_back": _take_back,
    "true": _true,
    "value": _value,
}
