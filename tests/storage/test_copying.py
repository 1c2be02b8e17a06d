"""Databases backed up, put back, moved, and brought up to date, with what is in them."""

import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from databases import Databases, contents
from old_databases import EARLIER, NOW, at_revision, fill_the_rest, has_rows, rows_of, version_of
from sqlalchemy import create_engine, event

from pipeline.audit import AuditEntry
from pipeline.errors import StorageError, UsageError
from pipeline.scorecard import Decision, Review
from pipeline.storage import database
from pipeline.storage.copying import backup, copy, restore
from pipeline.storage.night_records import Quarantined
from pipeline.storage.records import ScoredCall
from pipeline.storage.sealing import AuditFiles
from pipeline.storage.store import Store

Make = Callable[..., ScoredCall]


def filled(url: str, scored: Make, calls: int = 3) -> None:
    with Store.open(url) as store:
        night = store.start_night("in", at=NOW, owner="one", until=NOW)
        for number in range(calls):
            store.save_night_result(scored(number), at=NOW, reason="nightly")
        store.quarantine(Quarantined(path="x.wav", stage="decode", reason="坏"), at=NOW)
        store.end_night(night, {"scored": calls}, at=NOW)


def test_a_backup_that_is_put_back_is_the_database(tmp_path: Path, scored: Make) -> None:
    url, again = f"sqlite:///{tmp_path}/calls.db", f"sqlite:///{tmp_path}/again.db"
    filled(url, scored)
    backup(url, tmp_path / "backup.db")
    restore(tmp_path / "backup.db", again)
    assert contents(again) == contents(url)


def test_a_backup_while_a_night_writes_is_one_moment_of_it(tmp_path: Path, scored: Make) -> None:
    url = f"sqlite:///{tmp_path}/calls.db"
    filled(url, scored, 0)
    over = threading.Event()

    def night() -> None:
        with Store.open(url) as store:
            for number in range(200):
                store.save_night_result(scored(number), at=NOW, reason="nightly")
                if over.is_set():
                    return

    thread = threading.Thread(target=night)
    thread.start()
    for number in range(3):
        backup(url, tmp_path / f"{number}.db")
    over.set()
    thread.join()
    for number in range(3):
        rows = contents(f"sqlite:///{tmp_path}/{number}.db")
        assert len(rows["recordings"]) == len(rows["scorecards"]) == len(rows["transcripts"])


def test_nothing_is_written_over(tmp_path: Path, scored: Make) -> None:
    url = f"sqlite:///{tmp_path}/calls.db"
    filled(url, scored)
    backup(url, tmp_path / "backup.db")
    with pytest.raises(UsageError, match="已经有这个文件"):
        backup(url, tmp_path / "backup.db")
    with pytest.raises(UsageError, match="已经有数据库"):
        restore(tmp_path / "backup.db", url)
    (tmp_path / "text.db").write_text("no database")
    with pytest.raises(UsageError, match="不是备份文件"):
        restore(tmp_path / "text.db", f"sqlite:///{tmp_path}/new.db")


def test_postgresql_is_told_how_to_back_up() -> None:
    with pytest.raises(UsageError) as caught:
        backup("postgresql://host/name", Path("x"))
    assert "pg_dump" in caught.value.hint


def untold(table: str, rows: int) -> None:
    """Shown to nobody."""


@pytest.fixture
def source(tmp_path: Path, scored: Make) -> str:
    """An SQLite database with something in it."""
    url = f"sqlite:///{tmp_path}/source.db"
    filled(url, scored)
    with Store.open(url, audit=AuditFiles(key=tmp_path / "audit.key")) as store:
        store.record(AuditEntry(at=NOW, who="王", action="call.play", object="call:1", detail={"n": 1}))
        for who in ("李", "王", "啊"):
            review = Review(
                recording_id=scored(1).recording.id,
                who=who,
                at=NOW,
                decision=Decision.NOTE,
                target="",
                value="好",
                reason="",
            )
            store.add_review(review)
    return url


def test_a_database_is_moved_whole_and_can_be_worked_with(empty_url: str, source: str, scored: Make) -> None:
    done = copy(source, empty_url, untold)
    assert done.rows["recordings"] == done.rows["scorecards"] == done.rows["reviews"] == 3
    assert contents(empty_url) == contents(source)
    with Store.open(empty_url) as store:
        assert not store.save_night_result(scored(1), at=NOW, reason="nightly")
        assert store.save_night_result(scored(9), at=NOW, reason="nightly")
        store.start_night("in", at=NOW)
    with pytest.raises(UsageError, match="里面已经有数据"):
        copy(source, empty_url, untold)


def test_a_database_comes_back_as_it_was_moved_away(
    postgresql: Databases, source: str, tmp_path: Path
) -> None:
    back = f"sqlite:///{tmp_path}/back.db"
    with postgresql.empty() as there:
        copy(source, there, untold)
        copy(there, back, untold)
    assert contents(back) == contents(source)


def test_a_move_that_is_killed_midway_leaves_nothing_and_can_be_made_again(
    empty_url: str, source: str
) -> None:
    child = os.fork()
    if not child:
        copy(source, empty_url, lambda table, rows: os._exit(9) if table == "findings" else None)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    assert not any(contents(empty_url).values())
    copy(source, empty_url, untold)
    assert contents(empty_url) == contents(source)


def test_a_move_that_would_change_something_is_not_made(tmp_path: Path, source: str) -> None:
    target = f"sqlite:///{tmp_path}/target.db"
    Store.open(target).close()
    with sqlite3.connect(tmp_path / "target.db") as raw:
        raw.execute("CREATE TRIGGER t AFTER INSERT ON quarantine BEGIN UPDATE quarantine SET tries = 9; END")
    raw.close()
    with pytest.raises(StorageError, match="quarantine"):
        copy(source, target, untold)
    assert not any(contents(target).values())


@pytest.mark.parametrize("revision", EARLIER)
def test_each_earlier_schema_comes_to_the_newest_with_its_data_though_it_is_killed_midway(
    revision: str, tmp_path: Path, scored: Make
) -> None:
    old = tmp_path / "old.db"
    filled(f"sqlite:///{tmp_path}/now.db", scored)
    fill_the_rest(f"sqlite:///{tmp_path}/now.db")
    at_revision(old, revision, tmp_path / "now.db")
    before = rows_of(old)
    assert all(rows for _, rows in before.values())
    for statement in (1, 3, 6):
        _killed_at(old, statement)
        assert version_of(old) == revision
    Store.open(f"sqlite:///{old}").close()
    assert version_of(old) == database.HEAD
    assert has_rows(old, before)


def _killed_at(path: Path, statement: int) -> None:
    """A process that dies at the n-th statement of the migration that changes something."""
    child = os.fork()
    if child:
        os.waitpid(child, 0)
        return
    count = 0

    def counted(connection: object, cursor: object, sql: str, *rest: object) -> None:
        nonlocal count
        count += not sql.startswith(("SELECT", "PRAGMA", "BEGIN"))
        if count == statement:
            os._exit(9)

    engine = create_engine(f"sqlite:///{path}")
    event.listen(engine, "connect", database._prepare_sqlite)
    event.listen(engine, "begin", database._begin_sqlite)
    event.listen(engine, "after_cursor_execute", counted)
    database.migrate(engine)
    os._exit(0)
