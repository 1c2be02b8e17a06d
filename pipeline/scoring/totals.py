"""Items added up: sections, the total so far, and the range that the final total can still take.

Everything counts in whole tenths of a point, so that no sum depends on its order.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from pipeline.scorecard import OPEN, FatalCause, ScoredItem, SectionScore, Verdict
from pipeline.scoring.fatal import zeroed
from pipeline.scoring.plan import ItemPlan, Plan, SectionPlan
from pipeline.scoring.spread import Part, Spread, mean_spread, spread
from pipeline.template import Total, Zero
from pipeline.units import from_tenths, nearest

PERCENT_TENTHS = 1000
NOTHING = from_tenths(0)


@dataclass(slots=True)
class Sum:
    """One section added up, in tenths of a point. Bonuses are apart: they are in no denominator."""

    points: int = 0
    decided: int = 0
    bonus: int = 0
    bonus_open: int = 0
    count: int = 0
    open: list[Part] = field(default_factory=list)

    @property
    def open_points(self) -> int:
        """What undecided items can still add."""
        return sum([part.most for part in self.open])

    @property
    def possible(self) -> int:
        return self.decided + sum([part.possible for part in self.open])

    def zeroed(self) -> "Sum":
        """The same section when a fatal item takes it."""
        parts = [Part(0, 0, part.possible) for part in self.open]
        return Sum(decided=self.decided, count=self.count, open=parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """`lowest` and `highest` are normalised, the rest is in the points of the form."""

    sections: tuple[SectionScore, ...]
    total: Decimal
    open: Decimal
    possible: Decimal
    lowest: Decimal
    highest: Decimal


def add_up(plan: Plan, items: Sequence[ScoredItem], causes: tuple[FatalCause, ...]) -> Totals:
    """Sections, total, open points and range of a filled-in form."""
    sums = [_sum(plan.items[s.first : s.behind], items[s.first : s.behind]) for s in plan.sections]
    certain = _after(plan, sums, causes, certain=True)
    worst = certain if all(cause.holds for cause in causes) else _after(plan, sums, causes, certain=False)
    weights, best = _weights(plan, sums), _spread(plan, certain)
    least = (best if worst is certain else _spread(plan, worst)).lowest
    is_lost = bool(zeroed(causes, Zero.CARD, certain=True))
    may_be_lost = bool(zeroed(causes, Zero.CARD, certain=False))
    return Totals(
        sections=tuple(map(_section, plan.sections, certain)),
        total=NOTHING if is_lost else _weighed(weights, [one.points + one.bonus for one in certain]),
        open=NOTHING if is_lost else _weighed(weights, [one.open_points + one.bonus_open for one in certain]),
        possible=_weighed(weights, [one.possible for one in certain]),
        lowest=NOTHING
        if may_be_lost
        else from_tenths(nearest(plan.full * least) + sum([one.bonus for one in worst])),
        highest=NOTHING if is_lost else from_tenths(nearest(plan.full * best.highest) + _bonuses(certain)),
    )


def _sum(plans: Iterable[ItemPlan], items: Iterable[ScoredItem]) -> Sum:
    made = Sum()
    for plan, item in zip(plans, items, strict=True):
        if item.verdict is Verdict.NOT_APPLICABLE:
            continue
        if plan.item.bonus:
            made.bonus += _tenths(item)
            made.bonus_open += plan.possible if item.verdict in OPEN else 0
            continue
        made.count += 1
        if item.verdict in OPEN:
            made.open.append(Part(plan.least, plan.possible, plan.possible))
        else:
            made.points += _tenths(item)
            made.decided += plan.possible
    return made


def _tenths(item: ScoredItem) -> int:
    return 0 if item.points is None else int(item.points * 10)


def _after(plan: Plan, sums: Sequence[Sum], causes: tuple[FatalCause, ...], *, certain: bool) -> list[Sum]:
    """The sums when fatal items have taken their sections."""
    lost = zeroed(causes, Zero.SECTION, certain=certain)
    return [one.zeroed() if s.id in lost else one for s, one in zip(plan.sections, sums, strict=True)]


def _weights(plan: Plan, sums: Sequence[Sum]) -> list[Fraction] | None:
    """What a tenth of each section is in the total; None: a tenth."""
    if plan.template.total is Total.POINTS:
        return None
    return [section.share / max(one.count, 1) for section, one in zip(plan.sections, sums, strict=True)]


def _weighed(weights: list[Fraction] | None, amounts: Sequence[int]) -> Decimal:
    if weights is None:
        return from_tenths(sum(amounts))
    weighed = [w * a for w, a in zip(weights, amounts, strict=True) if a]
    return from_tenths(nearest(sum(weighed, Fraction(0))))


def _section(plan: SectionPlan, one: Sum) -> SectionScore:
    rate = (2 * PERCENT_TENTHS * one.points + one.decided) // (2 * one.decided) if one.decided else None
    return SectionScore(
        id=plan.id,
        title=plan.title,
        weight=plan.weight,
        points=from_tenths(one.points + one.bonus),
        open=from_tenths(one.open_points + one.bonus_open),
        possible=from_tenths(one.possible),
        rate=None if rate is None else from_tenths(rate),
    )


def _bonuses(sums: Sequence[Sum]) -> int:
    return sum([one.bonus + one.bonus_open for one in sums])


def _spread(plan: Plan, sums: Sequence[Sum]) -> Spread:
    if plan.template.total is Total.POINTS:
        parts = [part for one in sums for part in one.open]
        return spread(sum(one.points for one in sums), sum(one.decided for one in sums), parts)
    weighed = [
        (section.share, spread(one.points, one.decided, one.open))
        for section, one in zip(plan.sections, sums, strict=True)
        if one.count
    ]
    return mean_spread(weighed)
