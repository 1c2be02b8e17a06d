"""What findings take from an item's full points."""

from dataclasses import dataclass

from pipeline.findings import Finding, Outcome
from pipeline.scorecard import Deducted
from pipeline.scoring.conditions import Heard, Outcomes
from pipeline.scoring.plan import DeductionPlan, ItemPlan
from pipeline.template import Per
from pipeline.units import from_tenths


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """What is left of an item: `points` in tenths, None where a deduction cannot be known that would
    matter. `because` are the findings behind the result."""

    points: int | None
    taken: tuple[Deducted, ...]
    because: tuple[Finding, ...]


def left(plan: ItemPlan, outcomes: Outcomes) -> Left:
    """Full points less what was found; never below zero."""
    rest, taken = plan.possible, []
    doubtful: list[Finding] = []
    is_known = True
    for deduction in plan.deductions:
        heard = outcomes.get(deduction.deduction.rule)
        if heard is None:
            continue
        seen = _present(heard)
        amount = min(deduction.cap, deduction.points * _times(deduction, len(seen)))
        rest -= amount
        if seen:
            taken.append(_deducted(deduction, outcomes.ids(seen), amount))
        if amount < deduction.cap and _may_be_more(deduction, heard, bool(seen)):
            is_known = False
            doubtful.extend(heard.findings)
    if rest <= 0:
        return Left(points=0, taken=tuple(taken), because=_found(plan, outcomes))
    if not is_known:
        return Left(points=None, taken=tuple(taken), because=tuple(doubtful))
    return Left(points=rest, taken=tuple(taken), because=_found(plan, outcomes))


def _present(heard: Heard) -> tuple[Finding, ...]:
    return heard.present.because if heard.present.holds else ()


def _times(deduction: DeductionPlan, found: int) -> int:
    return min(found, 1) if deduction.deduction.per is Per.CALL else found


def _may_be_more(deduction: DeductionPlan, heard: Heard, seen: bool) -> bool:
    """Whether what could not be told might take more points."""
    if seen and deduction.deduction.per is Per.CALL:
        return False
    return heard.present.holds is None or any(f.outcome is Outcome.CANNOT_TELL for f in heard.findings)


def _deducted(deduction: DeductionPlan, seen: tuple[str, ...], amount: int) -> Deducted:
    return Deducted(
        rule=deduction.deduction.rule,
        points=from_tenths(amount),
        text=deduction.deduction.text,
        findings=seen,
    )


def _found(plan: ItemPlan, outcomes: Outcomes) -> tuple[Finding, ...]:
    """The findings that took points; where none did, the absences that left them."""
    heard = [outcomes[d.deduction.rule] for d in plan.deductions if d.deduction.rule in outcomes]
    seen = tuple(finding for one in heard for finding in _present(one))
    return seen or tuple(finding for one in heard for finding in one.findings)
