"""质量标准 7.7 and 7.8: when a ticket is in time, and when nobody can say."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.scoring.tickets import NO_SHIFTS, NO_TIME, NOT_DONE, Rules, Standard, Step, Ticket, judge

ZONE = ZoneInfo("Asia/Shanghai")
SHIFTS = (time(0), time(8), time(16))


def at(clock: str, day: int = 6) -> datetime:
    return datetime.combine(datetime(2024, 5, day), time.fromisoformat(clock), ZONE)


def a_ticket(
    standard: Standard = Standard.CLERK,
    kind: str = "投诉",
    checks: dict[str, bool] | None = None,
    line: dict[str, bool] | None = None,
    **times: tuple[datetime | None, datetime | None],
) -> Ticket:
    return Ticket(
        id="1",
        row=2,
        standard=standard,
        agent="3001",
        team="甲班",
        kind=kind,
        times={Step(step): span for step, span in times.items()},
        checks=checks or {},
        line=line or {},
    )


@pytest.mark.parametrize(
    ("standard", "kind", "begin", "end", "timely"),
    [
        (Standard.CLERK, "投诉", at("09:00"), at("09:30"), True),
        (Standard.CLERK, "投诉", at("09:00"), at("09:31"), False),
        (Standard.CLERK, "梦网业务", at("09:00"), at("10:00"), True),
        (Standard.CLERK, "梦网业务", at("09:00"), at("10:01"), False),
        (Standard.GENERAL, "投诉", at("10:00"), at("11:00"), True),
        (Standard.GENERAL, "投诉", at("10:00"), at("11:01"), False),
        (Standard.GENERAL, "投诉", at("22:59"), at("00:30", 7), False),
        (Standard.GENERAL, "投诉", at("23:00"), at("09:00", 7), True),
        (Standard.GENERAL, "投诉", at("23:00"), at("09:01", 7), False),
        (Standard.GENERAL, "投诉", at("02:00"), at("08:59"), True),
        (Standard.GENERAL, "投诉", at("08:30"), at("09:20"), True),
        (Standard.CLERK, "投诉", at("23:00"), at("09:00", 7), False),
    ],
)
def test_the_audit_has_the_time_that_is_printed(
    standard: Standard, kind: str, begin: datetime, end: datetime, timely: bool
) -> None:
    assert judge(a_ticket(standard, kind, audit=(begin, end)), Rules()).timely is timely


def test_the_dispatch_of_a_slow_kind_has_half_an_hour_all_the_same() -> None:
    ticket = a_ticket(kind="梦网", dispatch=(at("09:00"), at("09:40")))
    assert judge(ticket, Rules()).timely is False


def test_one_late_step_makes_the_ticket_late() -> None:
    ticket = a_ticket(audit=(at("09:00"), at("09:10")), dispatch=(at("09:10"), at("09:50")))
    judged = judge(ticket, Rules())
    assert judged.timely is False
    assert [(step.step, step.timely) for step in judged.steps] == [(Step.AUDIT, True), (Step.DISPATCH, False)]


def test_a_general_ticket_that_returns_must_be_done_within_its_shift() -> None:
    done = a_ticket(Standard.GENERAL, **{"return": (at("10:00"), at("16:00"))})
    late = a_ticket(Standard.GENERAL, **{"return": (at("10:00"), at("16:01"))})
    assert judge(done, Rules(shifts=SHIFTS)).timely is True
    assert judge(late, Rules(shifts=SHIFTS)).timely is False


def test_the_last_shift_of_a_day_ends_in_the_next() -> None:
    ticket = a_ticket(Standard.GENERAL, combine=(at("22:00"), at("23:59")))
    assert judge(ticket, Rules(shifts=SHIFTS)).timely is True
    late = a_ticket(Standard.GENERAL, combine=(at("22:00"), at("00:01", 7)))
    assert judge(late, Rules(shifts=SHIFTS)).timely is False


def test_tracking_has_until_the_end_of_the_shift_after_the_promise() -> None:
    kept = a_ticket(kind="紧急停机", track=(at("10:00"), at("23:59")))
    late = a_ticket(kind="欠费开机", track=(at("10:00"), at("00:01", 7)))
    assert judge(kept, Rules(shifts=SHIFTS)).timely is True
    assert judge(late, Rules(shifts=SHIFTS)).timely is False


def test_only_the_printed_kinds_are_tracked() -> None:
    assert judge(a_ticket(kind="投诉", track=(at("10:00"), at("20:00", 9))), Rules(shifts=SHIFTS)).steps == ()


def test_what_cannot_be_known_is_neither_in_time_nor_late() -> None:
    unknown = {
        NO_TIME: a_ticket(audit=(None, at("09:00"))),
        NOT_DONE: a_ticket(audit=(at("09:00"), None)),
        NO_SHIFTS: a_ticket(Standard.GENERAL, **{"return": (at("10:00"), at("10:01"))}),
    }
    for why, ticket in unknown.items():
        judged = judge(ticket, Rules())
        assert judged.timely is None
        assert [step.why for step in judged.steps] == [why]


def test_a_step_that_is_not_done_is_late_once_its_time_is_over() -> None:
    ticket = a_ticket(audit=(at("09:00"), None))
    assert judge(ticket, Rules(as_of=at("09:30"))).timely is None
    assert judge(ticket, Rules(as_of=at("09:31"))).timely is False


def test_any_step_that_is_wrong_makes_the_ticket_wrong() -> None:
    judged = judge(a_ticket(checks={"审核准确": True, "归档内容": False}, line={"连线准确性": True}), Rules())
    assert (judged.accurate, judged.connected, judged.wrong) == (False, True, ("归档内容",))


def test_a_ticket_that_nobody_checked_is_neither_right_nor_wrong() -> None:
    assert judge(a_ticket(), Rules()).accurate is None


@given(st.datetimes(datetime(2024, 1, 1), datetime(2024, 12, 31)), st.integers(0, 2000))
def test_more_time_never_makes_a_late_ticket_timely(begin: datetime, minutes: int) -> None:
    start = begin.replace(tzinfo=ZONE)
    for standard in Standard:
        answers = [
            judge(a_ticket(standard, audit=(start, start + timedelta(minutes=m))), Rules()).timely
            for m in (minutes, minutes + 1)
        ]
        assert answers != [False, True]
