"""What was said once is paid for once: deductions of several rules about the same words."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from made_forms import RULES, cannot_tell, card, deducting, deduction, form, present, section

from pipeline.findings import Finding
from pipeline.scorecard import ScoredItem, Verdict
from pipeline.template import Deduction, Fill, Per
from pipeline.timeline import Span

FULL = Decimal("50.0")
COSTS = ("1", "2", "3", "4")


def at(rule: str, start: int, end: int) -> Finding:
    span = Span(start, end)
    (seen,) = present(rule).evidence
    return replace(present(rule), span=span, evidence=(replace(seen, span=span),))


def scored(findings: list[Finding], *deductions: Deduction, **changes: object) -> ScoredItem:
    one = replace(deducting("i", str(FULL), *deductions), **changes)  # type: ignore[arg-type]
    (found,) = card(form(section("s", one)), findings).items
    return found


def taken(findings: list[Finding], *deductions: Deduction) -> Decimal:
    if not findings:
        return Decimal(0)
    points = scored(findings, *deductions).points
    assert points is not None
    return FULL - points


def the_same(points: str) -> list[Deduction]:
    return [deduction(rule, points) for rule in RULES]


places = st.lists(st.tuples(st.sampled_from(RULES), st.integers(0, 20), st.integers(1, 8)), max_size=8)
findings_anywhere = places.map(
    lambda drawn: [at(rule, 100 * start, 100 * (start + length)) for rule, start, length in drawn]
)
costs = st.lists(st.sampled_from(COSTS), min_size=len(RULES), max_size=len(RULES)).map(
    lambda drawn: [deduction(rule, cost) for rule, cost in zip(RULES, drawn, strict=True)]
)


def test_the_same_words_found_by_sound_and_by_meaning_take_points_once() -> None:
    item = scored([at("a.a", 1000, 2000), at("b.b", 500, 3000)], *the_same("4"))
    assert item.points == FULL - 4
    assert [(one.rule, one.points) for one in item.deductions] == [("a.a", Decimal("4.0"))]
    assert len(item.findings) == 2
    assert "1 个发现说的是同一处，只扣一次" in item.reason


def test_other_words_take_their_points_too() -> None:
    assert taken([at("a.a", 1000, 2000), at("b.b", 2000, 3000)], *the_same("4")) == 8


def test_of_two_deductions_for_the_same_words_the_dearer_counts() -> None:
    found = [at("a.a", 1000, 2000), at("b.b", 1500, 3000)]
    assert taken(found, deduction("a.a", "1"), deduction("b.b", "3")) == 3


def test_two_places_inside_a_long_one_are_still_two() -> None:
    found = [at("a.a", 0, 9000), at("b.b", 1000, 2000), at("b.b", 4000, 5000)]
    assert taken(found, *the_same("2")) == 4


def test_what_is_taken_once_for_the_call_is_no_place() -> None:
    found = [at("a.a", 1000, 2000), at("b.b", 1000, 2000)]
    assert taken(found, deduction("a.a", "2"), deduction("b.b", "3", Per.CALL)) == 5


def test_places_that_a_capped_rule_found_cost_nothing_more_by_another() -> None:
    found = [at(rule, 1000 * n, 1000 * n + 500) for rule in ("a.a", "b.b") for n in range(3)]
    assert taken(found, deduction("a.a", "2", cap="4"), deduction("b.b", "2", cap="4")) == 4


def test_a_finding_without_a_place_always_counts() -> None:
    nowhere = [replace(at(rule, 1000, 2000), evidence=()) for rule in ("a.a", "b.b")]
    assert taken(nowhere, *the_same("2")) == 4


def test_a_rule_in_doubt_may_still_take_more_elsewhere() -> None:
    assert scored([at("a.a", 1000, 2000), cannot_tell("b.b")], *the_same("2")).verdict is Verdict.NEEDS_REVIEW


def test_the_suggestion_to_the_inspector_says_that_it_counted_once() -> None:
    item = scored([at("a.a", 1000, 2000), at("b.b", 1000, 2000)], *the_same("4"), fill=Fill.ASSIST)
    assert item.suggested == "46.0 分"
    assert item.reason.startswith("建议46.0 分（1 个发现说的是同一处，只扣一次）")


@given(findings_anywhere, st.sampled_from(COSTS))
def test_hearing_the_same_by_another_rule_changes_nothing(findings: list[Finding], cost: str) -> None:
    heard = [finding for finding in findings if finding.rule_id == "a.a"]
    copies = [replace(finding, rule_id="b.b") for finding in heard]
    assert taken([*heard, *copies], *the_same(cost)) == taken(heard, *the_same(cost))


@given(findings_anywhere, st.sampled_from(COSTS))
def test_where_places_cost_the_same_one_more_finding_gives_no_point_back(
    findings: list[Finding], cost: str
) -> None:
    for number in range(len(findings)):
        assert taken(findings[:number], *the_same(cost)) <= taken(findings, *the_same(cost))


@given(findings_anywhere, costs)
def test_no_words_are_paid_for_twice(findings: list[Finding], deductions: list[Deduction]) -> None:
    item = scored(findings, *deductions)
    counted = [f for f in findings if any(f.id in one.findings for one in item.deductions)]
    spans = sorted({(f.span, f.rule_id) for f in counted})
    assert not any(a.overlaps(b) for n, (a, _) in enumerate(spans) for b, _ in spans[n + 1 :])


@given(findings_anywhere, costs)
def test_every_finding_that_took_nothing_shares_its_words_with_one_that_cost_as_much(
    findings: list[Finding], deductions: list[Deduction]
) -> None:
    item, price = scored(findings, *deductions), {one.rule: one.points for one in deductions}
    counted = [f for f in findings if any(f.id in one.findings for one in item.deductions)]
    for finding in findings:
        assert finding in counted or any(
            other.span.overlaps(finding.span) and price[other.rule_id] >= price[finding.rule_id]
            for other in counted
        )


@given(st.lists(st.sampled_from(RULES), max_size=8), costs)
def test_words_apart_are_all_paid_for(rules: list[str], deductions: list[Deduction]) -> None:
    found = [at(rule, 1000 * n, 1000 * n + 1000) for n, rule in enumerate(rules)]
    price = {one.rule: one.points for one in deductions}
    assert taken(found, *deductions) == sum(price[rule] for rule in rules)
