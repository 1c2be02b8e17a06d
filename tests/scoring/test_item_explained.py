from decimal import Decimal

from hypothesis import given
from made_forms import (
    absent,
    cannot_tell,
    deducting,
    deduction,
    finding,
    heard,
    item,
    items,
    leaf,
    level,
    present,
)

from pipeline.findings import Finding, Outcome
from pipeline.scoring.conditions import by_rule
from pipeline.scoring.explain import levels_seen, what_ifs
from pipeline.scoring.items import score_item
from pipeline.scoring.plan import ItemPlan
from pipeline.template import Condition, Item

BOTH = Condition(kind="all", parts=(leaf("present", "a.a"), leaf("present", "b.b")))
THREE = (
    level("优", "5", BOTH),
    level("良", "3", leaf("present", "a.a")),
    level("差", "0", leaf("absent", "a.a")),
)


def told(one: Item, *findings: Finding) -> list[tuple[tuple[tuple[str, bool], ...], Decimal]]:
    return [(found.changes, found.points) for found in what_ifs(ItemPlan.of(one), by_rule(findings))]


def test_each_level_says_whether_it_held_and_whether_it_was_asked() -> None:
    plan = ItemPlan.of(item("i", levels=THREE))
    seen = levels_seen(plan, by_rule([present("a.a"), absent("b.b")]))
    assert [(s.level.title, s.node and s.node.holds, s.tried, s.chosen) for s in seen] == [
        ("优", False, True, False),
        ("良", True, True, True),
        ("差", False, False, False),
    ]


def test_a_level_that_nobody_can_know_ends_the_asking() -> None:
    plan = ItemPlan.of(item("i", levels=THREE))
    seen = levels_seen(plan, by_rule([present("a.a"), cannot_tell("b.b")]))
    assert [(s.tried, s.chosen) for s in seen] == [(True, False), (False, False), (False, False)]


def test_the_fewest_changes_are_told_for_each_other_level() -> None:
    assert told(item("i", levels=THREE), absent("a.a"), absent("b.b")) == [
        ((("a.a", True), ("b.b", True)), Decimal(5)),
        ((("a.a", True),), Decimal(3)),
    ]


def test_of_deductions_each_finding_that_took_points_is_told() -> None:
    one = deducting("i", "10", deduction("a.a", "2"), deduction("b.b", "3"))
    assert told(one, present("a.a"), absent("b.b")) == [((("a.a", False),), Decimal("10.0"))]


def test_of_the_same_words_found_by_two_rules_only_both_together_are_told() -> None:
    one = deducting("i", "10", deduction("a.a", "2"), deduction("b.b", "2"))
    assert told(one, present("a.a"), present("b.b")) == [
        ((("a.a", False), ("b.b", False)), Decimal("10.0")),
    ]


@given(items("i"), heard())
def test_what_would_change_it_does_change_it(one: Item, findings: list[Finding]) -> None:
    """Findings made as the change says give the points that it says."""
    for found in what_ifs(ItemPlan.of(one), by_rule(findings)):
        changed = dict(found.changes)
        rest = [f for f in findings if f.rule_id not in changed]
        outcomes = {True: Outcome.PRESENT, False: Outcome.ABSENT}
        made = [finding(rule, outcomes[value]) for rule, value in found.changes]
        scored = score_item(one, by_rule([*rest, *made]))
        if scored.points is not None:
            assert scored.points == found.points
