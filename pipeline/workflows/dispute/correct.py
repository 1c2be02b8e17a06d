"""What a person puts right in a call: words, roles, metadata. Each adds a scoring and leaves a trace."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path

from pipeline.errors import NotFound, UsageError
from pipeline.media.join import with_row
from pipeline.media.metadata import parsed, read_metadata
from pipeline.media.places import place
from pipeline.media.rows import Row
from pipeline.settings import Settings
from pipeline.speech.roles import assign_roles
from pipeline.storage.records import Change, Correction, Origin, Rescored, StoredCall, Subject
from pipeline.timeline import Recording, Role, Span, Transcript, Turn, Word
from pipeline.units import Ms, clock
from pipeline.workflows.dispute.standing import AGENT, NEAR_MS, settled, text_of
from pipeline.workflows.rescore import Scorer

SWAPPED = "人工指定：坐席与客户互换"
CONFIRMED = "人工指定：与以前的改正相同"
BY_PERSON = (SWAPPED, CONFIRMED)

MARKS = frozenset("。！？；，、：.!?;,: ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Who puts something right, when and why."""

    who: str
    at: datetime
    reason: str

    def __post_init__(self) -> None:
        for name, value in (("--who", self.who), ("--reason", self.reason)):
            if not value.strip():
                raise UsageError(f"{name} 不能空着", hint="改正会留在记录里：写明是谁、为什么")


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrected:
    """A call before and after a person put it right, and what exactly."""

    before: StoredCall
    after: StoredCall
    subject: Subject
    changes: tuple[Change, ...]

    def rescored(self, scorer: Scorer, by: Signed) -> Rescored:
        """Scored anew, with the trace. What waited for a person at the place waits no longer."""
        correction = Correction(
            recording_id=self.before.recording.id,
            subject=self.subject,
            changes=self.changes,
            who=by.who,
            at=by.at,
            reason=by.reason,
        )
        known = (*scorer.store.corrections(correction.recording_id), correction)
        call = replace(self.after.call, recording=settled(self.after.recording, known))
        return Rescored(
            scored=scorer.scored(call),
            basis=self.before.scorecard_id,
            reason=by.reason,
            origin=self.after.origin,
            correction=correction,
        )


def _kept(
    name: str, put_right: Callable[[StoredCall], Corrected], scorer: Scorer, by: Signed
) -> tuple[StoredCall, StoredCall]:
    """Keep the call as it was put right beside the old one; the scoring before and the one after."""
    recording_id = scorer.store.find_call(name).id
    added = scorer.add(recording_id, lambda before: put_right(before).rescored(scorer, by), at=by.at)
    return added.before, scorer.store.scoring(added.scorecard_id)


def swap_roles(name: str, scorer: Scorer, by: Signed) -> tuple[StoredCall, StoredCall]:
    """Agent and customer exchanged; the scoring before and the one after. Raises NotFound."""

    def put_right(before: StoredCall) -> Corrected:
        after = replace(before, transcript=before.transcript.swapped(SWAPPED), origin=Origin.ROLES_SWAPPED)
        change = Change(what=AGENT, before=_agents(before.transcript), after=_agents(after.transcript))
        return Corrected(before=before, after=after, subject=Subject.ROLES, changes=(change,))

    return _kept(name, put_right, scorer, by)


def _agents(transcript: Transcript) -> str:
    speakers = sorted({turn.speaker for turn in transcript.of(Role.AGENT)})
    return "、".join(f"说话人{speaker}" for speaker in speakers) or "没有"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """Words heard around a time, `reach` before or after it, and what was really said."""

    at: Ms
    heard: str
    said: str
    reach: Ms = NEAR_MS


def correct_words(name: str, wording: Wording, scorer: Scorer, by: Signed) -> tuple[StoredCall, StoredCall]:
    """Words put right; the transcript as heard is kept. Raises NotFound: no such words there."""

    def put_right(before: StoredCall) -> Corrected:
        transcript, at = corrected(before.transcript, wording)
        after = replace(before, transcript=transcript, origin=Origin.WORDS_CORRECTED, sentences=None)
        change = Change(what=clock(at), before=wording.heard, after=wording.said)
        return Corrected(before=before, after=after, subject=Subject.WORDS, changes=(change,))

    return _kept(name, put_right, scorer, by)


def corrected(transcript: Transcript, wording: Wording) -> tuple[Transcript, Ms]:
    """The transcript with the occurrence nearest to the time replaced, and when that begins."""
    if not _bare(wording.said):
        raise UsageError("--to 不能空着", hint="写下实际说的话；没有说话的地方不用改")
    places = _places(transcript, wording.heard)
    near = [place for place in places if _distance(place[0], place[1], wording.at) <= wording.reach]
    if not near:
        raise _not_there(transcript, wording, places)
    turn, first, last = min(near, key=lambda place: _distance(place[0], place[1], wording.at))
    words = (*turn.words[:first], *_said(turn.words[first:last], wording.said), *turn.words[last:])
    turns = tuple(replace(turn, words=words) if t is turn else t for t in transcript.turns)
    return replace(transcript, turns=turns), turn.words[first].span.start


def reads(transcript: Transcript, text: str, at: Ms, reach: Ms) -> bool:
    """Whether the text stands that near to the time."""
    return any(_distance(turn, first, at) <= reach for turn, first, _ in _places(transcript, text))


def _places(transcript: Transcript, text: str) -> list[tuple[Turn, int, int]]:
    return [(turn, *found) for turn in transcript.turns for found in _occurrences(turn, text)]


