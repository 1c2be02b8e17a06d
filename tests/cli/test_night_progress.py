"""How far a night is, as it shows on a terminal and in `callscore status`."""

import json
import logging
import sys
import time
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1] / "workflows"))

from night_help import NOON, FakeListener, Notes, archive, beep, tools

from pipeline.cli.app import app
from pipeline.cli.night_progress import BarWatcher, LineWatcher
from pipeline.storage.records import ScoredCall
from pipeline.storage.store import Store
from pipeline.workflows.night.telling import Log
from pipeline.workflows.night.values import NightPlan, Summary
from pipeline.workflows.nightly import run_night

RECORDINGS = 6


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two good recordings, an empty one, one with a faulty row, two without a row, and a row without one."""
    made = archive(tmp_path / "in", calls=5)
    (made / "audio/c1.wav").write_bytes(b"")
    (made / "audio/c5.wav").unlink()
    table = made / "metadata.csv"
    lines = table.read_text(encoding="utf-8").replace("c2,audio/c2.wav", "c3,audio/c2.wav")
    table.write_text(lines, encoding="utf-8")
    beep(made / "audio/x1.wav", 900)
    beep(made / "audio/x2.wav", 950)
    return made


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("CALLSCORE_DATABASE", f"sqlite:///{tmp_path}/calls.db")
    return Store.open(f"sqlite:///{tmp_path}/calls.db")


def screen() -> Console:
    return Console(file=StringIO(), force_terminal=True)


def test_whatever_becomes_of_a_recording_it_is_dealt_with(folder: Path, store: Store) -> None:
    for after in ("a first night", "a second one", "all were released"):
        with store, BarWatcher(screen()) as watcher:
            summary = run_night(NightPlan(folder=folder), tools(store, FakeListener()), watcher)
            (task,) = watcher.progress.tasks
        assert (summary.seen, task.completed) == (RECORDINGS, RECORDINGS), after
        if after == "a second one":
            store.release([fault.path for fault in store.quarantined()], at=NOON)
    assert summary.quarantined == []


def test_a_line_of_a_scored_call_says_how_far_the_night_is(folder: Path, store: Store) -> None:
    with store, LineWatcher(Console(file=StringIO(), width=200)) as watcher:
        run_night(NightPlan(folder=folder), tools(store, FakeListener()), watcher)
    assert watcher.pace.passed + watcher.pace.finished == RECORDINGS


LINE = "a process that recognizes ended"


def warn(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line of the program's log, where nobody has said where such lines go, as in the command."""
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    logging.getLogger("callscore.night").warning(LINE)


def test_lines_of_the_log_do_not_show_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with BarWatcher(screen()):
        warn(monkeypatch)
    assert capsys.readouterr().err == ""
    with LineWatcher(screen()):
        warn(monkeypatch)
    assert capsys.readouterr().err == f"{LINE}\n"


def test_lines_of_the_log_go_into_the_log_of_a_night(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    log = Log(tmp_path / "night.jsonl", lambda: NOON)
    with log.lines():
        warn(monkeypatch)
    log.ended(Summary())
    line, _ = map(json.loads, (tmp_path / "night.jsonl").read_text().splitlines())
    assert (line["event"], line["what"]) == ("warned", LINE)
    assert capsys.readouterr().err == ""


class Looks(Notes):
    """Looks at the status after the first call, until it tells of all that was quarantined before."""

    seen = ""

    def scored(self, call: ScoredCall) -> None:
        until = time.monotonic() + 8
        while not self.seen and time.monotonic() < until:
            shown = CliRunner().invoke(app, ["status"]).stdout
            self.seen = shown if "隔离 5 个" in shown else ""


def test_the_status_of_a_night_that_runs_tells_what_was_quarantined_so_far(
    folder: Path, store: Store
) -> None:
    looks, today = Looks(), replace(tools(store, FakeListener()), clock=lambda: datetime.now(UTC))
    with store:
        summary = run_night(NightPlan(folder=folder), today, looks)
    assert len(summary.quarantined) == 5
    assert "正在跑" in looks.seen
