"""What holds for every form and every call."""

from dataclasses import replace
from decimal import Decimal

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from made_forms import RULES, cannot_tell, card, forms, heard, review

from pipeline.findings import Finding
from pipeline.scorecard import (
    FATAL_FAILS,
    FATAL_HOLDS,
    NOT_APPLICABLE,
    OPEN,
    Decision,
    Review,
    Scorecard,
    Verdict,
)
from pipeline.template import Template, Zero

often = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def decided(draw: st.DrawFn, template: Template, before: Scorecard) -> list[Review]:
    """What an inspector may decide about everything that is open: any level, any points, not applicable."""
    reviews = []
    for item in before.items:
        if item.verdict not in OPEN:
            continue
        least, most = int(item.lowest * 10), int(item.points_possible * 10)
        given_points = st.integers(least, most).map(lambda n: str(Decimal(n) / 10))
        reviews.append(review(item.id, draw(given_points | st.just(NOT_APPLICABLE))))
    for cause in before.fatals:
        if cause.holds is None:
            reviews.append(review(cause.id, draw(st.sampled_from([FATAL_HOLDS, FATAL_FAILS]))))
    return reviews


@often
@given(forms(), heard(), st.data())
def test_the_final_total_is_in_the_range_whatever_the_inspector_decides(
    template: Template, findings: list[Finding], data: st.DataObject
) -> None:
    before = card(template, findings)
    after = card(template, findings, data.draw(decided(template, before)))
    assert not [item for item in after.items if item.verdict in OPEN]
    assert after.final == after.lowest == after.highest
    assume(after.points_possible > 0)
    assert before.lowest <= after.lowest <= before.highest


@often
@given(forms(), heard(), st.randoms())
def test_the_order_of_findings_does_not_matter(
    template: Template, findings: list[Finding], random: object
) -> None:
    shuffled = findings[:]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert card(template, shuffled) == card(template, findings)


@often
@given(forms(), heard(), st.sampled_from(RULES))
def test_what_nobody_can_tell_never_raises_the_score(
    template: Template, findings: list[Finding], rule: str
) -> None:
    assume(any(finding.rule_id == rule for finding in findings))
    before, after = card(template, findings), card(template, [*findings, cannot_tell(rule)])
    assert after.total <= before.total or before.fatal, (
        "a fatal item in doubt takes nothing until it is known"
    )
    assume(before.points_possible > 0)
    assert after.lowest <= before.lowest


@often
@given(forms(), heard())
def test_so_far_and_open_add_up_and_stay_within_what_is_possible(
    template: Template, findings: list[Finding]
) -> None:
    result = card(template, findings)
    assert Decimal(0) <= result.lowest <= result.highest
    if not any(item.bonus for item in template.items):
        assert result.highest <= result.full
        assert result.total + result.open_points <= result.points_possible + Decimal("0.1")


@often
@given(forms(), heard())
def test_items_that_do_not_apply_leave_the_ratio(template: Template, findings: list[Finding]) -> None:
    """The same form without them has the same range, where its sections weigh the same."""
    result = card(template, findings)
    gone = {item.id for item in result.items if item.verdict is Verdict.NOT_APPLICABLE}
    sections = [
        replace(section, items=tuple(item for item in section.items if item.id not in gone))
        for section in template.sections
    ]
    assume(all(section.items for section in sections))
    full = result.full
    rest = card(replace(template, sections=tuple(sections), full=full), findings)
    assert (rest.lowest, rest.highest, rest.total) == (result.lowest, result.highest, result.total)


@often
@given(forms(), heard())
def test_deductions_hold_their_caps_and_never_go_below_zero(
    template: Template, findings: list[Finding]
) -> None:
    caps = {item.id: item.deductions for item in template.items}
    for item in card(template, findings).items:
        for taken in item.deductions:
            allowed = [one for one in caps[item.id] if one.rule == taken.rule]
            assert any(one.cap is None or taken.points <= one.cap for one in allowed)
        assert item.points is None or Decimal(0) <= item.points <= item.points_possible


@often
@given(forms(), heard())
def test_a_fatal_item_zeroes_what_it_says(template: Template, findings: list[Finding]) -> None:
    result = card(template, findings)
    for cause in result.fatals:
        if cause.zero == Zero.CARD:
            assert result.lowest == 0
            assert not cause.holds or (result.total, result.highest, result.open_points) == (0, 0, 0)
        elif cause.holds:
            (lost,) = (section for section in result.sections if section.id == cause.section)
            assert (lost.points, lost.open) == (0, 0)


@often
@given(forms(), heard(), st.randoms(), st.data())
def test_the_order_of_reviews_does_not_matter(
    template: Template, findings: list[Finding], random: object, data: st.DataObject
) -> None:
    reviews = data.draw(decided(template, card(template, findings)))
    reviews += [replace(one, who="李四", decision=Decision.ACCEPT) for one in reviews]
    shuffled = reviews[:]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert card(template, findings, shuffled) == card(template, findings, reviews)


@often
@given(forms(), heard())
def test_an_accepted_card_has_nothing_that_needs_a_review(
    template: Template, findings: list[Finding]
) -> None:
    result = card(template, findings)
    if result.acceptable:
        assert all(item.verdict is not Verdict.NEEDS_REVIEW for item in result.items)
        assert all(cause.holds for cause in result.fatals)
