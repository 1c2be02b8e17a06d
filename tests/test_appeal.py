"""The way of an appeal, step by step, and every step that it must not take."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.appeal import Appeal, AppealEvent, Ruling, Since, State, Step, days_left, deadline, raised
from pipeline.errors import UsageError

CHINA = timezone(timedelta(hours=8))
SCORED = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def event(who: str, at: datetime, ruling: Ruling | None = None) -> AppealEvent:
    return AppealEvent(step=Step.RAISED, who=who, at=at, reason="因为", ruling=ruling)


def appeal(
    at: datetime = SCORED + DAY, *earlier: Appeal, days: int = 7, known_at: datetime | None = None
) -> Appeal:
    new = Appeal(
        id=len(earlier) + 1,
        recording_id="r",
        template_id="t",
        item="closing",
        title="结束语",
        days=days,
        events=(event("1021", at),),
    )
    return raised(new, earlier, Since(scored_at=SCORED, known_at=known_at), CHINA)


def answered(given: Appeal, at: datetime) -> Appeal:
    return given.answered(event("王", at, Ruling.KEPT), CHINA)


def reopened(given: Appeal, at: datetime, who: str = "1021") -> Appeal:
    return given.reopened(event(who, at), CHINA)


def test_an_appeal_is_answered_reopened_once_and_then_final() -> None:
    first = appeal()
    assert first.state(SCORED + DAY) is State.OPEN
    second = answered(first, SCORED + 2 * DAY)
    assert second.state(SCORED + 2 * DAY) is State.ANSWERED
    third = reopened(second, SCORED + 3 * DAY)
    assert third.state(SCORED + 3 * DAY) is State.REOPENED
    last = answered(third, SCORED + 4 * DAY)
    assert last.state(SCORED + 4 * DAY) is State.FINAL
    with pytest.raises(UsageError, match="已终结：再申诉已经答复"):
        reopened(last, SCORED + 5 * DAY)
    with pytest.raises(UsageError, match="不在等答复：终结"):
        answered(last, SCORED + 5 * DAY)


def test_an_answer_that_nobody_contests_becomes_final() -> None:
    given = answered(appeal(days=3), SCORED + DAY)
    assert given.state(SCORED + 4 * DAY) is State.ANSWERED
    assert given.state(SCORED + 6 * DAY) is State.FINAL
    with pytest.raises(UsageError, match="3 天内没有再申诉"):
        reopened(given, SCORED + 6 * DAY)


def test_the_last_day_counts_to_its_end_where_the_call_centre_is() -> None:
    last = datetime(2026, 3, 9, 23, 59, tzinfo=CHINA)
    assert deadline(SCORED, 7, CHINA).date() == last.date()
    assert appeal(last).state(last) is State.OPEN
    with pytest.raises(UsageError, match="过了申诉期") as caught:
        appeal(last + timedelta(minutes=2))
    assert "2026-03-09" in caught.value.message
    assert "callscore review" in caught.value.hint


def test_an_item_is_appealed_against_once_at_a_time() -> None:
    with pytest.raises(UsageError, match="已有申诉 1：待答复"):
        appeal(SCORED + 2 * DAY, appeal())


def test_a_settled_item_can_be_appealed_against_again_only_when_its_result_changed() -> None:
    settled = answered(reopened(answered(appeal(), SCORED + DAY), SCORED + DAY), SCORED + 2 * DAY)
    with pytest.raises(UsageError, match="已终结，之后得分没有变过"):
        appeal(SCORED + 3 * DAY, settled)
    new = replace(settled, id=2, events=(event("1021", SCORED + 5 * DAY),))
    since = Since(scored_at=SCORED + 4 * DAY)
    assert raised(new, (settled,), since, CHINA).state(SCORED + 5 * DAY) is State.OPEN


def test_the_days_begin_when_the_agent_can_know_the_result() -> None:
    late = SCORED + 20 * DAY
    with pytest.raises(UsageError, match="2026-03-02 评定，7 天内"):
        appeal(late)
    assert appeal(late, known_at=SCORED + 15 * DAY).state(late) is State.OPEN
    with pytest.raises(UsageError, match="2026-03-17 公布，7 天内"):
        appeal(SCORED + 30 * DAY, known_at=SCORED + 15 * DAY)


def test_nobody_answers_the_own_appeal_and_nobody_else_reopens_it() -> None:
    with pytest.raises(UsageError, match="不能由本人答复"):
        appeal().answered(event("1021", SCORED + DAY, Ruling.CHANGED), CHINA)
    with pytest.raises(UsageError, match="只能由本人再申诉"):
        reopened(answered(appeal(), SCORED + DAY), SCORED + DAY, "1022")


def test_what_waits_for_an_answer_cannot_be_reopened() -> None:
    with pytest.raises(UsageError, match="还没有答复"):
        reopened(appeal(), SCORED + DAY)


def test_a_late_answer_is_still_an_answer() -> None:
    assert answered(appeal(), SCORED + 100 * DAY).last.ruling is Ruling.KEPT


def test_days_left_are_counted_in_local_days() -> None:
    until = deadline(SCORED, 7, CHINA)
    assert days_left(until, SCORED, CHINA) == 7
    assert days_left(until, until, CHINA) == 0
    assert days_left(until, until + timedelta(seconds=2), CHINA) == -1


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), max_size=12))
def test_whatever_is_tried_at_most_four_events_stay_in_the_order_of_the_steps(
    tries: list[tuple[bool, int]],
) -> None:
    current, at = appeal(), SCORED + DAY
    for answers, days in tries:
        at += timedelta(days=days)
        try:
            changed = answered(current, at) if answers else reopened(current, at)
        except UsageError:
            continue
        assert changed.events[:-1] == current.events
        current = changed
    steps = [found.step for found in current.events]
    assert steps == [Step.RAISED, Step.ANSWERED, Step.REOPENED, Step.ANSWERED][: len(steps)]
