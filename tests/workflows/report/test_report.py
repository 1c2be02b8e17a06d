"""What a report counts, over real rows."""

from dataclasses import replace
from datetime import date

import pytest
from report_help import AROUND, Made, put, review
from sqlalchemy import text

from pipeline.errors import NotFound, UsageError
from pipeline.storage.store import Store
from pipeline.workflows.report.compute import Order, make_facts, report
from pipeline.workflows.report.period import Asked
from pipeline.workflows.report.values import Kind, Report

WEEK = Asked(day=date(2024, 5, 6))
MONTH = Asked(since=date(2024, 5, 1), until=date(2024, 5, 31))


def a_report(store: Store, kind: Kind = Kind.AGENT, asked: Asked = MONTH, **asked_for: object) -> Report:
    return report(Order(kind=kind, asked=asked, **asked_for), store, AROUND)  # type: ignore[arg-type]


def test_only_calls_of_the_period_count(store: Store) -> None:
    put(store, Made(number=1, day=0), Made(number=2, day=6), Made(number=3, day=7))
    assert a_report(store, Kind.WEEK, WEEK).volume.calls == 2
    assert a_report(store, Kind.DAY, WEEK).volume.calls == 1
    assert a_report(store).volume.calls == 3


def test_without_a_date_the_newest_day_is_reported(store: Store) -> None:
    put(store, Made(number=1, day=0), Made(number=2, day=3))
    made = a_report(store, Kind.DAY, Asked())
    assert (made.period.first, made.volume.calls) == (date(2024, 5, 9), 1)


def test_a_day_begins_at_midnight_where_the_call_centre_is(store: Store) -> None:
    """Ten in the morning there is two in the morning in UTC; 23:30 there is still the same day."""
    call = Made(number=1).scored
    late = replace(call.recording, started_at=call.recording.started_at.replace(hour=15, minute=30))  # type: ignore[union-attr]
    store.save_night_result(replace(call, recording=late), at=late.started_at, reason="nightly")  # type: ignore[arg-type]
    assert a_report(store, Kind.DAY, WEEK).volume.calls == 1


def test_undecided_items_never_count_silently(store: Store) -> None:
    """Manners are open: the rate is of the greeting alone, the total may still go either way."""
    put(store, *(Made(number=n, greeting=10, manners=None) for n in range(6)))
    made = a_report(store)
    assert made.whole.rate.value == 1.0
    assert (made.whole.lowest.value, made.whole.highest.value) == (0.5, 1.0)
    (passes,) = made.passes
    assert tuple(passes.ends) == (0, 0, 6)
    assert passes.range == (0.0, 1.0)
    assert passes.met is None


def test_the_target_is_met_or_missed_only_when_nothing_open_can_turn_it(store: Store) -> None:
    put(store, *(Made(number=n, manners=10) for n in range(9)))
    assert a_report(store).passes[0].met is True
    put(store, Made(number=10, greeting=0, manners=10))
    assert a_report(store).passes[0].met is True  # 9 of 10 is the target
    put(store, Made(number=11, greeting=0, manners=10))
    assert a_report(store).passes[0].met is False


def test_sections_count_what_is_decided_and_say_what_is_open(store: Store) -> None:
    put(
        store, Made(number=1, greeting=10), Made(number=2, greeting=0), Made(number=3, greeting=5, manners=10)
    )
    opening, manners = a_report(store).sections
    assert (opening.title, opening.cards, opening.rate.value, opening.open) == ("开场", 3, 0.5, 0)
    assert (manners.title, manners.cards, manners.rate.n, manners.open) == ("态度", 3, 1, 2)


def test_only_the_newest_scoring_of_a_call_counts(store: Store) -> None:
    before = Made(number=1, greeting=0)
    put(store, before)
    review(store, before, Made(number=1, greeting=10, by_person=True))
    made = a_report(store)
    assert (made.volume.calls, made.volume.reviewed) == (1, 1)
    assert made.whole.rate.value == 1.0


def test_points_that_stayed_are_counted_when_a_person_looked(store: Store) -> None:
    kept, changed, unseen = Made(number=1), Made(number=2), Made(number=3)
    put(store, kept, changed, unseen)
    review(store, kept, replace(kept, by_person=True))
    review(store, changed, replace(changed, greeting=0, by_person=True))
    (stayed,) = a_report(store).stayed
    assert (stayed.title, stayed.share.right, stayed.share.n) == ("问候", 1, 2)


def test_points_that_stayed_are_counted_form_by_form(store: Store) -> None:
    one, other = Made(number=1), Made(number=2, form="另一张")
    put(store, one, other)
    review(store, one, replace(one, by_person=True))
    review(store, other, replace(other, greeting=0, by_person=True))
    found = [(stayed.form, stayed.title, stayed.share.right) for stayed in a_report(store).stayed]
    assert found == [("服务评分表", "问候", 1), ("另一张", "问候", 0)]


def test_an_item_that_the_rules_left_open_is_no_disagreement(store: Store) -> None:
    call = Made(number=1, greeting=None)
    put(store, call)
    review(store, call, replace(call, greeting=10, by_person=True))
    assert a_report(store).stayed == ()


