"""Words and roles held against the truth."""

from dataclasses import replace
from pathlib import Path

import pytest
from evaluate_help import PERFECT, RUDE, a_truth, transcript, truth_json, turn, write

from pipeline.timeline import Role
from pipeline.workflows import metrics
from pipeline.workflows.evaluate import HeardCall, evaluate
from pipeline.workflows.metrics import normalise


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, truth_json())
    return tmp_path


def test_digits_count_as_they_are_spoken() -> None:
    assert normalise("工號 1021，對!") == "工号一零二一对"
    assert normalise("幺〇两") == "一零二"


def test_words_heard_right_have_no_errors(folder: Path) -> None:
    (result,) = evaluate(folder, [HeardCall(name="t1", transcript=PERFECT, observed=())]).results
    assert sum(count.errors for count in result.characters) == 0
    assert sum(count.characters for count in result.characters) == 8 + 5 + 6


def test_errors_belong_to_the_voice_that_was_misheard(tmp_path: Path) -> None:
    heard = transcript(
        turn(Role.AGENT, 1000, 3000, "您好，宫号一零二一。", 0),
        turn(Role.CUSTOMER, 4000, 6000, "我想话费吗吗。", 1),
        turn(Role.AGENT, 8000, 9000, RUDE, 0),
    )
    by_role = {Role.AGENT: 0, Role.CUSTOMER: 0}
    for count in metrics.character_errors(a_truth(tmp_path), heard):
        by_role[count.role] += count.errors
    assert by_role == {Role.AGENT: 1, Role.CUSTOMER: 3}


def test_stereo_words_are_held_against_their_channel_whatever_the_role(tmp_path: Path) -> None:
    swapped = PERFECT.swapped("")
    assert sum(c.errors for c in metrics.character_errors(a_truth(tmp_path), swapped)) == 0
    crossed = transcript(*(replace(t, channel=1 - (t.channel or 0)) for t in PERFECT.turns))
    assert sum(c.errors for c in metrics.character_errors(a_truth(tmp_path), crossed)) > 10


def test_mono_words_are_held_against_everybody_in_time(tmp_path: Path) -> None:
    mono = transcript(*(replace(t, channel=None) for t in PERFECT.turns))
    assert sum(c.errors for c in metrics.character_errors(a_truth(tmp_path), mono)) == 0


def test_text_invented_on_a_silent_channel_is_counted(tmp_path: Path) -> None:
    truth = a_truth(tmp_path)
    agent_only = replace(truth, turns=tuple(t for t in truth.turns if t.role is Role.AGENT))
    counts = metrics.character_errors(agent_only, PERFECT)
    assert [(c.role, c.errors) for c in counts if c.errors] == [(Role.CUSTOMER, 5)]


# roles and greeting


def test_right_roles_have_no_error(tmp_path: Path) -> None:
    time = metrics.role_time(a_truth(tmp_path), PERFECT)
    assert (time.speech, time.wrong, time.unheard) == (5000, 0, 0)


def test_wrong_unknown_and_unheard_speech_are_told_apart(tmp_path: Path) -> None:
    heard = transcript(
        turn(Role.CUSTOMER, 1000, 2000, "您好", None),
        turn(Role.UNKNOWN, 2000, 3000, "工号", None),
        turn(Role.CUSTOMER, 4000, 5500, "我想查", None),
    )
    time = metrics.role_time(a_truth(tmp_path), heard)
    assert (time.wrong, time.unheard) == (2000, 1500)
    assert time.wrong_share == 0.4


def test_speech_of_both_at_once_is_left_out(tmp_path: Path) -> None:
    turns = truth_json()["turns"]
    turns[1] |= {"start": 2.0, "segments": [{"start": 2.0, "end": 6.0}]}
    time = metrics.role_time(a_truth(tmp_path, turns=turns), transcript())
    assert time.speech == time.unheard == 1000 + 3000 + 1000


def test_the_greeting_is_the_agents_first_word(folder: Path) -> None:
    late = transcript(
        turn(Role.CUSTOMER, 200, 500, "喂", 1),
        *(t for t in PERFECT.turns[1:]),
        turn(Role.AGENT, 1350, 2000, "您", 0),
    )
    near, far, nobody = (
        evaluate(folder, [HeardCall(name="t1", transcript=heard, observed=())])
        for heard in (PERFECT, late, transcript())
    )
    assert [e.results[0].greeting_error for e in (near, far, nobody)] == [0, 350, None]
    assert [e.greeting_share() for e in (near, far, nobody)] == [1.0, 0.0, 0.0]
