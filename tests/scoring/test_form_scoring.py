from dataclasses import replace
from decimal import Decimal

import pytest
from made_forms import (
    absent,
    cannot_tell,
    card,
    deducting,
    deduction,
    finding,
    form,
    item,
    later,
    leaf,
    level,
    present,
    review,
    section,
)

from pipeline.findings import Outcome
from pipeline.scorecard import NOT_APPLICABLE, DecidedBy, Decision, Verdict
from pipeline.template import Combine, Fatal, Fill, Item, Per, Reviewing, Section, Total, Zero

D = Decimal


def manual(item_id: str, points: str = "5") -> Item:
    return item(item_id, points, fill=Fill.MANUAL)


def five(item_id: str, rule: str) -> Item:
    """An item on 1-5."""
    levels = (level("5 分", "5", leaf("present", rule)), level("1 分", "1", leaf("absent", rule)))
    return item(item_id, levels=levels)


# deductions


def test_every_finding_takes_its_points_up_to_the_cap() -> None:
    one = deducting("i", "10", deduction("a.a", "2", cap="5"))
    found = [present("a.a", 1000 * n) for n in range(1, 5)]
    (scored,) = card(form(section("s", one)), found).items
    assert scored.points == D("5.0")
    assert [(d.rule, d.points, len(d.findings)) for d in scored.deductions] == [("a.a", D("5.0"), 4)]


def test_a_deduction_for_the_call_is_taken_once() -> None:
    one = deducting("i", "10", deduction("a.a", "2", Per.CALL))
    found = [present("a.a", 1000 * n) for n in range(1, 5)]
    assert card(form(section("s", one)), found).items[0].points == D("8.0")


def test_nothing_found_leaves_the_full_points_with_the_absences_as_evidence() -> None:
    one = deducting("i", "10", deduction("a.a", "2"))
    (scored,) = card(form(section("s", one)), [absent("a.a")]).items
    assert (scored.verdict, scored.points, scored.findings) == (Verdict.PASS, D("10.0"), (absent("a.a").id,))


def test_a_deduction_that_cannot_be_known_leaves_the_item_open() -> None:
    one = deducting("i", "10", deduction("a.a", "2"), deduction("b.b", "3"))
    result = card(form(section("s", one)), [present("a.a"), cannot_tell("b.b")])
    assert result.items[0].verdict is Verdict.NEEDS_REVIEW
    assert (result.lowest, result.highest) == (D("0.0"), D("10.0"))


def test_a_deduction_that_can_take_nothing_more_decides_whatever_is_unknown() -> None:
    one = deducting("i", "2", deduction("a.a", "2"), deduction("b.b", "3"))
    (scored,) = card(form(section("s", one)), [present("a.a"), cannot_tell("b.b")]).items
    assert (scored.verdict, scored.points) == (Verdict.FAIL, D("0.0"))


# totals


def test_what_is_printed_as_101_is_normalised_to_100() -> None:
    printed = form(section("s", item("i", "60"), item("j", "41")), full=D(100))
    result = card(printed, [present("a.a")])
    assert (result.total, result.points_possible, result.final) == (D("101.0"), D("101.0"), D("100.0"))


def test_items_that_do_not_apply_leave_the_denominator_of_the_final_total() -> None:
    hold = item("h", "5", applicable=leaf("present", "b.b"))
    result = card(form(section("s", item("i"), hold)), [present("a.a"), absent("b.b")])
    assert (result.total, result.points_possible, result.final) == (D("5.0"), D("5.0"), D("10.0"))


def test_a_bonus_comes_on_top() -> None:
    result = card(form(section("s", item("i"), item("b", "2", bonus=True))), [present("a.a")])
    assert (result.total, result.points_possible, result.final) == (D("7.0"), D("5.0"), D("7.0"))


def weighted(*sections: Section) -> object:
    return form(*sections, total=Total.WEIGHTED)


