"""A call as the page shows it: rows of the transcript with their words marked, regions of the waveform,
and the items of the card with their evidence. Values in, values out."""

import base64
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.findings import Evidence, Finding, How, Outcome
from pipeline.ruleset import Rule, Status
from pipeline.scorecard import OPEN, Decision, FatalCause, Scorecard, ScoredItem, Verdict
from pipeline.storage.records import RuleFacts, StoredCall
from pipeline.template import Item
from pipeline.timeline import Role, Span, Transcript, Turn
from pipeline.units import Ms, clock
from pipeline.workflows.review.marks import Marks
from pipeline.workflows.review.sheet import Sheet

SURE_OF_ROLES = 0.7
DOUBTFUL = 0.5
"""Words less probable than this are marked in the transcript."""
FAULTS = frozenset({"forbidden", "taboo", "privacy", "security"})
"""Labels of what must not be said."""
LONG_PAUSE: Ms = 1_500


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownWord:
    start: Ms
    end: Ms
    text: str
    mark: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A turn; or, without a role, what happened between two."""

    start: Ms
    role: Role | None
    words: tuple[ShownWord, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """A finding beside the item that it belongs to. `place` None: it is about no place in the recording."""

    id: str
    rule: str
    title: str
    outcome: str
    is_fault: bool
    place: Span | None
    quote: str
    phrase: str
    how: str
    confidence: float
    explanation: str
    draft: bool
    verdict: Decision | None
    by: str
    added: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A value that a person may give an item. `needs_reason`: it differs from what the machine decided."""

    value: str
    title: str
    needs_reason: bool
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownItem:
    """An item: what stands on the card, what the machine says, and what the person decided."""

    item: Item
    scored: ScoredItem
    machine: ScoredItem
    choices: tuple[Choice, ...]
    exhibits: tuple[Exhibit, ...]
    reason: str

    @property
    def is_open(self) -> bool:
        return self.scored.verdict in OPEN

    @property
    def is_bad(self) -> bool:
        points = self.scored.points
        return points is not None and points < self.scored.points_possible and not self.scored.bonus

    @property
    def is_override(self) -> bool:
        """Whether a person decided otherwise than the machine."""
        decided = self.scored.verdict.decided and self.machine.verdict.decided
        return decided and (self.scored.points, self.scored.level) != (
            self.machine.points,
            self.machine.level,
        )

    @property
    def verdict(self) -> str:
        return verdict_of(self.scored)

    @property
    def machine_verdict(self) -> str:
        return verdict_of(self.machine)

    @property
    def suggested(self) -> str:
        return self.machine.suggested or "" if self.machine.verdict in OPEN else ""

    @property
    def can_accept(self) -> bool:
        """Whether the machine says something that a person can agree with."""
        return not self.scored.reviewers and (
            self.machine.verdict.decided
            or self.machine.verdict is Verdict.NOT_APPLICABLE
            or bool(self.suggested)
        )

    @property
    def decisive(self) -> Span | None:
        return next((exhibit.place for exhibit in self.exhibits if exhibit.place), None)


def rows(transcript: Transcript, findings: Iterable[Finding], rules: "Rules") -> tuple[Row, ...]:
    """The transcript from top to bottom, with pauses, holds and rings between the turns."""
    marks = _marks(findings, rules)
    between = [
        Row(start=s.start, role=None, text=f"无人说话 {s.duration / 1000:.1f} 秒")
        for s in transcript.silences
        if s.duration >= LONG_PAUSE
    ]
    between += [
        Row(
            start=h.span.start,
            role=None,
            text=f"客户等待 {h.span.duration / 1000:.1f} 秒" + ("（音乐）" if h.music else ""),
        )
        for h in transcript.holds
    ]
    between += [Row(start=ring.start, role=None, text="振铃") for ring in transcript.rings]
    between += [Row(start=span.start, role=None, text="有人说话，听不清") for span in transcript.unclear]
    turns = [
        Row(start=turn.span.start, role=turn.role, words=_words(turn, marks)) for turn in transcript.turns
    ]
    return tuple(sorted([*turns, *between], key=lambda row: row.start))


