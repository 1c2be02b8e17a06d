"""Which level of an item holds, and whether the item is for this call at all."""

from pipeline.scoring.conditions import ALWAYS, Answer, Outcomes, answer, for_this_call
from pipeline.scoring.plan import ItemPlan, LevelPlan
from pipeline.template import Condition, Fill

NOT_FOR_THIS_CALL = Answer(False)
NO_LEVEL = Answer(False)


def asked(condition: Condition, outcomes: Outcomes) -> Answer | None:
    """The answer of what is for this call in a condition; None: nothing of it is."""
    if outcomes.complete:
        return answer(condition, outcomes)
    kept = for_this_call(condition, outcomes)
    return None if kept is None else answer(kept, outcomes)


def applicable(plan: ItemPlan, outcomes: Outcomes) -> Answer:
    """Whether the item applies. One that rules decide, and whose rules are all for other calls, does not."""
    if plan.item.applicable is not None:
        return asked(plan.item.applicable, outcomes) or NOT_FOR_THIS_CALL
    if plan.item.fill is Fill.AUTO and plan.deciding and outcomes.keys().isdisjoint(plan.deciding):
        return NOT_FOR_THIS_CALL
    return ALWAYS


def first_level(plan: ItemPlan, outcomes: Outcomes) -> tuple[LevelPlan | None, Answer]:
    """The first level, in print order, whose condition holds. A level before it that cannot be known
    makes the result unknown: the better level might be the right one."""
    for level in plan.levels:
        if level.when is None:
            continue
        reached = asked(level.when, outcomes)
        if reached is None or reached.holds is False:
            continue
        return (level if reached.holds else None), reached
    return None, NO_LEVEL
