"""The scorecard as the page shows it: its items with their evidence and with what people decided about them.
Values in, values out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.findings import Evidence, Finding, How, Outcome
from pipeline.review.transcript_view import is_fault, place_of
from pipeline.ruleset import Rule, Status
from pipeline.scorecard import OPEN, Decision, FatalCause, Review, Scorecard, ScoredItem, Verdict
from pipeline.scoring.standing import standing
from pipeline.storage.records import StoredCall
from pipeline.template import Fatal, Item
from pipeline.timeline import Span
from pipeline.workflows.review.agreement import ITEMS
from pipeline.workflows.review.marks import Marks
from pipeline.workflows.review.sheet import Sheet


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
    said: tuple["Said", ...] = ()

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a person decided about an item. `counts`: it is part of what stands on the card."""

    who: str
    at: datetime
    decision: Decision
    value: str
    reason: str
    counts: bool


def said_about(sheet: Sheet, target: str) -> tuple[Said, ...]:
    """Every decision about an item or fatal item that may be seen, oldest first."""
    about = [r for r in sheet.reviews if r.target == target and r.decision in ITEMS]
    about = [r for r in about if r.template_id in ("", sheet.template.id)]
    standing_now = {r.who: r for r in standing(about_all(sheet), sheet.template.id) if r.target == target}
    scored = next((item for item in sheet.card.items if item.id == target), None)
    return tuple(
        Said(
            who=r.who,
            at=r.at,
            decision=r.decision,
            value=r.value,
            reason=r.reason,
            counts=standing_now.get(r.who) is r and (scored is None or r.who in scored.reviewers),
        )
        for r in about
    )


def about_all(sheet: Sheet) -> list[Review]:
    """The reviews in sight that decide about items, and those that settle what they say."""
    return [r for r in sheet.reviews if r.decision in (*ITEMS, Decision.DONE)]


def shown_items(sheet: Sheet, card: Scorecard, marks: Marks) -> tuple[ShownItem, ...]:
    """The items of the card in print order."""
    machine = {item.id: item for item in sheet.machine.items}
    printed = {item.id: item for item in sheet.template.items}
    exhibits = _exhibits(sheet, marks)
    return tuple(
        ShownItem(
            item=printed[scored.id],
            scored=scored,
            machine=machine[scored.id],
            choices=choices(printed[scored.id], scored, machine[scored.id]),
            exhibits=tuple(exhibits[name] for name in scored.findings if name in exhibits),
            reason=_reason(sheet, marks, scored.id),
            said=said_about(sheet, scored.id),
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


@dataclass(frozen=True, slots=True, kw_only=True)
class BlindFatal:
    """A fatal item of the form for who judges blind: `value` is what they said of it, "": nothing."""

    fatal: Fatal
    takes: str
    value: str
    reason: str


def blind_fatals(sheet: Sheet, marks: Marks) -> tuple[BlindFatal, ...]:
    """Every fatal item of the form, whether anything speaks for it or not."""
    said = {review.target: review.value for review in sheet.own if review.decision in ITEMS}
    said |= dict(marks.values)
    return tuple(
        BlindFatal(
            fatal=fatal,
            takes=TAKES[fatal.zero.value],
            value=said.get(fatal.id, ""),
            reason=_reason(sheet, marks, fatal.id),
        )
        for fatal in sheet.template.fatal
    )


def _reason(sheet: Sheet, marks: Marks, item_id: str) -> str:
    """Why the person decided so: what the draft says, else their last decision."""
    said = {review.target: review.reason for review in sheet.own if review.reason}
    return dict(marks.reasons).get(item_id, said.get(item_id, ""))


def others(sheet: Sheet, items: Sequence[ShownItem], marks: Marks) -> tuple[Exhibit, ...]:
    """Present findings with a place that no item of the form names."""
    named = {exhibit.id for item in items for exhibit in item.exhibits}
    fatal = {name for cause in sheet.card.fatals for name in cause.findings}
    return tuple(
        exhibit
        for exhibit in _exhibits(sheet, marks).values()
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


def choices(item: Item, scored: ScoredItem, machine: ScoredItem) -> tuple[Choice, ...]:
    """Every level of the form, best first as printed."""
    said = machine.level if machine.verdict.decided else None
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
        is_fault=is_fault(finding, stored.rules),
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
