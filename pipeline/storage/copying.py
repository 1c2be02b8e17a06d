"""Whole databases: a copy taken while others write, put back, or moved to another kind of database."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Row, Table, func, insert, make_url, select, text

from pipeline.errors import NotFound, StorageError, UsageError
from pipeline.storage.columns import Base
from pipeline.storage.database import name_of, open_database, snapshots, translated

ROWS = 500
PAGES = 2_000
SQLITE_MAGIC = b"SQLite format 3\0"


@dataclass(frozen=True, slots=True)
class Copied:
    """How many rows each table has."""

    rows: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def backup(url: str, target: Path) -> None:
    """A whole copy of an SQLite database in `target`, as it was at one moment, while others go on writing.
    Raises UsageError: another kind of database, or the file is there; StorageError."""
    source = _sqlite_file(url)
    if target.exists():
        raise UsageError(f"{target}：已经有这个文件", hint="换一个名字，或先移走")
    if not target.parent.is_dir():
        raise NotFound(f"{target.parent}：没有这个文件夹", hint="检查路径，或先建好")
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    with translated(make_url(url)), _raw(source) as old, _raw(part) as new:
        old.backup(new, pages=PAGES)
        _check(new, part)
        new.execute("PRAGMA journal_mode = DELETE")
    part.replace(target)


def restore(source: Path, url: str) -> None:
    """Put a backup back. Raises UsageError: there is a database already, or the file is no whole backup."""
    target = _sqlite_file(url)
    if target.exists():
        raise UsageError(f"{target}：已经有数据库", hint="先把它移到别处，再恢复")
    if not source.is_file():
        raise NotFound(f"{source}：没有这个文件", hint="检查路径")
    if not _is_sqlite(source):
        raise UsageError(f"{source}：不是备份文件", hint="应为 callscore db backup 做出的文件")
    part = target.with_name(target.name + ".part")
    part.parent.mkdir(parents=True, exist_ok=True)
    part.unlink(missing_ok=True)
    with translated(make_url(url)), _raw(source) as old, _raw(part) as new:
        _check(old, source)
        old.backup(new)
    part.replace(target)
    open_database(url).dispose()


def copy(source_url: str, target_url: str, told: Callable[[str, int], None]) -> Copied:
    """Every row of one database into another, empty one, in one transaction, in which all is read again and
    compared; `told` hears of each table. Raises UsageError: the target is not empty; StorageError."""
    source, target = open_database(source_url, create=False), open_database(target_url)
    try:
        with translated(target.url), snapshots(source).connect() as old, _writing(target) as new:
            rows = {}
            for table in Base.metadata.sorted_tables:
                if new.scalar(select(func.count()).select_from(table)):
                    raise UsageError(f"{name_of(target.url)}：里面已经有数据", hint="换一个空的数据库")
            for table in Base.metadata.sorted_tables:
                rows[table.name] = _copy_table(table, old, new)
                told(table.name, rows[table.name])
            _count_on(new)
            new.commit()
    finally:
        source.dispose()
        target.dispose()
    return Copied(rows)


def _writing(engine: Engine) -> Connection:
    return engine.connect().execution_options(write=True)


def _copy_table(table: Table, old: Connection, new: Connection) -> int:
    count, digest = 0, 0
    for part in _parts(table, old):
        new.execute(insert(table), [dict(row._mapping) for row in part])
        count, digest = count + len(part), digest + _digest(part)
    if digest != sum(map(_digest, _parts(table, new))):
        raise StorageError(
            f"{name_of(new.engine.url)}：表 {table.name} 里读回来的和写进去的不一样，什么也没有搬",
            hint="再试一次；还是这样就检查这个数据库",
        )
    return count


def _parts(table: Table, connection: Connection) -> Iterator[Sequence[Row[Any]]]:
    query = select(table).order_by(*table.primary_key.columns)
    with connection.execute(query.execution_options(yield_per=ROWS)) as rows:
        yield from rows.partitions(ROWS)


def _digest(rows: Sequence[Row[Any]]) -> int:
    """To be added up: databases sort text differently."""
    plain = (repr(tuple(row)).encode("utf-8", "backslashreplace") for row in rows)
    return sum(int.from_bytes(sha256(row).digest()) for row in plain)


def _count_on(new: Connection) -> None:
    """PostgreSQL's counters go on behind the rows that came with their numbers."""
    if new.dialect.name != "postgresql":
        return
    for table in Base.metadata.sorted_tables:
        column = table.autoincrement_column
        if column is not None and not column.foreign_keys:
            new.execute(
                text(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', '{column.name}'), "  # noqa: S608
                    f"GREATEST(1, (SELECT COALESCE(MAX({column.name}), 0) FROM {table.name})), "
                    f"(SELECT COUNT(*) > 0 FROM {table.name}))"
                )
            )


def _is_sqlite(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return file.read(len(SQLITE_MAGIC)) == SQLITE_MAGIC


def _sqlite_file(url: str) -> Path:
    address = make_url(url)
    if address.get_backend_name() != "sqlite" or not address.database:
        raise UsageError(
            f"{name_of(address)}：只有 SQLite 文件能这样备份",
            hint="PostgreSQL 用 pg_dump -Fc 备份、pg_restore 恢复",
        )
    return Path(address.database)


def _raw(path: Path) -> closing[sqlite3.Connection]:
    return closing(sqlite3.connect(path, timeout=30))


def _check(connection: sqlite3.Connection, path: Path) -> None:
    found = connection.execute("PRAGMA integrity_check").fetchone()[0]
    if found != "ok":
        raise StorageError(f"{path}：文件坏了：{found}", hint="换一份备份")
