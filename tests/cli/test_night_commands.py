"""What the operator types besides `nightly`, on made recordings and a fake transcriber."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from databases import Databases
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parents[1] / "workflows"))

from night_help import MADE_BY, FakeListener, Notes, archive, tools

from pipeline.cli.app import app
from pipeline.cli.night_run import a_length
from pipeline.errors import UsageError
from pipeline.storage.store import Store
from pipeline.workflows.night.telling import Log, Together, report
from pipeline.workflows.night.values import NightPlan
from pipeline.workflows.nightly import run_night


@pytest.fixture
def place(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with three good recordings and an empty one, after a night into the database of the URL."""
    monkeypatch.setenv("CALLSCORE_DATABASE", url)
    monkeypatch.setattr("pipeline.cli.night_desk.provenance_of", lambda settings: MADE_BY)
    folder = archive(tmp_path / "in", calls=4)
    (folder / "audio/c2.wav").write_bytes(b"")
    with Store.open(url) as store:
        run_night(NightPlan(folder=folder), tools(store, FakeListener()), Notes())
    return tmp_path


def said(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == code, result.output + str(result.exception)
    return result.stdout


@pytest.mark.usefixtures("place")
def test_status_says_how_far_each_night_came() -> None:
    told = said("status")
    assert "已完成" in told
    assert "评分 3 通" in told
    assert "还隔离着 1 个" in told
    (night,) = json.loads(said("status", "--json"))["nights"]
    assert (night["running"], night["counts"]["seen"]) == (False, 4)


@pytest.mark.usefixtures("place")
def test_status_knows_a_night_that_was_killed(url: str) -> None:
    with Store.open(url) as store:
        store.start_night(
            "in", at=datetime.now(UTC), owner="elsewhere:1:1", until=datetime(2020, 1, 1, tzinfo=UTC)
        )
    assert "中断了" in said("status")


def test_what_is_in_quarantine_is_listed_tried_again_and_let_go(place: Path, url: str) -> None:
    broken = str(place / "in/audio/c2.wav")
    assert "0 字节" in said("quarantine", "list")
    assert json.loads(said("quarantine", "list", "--json"))[0]["path"] == broken
    assert "1 个不再试" in said("quarantine", "release", broken)
    assert "没有隔离的" in said("quarantine", "list")
    with Store.open(url) as store:
        assert run_night(NightPlan(folder=place / "in"), tools(store), Notes()).quarantined == []
    result = CliRunner().invoke(app, ["quarantine", "retry", "x"])
    assert isinstance(result.exception, UsageError)


def test_reconcile_adds_up_and_names_what_is_missing(place: Path) -> None:
    told = said("reconcile", str(place / "in"))
    assert "录音 4 个 = 做完 3 + 隔离 1 + 不用评 0 + 没做 0" in told
    (place / "in/audio/c1.wav").unlink()
    (place / "in/audio/new.wav").write_bytes((place / "in/audio/c3.wav").read_bytes() + b"\0")
    told = said("reconcile", str(place / "in"), code=1)
    for title in ("没做的", "话单里没有的录音", "话单里有、文件不在的", "数据库里有、文件不在的"):
        assert f"{title}" in told
    assert told.count("c1.wav") >= 2


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_backup_is_made_and_put_back(place: Path) -> None:
    said("db", "backup", str(place / "backup.db"))
    (place / "db").rename(place / "away")
    said("db", "restore", str(place / "backup.db"))
    assert "评分 3 通" in said("status")
    said("db", "upgrade")


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_database_is_moved_to_postgresql_by_one_command(
    place: Path, url: str, postgresql: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    with postgresql.empty() as there:
        told = said("db", "copy", url, there)
        assert "recordings  3 行" in told
        assert "已搬到 postgresql" in told.replace("\n", "")
        monkeypatch.setenv("CALLSCORE_DATABASE", there)
        assert "评分 3 通" in said("status")
        assert "录音 4 个 = 做完 3 + 隔离 1 + 不用评 0 + 没做 0" in said("reconcile", str(place / "in"))
        again = CliRunner().invoke(app, ["db", "copy", url, there])
        assert isinstance(again.exception, UsageError)


@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_night_leaves_a_log_and_a_report_without_a_word_that_was_said(place: Path) -> None:
    plan = NightPlan(folder=archive(place / "other", calls=5))
    with Store.open(f"sqlite:///{place}/other.db") as store:
        ready = tools(store, FakeListener())
        (place / "log").mkdir()
        log = Log(place / "log/night.jsonl", ready.clock)
        summary = run_night(plan, ready, Together([Notes(), log]))
        log.ended(summary)
    text = (place / "log/night.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["event"] for line in lines if line["event"] != "counted"] == [
        "started",
        *5 * ["scored"],
        "ended",
    ]
    document = json.loads(report(summary, plan, ready.clock()))
    assert (document["counts"]["scored"], document["night"]) == (5, 1)
    assert "测试公司" not in text + json.dumps(document, ensure_ascii=False)


@pytest.mark.parametrize(("text", "seconds"), [("6h", 21600), ("1h30m", 5400), ("45s", 45), ("0.5h", 1800)])
def test_a_length_of_time_is_read(text: str, seconds: float) -> None:
    assert a_length(text, "--budget") == seconds


@pytest.mark.parametrize("text", ["", "6", "h", "6 hours"])
def test_what_is_no_length_of_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--budget"):
        a_length(text, "--budget")
