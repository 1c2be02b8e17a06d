"""What people put right in a call, carried over onto a new hearing of it.

Metadata that a person put right win over the table until the person takes that back. Words and roles are put
right in the new transcript where it reads as the old one did; where it does not, the call waits for a person.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.errors import NotFound
from pipeline.media.metadata import parsed
from pipeline.storage.mapping import storable
from pipeline.storage.records import Change, Correction, Origin, Reheard, ScoredCall, Subject
from pipeline.storage.store import Store
from pipeline.timeline import Call, Recording, Role, RoleAssignment, Transcript
from pipeline.units import Ms
from pipeline.workflows.dispute.correct import CONFIRMED, SWAPPED, Wording, assigned, corrected, reads
from pipeline.workflows.dispute.history import COLUMNS
from pipeline.workflows.dispute.standing import Pinned, clock_time, marks, pinned, standing, text_of
from pipeline.workflows.tries import until_kept

SAME_PLACE_MS: Ms = 1_000
"""Another model hears the same word at most so much earlier or later."""
SAME_ROLES = 0.9
"""Two transcripts say the same of who is who where they do for this share of the time that both know."""
NIGHTLY = "nightly"
PEOPLE = (Role.AGENT, Role.CUSTOMER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """A new hearing with what people had put right. `again` None: nobody knew the call. `notices` are for the
    operator: no word of what was said."""

    call: Call
    again: Reheard | None = None
    reason: str = NIGHTLY
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a night kept of a call."""

    scored: ScoredCall
    notices: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeper:
    """How a night keeps what it heard: where, how a call is judged, in which zone the metadata are."""

    store: Store
    judged: Callable[[Call], ScoredCall]
    zone: str

    def kept(self, heard: Call, *, at: datetime) -> Kept:
        """Judge a call with what people had put right, and keep it. Raises StorageError."""
        heard = replace(heard, transcript=storable(heard.transcript))
        provenance = heard.transcript.provenance

        def attempt() -> Kept | None:
            found = carried(heard, self.store, self.zone, at=at)
            scored = self.judged(found.call)
            new = self.store.save_night_result(scored, at=at, reason=found.reason, again=found.again)
            done = new or self.store.is_done(heard.recording.sha256, provenance)
            return Kept(scored=scored, notices=found.notices) if done else None

        return until_kept(attempt, heard.recording.name)


def carried(heard: Call, store: Store, zone: str, *, at: datetime) -> Carried:
    """The call as it is to be scored, and how it is to be kept."""
    history = store.history(heard.recording.id)
    if not history:
        return Carried(call=heard)
    known = store.corrections(heard.recording.id)
    recording, notices = _with_metadata(heard.recording, pinned(known), zone)
    transcript = assigned(heard.transcript, heard.recording, recording)
    put = _PutRight(transcript, store)
    missed = tuple(_lost(put.lost(standing(known)), at))
    marked = replace(recording, unsettled=marks(missed))
    again = Reheard(transcript=transcript, origin=put.origin, lost=missed, basis=history[-1].scorecard_id)
    told = [
        f"{recording.name}：{mark.partition('：')[0]}，callscore history 看经过" for mark in marked.unsettled
    ]
    same = heard.sentences if put.transcript == heard.transcript else None
    return Carried(
        call=replace(heard, recording=marked, transcript=put.transcript, sentences=same),
        again=again,
        reason=_reason(put.moved, len(missed)),
        notices=(*notices, *told),
    )


def _reason(moved: int, missed: int) -> str:
    counts = (("沿用改正", moved), ("未能沿用", missed))
    return "，".join((NIGHTLY, *(f"{what} {count} 处" for what, count in counts if count)))


def _with_metadata(
    recording: Recording, pins: dict[str, Pinned], zone: str
) -> tuple[Recording, tuple[str, ...]]:
    """The recording as people left it, and where the metadata now say something else than they did then."""
    notices = []
    for name, pin in pins.items():
        listed = text_of(getattr(recording, name))
        if listed != pin.first:
            notices.append(_notice(recording.name, name, listed, pin))
        column = "start_time" if name == "started_at" else name
        recording = replace(recording, **parsed({column: pin.value}, zone))
    return recording, tuple(notices)


