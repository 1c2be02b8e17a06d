"""Detectors that measure sound rather than words: hold, silence, interruption."""

from dataclasses import replace

import pytest
from calls import found, on_mono, rule_text, ruleset_of, with_roles, with_unclear

from pipeline.detect import engine
from pipeline.detect.script import call_of
from pipeline.findings import Outcome
from pipeline.timeline import Call, Overlap, Role, Span

WAIT = """坐席 3.0 请稍等，我查一下。
等待音乐 6.0 80.0
坐席 81.0 还在查，请您再等等。
静音等待 84.0 140.0
坐席 141.0 查到了。"""

TALK = """客户 1.0 我这个月的账单怎么比上个月多了这么多钱我都没有用
坐席 4.0 您先告诉我您的手机号码是多少"""


def test_every_wait_is_found_and_tells_how_long_it_took() -> None:
    first, second = found("hold", call_of(WAIT))
    assert (first.span, second.span) == (Span(6000, 80_000), Span(84_000, 140_000))
    assert "74.0 秒" in first.explanation


def test_waits_with_music_and_without_are_told_apart() -> None:
    assert [f.span.start for f in found("hold", call_of(WAIT), music=False)] == [84_000]


def test_an_update_divides_a_long_wait_unless_the_rule_joins_them() -> None:
    (apart,) = found("hold", call_of(WAIT), longer_than_seconds=120.0)
    (joined,) = found("hold", call_of(WAIT), longer_than_seconds=120.0, joined=True)
    assert (apart.outcome, joined.outcome) == (Outcome.ABSENT, Outcome.PRESENT)
    assert "130.0 秒" in joined.explanation


def test_dead_air_is_a_silence_that_is_no_wait_and_not_before_the_call() -> None:
    call = call_of("坐席 20.0 我看一下。\n客户 35.0 喂？")
    (silence,) = found("silence", call, longer_than_seconds=12.0)
    assert silence.outcome is Outcome.PRESENT
    assert silence.span.start > 20_000
    (waiting,) = found("silence", call_of(WAIT), longer_than_seconds=8.0)
    assert waiting.outcome is Outcome.ABSENT


def test_beginning_to_speak_under_the_customers_words_is_an_interruption() -> None:
    (interruption,) = found("interruption", call_of(TALK), Role.AGENT)
    assert interruption.outcome is Outcome.PRESENT
    assert interruption.span.start == 4000
    assert found("interruption", call_of(TALK), Role.CUSTOMER)[0].outcome is Outcome.ABSENT


@pytest.mark.parametrize("words", ["嗯", "对对", "好的", "嗯，是的"])
def test_a_backchannel_interrupts_nobody(words: str) -> None:
    call = call_of(TALK.splitlines()[0] + f"\n坐席 4.0 {words}")
    assert found("interruption", call, Role.AGENT, longer_than_seconds=0.1)[0].outcome is Outcome.ABSENT


def test_on_mono_nobody_can_tell_who_spoke_over_whom() -> None:
    (answer,) = found("interruption", on_mono(call_of(TALK)), Role.AGENT)
    assert answer.outcome is Outcome.CANNOT_TELL
    assert "单声道" in answer.explanation


def test_with_uncertain_roles_nobody_can_tell_who_interrupted() -> None:
    (answer,) = found("interruption", with_roles(call_of(TALK), 0.4), Role.AGENT)
    assert answer.outcome is Outcome.CANNOT_TELL


def test_an_overlap_shorter_than_asked_does_not_count() -> None:
    call = call_of(TALK)
    short = replace(call.transcript, overlaps=(Overlap(span=Span(4000, 4600), first=0, second=1),))
    assert found("interruption", replace(call, transcript=short), Role.AGENT)[0].outcome is Outcome.ABSENT


def test_on_mono_the_places_where_the_agent_took_over_without_a_pause_are_named() -> None:
    call = call_of("客户 1.0 我这个月的账单怎么多了\n坐席 3.65 您先告诉我\n客户 7.0 好的\n坐席 9.0 请讲一下")
    (answer,) = found("interruption", on_mono(call), Role.AGENT)
    assert [evidence.span.start for evidence in answer.evidence] == [3650]
    assert "00:03.7" in answer.explanation


def test_words_after_a_backchannel_count_from_where_they_begin() -> None:
    call = call_of(
        "客户 1.0 我这个月的账单怎么比上个月多了这么多钱我都没有用啊\n坐席 4.0 嗯嗯嗯嗯，您先告诉我号码"
    )
    assert found("interruption", call, Role.AGENT, longer_than_seconds=1.5)[0].outcome is Outcome.PRESENT
    assert found("interruption", call, Role.AGENT, longer_than_seconds=2.0)[0].outcome is Outcome.ABSENT


def test_going_on_after_the_customer_broke_in_is_no_interruption() -> None:
    call = call_of(
        "坐席 1.0 这个月的账单里面\n"
        "客户 2.9 我都没有用怎么会多出来这么多钱呢我\n"
        "坐席 3.6 流量费是三十元整请您看"
    )
    assert found("interruption", call, Role.AGENT)[0].outcome is Outcome.ABSENT


