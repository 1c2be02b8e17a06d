"""How an item came to its level: each condition as a tree of what held, and what would change the level."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import combinations

from pipeline.scoring.conditions import Answer, Heard, Outcomes, answer, for_this_call
from pipeline.scoring.deductions import left
from pipeline.scoring.levels import applicable, asked, first_level
from pipeline.scoring.plan import ItemPlan
from pipeline.template import Condition, Level
from pipeline.units import from_tenths

MOST_RULES = 10
MOST_AT_ONCE = 3
"""Rules that may have to be otherwise for another level."""
Changes = tuple[tuple[str, bool], ...]
"""Rules, and whether each would be heard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A condition with its answer. `in_force` False: its rules are for other calls, so it was left out."""

    kind: str
    rule: str | None
    holds: bool | None
    in_force: bool
    parts: tuple["Node", ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelSeen:
    """`tried` False: an earlier level decided already. `node` None: only a person can choose the level."""

    level: Level
    node: Node | None
    tried: bool
    chosen: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """With these rules otherwise (True: heard, False: not heard) the item would have these points."""

    changes: Changes
    level: Level | None
    points: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """With these rules otherwise a condition would hold, or not."""

    changes: Changes
    holds: bool


def tree(condition: Condition, outcomes: Outcomes) -> Node:
    """The condition as it was answered."""
    kept = for_this_call(condition, outcomes)
    return Node(
        kind=condition.kind,
        rule=condition.rule,
        holds=answer(kept, outcomes).holds if kept else None,
        in_force=kept is not None,
        parts=tuple(tree(part, outcomes) for part in condition.parts),
    )


def levels_seen(plan: ItemPlan, outcomes: Outcomes) -> tuple[LevelSeen, ...]:
    """Every level in print order, and which one decided."""
    chosen, _ = first_level(plan, outcomes)
    seen, open_ = [], True
    for level in plan.levels:
        node = tree(level.when, outcomes) if level.when else None
        is_chosen = chosen is level
        seen.append(
            LevelSeen(level=level.level, node=node, tried=open_ and node is not None, chosen=is_chosen)
        )
        open_ = open_ and not is_chosen and not (node and node.in_force and node.holds is None)
    return tuple(seen)


def what_ifs(plan: ItemPlan, outcomes: Outcomes) -> tuple[WhatIf, ...]:
    """The fewest rules that would have to be otherwise for each other level, best level first.

    Levels that more than three rules at once would be needed for are left out. Of deductions, the rules
    that took points or cannot be known: each, or those together that found the same words.
    """
    if plan.deductions:
        return tuple(_without_deductions(plan, outcomes))
    if not any(level.when for level in plan.levels):
        return ()
    now = _level(plan, outcomes)
    found: dict[int, WhatIf] = {}
    for changes in _changes(_mattering(plan, outcomes), outcomes):
        level = _level(plan, _changed(outcomes, dict(changes)))
        if level is None or level is now or id(level) in found:
            continue
        found[id(level)] = WhatIf(changes=changes, level=level, points=level.points)
    ranked = [found[id(one.level)] for one in plan.levels if id(one.level) in found]
    return tuple(ranked)


def _without_deductions(plan: ItemPlan, outcomes: Outcomes) -> Iterator[WhatIf]:
    now = left(plan, outcomes).points
    told: list[Changes] = []
    for changes in _changes(_mattering(plan, outcomes), outcomes):
        if any(value for _, value in changes) or any(set(one) <= set(changes) for one in told):
            continue
        rest = left(plan, _changed(outcomes, dict(changes))).points
        if rest is not None and rest != now:
            points = from_tenths(rest)
            told.append(changes)
            yield WhatIf(changes=changes, level=plan.level_at(points), points=points)


def _level(plan: ItemPlan, outcomes: Outcomes) -> Level | None:
    if applicable(plan, outcomes).holds is not True:
        return None
    level, reached = first_level(plan, outcomes)
    return level.level if level and reached.holds else None


def flips(condition: Condition, outcomes: Outcomes) -> tuple[Flip, ...]:
    """The fewest rules that would have to be otherwise for each other answer to a condition."""
    found = asked(condition, outcomes)
    now = bool(found and found.holds) if found is None or found.holds is not None else None
    rules = list(dict.fromkeys(rule for rule in condition.rules() if rule in outcomes))
    told: dict[bool, Flip] = {}
    for changes in _changes(rules, outcomes):
        answered = asked(condition, _changed(outcomes, dict(changes)))
        holds = answered.holds if answered else None
        if holds is not None and holds is not now and holds not in told:
            told[holds] = Flip(changes=changes, holds=holds)
    return tuple(told.values())


def _changes(rules: Sequence[str], outcomes: Outcomes) -> Iterator[Changes]:
    """Sets of rules that could be otherwise, the smallest first; what is unknown may become either."""
    options = [(rule, value) for rule in rules[:MOST_RULES] for value in _others(outcomes[rule])]
    for size in range(1, MOST_AT_ONCE + 1):
        for chosen in combinations(options, size):
            if len({rule for rule, _ in chosen}) == size:
                yield chosen


def _mattering(plan: ItemPlan, outcomes: Outcomes) -> list[str]:
    """The rules that the item's level, points or use hang on, and that are for this call."""
    named = plan.item.applicable.rules() if plan.item.applicable else ()
    return [rule for rule in plan.evidence if rule in outcomes and (rule in plan.deciding or rule in named)]


def _others(heard: Heard) -> tuple[bool, ...]:
    return (True, False) if heard.present.holds is None else (not heard.present.holds,)


def _changed(outcomes: Outcomes, changes: Mapping[str, bool]) -> Outcomes:
    made = Outcomes(outcomes)
    for rule, value in changes.items():
        made[rule] = _supposed(made[rule], value)
    return made


def _supposed(heard: Heard, value: bool) -> Heard:
    """The same findings with another answer."""
    return Heard(heard.findings if value else (), Answer(value, heard.findings))