def _notice(call: str, name: str, listed: str, pin: Pinned) -> str:
    said = f"{call}：话单的{COLUMNS[name]}现在是“{listed}”"
    who = f"{pin.by.who} {pin.by.at:%Y-%m-%d}"
    if listed == pin.value:
        return f"{said}，与人工改正（{who}）相同"
    column = "start_time" if name == "started_at" else name
    back = f"callscore relink {call} --set {column}={listed}"
    return f"{said}，人工改正为“{pin.value}”（{who}），仍以改正为准；话单才对的话：{back}"


@dataclass(frozen=True, slots=True)
class _Miss:
    """A correction that does not fit, and why."""

    correction: Correction
    why: str


class _PutRight:
    """A transcript that corrections are put into one after the other. `moved` counts those that it took or
    already reads as."""

    def __init__(self, transcript: Transcript, store: Store) -> None:
        self.transcript, self._store = transcript, store
        self.origin, self.moved = Origin.HEARD, 0

    def lost(self, corrections: Sequence[Correction]) -> Iterator[_Miss]:
        """Put them in; those that do not fit come back. Of the roles the newest counts."""
        roles = [correction for correction in corrections if correction.subject is Subject.ROLES]
        wordings = [correction for correction in corrections if correction.subject is Subject.WORDS]
        for correction in (*roles[-1:], *wordings):
            why = self._roles(correction) if correction.subject is Subject.ROLES else self._words(correction)
            if why:
                yield _Miss(correction, why)
            else:
                self.moved += 1

    def _roles(self, correction: Correction) -> str:
        """Why the roles that a person gave do not fit; empty: they do."""
        meant = self._store.scoring(correction.scorecard_id or 0).transcript
        same = sameness(meant, self.transcript)
        if same >= SAME_ROLES:
            sure = RoleAssignment(confidence=1.0, reason=CONFIRMED)
            self._take(replace(self.transcript, roles=sure), Origin.ROLES_SWAPPED)
        elif sameness(meant, self.transcript.swapped(SWAPPED)) >= SAME_ROLES:
            self._take(self.transcript.swapped(SWAPPED), Origin.ROLES_SWAPPED)
        else:
            return f"新的转写分出的两个人和原来对不上（{same:.0%} 的时间相同）"
        return ""

    def _words(self, correction: Correction) -> str:
        """Why words do not fit; empty: they do."""
        for change in correction.changes:
            try:
                self._take(_with_words(self.transcript, change), Origin.WORDS_CORRECTED)
            except NotFound as error:
                return f"新的转写里，{error.message}；{error.hint}"
        return ""

    def _take(self, transcript: Transcript, origin: Origin) -> None:
        if transcript != self.transcript:
            self.transcript, self.origin = transcript, origin


def _with_words(transcript: Transcript, change: Change) -> Transcript:
    """The words put right, unless they already read so. Raises NotFound: something else was heard."""
    at = clock_time(change.what)
    wording = Wording(at=at, heard=change.before, said=change.after, reach=SAME_PLACE_MS)
    shortened = change.after in change.before and reads(transcript, change.before, at, SAME_PLACE_MS)
    if not shortened and reads(transcript, change.after, at, SAME_PLACE_MS):
        return transcript
    return corrected(transcript, wording)[0]


def sameness(one: Transcript, other: Transcript) -> float:
    """For which share of the time in which both have the agent or the customer speak they name the same one;
    0 where there is no such time."""
    times: Counter[bool] = Counter()
    mine = [turn for turn in one.turns if turn.role in PEOPLE]
    theirs = [turn for turn in other.turns if turn.role in PEOPLE]
    for turn in mine:
        for fellow in theirs:
            common = min(turn.span.end, fellow.span.end) - max(turn.span.start, fellow.span.start)
            times[turn.role is fellow.role] += max(0, common)
    return times[True] / times.total() if times.total() else 0.0


def _lost(misses: Iterator[_Miss], at: datetime) -> Iterator[Correction]:
    """The records that corrections could not be taken over."""
    for miss in misses:
        by = miss.correction
        yield Correction(
            recording_id=by.recording_id,
            subject=Subject.NOT_CARRIED,
            changes=by.changes,
            who="callscore",
            at=at,
            reason=f"{by.who} {by.at:%Y-%m-%d} 的改正，{miss.why}",
        )
