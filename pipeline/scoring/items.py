"""One item of the form: not applicable, decided, or left open with the reason."""

from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from pipeline.findings import Finding, Outcome
from pipeline.scorecard import DecidedBy, Deducted, ScoredItem, Verdict
from pipeline.scoring import deductions, levels, reasons
from pipeline.scoring.conditions import Answer, Outcomes, ids
from pipeline.scoring.plan import ItemPlan
from pipeline.template import Fill, Item, Level
from pipeline.units import from_tenths

Findings = tuple[Finding, ...]


class _Result(NamedTuple):
    """What rules decided."""

    points: Decimal
    level: Level | None
    because: Findings
    reason: str
    taken: tuple[Deducted, ...] = ()


def score_item(item: Item, outcomes: Outcomes) -> ScoredItem:
    """What the findings make of one item."""
    return fill_in(ItemPlan.of(item), outcomes)


def fill_in(plan: ItemPlan, outcomes: Outcomes) -> ScoredItem:
    """The same for an item made ready."""
    applies = levels.applicable(plan, outcomes)
    if applies.holds is False:
        return _left_out(plan, outcomes, applies)
    if plan.item.fill is Fill.MANUAL:
        return _open(plan, _evidence(plan, outcomes), Verdict.MANUAL, reasons.left_open(plan.item))
    if applies.holds is None:
        unknown = reasons.unknown(applies.because)
        return _open(plan, _evidence(plan, outcomes), Verdict.NEEDS_REVIEW, unknown)
    return _by_deductions(plan, outcomes) if plan.deductions else _by_levels(plan, outcomes)


def _by_levels(plan: ItemPlan, outcomes: Outcomes) -> ScoredItem:
    item, evidence = plan.item, _evidence(plan, outcomes)
    chosen, reached = levels.first_level(plan, outcomes)
    level = chosen.level if chosen else None
    if item.fill is Fill.ASSIST:
        reason = reasons.suggestion(level, reached, evidence)
        return _open(plan, evidence, Verdict.MANUAL, reason, level.title if level else None)
    if reached.holds is None:
        return _open(plan, evidence, Verdict.NEEDS_REVIEW, reasons.unknown(reached.because))
    if level is None or chosen is None:
        return _open(plan, evidence, Verdict.MANUAL, reasons.left_open(item))
    reason = reasons.decided(reached.because, item, level.text)
    return _decided(plan, _Result(chosen.points, level, reached.because or evidence, reason))


def _by_deductions(plan: ItemPlan, outcomes: Outcomes) -> ScoredItem:
    item, rest, evidence = plan.item, deductions.left(plan, outcomes), _evidence(plan, outcomes)
    if item.fill is Fill.ASSIST:
        suggested = None if rest.points is None else f"{from_tenths(rest.points)} 分"
        reason = reasons.suggestion(None, Answer(None, rest.because), rest.because)
        reason = f"建议{suggested}{reasons.once(rest.again)}，{reason}" if suggested else reason
        return _open(plan, evidence, Verdict.MANUAL, reason, suggested)
    if rest.points is None:
        return _open(plan, evidence, Verdict.NEEDS_REVIEW, reasons.unknown(rest.because))
    points, reason = from_tenths(rest.points), reasons.deducted(rest.taken, rest.again, rest.because, item)
    return _decided(plan, _Result(points, plan.level_at(points), rest.because, reason, rest.taken))


def _evidence(plan: ItemPlan, outcomes: Outcomes) -> Findings:
    return tuple([f for rule in plan.evidence if rule in outcomes for f in outcomes[rule].findings])


def verdict_of(points: Decimal, possible: Decimal) -> Verdict:
    """What so many of the possible points are called."""
    if points == possible:
        return Verdict.PASS
    return Verdict.FAIL if points == 0 else Verdict.GRADED


def _bound(item: Item, findings: Iterable[Finding]) -> float:
    """The confidence from which the item may be accepted as it is: what was not found has to be surer."""
    absent = max(item.accept_from, item.accept_absent_from)
    for finding in findings:
        if finding.confidence < absent and finding.outcome is Outcome.ABSENT:
            return absent
    return item.accept_from


def _least_confidence(findings: Iterable[Finding]) -> float:
    return min([finding.confidence for finding in findings], default=1.0)


def _decided(plan: ItemPlan, result: _Result) -> ScoredItem:
    item, confidence = plan.item, _least_confidence(result.because)
    bound = _bound(item, result.because)
    return ScoredItem(
        id=item.id,
        title=item.title,
        section=item.section,
        level=result.level.title if result.level else None,
        points=result.points,
        points_possible=plan.points,
        verdict=verdict_of(result.points, plan.points),
        confidence=confidence,
        findings=ids(result.because),
        reason=result.reason,
        lowest=result.points,
        fill=item.fill,
        bonus=item.bonus,
        decided_by=DecidedBy.RULES,
        accept_from=bound,
        acceptable=confidence >= bound,
        deductions=result.taken,
    )


def _left_out(plan: ItemPlan, outcomes: Outcomes, applies: Answer) -> ScoredItem:
    """An item that is not for this call. How sure that is, is its confidence."""
    item, confidence = plan.item, _least_confidence(applies.because)
    return ScoredItem(
        id=item.id,
        title=item.title,
        section=item.section,
        level=None,
        points=None,
        points_possible=plan.points,
        verdict=Verdict.NOT_APPLICABLE,
        confidence=confidence,
        findings=ids(_evidence(plan, outcomes)),
        reason=reasons.not_applicable(applies),
        fill=item.fill,
        bonus=item.bonus,
        decided_by=DecidedBy.RULES,
        accept_from=item.accept_from,
        acceptable=confidence >= item.accept_from,
    )


def _open(
    plan: ItemPlan, evidence: Findings, verdict: Verdict, reason: str, suggested: str | None = None
) -> ScoredItem:
    item = plan.item
    return ScoredItem(
        id=item.id,
        title=item.title,
        section=item.section,
        level=None,
        points=None,
        points_possible=plan.points,
        verdict=verdict,
        confidence=0.0,
        findings=ids(evidence),
        reason=reason,
        lowest=plan.lowest,
        fill=item.fill,
        bonus=item.bonus,
        suggested=suggested,
        accept_from=item.accept_from,
    )
