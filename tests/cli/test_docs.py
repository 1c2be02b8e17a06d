"""Settings and commands are documented, and the documentation is what the code says."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from typer.main import get_command

from pipeline.cli.app import app

DOCS = Path(__file__).parents[2] / "docs"


def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_build", DOCS / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", sorted(builder().pages()))
def test_generated_pages_are_up_to_date(page: str) -> None:
    assert (DOCS / page).read_text(encoding="utf-8") == builder().pages()[page], "run `make docs`"


def test_every_help_ends_with_an_example() -> None:
    commands = builder()._walk(get_command(app), ("callscore",))
    assert len(commands) > 10
    for path, command in commands:
        assert (command.epilog or "").startswith(
            f"例：{'CALLSCORE_BEAM_SIZE=1 ' if 'settings' in path else ''}callscore"
        ), path


def test_the_readme_names_every_command() -> None:
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    for path, _ in builder()._walk(get_command(app), ("callscore",)):
        assert path[1] in readme, path
