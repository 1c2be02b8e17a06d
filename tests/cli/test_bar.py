"""What shows on a terminal while a command takes long."""

import io
from pathlib import Path

import pytest
from review_help import archive
from rich.console import Console
from typer.testing import CliRunner

from pipeline.cli.app import app

LONG = {
    ("evidence", "c1", "-o", "c1.html"): "做案卷",
    ("rescore", "c1"): "重评",
    ("rescore", "c1", "--dry-run"): "试算",
    ("rescore", "c1", "--as-of", "2099-01-01"): "重放",
    ("rescore", "--all"): "重评",
    ("review", "c1"): "复核",
    ("review", "c1", "--set", "tone=良", "--who", "王"): "复核",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a database of two calls and the rules that scored them."""
    archive(tmp_path).close()
    monkeypatch.setenv("CALLSCORE_DATABASE", f"sqlite:///{tmp_path}/calls.db")
    monkeypatch.setenv("CALLSCORE_RULES", str(tmp_path / "rules"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def typed(*line: str) -> str:
    result = CliRunner().invoke(app, line)
    assert result.exit_code == 0, result.output
    return result.stderr


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(("line", "title"), LONG.items(), ids=str)
def test_a_command_that_takes_long_says_on_a_terminal_that_it_is_at_work(
    line: tuple[str, ...], title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    screen = io.StringIO()
    monkeypatch.setattr("pipeline.cli.bar.Console", lambda **_: Console(file=screen, force_terminal=True))
    typed(*line)
    assert title in screen.getvalue()


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("line", LONG, ids=" ".join)
def test_where_there_is_no_terminal_it_says_nothing(line: tuple[str, ...]) -> None:
    assert typed(*line) == ""
