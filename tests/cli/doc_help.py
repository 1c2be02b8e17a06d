"""A page of the documentation whose commands can be typed as they stand, and a folder to type them in."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import app

DOCS = Path(__file__).parents[2] / "docs"


@dataclass(frozen=True, slots=True)
class Page:
    """By its file name under docs/."""

    name: str

    @property
    def text(self) -> str:
        return (DOCS / self.name).read_text(encoding="utf-8")

    @property
    def commands(self) -> list[str]:
        """What follows `callscore` on every prompt, in the order of the page."""
        return re.findall(r"^\$ (?:\.venv/bin/)?callscore (.+)$", self.text, re.MULTILINE)

    def open_in(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Go to a folder with the settings and the environment that the page asks for, and no others."""
        for name in ("CALLSCORE_DATABASE", "CALLSCORE_REVIEWER", "CALLSCORE_SETTINGS"):
            monkeypatch.delenv(name, raising=False)
        for settings in re.findall(r"```toml\n(.*?)```", self.text, re.DOTALL):
            (folder / "callscore.toml").write_text(settings, encoding="utf-8")
        for name, value in re.findall(r"^\$ export (\w+)=(.+)$", self.text, re.MULTILINE):
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(folder)

    def type_all(self) -> None:
        """Type every command of the page: each one succeeds and prints something."""
        for line in self.commands:
            result = CliRunner().invoke(app, shlex.split(line))
            assert result.exit_code == 0, f"{line}\n{result.output}\n{result.exception}"
            assert result.output.strip(), line