def _occurrences(turn: Turn, text: str) -> list[tuple[int, int]]:
    """Words `first` to `last - 1` that are the text, punctuation left aside."""
    owner = [n for n, word in enumerate(turn.words) for _ in _bare(word.text)]
    spoken, wanted = "".join(_bare(word.text) for word in turn.words), _bare(text)
    starts = [n for n in range(len(spoken)) if wanted and spoken.startswith(wanted, n)]
    return [(owner[n], owner[n + len(wanted) - 1] + 1) for n in starts]


def _bare(text: str) -> str:
    return "".join(character for character in text if character not in MARKS)


def _distance(turn: Turn, first: int, at: Ms) -> Ms:
    return abs(turn.words[first].span.start - at)


def _said(old: tuple[Word, ...], text: str) -> tuple[Word, ...]:
    """The words really said, in the time of those heard; a person is sure of them. A word that was heard as
    one token with others keeps what surrounds the correction out of it."""
    start, end = old[0].span.start, old[-1].span.end
    tail = old[-1].text[len(old[-1].text.rstrip("".join(MARKS))) :]
    parts = _tokens(text)
    edges = _edges(old, len(parts)) or [
        start + (end - start) * n // len(parts) for n in range(len(parts) + 1)
    ]
    words = [
        Word(span=Span(edges[n], edges[n + 1]), text=part, probability=1.0) for n, part in enumerate(parts)
    ]
    if parts[-1][-1:] not in MARKS:
        words[-1] = replace(words[-1], text=parts[-1] + tail)
    return tuple(words)


def _edges(old: tuple[Word, ...], count: int) -> list[Ms]:
    """The times of the words heard, where there are as many."""
    if len(old) != count:
        return []
    return [*(word.span.start for word in old), old[-1].span.end]


def _tokens(text: str) -> list[str]:
    """One token a character, as Mandarin is transcribed; a mark stays with the character before it, and a
    run of Latin letters or digits is one."""
    tokens: list[str] = []
    for character in text.strip():
        follows = bool(tokens) and (character in MARKS or (_latin(character) and _latin(tokens[-1][-1:])))
        if follows:
            tokens[-1] += character
        else:
            tokens.append(character)
    return tokens


def _latin(character: str) -> bool:
    return character.isascii() and character.isalnum()


def _not_there(transcript: Transcript, wording: Wording, places: list[tuple[Turn, int, int]]) -> NotFound:
    elsewhere = "、".join(clock(turn.words[first].span.start) for turn, first, _ in places[:5])
    if elsewhere:
        hint = f"“{wording.heard}”出现在 {elsewhere}"
    else:
        turn = min(transcript.turns, key=lambda t: abs(t.span.middle - wording.at), default=None)
        hint = f"那里听到的是“{turn.text}”" if turn else "这通电话没有听出话来"
    return NotFound(f"{clock(wording.at)} 前后 {wording.reach // 1000} 秒没有“{wording.heard}”", hint=hint)


# metadata


def relink(name: str, facts: "Facts", scorer: Scorer, by: Signed) -> tuple[StoredCall, StoredCall]:
    """Metadata put right. Roles are assigned anew where the metadata decides them and no person did.

    Raises NotFound: no such call or row; MetadataError, UsageError: values that cannot be; UsageError:
    nothing would change.
    """

    def put_right(before: StoredCall) -> Corrected:
        recording = facts.applied(before.recording, scorer.settings)
        changes = _changes(before.recording, recording)
        if not changes:
            raise UsageError("话单和现在存的一样，没有可改的", hint="callscore show 看现在的话单")
        transcript = assigned(before.transcript, before.recording, recording)
        origin = before.origin if transcript == before.transcript else Origin.RELINKED
        after = replace(before, recording=recording, transcript=transcript, origin=origin)
        return Corrected(before=before, after=after, subject=Subject.METADATA, changes=changes)

    return _kept(name, put_right, scorer, by)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Where the right metadata is: a table with a row for the recording or its call_id, and values by
    column, which win."""

    table: Path | None = None
    values: Mapping[str, str] | None = None

    def applied(self, recording: Recording, settings: Settings) -> Recording:
        """The recording with the right metadata."""
        row = self._row(recording, settings) if self.table else None
        known = with_row(recording, row) if row else recording
        return replace(known, **parsed(self.values or {}, settings.time_zone))

    def _row(self, recording: Recording, settings: Settings) -> Row:
        if self.table is None or not self.table.is_file():
            raise NotFound(f"{self.table}：话单不存在", hint="检查 --metadata 后面的路径")
        metadata = read_metadata(self.table, settings.columns, settings.time_zone)
        row = metadata.row_for(place(recording.path))
        if row is None and recording.call_id:
            row = metadata.rows.of_call(recording.call_id)
        if row is None:
            raise NotFound(
                f"{self.table} 里没有这通电话的行：没有 {Path(recording.path).name}，也没有 {recording.name}",
                hint="补上一行，或用 --set 列名=值 直接改",
            )
        return row


def _changes(before: Recording, after: Recording) -> tuple[Change, ...]:
    found = []
    for field in fields(Recording):
        old, new = getattr(before, field.name), getattr(after, field.name)
        if old != new:
            found.append(Change(what=field.name, before=text_of(old), after=text_of(new)))
    return tuple(found)


def assigned(transcript: Transcript, before: Recording, after: Recording) -> Transcript:
    """Roles as the new direction and channel decide them; a person's word stays."""
    decided = (before.direction, before.agent_channel) == (after.direction, after.agent_channel)
    if decided or transcript.roles.reason in BY_PERSON:
        return transcript
    role_of, roles = assign_roles(transcript.turns, after.direction, after.agent_channel)
    return transcript.with_roles(role_of, roles)
