"""Inspection samples out of the store, and what a report says of them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from report_help import AROUND, ROSTER, ZONE, Made, put, review

from pipeline.errors import UsageError
from pipeline.scoring.sampling import Cause
from pipeline.storage.store import Store
from pipeline.workflows.report.compute import Order, report
from pipeline.workflows.report.period import Asked, between
from pipeline.workflows.report.values import Coverage, Kind
from pipeline.workflows.sample import Rates, Sample, Sampling, keep, plain, sample

WEEK = between(date(2024, 5, 6), date(2024, 5, 12), ZONE)
NOW = datetime(2024, 5, 13, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/calls.db") as opened:
        yield opened


def drawn(store: Store, rates: Rates | None = None, **which: object) -> Sample:
    sampling = Sampling(period=WEEK, rates=rates or Rates(), **which)  # type: ignore[arg-type]
    return sample(sampling, store, ROSTER, ZONE)


def coverage(store: Store) -> Coverage:
    asked = Asked(since=WEEK.first, until=WEEK.last)
    return report(Order(kind=Kind.AGENT, asked=asked), store, AROUND).coverage


def test_every_complaint_and_a_quarter_of_the_others_is_drawn(store: Store) -> None:
    put(store, *(Made(number=n, day=n % 7, complaint=n < 5) for n in range(105)))
    found = drawn(store)
    assert (found.calls, found.complaints, found.count(Cause.COMPLAINT), len(found.drawn)) == (105, 5, 5, 30)


def test_calls_of_other_days_are_not_drawn(store: Store) -> None:
    put(store, *(Made(number=n, day=8) for n in range(10)), Made(number=100))
    assert drawn(store, Rates(share=1.0)).calls == 1


def test_new_agents_come_from_the_roster(store: Store) -> None:
    put(store, *(Made(number=n, agent=f"100{1 + n % 2}") for n in range(80)))
    roster = replace(ROSTER, first_days={"1001": date(2024, 4, 1), "1002": date(2023, 1, 1)})
    found = sample(Sampling(period=WEEK, rates=Rates()), store, roster, ZONE)
    assert found.new_agents == {"1001"}
    assert (found.count(Cause.NEW_AGENT), found.count(Cause.SHARE)) == (20, 10)


def test_agents_who_fell_before_the_period_are_drawn_more(store: Store) -> None:
    put(store, *(Made(number=n, day=-20, agent="1001") for n in range(20)))
    put(store, *(Made(number=50 + n, day=-5, agent="1001", greeting=n % 3) for n in range(20)))
    put(store, *(Made(number=100 + n, day=-20 + n % 2 * 15, agent="1002") for n in range(40)))
    put(store, *(Made(number=200 + n, agent=f"100{1 + n % 2}") for n in range(80)))
    found = drawn(store)
    assert found.falling_agents == {"1001"}
    assert found.count(Cause.FALLING) == 20


def test_the_plan_is_kept_and_a_report_says_what_was_listened_to(store: Store) -> None:
    calls = [Made(number=n, day=n % 7, complaint=n < 2) for n in range(42)]
    put(store, *calls)
    found = drawn(store)
    keep(found, store, at=NOW)
    names = {d.candidate.id for d in found.drawn}
    for call in [call for call in calls if call.recording.id in names][:3]:
        review(store, call, replace(call, by_person=True))
    covered = coverage(store)
    assert (covered.plans, covered.drawn.right, covered.drawn.n) == (1, 3, 12)
    assert len(covered.waiting) == 9
    assert covered.complaints.n == 2


def test_the_same_plan_is_kept_once_and_another_one_beside_it(store: Store) -> None:
    put(store, *(Made(number=n) for n in range(40)))
    first = keep(drawn(store), store, at=NOW)
    assert keep(drawn(store), store, at=NOW) == first
    assert keep(drawn(store, Rates(seed=2)), store, at=NOW) != first
    assert coverage(store).plans == 2


def test_every_draw_says_why(store: Store) -> None:
    put(store, *(Made(number=n, complaint=n == 0) for n in range(20)))
    whys = {str(entry["why"]) for entry in plain(drawn(store))["drawn"]}  # type: ignore[attr-defined]
    assert "投诉全部检查" in whys
    assert all(why == "投诉全部检查" or why.startswith("分层随机（坐席 1001，话费查询，") for why in whys)


def test_a_time_without_calls_is_refused(store: Store) -> None:
    put(store, Made(number=1, day=30))
    with pytest.raises(UsageError, match="没有符合条件的通话"):
        drawn(store)