def test_a_weighted_total_is_the_weighted_sum_of_the_sections_means() -> None:
    sections = (
        section("s", five("i", "a.a"), five("j", "b.b"), weight="75"),
        section("t", five("k", "b.b"), weight="25"),
    )
    result = card(form(*sections, total=Total.WEIGHTED), [present("a.a"), absent("b.b")])
    assert result.full == D("5.0")
    assert result.total == result.final == D("2.5")  # 0.75 x 3 + 0.25 x 1
    assert [s.rate for s in result.sections] == [D("60.0"), D("20.0")]


def test_an_open_item_on_1_to_5_cannot_fall_below_1() -> None:
    sections = (section("s", five("i", "a.a"), weight="50"), section("t", five("j", "b.b"), weight="50"))
    result = card(form(*sections, total=Total.WEIGHTED), [present("a.a"), cannot_tell("b.b")])
    assert (result.total, result.open_points) == (D("2.5"), D("2.5"))
    assert (result.lowest, result.highest) == (D("3.0"), D("5.0"))


def test_the_range_knows_that_an_open_item_may_be_taken_out() -> None:
    levels = (level("5 分", "5"), level("4 分", "4"))
    kind = form(section("s", item("i"), item("m", fill=Fill.MANUAL, levels=levels)))
    result = card(kind, [absent("a.a")])
    assert (result.lowest, result.highest) == (D("0.0"), D("5.0"))
    taken_out = card(kind, [absent("a.a")], [review("m", NOT_APPLICABLE)])
    assert taken_out.final == D("0.0")


@pytest.mark.parametrize(
    ("found", "passed"), [([present("a.a")], True), ([absent("a.a")], False), ([cannot_tell("a.a")], None)]
)
def test_a_card_passes_only_when_nothing_open_can_change_it(found: list[object], passed: bool | None) -> None:
    assert card(form(section("s", item("i")), pass_mark=D(4)), found).passed is passed  # type: ignore[arg-type]


# fatal items


def fatal(zero: Zero = Zero.CARD, section_id: str | None = None) -> Fatal:
    return Fatal(id="f", title="泄密", when=leaf("present", "b.b"), zero=zero, section=section_id)


def test_a_fatal_item_takes_the_whole_score() -> None:
    result = card(form(section("s", item("i")), fatal=(fatal(),)), [present("a.a"), present("b.b")])
    assert (result.fatal, result.total, result.final) == (True, D("0.0"), D("0.0"))
    assert result.fatals[0].findings == (present("b.b").id,)


def test_a_fatal_item_of_a_section_takes_only_that() -> None:
    template = form(section("s", item("i")), section("t", item("j")), fatal=(fatal(Zero.SECTION, "t"),))
    result = card(template, [present("a.a"), present("b.b")])
    assert (result.total, result.final) == (D("5.0"), D("5.0"))
    assert [s.points for s in result.sections] == [D("5.0"), D("0.0")]


def test_a_fatal_item_that_nobody_can_know_only_widens_the_range() -> None:
    result = card(form(section("s", item("i")), fatal=(fatal(),)), [present("a.a"), cannot_tell("b.b")])
    assert (result.fatal, result.total, result.acceptable) == (False, D("5.0"), False)
    assert (result.lowest, result.highest, result.final) == (D("0.0"), D("5.0"), None)


def test_a_fatal_item_whose_rule_is_for_other_calls_does_not_hold() -> None:
    result = card(form(section("s", item("i")), fatal=(fatal(),)), [present("a.a")])
    assert (result.fatals, result.final) == ((), D("5.0"))


@pytest.mark.parametrize(("said", "final"), [("成立", "0.0"), ("不成立", "5.0")])
def test_a_person_has_the_last_word_about_a_fatal_item(said: str, final: str) -> None:
    template = form(section("s", item("i")), fatal=(fatal(),))
    result = card(template, [present("a.a"), cannot_tell("b.b")], [review("f", said)])
    assert result.final == D(final)


# confidence


def test_a_card_can_be_accepted_when_every_auto_item_is_sure_enough() -> None:
    template = form(section("s", item("i", accept_from=0.9), manual("m")))
    sure, unsure = (finding("a.a", Outcome.PRESENT, confidence) for confidence in (0.9, 0.89))
    assert card(template, [sure]).acceptable
    assert not card(template, [unsure]).acceptable


