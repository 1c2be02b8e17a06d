"""Detectors that measure sound rather than words: hold, silence, overlap."""

from dataclasses import replace

import pytest

from pipeline.detect.detectors import DETECTORS
from pipeline.detect.scene import Scene, Thresholds
from pipeline.detect.script import call_of
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Applies, Rule, Severity, Source, Status, Window
from pipeline.timeline import Call, Overlap, Role, RoleAssignment, Span

WAIT = """坐席 3.0 请稍等，我查一下。
等待音乐 6.0 80.0
坐席 81.0 还在查，请您再等等。
静音等待 84.0 140.0
坐席 141.0 查到了。"""

TALK = """客户 1.0 我这个月的账单怎么比上个月多了这么多钱我都没有用
坐席 4.0 您先告诉我您的手机号码是多少"""


def found(detector: str, call: Call, role: Role | None = None, **parameters: object) -> tuple[Finding, ...]:
    rule = Rule(
        id="a.a",
        title="规则",
        why="",
        label="x",
        category=None,
        severity=Severity.MINOR,
        status=Status.ACTIVE,
        detector=detector,
        role=role,
        window=Window(),
        applies=Applies(),
        parameters=DETECTORS[detector].parameters.model_validate(parameters),
        cases=(),
        digest="",
        source=Source(path="a.yml", line=1),
    )
    return DETECTORS[detector].detect(rule, Scene(call=call, thresholds=Thresholds()))


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
    call = call_of(TALK)
    mono = replace(call, transcript=replace(call.transcript, overlaps_audible=False, overlaps=()))
    (answer,) = found("interruption", mono, Role.AGENT)
    assert answer.outcome is Outcome.CANNOT_TELL
    assert "单声道" in answer.explanation


def test_with_uncertain_roles_nobody_can_tell_who_interrupted() -> None:
    call = call_of(TALK)
    doubtful = replace(call.transcript, roles=RoleAssignment(confidence=0.4, reason=""))
    assert found("interruption", replace(call, transcript=doubtful), Role.AGENT)[0].outcome is Outcome.CANNOT_TELL


def test_an_overlap_shorter_than_asked_does_not_count() -> None:
    call = call_of(TALK)
    short = replace(call.transcript, overlaps=(Overlap(span=Span(4000, 4600), first=0, second=1),))
    assert found("interruption", replace(call, transcript=short), Role.AGENT)[0].outcome is Outcome.ABSENT
