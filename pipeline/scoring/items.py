"""One item of the form: not applicable, decided, or left open with the reason."""

from collections.abc import Iterable
from decimal import Decimal

from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Fill, Item, Level
from pipeline.scorecard import DecidedBy, Deducted, ScoredItem, Verdict
from pipeline.scoring import deductions, levels, reasons
from pipeline.scoring.conditions import Answer, Outcomes
from pipeline.scoring.plan import ItemPlan
from pipeline.units import from_tenths


def score_item(item: Item, outcomes: Outcomes) -> ScoredItem:
    """What the findings make of one item."""
    return fill_in(ItemPlan.of(item), outcomes)


def fill_in(plan: ItemPlan, outcomes: Outcomes) -> ScoredItem:
    """The same for an item made ready."""
    item = plan.item
    applies = levels.applicable(plan, outcomes)
    if applies.holds is False:
        return _left_out(plan, applies, outcomes)
    if item.fill is Fill.MANUAL:
        return _open(plan, Verdict.MANUAL, _evidence(plan, outcomes), reasons.left_open(item))
    if applies.holds is None:
        reason = reasons.unknown(applies.because)
        return _open(plan, Verdict.NEEDS_REVIEW, _evidence(plan, outcomes), reason)
    return _by_deductions(plan, outcomes) if plan.deductions else _by_levels(plan, outcomes)


def _by_levels(plan: ItemPlan, outcomes: Outcomes) -> ScoredItem:
    item = plan.item
    chosen, reached = levels.first_level(plan, outcomes)
    level = chosen.level if chosen else None
    evidence = _evidence(plan, outcomes)
    if item.fill is Fill.ASSIST:
        reason = reasons.suggestion(level, reached, evidence)
        return _open(plan, Verdict.MANUAL, evidence, reason, level.title if level else None)
    if reached.holds is None:
        return _open(plan, Verdict.NEEDS_REVIEW, evidence, reasons.unknown(reached.because))
    if level is None or chosen is None:
        return _open(plan, Verdict.MANUAL, evidence, reasons.left_open(item))
    reason = reasons.decided(reached.because, item, level.text)
    return _decided(plan, chosen.points, level, reached.because or evidence, reason)


def _by_deductions(plan: ItemPlan, outcomes: Outcomes) -> ScoredItem:
    item, rest = plan.item, deductions.left(plan, outcomes)
    if item.fill is Fill.ASSIST:
        reason = reasons.suggestion(None, Answer(None, rest.because), rest.because)
        suggested = None if rest.points is None else f"{from_tenths(rest.points)} 分"
        if suggested:
            reason = f"建议{suggested}，{reason}"
        return _open(plan, Verdict.MANUAL, _evidence(plan, outcomes), reason, suggested)
    if rest.points is None:
        reason = reasons.unknown(rest.because)
        return _open(plan, Verdict.NEEDS_REVIEW, _evidence(plan, outcomes), reason)
    points = from_tenths(rest.points)
    reason = reasons.decided(rest.because, item, "")
    return _decided(plan, points, plan.level_at(points), rest.because, reason, rest.taken)


def _evidence(plan: ItemPlan, outcomes: Outcomes) -> tuple[Finding, ...]:
    return tuple(f for rule in plan.evidence if rule in outcomes for f in outcomes[rule].findings)


def verdict_of(points: Decimal, possible: Decimal) -> Verdict:
    """What so many of the possible points are called."""
    if points == possible:
        return Verdict.PASS
    return Verdict.FAIL if points == 0 else Verdict.GRADED


def _sure(item: Item, findings: Iterable[Finding]) -> bool:
    """Whether everything that the item hangs on is sure enough; what was not found has to be surer."""
    absent = item.accept_absent_from
    return all(
        finding.confidence
        >= (max(item.accept_from, absent) if finding.outcome is Outcome.ABSENT else item.accept_from)
        for finding in findings
    )


def _least_confidence(findings: Iterable[Finding]) -> float:
    return min((finding.confidence for finding in findings), default=1.0)


def _decided(
    plan: ItemPlan,
    points: Decimal,
    level: Level | None,
    findings: tuple[Finding, ...],
    reason: str,
    taken: tuple[Deducted, ...] = (),
) -> ScoredItem:
    item, confidence = plan.item, _least_confidence(findings)
    return ScoredItem(
        id=item.id,
        title=item.title,
        section=item.section,
        level=level.title if level else None,
        points=points,
        points_possible=plan.points,
        verdict=verdict_of(points, plan.points),
        confidence=confidence,
        findings=tuple([finding.id for finding in findings]),
        reason=reason,
        lowest=points,
        fill=item.fill,
        bonus=item.bonus,
        decided_by=DecidedBy.RULES,
        accept_from=item.accept_from,
        acceptable=_sure(item, findings),
        deductions=taken,
    )


def _left_out(plan: ItemPlan, applies: Answer, outcomes: Outcomes) -> ScoredItem:
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
        findings=tuple([finding.id for finding in _evidence(plan, outcomes)]),
        reason=reasons.not_applicable(applies),
        fill=item.fill,
        bonus=item.bonus,
        decided_by=DecidedBy.RULES,
        accept_from=item.accept_from,
        acceptable=confidence >= item.accept_from,
    )


def _open(
    plan: ItemPlan,
    verdict: Verdict,
    findings: tuple[Finding, ...],
    reason: str,
    suggested: str | None = None,
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
        findings=tuple([finding.id for finding in findings]),
        reason=reason,
        lowest=plan.lowest,
        fill=item.fill,
        bonus=item.bonus,
        suggested=suggested,
        accept_from=item.accept_from,
    )
