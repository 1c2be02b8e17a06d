"""Detectors about who talks, how much and how: talk_share, duration, backchannel, voice."""

from dataclasses import replace

import pytest
from calls import found, on_mono, with_roles, with_unclear

from pipeline.detect.listening import is_backchannel
from pipeline.detect.script import call_of
from pipeline.findings import Outcome
from pipeline.timeline import Call, Role, Span

PRESENT, ABSENT, CANNOT_TELL = Outcome.PRESENT, Outcome.ABSENT, Outcome.CANNOT_TELL
SHARED = call_of("# duration 30\n坐席 3.0 [6.0s] 我给您介绍一下\n客户 10.0 [4.0s] 不用了谢谢")
"""The agent talks for 6 of 10 seconds."""


@pytest.mark.parametrize(("percent", "expected"), [(59, PRESENT), (61, ABSENT)])
def test_the_share_is_of_the_time_in_which_somebody_talks(percent: int, expected: Outcome) -> None:
    (share,) = found("talk_share", SHARED, Role.AGENT, more_than_percent=percent)
    assert share.outcome is expected
    assert "6.0 秒" in share.explanation
    assert "占 60 %" in share.explanation


def test_the_customers_share_is_what_the_agents_leaves() -> None:
    assert found("talk_share", SHARED, Role.CUSTOMER, less_than_percent=41)[0].outcome is PRESENT
    assert found("talk_share", SHARED, Role.CUSTOMER, more_than_percent=41)[0].outcome is ABSENT


def test_unclear_speech_that_could_decide_the_share_leaves_it_open() -> None:
    unclear = with_unclear(SHARED, Span(20_000, 22_000))
    assert found("talk_share", unclear, Role.AGENT, more_than_percent=59)[0].outcome is CANNOT_TELL
    assert found("talk_share", unclear, Role.AGENT, more_than_percent=40)[0].outcome is PRESENT
    assert found("talk_share", unclear, Role.AGENT, more_than_percent=80)[0].outcome is ABSENT


def test_a_call_without_speech_has_no_share() -> None:
    assert found("talk_share", call_of(""), Role.AGENT, more_than_percent=50)[0].outcome is CANNOT_TELL


def test_a_call_lasts_from_the_answer_to_the_end() -> None:
    call = call_of("# answered 10\n# duration 100\n坐席 12.0 您好。")
    assert found("duration", call, longer_than_seconds=89)[0].outcome is PRESENT
    assert found("duration", call, longer_than_seconds=91)[0].outcome is ABSENT
    assert found("duration", call, shorter_than_seconds=91)[0].outcome is PRESENT


STORY = "客户 3.0 [9.0s] 我上个星期买了一台洗衣机外壳就有一道划痕"
NODDED = f"{STORY}\n坐席 8.0 嗯。\n坐席 13.0 您有照片吗？"
SILENT = f"{STORY}\n坐席 13.0 您有照片吗？"


def nods(text: str, **parameters: object) -> Outcome:
    return heard(call_of(text), **parameters).outcome


def heard(call: Call, **parameters: object):  # type: ignore[no-untyped-def]
    return found("backchannel", call, Role.AGENT, **{"longer_than_seconds": 8, **parameters})[0]


def test_a_nod_while_the_customer_explains_is_found() -> None:
    (nod,) = found("backchannel", call_of(NODDED), Role.AGENT, longer_than_seconds=8)
    assert (nod.outcome, nod.span.start) == (PRESENT, 8000)
    assert "“嗯”" in nod.explanation
    assert nods(SILENT) is ABSENT


def test_an_explanation_without_a_nod_is_found_when_the_rule_asks_for_that() -> None:
    assert nods(SILENT, given=False) is PRESENT
    assert nods(NODDED, given=False) is ABSENT


def test_a_short_explanation_needs_no_nod() -> None:
    assert nods(SILENT, given=False, longer_than_seconds=10) is ABSENT


def test_an_answer_ends_the_explanation() -> None:
    asked = "客户 3.0 [6.0s] 我买了一台洗衣机\n坐席 9.5 什么时候买的？\n客户 12.0 [6.0s] 上个星期送来的"
    assert nods(asked, given=False) is ABSENT


