"""What inspectors decided: findings put right, items settled, fatal items confirmed or denied."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from fractions import Fraction

from pipeline.findings import Finding, Outcome
from pipeline.scorecard import (
    FATAL_FAILS,
    FATAL_HOLDS,
    NOT_APPLICABLE,
    DecidedBy,
    Decision,
    Review,
    ScoredItem,
    Verdict,
)
from pipeline.scoring.items import verdict_of
from pipeline.scoring.plan import ItemPlan
from pipeline.template import Combine
from pipeline.units import from_tenths, nearest, tenths

FINDINGS = (Decision.FINDING_TRUE, Decision.FINDING_FALSE)
ITEMS = (Decision.ACCEPT, Decision.OVERRIDE)
OPPOSITE = {Outcome.PRESENT: Outcome.ABSENT, Outcome.ABSENT: Outcome.PRESENT}
CONFIRMED, DENIED = "质检员认定属实", "质检员认定不实"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What one decision makes of an item: points in tenths, None where it takes the item out."""

    review: Review
    points: int | None
    level: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisions:
    """The newest decisions about one call: about each finding, and of each inspector about each item."""

    findings: Mapping[str, Review]
    items: Mapping[str, tuple[Review, ...]]

    def corrected(self, findings: Sequence[Finding]) -> Sequence[Finding]:
        """The findings as people see them: a false one is turned into its opposite."""
        return [self._corrected(finding) for finding in findings] if self.findings else findings

    def _corrected(self, finding: Finding) -> Finding:
        review = self.findings.get(finding.id)
        if review is None or (outcome := _outcome(finding, review)) is None:
            return finding
        said = CONFIRMED if review.decision is Decision.FINDING_TRUE else DENIED
        explanation = f"{finding.explanation.rstrip('。')}（{review.who}：{said}）"
        return replace(finding, outcome=outcome, confidence=1.0, explanation=explanation)

    def fatal(self, fatal_id: str) -> bool | None:
        """Whether the newest decision says that a fatal item holds; None: nobody said."""
        said = [review.value for review in self.items.get(fatal_id, ()) if review.value in _HOLDS]
        return _HOLDS[said[-1]] if said else None


_HOLDS = {FATAL_HOLDS: True, FATAL_FAILS: False}
NO_DECISIONS = Decisions(findings={}, items={})


def _outcome(finding: Finding, review: Review) -> Outcome | None:
    """What the finding becomes. Where the machine could not tell, confirming says present, denying absent."""
    confirmed = review.decision is Decision.FINDING_TRUE
    if finding.outcome is Outcome.CANNOT_TELL:
        return Outcome.PRESENT if confirmed else Outcome.ABSENT
    return finding.outcome if confirmed else OPPOSITE[finding.outcome]


def decisions(recording_id: str, reviews: Iterable[Review]) -> Decisions:
    """The decisions about one recording, whatever the order of the reviews."""
    own = [r for r in reviews if r.recording_id == recording_id]
    if not own:
        return NO_DECISIONS
    own.sort(key=lambda r: (r.at, r.who, r.decision, r.target, r.value, r.reason))
    latest: dict[str, dict[str, Review]] = {}
    for review in own:
        if review.decision in ITEMS:
            by_inspector = latest.setdefault(review.target, {})
            by_inspector.pop(review.who, None)
            by_inspector[review.who] = review
    return Decisions(
        findings={review.target: review for review in own if review.decision in FINDINGS},
        items={target: tuple(found.values()) for target, found in latest.items()},
    )


def settle(plan: ItemPlan, scored: ScoredItem, reviews: Sequence[Review], combine: Combine) -> ScoredItem:
    """The item as people left it. A decision that the form does not allow (a level or points that it has
    not) leaves the item to a person and says so."""
    settled = [found for review in reviews if (found := _settled(plan, scored, review))]
    if not settled:
        return _unusable(scored, reviews)
    if combine is Combine.FINAL or len(settled) == 1:
        return _by_one(plan, scored, settled[-1])
    return _by_several(plan, scored, settled)


