"""Databases with something in every table, as each earlier version has them."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Connection, Table, inspect, select

from pipeline.storage import database
from pipeline.storage.columns import Base, Moment

NOW = datetime(2024, 5, 7, 2, 0, tzinfo=UTC)
EARLIER = sorted(
    script.revision for script in ScriptDirectory.from_config(database.alembic_config()).walk_revisions()
)[:-1]
MADE_UP = {str: "x", int: 1, bool: True, bytes: b"x", datetime: NOW}

Rows = dict[str, tuple[tuple[str, ...], frozenset[tuple[object, ...]]]]
"""The columns of each table, and its rows."""


def fill_the_rest(url: str) -> None:
    """One made-up row in each table that is empty."""
    engine = database.open_database(url)
    with engine.connect().execution_options(write=True) as connection, connection.begin():
        for table in Base.metadata.sorted_tables:
            if connection.execute(select(table).limit(1)).first() is None:
                values = {column.name: _made_up(connection, column) for column in table.columns}
                connection.execute(table.insert(), values)
    engine.dispose()


def _made_up(connection: Connection, column: "Column[Any]") -> object:
    for key in column.foreign_keys:
        return connection.scalar(select(key.column).limit(1))
    kind = datetime if isinstance(column.type, Moment) else column.type.python_type
    return MADE_UP.get(kind, 1)


def at_revision(path: Path, revision: str, source: Path) -> None:
    """A database with an earlier schema, and everything of `source` that it has room for."""
    engine = database._engine(database._address(f"sqlite:///{path}"))
    with engine.connect().execution_options(write=True) as connection, connection.begin():
        config = database.alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        there = inspect(connection).get_table_names()
        for table in Base.metadata.sorted_tables:
            if table.name in there:
                _fill(connection, table, source)
    engine.dispose()


def _fill(connection: Connection, table: Table, source: Path) -> None:
    with _read(source) as old:
        mine = [column["name"] for column in inspect(connection).get_columns(table.name)]
        names = [name for name in mine if name in _columns(old, table.name)]
        holes = ", ".join("?" * len(names))
        for row in old.execute(f"SELECT {', '.join(names)} FROM {table.name}"):
            connection.exec_driver_sql(f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ({holes})", row)


def rows_of(path: Path) -> Rows:
    """Everything in a database but its version."""
    with _read(path) as raw:
        tables = [name for (name,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {
            name: (columns, _rows(raw, name, columns))
            for name in tables
            if name != database.VERSION_TABLE and (columns := _columns(raw, name))
        }


def has_rows(path: Path, before: Rows) -> bool:
    """Whether all that was there is there still, and no more in the same tables."""
    with _read(path) as raw:
        return all(_rows(raw, name, columns) == rows for name, (columns, rows) in before.items())


def version_of(path: Path) -> str:
    with _read(path) as raw:
        return str(raw.execute(f"SELECT version_num FROM {database.VERSION_TABLE}").fetchone()[0])


def _rows(raw: sqlite3.Connection, table: str, columns: tuple[str, ...]) -> frozenset[tuple[object, ...]]:
    return frozenset(raw.execute(f"SELECT {', '.join(columns)} FROM {table}"))


def _columns(raw: sqlite3.Connection, table: str) -> tuple[str, ...]:
    return tuple(column[1] for column in raw.execute(f"PRAGMA table_info({table})"))


@contextmanager
def _read(path: Path) -> Iterator[sqlite3.Connection]:
    raw = sqlite3.connect(path)
    try:
        yield raw
    finally:
        raw.close()
