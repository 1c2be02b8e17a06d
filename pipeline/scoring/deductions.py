"""What findings take from an item's full points."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.findings import Finding, Outcome
from pipeline.scorecard import Deducted
from pipeline.scoring.conditions import Heard, Outcomes, ids
from pipeline.scoring.places import Claim, paid
from pipeline.scoring.plan import DeductionPlan, ItemPlan
from pipeline.units import from_tenths


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is left of an item: `points` in tenths, None where a deduction cannot be known that would
    matter. `because` are the findings behind the result; `again` counts those that took nothing, as others
    had taken for the same words."""

    points: int | None
    taken: tuple[Deducted, ...]
    because: tuple[Finding, ...]
    again: int = 0


class _Line:
    """A deduction whose rule is for this call: what was seen, and which of it takes points."""

    __slots__ = ("heard", "paying", "plan", "seen")

    def __init__(self, plan: DeductionPlan, heard: Heard) -> None:
        present = heard.present
        self.plan, self.heard = plan, heard
        self.seen = self.paying = present.because if present.holds else ()

    @property
    def amount(self) -> int:
        times = min(len(self.paying), 1) if self.plan.once else len(self.paying)
        return min(self.plan.cap, self.plan.points * times)

    @property
    def may_be_more(self) -> bool:
        """Whether what could not be told might take more points."""
        if self.amount >= self.plan.cap or (self.seen and self.plan.once):
            return False
        found = self.heard.findings
        unknown = len(found) > 1 and any(f.outcome is Outcome.CANNOT_TELL for f in found)
        return unknown or self.heard.present.holds is None


def left(plan: ItemPlan, outcomes: Outcomes) -> Left:
    """Full points less what was found; never below zero."""
    lines = [_Line(one, outcomes[one.rule]) for one in plan.deductions if one.rule in outcomes]
    seen = [finding for line in lines for finding in line.seen]
    if len(seen) > 1:
        _pay_once(lines)
    rest = max(0, plan.possible - sum([line.amount for line in lines]))
    doubtful = [finding for line in lines if line.may_be_more for finding in line.heard.findings]
    taken = tuple([_deducted(line) for line in lines if line.paying])
    again = len(seen) - sum([len(line.paying) for line in lines])
    if rest and doubtful:
        return Left(points=None, taken=taken, because=tuple(doubtful), again=again)
    because = seen or [finding for line in lines for finding in line.heard.findings]
    return Left(points=rest, taken=taken, because=tuple(because), again=again)


def _pay_once(lines: Sequence[_Line]) -> None:
    """Leave of each line that takes points for every finding those that no other line pays for."""
    lines = [line for line in lines if not line.plan.once]
    kept = paid([Claim(line.plan.points, at, f) for at, line in enumerate(lines) for f in line.seen])
    counted = {(claim.line, id(claim.finding)) for claim in kept}
    for at, line in enumerate(lines):
        line.paying = tuple([finding for finding in line.seen if (at, id(finding)) in counted])


def _deducted(line: _Line) -> Deducted:
    return Deducted(
        rule=line.plan.rule,
        points=from_tenths(line.amount),
        text=line.plan.deduction.text,
        findings=ids(line.paying),
    )