def _settled(plan: ItemPlan, scored: ScoredItem, review: Review) -> Settled | None:
    if review.decision is Decision.ACCEPT:
        return _accepted(plan, scored, review)
    if review.value == NOT_APPLICABLE:
        return Settled(review=review, points=None, level=None)
    level = plan.level_named(review.value)
    if level is not None:
        return Settled(review=review, points=tenths(level.points), level=level.title)
    points = points_of(plan, review.value)
    if points is None:
        return None
    named = plan.level_at(from_tenths(points))
    return Settled(review=review, points=points, level=named.title if named else None)


def _accepted(plan: ItemPlan, scored: ScoredItem, review: Review) -> Settled | None:
    """What the machine had decided when it was accepted; without a note of it, what it decides or would
    choose now."""
    if review.value:
        kept = _settled(plan, scored, replace(review, decision=Decision.OVERRIDE))
        return None if kept is None else replace(kept, review=review)
    if scored.verdict is Verdict.NOT_APPLICABLE:
        return Settled(review=review, points=None, level=None)
    if scored.points is not None:
        return Settled(review=review, points=tenths(scored.points), level=scored.level)
    if scored.suggested is None:
        return None
    return _settled(plan, scored, replace(review, decision=Decision.OVERRIDE, value=scored.suggested))


def points_of(plan: ItemPlan, value: str) -> int | None:
    """Points written by a person, in tenths; None where the form does not allow them."""
    try:
        given = Decimal(value.strip().removesuffix("分").strip())
    except InvalidOperation:
        return None
    if not given.is_finite() or given != given.quantize(Decimal("0.1")):
        return None
    amount = tenths(given)
    return amount if plan.least <= amount <= plan.possible else None


def _by_one(plan: ItemPlan, scored: ScoredItem, settled: Settled) -> ScoredItem:
    given = "不适用" if settled.points is None else f"{from_tenths(settled.points)} 分"
    named = f"{settled.level}（{given}）" if settled.level else given
    accepted = settled.review.decision is Decision.ACCEPT
    reason = f"{settled.review.who}{'采信' if accepted else '评为'}{named}"
    reason += f"：{settled.review.reason}" if settled.review.reason else ""
    return _reviewed(plan, scored, settled, reason, (settled.review.who,))


def _by_several(plan: ItemPlan, scored: ScoredItem, settled: Sequence[Settled]) -> ScoredItem:
    """The mean of those who gave points; taken out only where nobody did."""
    given = [one.points for one in settled if one.points is not None]
    mean = nearest(Fraction(sum(given), len(given))) if given else None
    level = plan.level_at(from_tenths(mean)) if mean is not None else None
    last = replace(settled[-1], points=mean, level=level.title if level else None)
    who = tuple(sorted(one.review.who for one in settled))
    told = "、".join(
        f"{one.review.who} {'不适用' if one.points is None else from_tenths(one.points)}" for one in settled
    )
    outcome = "不适用" if mean is None else f"平均 {from_tenths(mean)} 分"
    return _reviewed(plan, scored, last, f"{len(settled)} 人评分（{told}），{outcome}", who)


def _reviewed(
    plan: ItemPlan, scored: ScoredItem, settled: Settled, reason: str, who: tuple[str, ...]
) -> ScoredItem:
    points = None if settled.points is None else from_tenths(settled.points)
    return replace(
        scored,
        level=settled.level,
        points=points,
        verdict=Verdict.NOT_APPLICABLE if points is None else verdict_of(points, plan.points),
        confidence=1.0,
        reason=reason,
        lowest=Decimal("0.0") if points is None else points,
        decided_by=DecidedBy.REVIEW,
        reviewers=who,
        acceptable=True,
    )


def _unusable(scored: ScoredItem, reviews: Sequence[Review]) -> ScoredItem:
    """Nothing usable was decided: an ACCEPT of nothing changes nothing, a wrong value must be seen."""
    wrong = [review for review in reviews if review.decision is Decision.OVERRIDE]
    if not wrong:
        return scored
    reason = f"{wrong[-1].who}评的“{wrong[-1].value}”不在本项的等级和分数之内，请重新判断"
    return replace(
        scored,
        level=None,
        points=None,
        verdict=Verdict.NEEDS_REVIEW,
        confidence=0.0,
        reason=reason,
        decided_by=DecidedBy.NOBODY,
        acceptable=False,
        deductions=(),
    )