Rules = dict[str, RuleFacts]


def _marks(findings: Iterable[Finding], rules: "Rules") -> list[tuple[Span, Role, str]]:
    """Stretches of speech that a finding rests on, faults last: they win."""
    found = [
        (evidence.span, evidence.role, "found" if is_fault(finding, rules) else "found-good")
        for finding in findings
        if finding.outcome is Outcome.PRESENT
        for evidence in finding.evidence
        if evidence.quote and evidence.how not in (How.TIMING, How.NONE)
    ]
    return sorted(found, key=lambda mark: mark[2], reverse=True)


def _words(turn: Turn, marks: Sequence[tuple[Span, Role, str]]) -> tuple[ShownWord, ...]:
    near = [(span, kind) for span, role, kind in marks if role is turn.role and span.overlaps(turn.span)]

    def mark(word_span: Span, probability: float) -> str:
        kinds = [kind for span, kind in near if word_span.middle in span]
        names = ["low"] if probability < DOUBTFUL else []
        return " ".join(names + kinds[-1:])

    return tuple(
        ShownWord(start=w.span.start, end=w.span.end, text=w.text, mark=mark(w.span, w.probability))
        for w in turn.words
    )


def is_fault(finding: Finding, rules: "Rules") -> bool:
    facts = rules.get(finding.rule_id)
    return facts is not None and (facts.label in FAULTS or (facts.category or "") in FAULTS)


def regions(stored: StoredCall, findings: Iterable[Finding]) -> list[dict[str, object]]:
    """What is laid over the waveform: findings with a place of their own, holds and silences."""
    rules = dict(stored.rules)
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