def test_faults_are_ordered_by_points_lost_and_name_the_newest_calls(store: Store) -> None:
    put(store, *(Made(number=n, day=n, greeting=0, manners=9) for n in range(5)))
    first, second = a_report(store).faults
    assert (first.title, first.calls, first.points) == ("问候", 5, 50.0)
    assert [example.call for example in first.examples] == ["c4", "c3", "c2"]
    assert (second.title, second.points) == ("语气", 5.0)


def test_forbidden_speech_is_shown_with_its_place_and_words(store: Store) -> None:
    put(store, Made(number=1, forbidden=True), Made(number=2))
    (fault,) = a_report(store).forbidden
    assert (fault.title, fault.calls, fault.share.n) == ("推诿", 1, 2)
    assert (fault.examples[0].call, fault.examples[0].at, fault.examples[0].quote) == (
        "c1",
        1400,
        "不归我们管",
    )


def test_an_agent_clearly_below_everybody_needs_coaching_and_hears_who_does_it_well(store: Store) -> None:
    put(store, *(Made(number=n, agent="1001") for n in range(30)))
    put(store, *(Made(number=100 + n, agent="1002", greeting=n % 2) for n in range(12)))
    (coached,) = a_report(store, least=10).coaching
    assert coached.agent == "1002"
    assert "低于全体" in coached.why
    (item,) = coached.items
    assert item.title == "问候"
    assert {example.agent for example in item.lost} == {"1002"}
    assert {example.agent for example in item.best} == {"1001"}
    assert item.best[0].quote == "您好"


def test_nobody_is_judged_or_ranked_on_a_handful_of_calls(store: Store) -> None:
    put(store, *(Made(number=n, agent="1001") for n in range(30)))
    put(store, *(Made(number=100 + n, agent="1002", greeting=0) for n in range(4)))
    made = a_report(store, least=10)
    assert made.coaching == ()
    assert [group.ranked(made.least) for group in made.groups] == [True, False]


def test_teams_come_from_the_roster_and_others_are_shown_apart(store: Store) -> None:
    put(store, Made(number=1, agent="1001"), Made(number=2, agent="1002"), Made(number=3, agent="1003"))
    put(store, Made(number=4, agent=None))
    made = a_report(store, Kind.TEAM)
    assert [(group.name, group.calls) for group in made.groups] == [
        ("乙班", 1),
        ("甲班", 2),
        ("（未编班组）", 1),
    ]
    assert a_report(store, Kind.TEAM, team="甲班").volume.calls == 2


def test_agent_and_business_narrow_the_report(store: Store) -> None:
    put(store, Made(number=1, agent="1001", business="宽带"), Made(number=2, agent="1001"))
    put(store, Made(number=3, agent="1002", business="宽带"))
    assert a_report(store, agent="1001", business="宽带").volume.calls == 1


def test_the_trend_of_a_day_goes_back_two_weeks_without_counting_them(store: Store) -> None:
    put(store, *(Made(number=n, day=-n) for n in range(20)))
    made = a_report(store, Kind.DAY, WEEK)
    assert made.volume.calls == 1
    assert [group.name for group in made.trend] == [f"2024-04-{day}" for day in range(23, 31)] + [
        f"2024-05-0{day}" for day in range(1, 7)
    ]


def test_waiting_silence_and_pace_are_means_over_calls(store: Store) -> None:
    put(store, Made(number=1), Made(number=2))
    whole = a_report(store).whole
    assert (whole.duration.value, whole.hold.value, whole.silence.value) == (90_000, 6_000, 3_000)
    assert round(whole.pace.value or 0) == 200  # 22 characters in 6.6 seconds


def test_rules_show_how_often_they_found_something_and_how_often_people_agreed(store: Store) -> None:
    put(store, Made(number=1, forbidden=True), Made(number=2, forbidden=True), Made(number=3))
    lines = {line.id: line for line in a_report(store, Kind.RULE).rules}
    assert (lines["forbidden.shirking"].calls.right, lines["greeting.word"].calls.right) == (2, 3)


def test_facts_of_an_older_database_are_made_once(store: Store) -> None:
    put(store, *(Made(number=n) for n in range(3)))
    expected = a_report(store)
    with store._writing() as session:
        session.execute(text("DELETE FROM facts"))
    assert make_facts(store) == 3
    assert make_facts(store) == 0
    assert a_report(store) == expected


def test_an_empty_database_says_so(store: Store) -> None:
    with pytest.raises(NotFound):
        a_report(store)


def test_a_time_without_calls_gives_an_empty_report(store: Store) -> None:
    put(store, Made(number=1))
    assert a_report(store, asked=Asked(since=date(2023, 1, 1), until=date(2023, 1, 2))).empty


def test_days_that_do_not_go_together_are_refused(store: Store) -> None:
    put(store, Made(number=1))
    for kind, asked in (
        (Kind.DAY, MONTH),
        (Kind.AGENT, WEEK),
        (Kind.AGENT, Asked(since=date(2024, 5, 2), until=date(2024, 5, 1))),
    ):
        with pytest.raises(UsageError):
            a_report(store, kind, asked)
