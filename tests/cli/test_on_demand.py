"""Commands are imported when they are asked for."""

import subprocess
import sys

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from pipeline.cli.app import COMMANDS, app
from pipeline.cli.summaries import summary


def test_the_help_lists_every_command_in_the_order_of_the_table() -> None:
    shown = CliRunner().invoke(app, ["--help"]).output
    places = [shown.index(f"│ {name} ") for name in COMMANDS]
    assert places == sorted(places)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_of_the_table_is_there(name: str) -> None:
    command = get_command(app).commands[name]  # type: ignore[attr-defined]
    assert command.name == name
    assert command.help


@pytest.mark.parametrize(("name", "module"), COMMANDS.items())
def test_the_line_of_a_command_in_the_help_is_its_own(name: str, module: str) -> None:
    command = get_command(app).commands[name]  # type: ignore[attr-defined]
    assert summary(name, f"pipeline.cli.{module}") == command.help


def test_the_help_of_all_commands_loads_none_of_them() -> None:
    asked = (
        "import sys; from pipeline.cli.app import app; from typer.testing import CliRunner\n"
        "CliRunner().invoke(app, ['--help']); print(*sys.modules)"
    )
    loaded = answer(asked)
    assert not {f"pipeline.cli.{module}" for module in COMMANDS.values()} & loaded
    assert not {"numpy", "sqlalchemy", "starlette"} & loaded


def test_a_command_that_is_not_there_is_told_with_the_nearest_one() -> None:
    told = CliRunner().invoke(app, ["rulez"])
    assert told.exit_code == 2
    assert "最接近的：rules" in told.output


def loaded_by(module: str) -> set[str]:
    return answer(f"import sys, {module}; print(*sys.modules)")


def answer(asked: str) -> set[str]:
    """The words that a program prints."""
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout
    return set(told.split())


def test_a_night_loads_what_hears_and_judges_only_where_there_is_work() -> None:
    loaded = loaded_by("pipeline.cli.night")
    assert "pipeline.workflows.nightly" in loaded
    needed = {"scipy.signal", "jieba", "pypinyin", "onnxruntime", "faster_whisper", "pipeline.detect.engine"}
    assert not needed & loaded


def test_trying_a_rule_loads_neither_the_web_pages_nor_the_libraries_of_listening_and_learning() -> None:
    loaded = loaded_by("pipeline.cli.rules")
    assert "pipeline.workflows.tuning.try_rule" in loaded
    heavy = {
        "starlette",
        "openpyxl",
        "fpdf",
        "scipy.optimize",
        "scipy.signal",
        "alembic",
        "ctranslate2",
        "matplotlib",
    }
    assert not heavy & loaded