def shown_items(sheet: Sheet, card: Scorecard, marks: Marks, *, blind: bool) -> tuple[ShownItem, ...]:
    """The items of the card in print order; blind: without the machine's answer and what it found."""
    machine = {item.id: item for item in sheet.machine.items}
    printed = {item.id: item for item in sheet.template.items}
    exhibits = {} if blind else _exhibits(sheet, marks)
    return tuple(
        ShownItem(
            item=printed[scored.id],
            scored=scored,
            machine=machine[scored.id],
            choices=choices(printed[scored.id], scored, machine[scored.id], blind=blind),
            exhibits=tuple(exhibits[name] for name in scored.findings if name in exhibits),
            reason=_reason(sheet, marks, scored.id),
        )
        for scored in card.items
        if scored.id in printed
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownFatal:
    """A fatal item that holds, or of which nobody knows. `takes`: what it zeroes."""

    cause: FatalCause
    takes: str
    decided: bool
    exhibits: tuple[Exhibit, ...]
    reason: str


TAKES = {"card": "全表零分", "section": "本维度零分", "none": "不清零"}


def shown_fatals(sheet: Sheet, card: Scorecard, marks: Marks) -> tuple[ShownFatal, ...]:
    """What is red on the card; also what a person said does not hold, so that it can be taken back."""
    exhibits = _exhibits(sheet, marks)
    said = {review.target for review in sheet.reviews} | {name for name, _ in marks.values}
    now = {cause.id: cause for cause in (*sheet.machine.fatals, *card.fatals)}
    held = {cause.id for cause in card.fatals}
    return tuple(
        ShownFatal(
            cause=cause if cause.id in held else replace(cause, holds=False),
            takes=TAKES[cause.zero],
            decided=cause.id in said,
            exhibits=tuple(exhibits[name] for name in cause.findings if name in exhibits),
            reason=_reason(sheet, marks, cause.id),
        )
        for cause in now.values()
    )


def _reason(sheet: Sheet, marks: Marks, item_id: str) -> str:
    """Why the person decided so: what the draft says, else their last decision."""
    said = {review.target: review.reason for review in sheet.own if review.reason}
    return dict(marks.reasons).get(item_id, said.get(item_id, ""))


def others(sheet: Sheet, items: Sequence[ShownItem]) -> tuple[Exhibit, ...]:
    """Present findings with a place that no item of the form names."""
    named = {exhibit.id for item in items for exhibit in item.exhibits}
    fatal = {name for cause in sheet.card.fatals for name in cause.findings}
    return tuple(
        exhibit
        for exhibit in _exhibits(sheet, Marks(who=sheet.who)).values()
        if exhibit.id not in named | fatal and exhibit.place is not None
    )


def left(card: Scorecard) -> tuple[ScoredItem, ...]:
    """What still waits for a person."""
    return tuple(item for item in card.items if item.verdict in OPEN)


def addable(sheet: Sheet) -> tuple[tuple[str, tuple[Rule, ...]], ...]:
    """The rules that a person may say a finding of, by title: those that the form uses, then the others."""
    rules = sorted(sheet.ruleset.rules, key=lambda rule: rule.title)
    used = {name for item in sheet.template.items for name in item.evidence_rules()}
    active = [rule for rule in rules if rule.status is not Status.DRAFT]
    own = tuple(rule for rule in active if rule.id in used)
    return ("本评分表用到的", own), ("其他规则", tuple(rule for rule in active if rule.id not in used))


def choices(item: Item, scored: ScoredItem, machine: ScoredItem, *, blind: bool) -> tuple[Choice, ...]:
    """Every level of the form, best first as printed."""
    said = machine.level if machine.verdict.decided and not blind else None
    return tuple(
        Choice(
            value=level.title,
            title=f"{level.title} {level.points:.1f}",
            needs_reason=said is not None and level.title != said,
            chosen=scored.verdict.decided and scored.level == level.title,
        )
        for level in item.levels
    )


def _exhibits(sheet: Sheet, marks: Marks) -> dict[str, Exhibit]:
    said: dict[str, tuple[Decision, str]] = {
        r.target: (r.decision, r.who)
        for r in sheet.reviews
        if r.decision in (Decision.FINDING_TRUE, Decision.FINDING_FALSE)
    }
    said |= dict.fromkeys(marks.true, (Decision.FINDING_TRUE, marks.who))
    said |= dict.fromkeys(marks.false, (Decision.FINDING_FALSE, marks.who))
    return {f.id: _exhibit(f, sheet.stored, said.get(f.id)) for f in sheet.stored.findings}


def _exhibit(finding: Finding, stored: StoredCall, said: tuple[Decision, str] | None) -> Exhibit:
    facts = stored.rules.get(finding.rule_id)
    best = finding.evidence[0] if finding.evidence else Evidence(span=finding.span, role=finding.role)
    return Exhibit(
        id=finding.id,
        rule=finding.rule_id,
        title=facts.title if facts else finding.rule_id,
        outcome=finding.outcome.chinese,
        is_fault=is_fault(finding, dict(stored.rules)),
        place=place_of(finding, stored.recording.duration) if finding.outcome is Outcome.PRESENT else None,
        quote=best.quote,
        phrase=best.phrase if best.phrase != best.quote else "",
        how=best.how.chinese if best.how is not How.NONE else "",
        confidence=finding.confidence,
        explanation=finding.explanation,
        draft=facts is not None and facts.status == "draft",
        verdict=said[0] if said else None,
        by=said[1] if said else "",
        added=best.how is How.PERSON,
    )


def sections(card: Scorecard, items: Sequence[ShownItem]) -> Iterator[tuple[object, tuple[ShownItem, ...]]]:
    """The sections of the card, each with its items."""
    for section in card.sections:
        yield section, tuple(one for one in items if one.scored.section in (section.id, section.title))


def verdict_of(scored: ScoredItem) -> str:
    """What stands in the column of levels."""
    if scored.verdict in OPEN:
        return scored.verdict.chinese
    if scored.verdict is Verdict.NOT_APPLICABLE:
        return "不适用"
    return scored.level or scored.verdict.chinese
