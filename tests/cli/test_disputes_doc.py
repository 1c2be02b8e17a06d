"""Every command of docs/disputes.md runs, in the order of the page, on the calls of the demo."""

import shutil
from pathlib import Path

import pytest
from doc_help import DOCS, Page
from typer.testing import CliRunner

from pipeline.cli.app import app

PAGE = Page("disputes.md")
CALLS = {"d11": "d11.mp3", "d07m": "d07_mono.wav"}
"""The calls that the page names."""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder like that of the product, after a night over the calls that the page names."""
    demo = DOCS.parent / "data/demo"
    (tmp_path / "data/demo/audio").mkdir(parents=True)
    for name in CALLS.values():
        shutil.copy(demo / "audio" / name, tmp_path / "data/demo/audio")
    rows = (demo / "metadata.csv").read_text(encoding="utf-8").splitlines()
    kept = [rows[0], *(row for row in rows if row.partition(",")[0] in CALLS)]
    (tmp_path / "data/demo/metadata.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    (tmp_path / "rules").symlink_to(DOCS.parent / "rules")
    PAGE.open_in(tmp_path, monkeypatch)
    night = CliRunner().invoke(app, ["nightly", "data/demo"])
    assert night.exit_code == 0, night.output
    return tmp_path


@pytest.mark.model
def test_every_command_of_the_page_runs(desk: Path) -> None:
    PAGE.type_all()
    assert {path.suffix for path in desk.glob("案卷-d11.*")} == {".zip", ".html", ".pdf"}


def test_the_page_names_every_command_for_disputes() -> None:
    for name in ("history ", "rescore ", "correct ", "relink ", "evidence "):
        assert any(line.startswith(name) for line in PAGE.commands), name
    for option in ("--as-of", "--diff", "--listen-again", "--swap-roles", "--verify"):
        assert any(option in line for line in PAGE.commands), option
