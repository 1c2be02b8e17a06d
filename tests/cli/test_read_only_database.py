"""A database that somebody may read but not write, on the command line."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from other_user import another_user, lock, public_folder
from review_help import archive
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.errors import StorageError
from pipeline.settings import Settings
from pipeline.workflows.doctor import database

READING = (
    ("list",),
    ("show", "c1"),
    ("explain", "c1", "致谢"),
    ("status",),
    ("report", "agent"),
    ("reviews", "c1"),
    ("queue",),
)


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    archive(tmp_path).close()
    with public_folder() as folder:
        yield Path(shutil.copy(tmp_path / "calls.db", folder))


def typed(file: Path, *words: str) -> str:
    result = CliRunner().invoke(app, [*words, "--database", f"sqlite:///{file}"])
    if result.exception:
        raise result.exception
    return result.output


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_what_reads_says_the_same_where_nothing_may_be_written(file: Path, words: tuple[str, ...]) -> None:
    before = typed(file, *words)
    lock(file)
    with another_user():
        assert typed(file, *words) == before


def test_the_doctor_says_that_it_may_only_be_read(file: Path) -> None:
    settings = Settings(database=f"sqlite:///{file}")
    assert database(settings).fit
    lock(file)
    with another_user():
        found = database(settings)
    assert (found.fit, found.told.endswith("2 通录音，0 个隔离；只能读")) == (False, True)


def test_what_writes_says_that_it_may_not(file: Path) -> None:
    decision = ("review", "c1", "--set", "tone=良", "--who", "王")
    typed(file, "review", "c1")
    lock(file)
    with another_user(), pytest.raises(StorageError, match="只能读"):
        typed(file, *decision)