def test_talking_over_the_customers_backchannel_is_no_interruption() -> None:
    call = call_of("客户 1.0 嗯嗯嗯嗯嗯嗯嗯嗯\n坐席 1.5 这个月的账单已经出来了")
    assert found("interruption", call, Role.AGENT)[0].outcome is Outcome.ABSENT


def test_unclear_speech_under_the_customers_words_may_be_an_interruption() -> None:
    call = call_of(TALK.splitlines()[0])
    assert found("interruption", call, Role.AGENT)[0].outcome is Outcome.ABSENT
    covered, short = (with_unclear(call, Span(2000, end)) for end in (3500, 2500))
    assert found("interruption", covered, Role.AGENT)[0].outcome is Outcome.CANNOT_TELL
    assert found("interruption", short, Role.AGENT)[0].outcome is Outcome.ABSENT


ASKED = "客户 1.0 我的包裹到哪儿了？\n坐席 9.0 在路上。"


def test_a_late_answer_is_a_silence_between_the_customers_words_and_the_agents() -> None:
    (late,) = found("silence", call_of(ASKED), Role.AGENT, longer_than_seconds=5.0)
    assert (late.outcome, late.span) == (Outcome.PRESENT, Span(2920, 9000))
    assert (
        found("silence", call_of(ASKED), Role.CUSTOMER, longer_than_seconds=5.0)[0].outcome is Outcome.ABSENT
    )


def test_a_wait_before_the_answer_is_not_a_late_answer() -> None:
    held = call_of(f"{ASKED}\n等待音乐 4.0 8.5")
    assert found("silence", held, Role.AGENT, longer_than_seconds=3.0)[0].outcome is Outcome.ABSENT


def test_unclear_speech_before_the_answer_is_not_a_silence() -> None:
    call = with_unclear(call_of(ASKED), Span(4000, 8500))
    assert found("silence", call, Role.AGENT, longer_than_seconds=3.0)[0].outcome is Outcome.ABSENT


def test_with_uncertain_roles_nobody_can_tell_who_answered_late() -> None:
    (answer,) = found("silence", with_roles(call_of(ASKED), 0.4), Role.AGENT, longer_than_seconds=5.0)
    assert answer.outcome is Outcome.CANNOT_TELL
    assert (
        found("silence", with_roles(call_of(ASKED), 0.4), longer_than_seconds=5.0)[0].outcome
        is Outcome.PRESENT
    )


ANNOUNCED = ruleset_of(
    rule_text("a.announced", "phrases: [请稍等]"),
    rule_text("a.silent", "not_preceded_by: [a.announced]\nreach_seconds: 20", "hold", "any"),
    rule_text("a.thanked", "followed_by: [a.announced]", "hold", "any"),
)


def around(call: Call, rule_id: str = "a.silent") -> str:
    return next(f.outcome for f in engine.run(call, ANNOUNCED) if f.rule_id == rule_id)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("坐席 3.0 请稍等。", "absent"),
        ("坐席 3.0 查到的是这个。", "present"),
        ("坐席 3.0 请稍等。\n客户 4.0 好的。", "absent"),
        ("坐席 3.0 请稍等。\n客户 4.0 快点吧。\n坐席 5.5 那个东西。", "present"),
        ("客户 3.0 请稍等。", "absent"),
    ],
)
def test_a_wait_without_notice_has_no_announcement_in_the_agents_last_turn(
    before: str, expected: str
) -> None:
    assert around(call_of(f"{before}\n等待音乐 8.0 30.0\n坐席 31.0 查到了。")) == expected


def test_an_announcement_long_before_the_wait_does_not_announce_it() -> None:
    assert around(call_of("坐席 3.0 请稍等。\n客户 6.0 好的。\n等待音乐 40.0 60.0")) == "present"
    assert (
        around(call_of("坐席 3.0 请稍等，那个，我看一下。\n坐席 38.0 黄的。\n等待音乐 40.0 60.0"))
        == "present"
    )


def test_music_before_the_agent_ever_spoke_is_no_wait_without_notice() -> None:
    assert around(call_of("等待音乐 1.0 30.0\n坐席 31.0 您好。")) == "absent"


def test_what_was_not_understood_before_a_wait_may_have_announced_it() -> None:
    text = "坐席 3.0 查到的是这个。\n等待音乐 8.0 30.0\n坐席 31.0 查到了。"
    assert around(with_unclear(call_of(text), Span(5000, 8000))) == "cannot_tell"
    assert around(call_of(text, probability=0.2)) == "cannot_tell"


def test_with_uncertain_roles_nobody_can_tell_who_announced_a_wait() -> None:
    call = call_of("坐席 3.0 查到的是这个。\n等待音乐 8.0 30.0")
    assert around(with_roles(call, 0.4)) == "cannot_tell"


def test_what_follows_a_wait_is_the_agents_first_turn_after_it() -> None:
    waited = "坐席 3.0 查一下。\n等待音乐 8.0 30.0\n客户 31.0 喂？\n"
    assert around(call_of(f"{waited}坐席 33.0 请稍等。"), "a.thanked") == "present"
    assert (
        around(call_of(f"{waited}坐席 33.0 查到了。\n客户 36.0 好。\n坐席 38.0 请稍等。"), "a.thanked")
        == "absent"
    )
    assert around(call_of("坐席 3.0 查一下。\n等待音乐 8.0 30.0"), "a.thanked") == "absent"
