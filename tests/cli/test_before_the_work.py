"""What cannot end well is said before the work, not after it."""

from pathlib import Path

import pytest
from review_help import archive
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.errors import CallscoreError, NotFound, UsageError
from pipeline.storage.copying import backup, restore
from pipeline.storage.store import Store


def refused(*line: str) -> CallscoreError:
    error = CliRunner().invoke(app, line).exception
    assert isinstance(error, CallscoreError)
    assert error.hint
    return error


def test_a_case_file_for_a_folder_that_is_not_there_is_refused_before_the_database_is_read(
    tmp_path: Path,
) -> None:
    missing = tmp_path / "missing"
    error = refused(
        "evidence", "d11", "-o", f"{missing}/d11.zip", "--database", f"sqlite:///{tmp_path}/no.db"
    )
    assert error.message == f"{missing}：文件夹不存在"


OUTPUTS = (
    ("evidence", "d11", "-o", "made.zip"),
    ("report", "day", "-o", "made.xlsx"),
    ("sample", "-o", "made.csv"),
    ("tickets", "list.csv", "-o", "made.html"),
    ("rules", "schema", "-o", "made.json"),
    ("rules", "export", "-o", "made.csv"),
    ("templates", "new", "list.csv", "-o", "made.yml"),
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder: there are neither calls nor lists."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("line", OUTPUTS, ids=" ".join)
def test_a_file_that_is_there_is_not_written_over_unless_asked_for(
    folder: Path, line: tuple[str, ...]
) -> None:
    made = folder / line[-1]
    made.write_text("mine")
    error = refused(*line)
    assert (error.message, error.hint) == (f"已经有 {made.name}", "换一个名字，或加 --force 覆盖")
    assert made.read_text() == "mine"


@pytest.mark.parametrize("line", OUTPUTS, ids=" ".join)
def test_a_folder_that_is_not_there_is_not_made_for_an_answer(folder: Path, line: tuple[str, ...]) -> None:
    assert refused(*line[:-1], f"missing/{line[-1]}").message == "missing：文件夹不存在"
    assert not (folder / "missing").exists()


@pytest.mark.parametrize(
    "line", [("nightly", "in"), ("watch", "in"), ("nightly", "in", "--report", "missing/a")]
)
def test_a_night_is_told_before_it_begins_that_a_folder_for_its_files_is_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, line: tuple[str, ...]
) -> None:
    if "--report" not in line:
        monkeypatch.setenv("CALLSCORE_LOG", "missing/night.jsonl")
    assert refused(*line).message == "missing：文件夹不存在"
    assert list(folder.iterdir()) == []


def test_a_file_is_written_over_where_that_is_asked_for(folder: Path) -> None:
    archive(folder).close()
    lines = (("evidence", "c2", "-o", "made.html", "--for", ""), ("rules", "schema", "-o", "made.json"))
    for line in lines:
        made = folder / line[line.index("-o") + 1]
        made.write_text("mine")
        words = [*line, "--force"] + ["--database", "sqlite:///calls.db"] * (line[0] == "evidence")
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 0, result.output
        assert made.read_text(encoding="utf-8") != "mine"


def test_a_recording_that_is_not_there_is_named_before_a_model_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.cli.score.load_rules", lambda settings: pytest.fail("rules were read"))
    assert "文件不存在" in refused("score", f"{tmp_path}/no.wav").message


def test_a_folder_without_truth_is_refused_before_anything_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.cli.evaluate.run_night", lambda *args: pytest.fail("recordings were heard"))
    assert "没有 truth/*.json" in refused("evaluate", str(tmp_path)).message


def test_a_backup_into_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/calls.db"
    Store.open(url).close()
    with pytest.raises(NotFound, match="没有这个文件夹"):
        backup(url, tmp_path / "missing" / "copy.db")


def test_a_backup_that_is_not_there_is_not_said_to_be_something_else(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.db"
    with pytest.raises(NotFound, match="没有这个文件"):
        restore(tmp_path / "no.db", url)
    (tmp_path / "list.csv").write_text("call_id\n")
    with pytest.raises(UsageError, match="不是备份文件"):
        restore(tmp_path / "list.csv", url)
