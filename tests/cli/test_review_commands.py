"""Reviews, appeals and agreement as inspectors and agents type them."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.errors import UsageError

sys.path.append(str(Path(__file__).parents[1] / "workflows/review"))
from review_help import archive

Type = Callable[..., str]


@pytest.fixture
def callscore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Type:
    """Types a command against a small archive with blind, averaged reviews; what is printed comes back."""
    archive(tmp_path, blind=True, combine="average").close()
    monkeypatch.setenv("CALLSCORE_DATABASE", f"sqlite:///{tmp_path}/calls.db")
    monkeypatch.delenv("CALLSCORE_REVIEWER", raising=False)
    monkeypatch.chdir(tmp_path)

    def typed(*words: str) -> str:
        result = CliRunner().invoke(app, words)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.output

    return typed


def test_the_form_shows_what_the_machine_found_and_what_may_be_written(callscore: Type) -> None:
    form = callscore("review", "c1")
    for words in ("shirking", "6.0", "良 3–4", "不归我们管", "成立", "还要评的 1 项：tone"):
        assert words in form


def test_the_blind_form_shows_the_call_and_nothing_of_the_machine(callscore: Type) -> None:
    form = callscore("review", "c1", "--blind", "--who", "王")
    assert "我的快递呢" in form
    assert "良 3–4" in form
    for words in ("6.0", "待人工", "原话", "机器"):
        assert words not in form


def test_a_decision_says_what_it_changed(callscore: Type) -> None:
    said = callscore("review", "c2", "--set", "tone=3.5", "--accept-all", "--done", "--who", "王")
    assert "语气：待人工 → 良 3.5" in said
    assert "同意 致谢 → 优" in said
    assert "要评的都评了" in said


def test_the_second_inspector_is_shown_nothing_of_the_first_until_done(callscore: Type) -> None:
    callscore("review", "c2", "--set", "tone=差", "--who", "王", "--done")
    for words in (
        ("show", "c2", "--for", "李"),
        ("review", "c2", "--who", "李"),
        ("reviews", "c2", "--who", "李"),
    ):
        shown = callscore(*words)
        assert "王" not in shown
        assert "另有 1 人评过" in shown
    callscore("review", "c2", "--set", "tone=优", "--who", "李", "--done")
    assert "王" in callscore("reviews", "c2", "--who", "李")
    assert "2.5" in callscore("show", "c2", "--for", "李")


def test_a_final_review_settles_what_it_says(callscore: Type) -> None:
    callscore("review", "c2", "--set", "tone=差", "--who", "王", "--done", "--partial")
    callscore("review", "c2", "--set", "tone=优", "--reason", "语气平和", "--who", "主管", "--final")
    callscore("review", "c2", "--set", "tone=差", "--reason", "急", "--who", "李", "--done", "--partial")
    assert "复核" in callscore("reviews", "c2", "--who", "李")
    assert "5.0/5.0" in next(
        line for line in callscore("show", "c2", "--for", "李").splitlines() if "语气" in line
    )


def test_the_name_may_come_from_the_environment(callscore: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLSCORE_REVIEWER", "赵")
    callscore("review", "c1", "--set", "tone=良")
    assert "赵" in callscore("reviews", "c1")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("review", "c1", "--set", "tone", "--who", "王"), "--set polite=良好"),
        (("review", "c1", "--reason", "x", "--who", "王"), "--set"),
        (("appeal", "answer", "1", "--reason", "x", "--who", "王"), "--keep"),
        (("appeal", "answer", "1", "--keep", "--set", "优", "--reason", "x", "--who", "王"), "--keep"),
        (("appeal", "show", "1"), "appeal list"),
        (("review", "c1", "--final", "--blind", "--who", "王"), "--blind"),
    ],
)
def test_half_a_command_is_told_how_to_go_on(callscore: Type, words: tuple[str, ...], hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        callscore(*words)
    assert hint in caught.value.hint


def test_an_appeal_goes_its_way_and_the_open_ones_come_first(callscore: Type) -> None:
    # Calls of the archive were scored long ago: a fresh decision opens the days of an appeal again.
    callscore("review", "c1", "--set", "shirking=5", "--set", "thanks=3", "--reason", "x", "--who", "王")
    callscore("appeal", "raise", "c1", "shirking", "--who", "101", "--reason", "我没推")
    callscore("appeal", "raise", "c1", "thanks", "--who", "101", "--reason", "我谢了")
    assert "改判" in callscore("appeal", "answer", "1", "--set", "8", "--reason", "听过", "--who", "李")
    listed = callscore("appeal", "list").splitlines()
    places = [next(n for n, text in enumerate(listed) if text.strip().startswith(number)) for number in "21"]
    assert places == sorted(places)
    assert "还有 3 天" in listed[places[0]]
    callscore("appeal", "reopen", "1", "--who", "101", "--reason", "再听")
    shown = callscore("appeal", "answer", "1", "--keep", "--reason", "再听过", "--who", "李")
    for words in ("5.0/10.0", "8.0/10.0", "再申诉", "维持", "已终结"):
        assert words in shown
    assert "另有 1 件已终结" in callscore("appeal", "list")
    assert "没有申诉" in callscore("appeal", "list", "--agent", "102")


def test_agreement_says_when_there_is_nothing_to_say(callscore: Type) -> None:
    assert "还没有复核" in callscore("agreement")
    callscore("review", "c2", "--set", "tone=优", "--accept-all", "--who", "王")
    assert "只有一个人复核过" in callscore("agreement")
    callscore("review", "c2", "--set", "tone=良", "--who", "李")
    said = callscore("agreement")
    assert "互不知情" in said
    assert "n 太小" in said
