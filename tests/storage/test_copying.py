"""Databases backed up, put back, moved, and brought up to date, with what is in them."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from old_databases import EARLIER, NOW, at_revision, fill_the_rest, has_rows, rows_of, version_of
from sqlalchemy import create_engine, event

from pipeline.errors import UsageError
from pipeline.storage import database
from pipeline.storage.columns import Base
from pipeline.storage.copying import backup, copy, restore
from pipeline.storage.night_records import Quarantined
from pipeline.storage.records import ScoredCall
from pipeline.storage.store import Store

Make = Callable[..., ScoredCall]


def filled(url: str, scored: Make, calls: int = 3) -> None:
    with Store.open(url) as store:
        night = store.start_night("in", at=NOW, owner="one", until=NOW)
        for number in range(calls):
            store.save_night_result(scored(number), at=NOW, reason="nightly")
        store.quarantine(Quarantined(path="x.wav", stage="decode", reason="坏"), at=NOW)
        store.end_night(night, {"scored": calls}, at=NOW)


def contents(url: str) -> dict[str, list[tuple[object, ...]]]:
    engine = database.open_database(url)
    with engine.connect() as connection:
        rows = {
            table.name: [
                tuple(row) for row in connection.execute(table.select().order_by(*table.primary_key.columns))
            ]
            for table in Base.metadata.sorted_tables
        }
    engine.dispose()
    return rows


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


def test_a_database_is_moved_whole_and_can_be_worked_with(url: str, tmp_path: Path, scored: Make) -> None:
    source = f"sqlite:///{tmp_path}/source.db"
    filled(source, scored)
    done = copy(source, url, lambda table, rows: None)
    assert done.rows["recordings"] == done.rows["scorecards"] == 3
    assert contents(url) == contents(source)
    with Store.open(url) as store:
        assert not store.save_night_result(scored(1), at=NOW, reason="nightly")
        assert store.save_night_result(scored(9), at=NOW, reason="nightly")
        store.start_night("in", at=NOW)
    with pytest.raises(UsageError, match="里面已经有数据"):
        copy(source, url, lambda table, rows: None)


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
