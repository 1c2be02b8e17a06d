"""The queue, assignment and rounds as supervisors and inspectors type them."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.errors import SettingsError, UsageError

sys.path.append(str(Path(__file__).parents[1] / "workflows/review"))
from review_help import archive

Type = Callable[..., str]


@pytest.fixture
def callscore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Type:
    """Types a command against a small archive; what is printed comes back."""
    archive(tmp_path).close()
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


def test_the_queue_lists_the_riskiest_first(callscore: Type) -> None:
    told = callscore("queue")
    assert "共 2 通：待评 2" in told
    assert told.index("c1") < told.index("c2")
    assert "15.0–20.0" in told
    assert "c1" not in callscore("queue", "--no-fatal")
    assert "没有这样的通话" in callscore("queue", "--state", "appeal")


def test_a_call_is_claimed_and_shown_as_mine(callscore: Type) -> None:
    assert "王敏 领了 c1" in callscore("queue", "--claim", "--who", "王敏")
    mine = callscore("queue", "--mine", "--who", "王敏")
    assert ("c1" in mine, "c2" in mine) == (True, False)
    assert "c1" not in callscore("queue", "--free")
    with pytest.raises(UsageError, match="我是谁"):
        callscore("queue", "--mine")


def test_calls_are_assigned_by_hand_and_by_rule(callscore: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "李强 1 通：c2" in callscore("assign", "c2", "--to", "李强")
    assert "别人正在评（李强）" in callscore("assign", "c2", "--to", "王敏")
    assert "王敏 1 通：c2" in callscore("assign", "c2", "--to", "王敏", "--force")
    with pytest.raises(SettingsError, match="没有派单的规则"):
        callscore("assign", "--rules")
    monkeypatch.setenv("CALLSCORE_ASSIGNMENT", '{"agent=101": "赵云"}')
    assert "预演" in callscore("assign", "--rules", "--dry-run")
    assert "赵云 1 通：c1" in callscore("assign", "--rules")
    with pytest.raises(UsageError, match="要么写派给谁"):
        callscore("assign")


def test_plans_show_how_far_they_are(callscore: Type) -> None:
    assert "还没有抽样计划" in callscore("queue", "--plans")
    callscore("sample", "--share", "100", "--since", "2024-05-06", "--until", "2024-05-06")
    callscore("queue", "--claim", "--who", "王敏")
    line = next(text for text in callscore("queue", "--plans").splitlines() if text.strip().startswith("1"))
    assert line.split()[-3:] == ["2", "1", "0"]


def test_a_finding_is_added_from_the_command_line(callscore: Type) -> None:
    told = callscore(
        *("review", "c1", "--add", "推诿=00:06.7-00:09.0", "--reason", "也是推诿", "--who", "王敏"),
    )
    assert "人工补充" in told
    assert "“你自己想想办法。”" in callscore("reviews", "c1")
    with pytest.raises(UsageError, match="--add"):
        callscore("review", "c1", "--add", "推诿", "--who", "王敏")
    with pytest.raises(UsageError, match="--add：看不懂"):
        callscore("review", "c1", "--add", "推诿=a-b", "--who", "王敏")


def test_a_round_is_made_shown_and_closed(callscore: Type) -> None:
    assert "还没有校准" in callscore("round", "show")
    callscore("round", "new", "十一月", "--call", "c1", "--who", "王敏", "--who", "李强", "--by", "主管")
    assert "进行中" in callscore("round", "show")
    assert "交卷：李强 0/1 通、王敏 0/1 通" in callscore("round", "show", "1")
    assert "结束" in callscore("round", "close", "1")
