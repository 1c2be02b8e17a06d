"""pace: characters a minute, by turn and over the call."""

from calls import found, with_roles, with_unclear
from hypothesis import given
from hypothesis import strategies as st

from pipeline.detect.script import call_of
from pipeline.findings import Outcome
from pipeline.timeline import Role, Span

TWENTY = "一二三四五六七八九十" * 2
FAST = f"坐席 3.0 [3.0s] {TWENTY}"
"""400 characters a minute."""


def test_a_turn_faster_than_the_bound_is_found_and_says_what_was_counted() -> None:
    (fast,) = found("pace", call_of(FAST), Role.AGENT, faster_than=330.0)
    assert (fast.outcome, fast.span) == (Outcome.PRESENT, Span(3000, 6000))
    for told in ("20 字", "汉字和逐个读出的数字", "含轮内停顿", "3.0 秒", "每分钟 400 字"):
        assert told in fast.explanation


def test_a_turn_too_short_to_measure_is_not_fast() -> None:
    (short,) = found("pace", call_of(FAST), Role.AGENT, faster_than=330.0, least_characters=21)
    assert short.outcome is Outcome.ABSENT
    assert "没有一段话满 21 字" in short.explanation


def test_digits_count_one_by_one_and_letters_and_punctuation_do_not() -> None:
    (fast,) = found(
        "pace", call_of("坐席 3.0 [1.0s] 工号1021，abc。"), Role.AGENT, faster_than=1, least_characters=6
    )
    assert "6 字" in fast.explanation
    assert "每分钟 360 字" in fast.explanation


def test_only_the_turns_of_the_role_are_measured() -> None:
    call = call_of(FAST.replace("坐席", "客户") + "\n坐席 8.0 好的。")
    assert found("pace", call, Role.AGENT, faster_than=330.0)[0].outcome is Outcome.ABSENT
    assert found("pace", call, faster_than=330.0)[0].outcome is Outcome.PRESENT


def test_over_the_call_one_fast_turn_is_made_up_for_by_slow_ones() -> None:
    call = call_of(f"{FAST}\n客户 7.0 嗯。\n坐席 9.0 [9.0s] {TWENTY}")
    assert found("pace", call, Role.AGENT, faster_than=330.0)[0].outcome is Outcome.PRESENT
    (whole,) = found("pace", call, Role.AGENT, faster_than=330.0, scope="call")
    assert whole.outcome is Outcome.ABSENT
    assert "每分钟 200 字" in whole.explanation


def test_slow_speech_is_found_under_its_bound() -> None:
    call = call_of(f"坐席 3.0 [10.0s] {TWENTY}")
    assert found("pace", call, Role.AGENT, slower_than=150.0)[0].outcome is Outcome.PRESENT
    assert found("pace", call, Role.AGENT, slower_than=110.0)[0].outcome is Outcome.ABSENT


def test_the_pace_of_a_call_with_too_few_words_cannot_be_told() -> None:
    call = call_of("坐席 3.0 您好。")
    assert found("pace", call, Role.AGENT, faster_than=330.0, scope="call")[0].outcome is Outcome.CANNOT_TELL


def test_where_little_was_understood_a_fast_turn_may_have_been_missed() -> None:
    call = with_unclear(call_of("# duration 20\n坐席 3.0 您好。"), Span(5000, 15_000))
    assert found("pace", call, Role.AGENT, faster_than=330.0)[0].outcome is Outcome.CANNOT_TELL


def test_with_uncertain_roles_nobody_can_tell_who_spoke_fast() -> None:
    call = with_roles(call_of(FAST), 0.4)
    assert found("pace", call, Role.AGENT, faster_than=330.0)[0].outcome is Outcome.CANNOT_TELL
    assert found("pace", call, faster_than=330.0)[0].outcome is Outcome.PRESENT


@given(st.floats(200, 399))
def test_the_further_from_the_bound_the_surer(bound: float) -> None:
    near = found("pace", call_of(FAST), Role.AGENT, faster_than=bound)[0]
    far = found("pace", call_of(FAST), Role.AGENT, faster_than=bound - 10)[0]
    assert 0.49 <= near.confidence <= far.confidence <= 1
