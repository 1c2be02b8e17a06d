"""`callscore list` as typed."""

import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1] / "workflows/report"))

from report_help import Made, put

from pipeline.cli.app import app
from pipeline.storage.store import Store


@pytest.fixture(autouse=True)
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Calls of some days."""
    monkeypatch.setenv("CALLSCORE_DATABASE", f"sqlite:///{tmp_path}/calls.db")
    with Store.open(f"sqlite:///{tmp_path}/calls.db") as store:
        put(store, *(Made(number=n, day=day) for n, day in enumerate((3, 1, 5))))


def days(*options: str) -> list[str]:
    """The second column."""
    shown = CliRunner().invoke(app, ["list", *options]).output
    return [line.split()[1] for line in shown.splitlines() if "2024-" in line]


def test_calls_are_listed_with_the_year_and_the_newest_last() -> None:
    assert days() == ["2024-05-07", "2024-05-09", "2024-05-11"]


def test_a_limit_keeps_the_newest() -> None:
    assert days("--limit", "2") == ["2024-05-09", "2024-05-11"]
