"""A call's transcript and waveform as the page shows them: rows with their words marked, regions and peaks.
Values in, values out."""

import base64
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pipeline.findings import Finding, How, Outcome
from pipeline.storage.records import RuleFacts, StoredCall
from pipeline.timeline import Role, Span, Transcript, Turn
from pipeline.units import Ms, clock

SURE_OF_ROLES = 0.7
DOUBTFUL = 0.5
"""Words less probable than this are marked in the transcript."""
FAULTS = frozenset({"forbidden", "taboo", "privacy", "security"})
"""Labels of what must not be said."""
LONG_PAUSE: Ms = 1_500

Rules = Mapping[str, RuleFacts]
Place = tuple[int, int]
"""A word: number of the turn, number in the turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownWord:
    start: Ms
    end: Ms
    text: str
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A turn; or, without a role, what happened between two: `text`, with a place for the `seconds`."""

    start: Ms
    role: Role | None
    words: tuple[ShownWord, ...] = ()
    text: str = ""
    seconds: str = ""


def rows(transcript: Transcript, findings: Iterable[Finding], rules: Rules) -> tuple[Row, ...]:
    """The transcript from top to bottom, with pauses, holds and rings between the turns."""
    marks = _painted(transcript, _marks(findings, rules))
    between = [
        Row(start=s.start, role=None, text="无人说话 {seconds} 秒", seconds=f"{s.duration / 1000:.1f}")
        for s in transcript.silences
        if s.duration >= LONG_PAUSE
    ]
    between += [
        Row(
            start=h.span.start,
            role=None,
            text="客户等待 {seconds} 秒（音乐）" if h.music else "客户等待 {seconds} 秒",
            seconds=f"{h.span.duration / 1000:.1f}",
        )
        for h in transcript.holds
    ]
    between += [Row(start=ring.start, role=None, text="振铃") for ring in transcript.rings]
    between += [Row(start=span.start, role=None, text="有人说话，听不清") for span in transcript.unclear]
    turns = [
        Row(start=turn.span.start, role=turn.role, words=_words(turn, marks)) for turn in transcript.turns
    ]
    return tuple(sorted([*turns, *between], key=lambda row: row.start))


def _marks(findings: Iterable[Finding], rules: Rules) -> list[tuple[Span, Role, str]]:
    """Stretches of speech that a finding rests on, faults last: they win."""
    found = [
        (evidence.span, evidence.role, "found" if is_fault(finding, rules) else "found-good")
        for finding in findings
        if finding.outcome is Outcome.PRESENT
        for evidence in finding.evidence
        if evidence.quote and evidence.how not in (How.TIMING, How.NONE)
    ]
    return sorted(found, key=lambda mark: mark[2], reverse=True)


def _painted(transcript: Transcript, marks: Sequence[tuple[Span, Role, str]]) -> dict[Place, str]:
    """By turn and word of it, the last of the marks that the middle of the word lies in."""
    painted: dict[Place, str] = {}
    for role in {role for _, role, _ in marks}:
        spoken = sorted(
            (word.span.middle, (turn.index, number))
            for turn in transcript.of(role)
            for number, word in enumerate(turn.words)
        )
        middles = [middle for middle, _ in spoken]
        for span, _, kind in (mark for mark in marks if mark[1] is role):
            first, last = bisect_left(middles, span.start), bisect_left(middles, span.end)
            painted |= dict.fromkeys((place for _, place in spoken[first:last]), kind)
    return painted


def _words(turn: Turn, painted: Mapping[Place, str]) -> tuple[ShownWord, ...]:
    return tuple(
        ShownWord(
            start=word.span.start,
            end=word.span.end,
            text=word.text,
            mark=_mark(word.probability, painted.get((turn.index, number))),
        )
        for number, word in enumerate(turn.words)
    )


def _mark(probability: float, kind: str | None) -> str:
    if probability >= DOUBTFUL:
        return kind or ""
    return f"low {kind}" if kind else "low"


def is_fault(finding: Finding, rules: Rules) -> bool:
    facts = rules.get(finding.rule_id)
    return facts is not None and (facts.label in FAULTS or (facts.category or "") in FAULTS)


def regions(stored: StoredCall, findings: Iterable[Finding]) -> list[dict[str, object]]:
    """What is laid over the waveform: findings with a place of their own, holds and silences."""
    rules = stored.rules
    made: list[dict[str, object]] = []
    for finding in findings:
        span = place_of(finding, stored.recording.duration)
        if finding.outcome is Outcome.PRESENT and span is not None:
            kind = "finding" if is_fault(finding, rules) else "good"
            title = rules[finding.rule_id].title if finding.rule_id in rules else finding.rule_id
            made.append(_region(finding.id, kind, span, f"{clock(span.start)} {title}"))
    transcript = stored.transcript
    made += [_region(f"hold{i}", "hold", hold.span, "等待") for i, hold in enumerate(transcript.holds)]
    made += [
        _region(f"silence{i}", "silence", span, "无人说话") for i, span in enumerate(transcript.silences)
    ]
    return made


def _region(id: str, kind: str, span: Span, title: str) -> dict[str, object]:
    return {"id": id, "kind": kind, "start": span.start, "end": span.end, "title": title}


def place_of(finding: Finding, duration: Ms) -> Span | None:
    """Where to listen; None for what is about the whole call."""
    best = finding.evidence[0].span if finding.evidence else finding.span
    return None if best.duration >= duration * 0.8 else best


def quiet(transcript: Transcript) -> list[dict[str, Ms]]:
    """Where nobody speaks: what the player may skip."""
    spans = [*transcript.silences, *(hold.span for hold in transcript.holds)]
    return [{"start": span.start, "end": span.end} for span in sorted(spans)]


def channel_roles(transcript: Transcript, channels: int) -> tuple[Role, ...]:
    """Who is heard on each channel; on mono nobody in particular."""
    if channels < 2:
        return (Role.OTHER,)
    roles = []
    for channel in range(channels):
        spoken = [turn for turn in transcript.turns if turn.channel == channel]
        by_role = {
            role: sum(t.span.duration for t in spoken if t.role is role)
            for role in (Role.AGENT, Role.CUSTOMER)
        }
        best = max(by_role, key=lambda role: by_role[role])
        roles.append(best if by_role[best] else Role.OTHER)
    return tuple(roles)


def encoded(peaks: bytes) -> str:
    """Peaks, one byte each, as text for the page."""
    return base64.b64encode(peaks).decode()