def test_a_card_that_needs_a_review_cannot_be_accepted() -> None:
    assert not card(form(section("s", item("i"))), [cannot_tell("a.a")]).acceptable


# reviews


def test_a_false_finding_is_as_if_it_had_not_been_said() -> None:
    said = review(present("a.a").id, decision=Decision.FINDING_FALSE)
    (scored,) = card(form(section("s", item("i"))), [present("a.a")], [said]).items
    assert (scored.level, scored.confidence) == ("差", 1.0)


def test_a_confirmed_finding_is_certain() -> None:
    said = review(present("a.a").id, decision=Decision.FINDING_TRUE)
    (scored,) = card(form(section("s", item("i"))), [present("a.a")], [said]).items
    assert (scored.level, scored.confidence, scored.decided_by) == ("优", 1.0, DecidedBy.RULES)


def test_one_false_finding_of_several_leaves_the_others() -> None:
    one = deducting("i", "10", deduction("a.a", "2"))
    found = [present("a.a", 1000), present("a.a", 5000)]
    said = review(found[0].id, decision=Decision.FINDING_FALSE)
    assert card(form(section("s", one)), found, [said]).items[0].points == D("8.0")


@pytest.mark.parametrize(
    ("value", "named", "points"), [("差", "差", "0.0"), ("5", "优", "5.0"), ("3.5", None, "3.5")]
)
def test_an_inspector_gives_a_level_or_points(value: str, named: str | None, points: str) -> None:
    (scored,) = card(form(section("s", manual("m"))), [], [review("m", value)]).items
    assert (scored.level, scored.points) == (named, D(points))
    assert (scored.decided_by, scored.reviewers) == (DecidedBy.REVIEW, ("张三",))


@pytest.mark.parametrize("value", ["5.5", "-1", "良", "3.14", "NaN", ""])
def test_what_the_form_does_not_allow_leaves_the_item_to_a_person(value: str) -> None:
    (scored,) = card(form(section("s", item("i"))), [present("a.a")], [review("i", value)]).items
    assert (scored.verdict, scored.points) == (Verdict.NEEDS_REVIEW, None)
    assert f"“{value}”" in scored.reason


def test_accepting_keeps_what_the_machine_decided() -> None:
    said = review("i", decision=Decision.ACCEPT)
    (scored,) = card(form(section("s", item("i"))), [absent("a.a")], [said]).items
    assert (scored.level, scored.decided_by, scored.acceptable) == ("差", DecidedBy.REVIEW, True)


def test_accepting_a_suggestion_chooses_it() -> None:
    said = review("i", decision=Decision.ACCEPT)
    assist = form(section("s", item("i", fill=Fill.ASSIST)))
    assert card(assist, [present("a.a")]).items[0].suggested == "优"
    assert card(assist, [present("a.a")], [said]).items[0].level == "优"


def test_the_final_decision_counts_or_the_mean_of_each_inspectors_newest() -> None:
    said = [
        review("m", "1", at=later(1)),
        review("m", "4", at=later(2)),
        review("m", "2.5", who="李四", at=later(3)),
    ]
    template = form(section("s", manual("m")))
    averaged = replace(template, reviews=Reviewing(combine=Combine.AVERAGE))
    assert card(template, [], said).items[0].points == D("2.5")
    assert card(averaged, [], said).items[0].points == D("3.3")  # (4 + 2.5) / 2, halves up


def test_reviews_of_other_calls_do_not_count() -> None:
    said = review("m", "5", recording_id="b" * 16)
    assert card(form(section("s", manual("m"))), [], [said]).items[0].verdict is Verdict.MANUAL


def test_a_rule_that_is_for_other_calls_is_left_out_of_a_condition() -> None:
    """`b.b` has no findings: it was not run, so it can neither be missed nor hold a level back."""
    both = (
        level(
            "优",
            "5",
            replace(
                leaf("present", "a.a"),
                kind="all",
                rule=None,
                parts=(leaf("present", "a.a"), leaf("present", "b.b")),
            ),
        ),
        level("差", "0", leaf("absent", "a.a")),
    )
    assert card(form(section("s", item("i", levels=both))), [present("a.a")]).items[0].level == "优"
