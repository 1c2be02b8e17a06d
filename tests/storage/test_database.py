import sqlite3
import sys
import threading
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from pipeline.errors import StorageError
from pipeline.storage.columns import Base
from pipeline.storage.database import HEAD, VERSION_TABLE, alembic_config, open_database, schema_version
from pipeline.storage.store import Store


def explained(url: str) -> StorageError:
    with pytest.raises(StorageError) as caught:
        Store.open(url)
    assert caught.value.hint
    return caught.value


def test_an_empty_database_gets_the_newest_schema(empty_url: str) -> None:
    engine = open_database(empty_url)
    with engine.connect() as connection:
        assert schema_version(connection) == HEAD
    engine.dispose()


def test_migrations_and_tables_agree(empty_url: str) -> None:
    engine = open_database(empty_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"compare_type": True, "version_table": VERSION_TABLE}
        )
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_head_is_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_heads() == [HEAD]


def test_processes_that_start_together_make_one_schema(empty_url: str) -> None:
    faults: list[Exception] = []

    def work() -> None:
        try:
            Store.open(empty_url).close()
        except StorageError as error:
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []


def test_a_newer_schema_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/calls.db"
    Store.open(url).close()
    with sqlite3.connect(tmp_path / "calls.db") as raw:
        raw.execute(f"UPDATE {VERSION_TABLE} SET version_num = '9999'")
    raw.close()
    assert "9999" in str(explained(url))


def test_a_failed_migration_leaves_the_database_empty(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "calls.db") as raw:
        raw.execute("CREATE TABLE reviews (mine INTEGER)")
    raw.close()
    assert "别的程序" in explained(f"sqlite:///{tmp_path}/calls.db").hint
    with sqlite3.connect(tmp_path / "calls.db") as raw:
        names = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    raw.close()
    assert names == ["reviews"]


def test_missing_folders_are_made(tmp_path: Path) -> None:
    Store.open(f"sqlite:///{tmp_path}/new/folder/calls.db").close()
    assert (tmp_path / "new/folder/calls.db").is_file()


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "calls.db").write_text("call_id,file\n" * 100)
    error = explained(f"sqlite:///{tmp_path}/calls.db")
    assert "calls.db" in str(error)
    assert "不是 SQLite 数据库" in error.hint


def test_a_folder_in_place_of_the_file_is_refused(tmp_path: Path) -> None:
    explained(f"sqlite:///{tmp_path}")


def test_a_path_below_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    explained(f"sqlite:///{tmp_path}/file/calls.db")


@pytest.mark.parametrize(
    "url", ["calls.db", "", "mysql://host/name", "nothing://x", "sqlite+nothing:///x.db"]
)
def test_an_address_that_is_none_shows_a_right_one(url: str) -> None:
    with pytest.raises(StorageError, match=r"sqlite:///data/callscore\.db"):
        Store.open(url)


def test_a_missing_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    error = explained("postgresql://someone:secret@localhost/calls")
    assert "pip install" in error.hint
    assert "secret" not in str(error)


def test_a_server_that_does_not_answer_is_named_without_the_password() -> None:
    pytest.importorskip("psycopg")
    error = explained("postgresql://someone:secret@127.0.0.1:1/calls")
    assert "127.0.0.1" in str(error)
    assert "secret" not in str(error)


def test_a_database_is_kept_when_the_disk_shows_damage(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/calls.db"
    Store.open(url).close()
    bytes_ = bytearray((tmp_path / "calls.db").read_bytes())
    bytes_[100:4000] = b"\xff" * 3900
    (tmp_path / "calls.db").write_bytes(bytes_)
    assert "备份" in explained(url).hint
    assert (tmp_path / "calls.db").read_bytes() == bytes(bytes_)


def test_a_mistyped_path_is_not_made_into_an_empty_database(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"nothing\.db"):
        Store.open(f"sqlite:///{tmp_path}/nothing.db", create=False)
    assert not (tmp_path / "nothing.db").exists()