def test_a_nod_at_the_end_is_the_beginning_of_the_answer() -> None:
    assert nods(f"{STORY}\n坐席 11.9 嗯。", given=False) is PRESENT


def test_on_mono_a_nod_may_have_been_said_without_being_heard() -> None:
    assert heard(on_mono(call_of(SILENT)), given=False).outcome is CANNOT_TELL
    assert heard(on_mono(call_of(SILENT))).outcome is CANNOT_TELL
    assert heard(on_mono(call_of(NODDED))).outcome is PRESENT


def test_unclear_speech_may_have_been_a_nod() -> None:
    assert heard(with_unclear(call_of(SILENT), Span(7000, 7500)), given=False).outcome is CANNOT_TELL


@pytest.mark.parametrize("words", ["嗯", "嗯，是的。", "好的好的", "我明白了", "对对对", "OK", ""])
def test_words_that_only_show_that_one_listens(words: str) -> None:
    assert is_backchannel(words)


@pytest.mark.parametrize(
    "words", ["不是", "好的，您稍等", "嗯，那我查一下", "嗯嗯嗯嗯嗯嗯嗯嗯嗯嗯嗯", "没有"]
)
def test_words_that_say_more(words: str) -> None:
    assert not is_backchannel(words)


CALM = "\n".join(f"坐席 {start}.0 [2.0s -22dB 200Hz] 您好请讲您好" for start in range(3, 43, 10))


def loud(db: int, hz: int) -> Call:
    return call_of(f"{CALM}\n坐席 53.0 [2.0s {db}dB {hz}Hz] 我说过了我说过了")


def test_a_turn_louder_than_the_same_person_mostly_speaks_is_found() -> None:
    (raised,) = found("voice", loud(-16, 200), Role.AGENT, louder_by_db=4)
    assert (raised.outcome, raised.span.start) == (PRESENT, 53_000)
    assert "6.0 分贝" in raised.explanation
    assert found("voice", loud(-19, 200), Role.AGENT, louder_by_db=4)[0].outcome is ABSENT


def test_an_octave_is_twelve_semitones() -> None:
    assert found("voice", loud(-22, 400), Role.AGENT, higher_by_semitones=11.9)[0].outcome is PRESENT
    assert found("voice", loud(-22, 400), Role.AGENT, higher_by_semitones=12.1)[0].outcome is ABSENT


def test_asked_for_both_a_voice_must_be_louder_and_higher() -> None:
    both = {"louder_by_db": 4, "higher_by_semitones": 3}
    assert found("voice", loud(-16, 200), Role.AGENT, **both)[0].outcome is ABSENT
    assert found("voice", loud(-16, 260), Role.AGENT, **both)[0].outcome is PRESENT


def test_a_voice_is_measured_against_its_own_turns_only() -> None:
    quiet = call_of(f"{CALM}\n客户 53.0 [2.0s -10dB 300Hz] 我说过了我说过了")
    assert found("voice", quiet, Role.CUSTOMER, louder_by_db=4)[0].outcome is CANNOT_TELL


def test_a_turn_without_a_pitch_is_not_high() -> None:
    call = loud(-16, 260)
    turns = tuple(replace(turn, pitch_hz=None) for turn in call.transcript.turns)
    silent = replace(call, transcript=replace(call.transcript, turns=turns))
    assert found("voice", silent, Role.AGENT, higher_by_semitones=3)[0].outcome is CANNOT_TELL


def test_on_mono_a_raised_voice_is_less_certain() -> None:
    stereo, mono = (
        found("voice", call, Role.AGENT, louder_by_db=4)[0]
        for call in (loud(-16, 200), on_mono(loud(-16, 200)))
    )
    assert mono.confidence < stereo.confidence


@pytest.mark.parametrize(
    ("detector", "parameters"),
    [
        ("talk_share", {"more_than_percent": 50}),
        ("backchannel", {"longer_than_seconds": 8}),
        ("voice", {"louder_by_db": 4}),
    ],
)
def test_with_uncertain_roles_nobody_can_tell_whose_talk_it_was(
    detector: str, parameters: dict[str, float]
) -> None:
    for call in (SHARED, call_of(NODDED), loud(-16, 200)):
        assert found(detector, with_roles(call, 0.4), Role.AGENT, **parameters)[0].outcome is CANNOT_TELL
