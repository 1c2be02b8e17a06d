"""A sentence that recognition split, and a 嗯 of the other side in the middle of it.

Where turns are made it is decided whether a 嗯 takes over: not in a pause under a second. The matcher
goes by the turns.
"""

from dataclasses import replace

import pytest
from calls import phrase_rule

from pipeline.detect import engine
from pipeline.detect.script import call_of, spoken
from pipeline.findings import Outcome
from pipeline.speech.turns import Voiced, turns_of
from pipeline.timeline import Call, Role
from pipeline.units import Ms

RULES = phrase_rule("这个不归我们管")


def found(call: Call) -> list[str]:
    present = [f for f in engine.run(call, RULES) if f.outcome is Outcome.PRESENT]
    return [e.quote for f in present for e in f.evidence]


def heard(pause: Ms, other: str, *, after: Ms = 200) -> Call:
    """The agent's sentence with a pause in it, and what the customer says in the pause, as turns."""
    first = spoken("这个不归", 3000, probability=0.9)
    ends = first[-1].span.end
    second = spoken("我们管", ends + pause, probability=0.9)
    voices = [Voiced(speaker=0, channel=0, words=first + second)]
    if other:
        voices.append(Voiced(speaker=1, channel=1, words=spoken(other, ends + after, probability=0.9)))
    made = turns_of(voices)
    turns = tuple(turn.with_role(Role.CUSTOMER if turn.speaker else Role.AGENT) for turn in made)
    call = call_of("坐席 1.0 喂\n客户 20.0 喂")
    return replace(call, transcript=replace(call.transcript, turns=turns))


@pytest.mark.parametrize(
    ("pause", "other", "expected"),
    [
        (400, "", ["这个不归我们管"]),
        (2400, "", ["这个不归我们管"]),
        (2600, "", []),
        (700, "嗯", ["这个不归我们管"]),
        (700, "好", ["这个不归我们管"]),
        (1200, "嗯", []),
        (900, "什么意思", []),
    ],
)
def test_a_sentence_is_whole_over_a_pause_and_a_backchannel_in_a_short_one(
    pause: Ms, other: str, expected: list[str]
) -> None:
    assert found(heard(pause, other)) == expected


def test_two_turns_of_one_speaker_are_one_stretch_until_the_silence_is_long() -> None:
    assert found(call_of("坐席 3.0 这个不归\n坐席 6.4 我们管")) == ["这个不归我们管"]
    assert found(call_of("坐席 3.0 这个不归\n坐席 6.5 我们管")) == []
    assert found(call_of("坐席 3.0 这个不归。\n坐席 4.0 我们管")) == ["这个不归。我们管"]
