"""Rows of a PBX export and names of files, however many there are: they lie on the disk, and go with the
process."""

import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter

from pipeline.timeline import AgentChannel, Direction


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the export; None where it says nothing. `path` is absolute, its folder without links."""

    number: int
    path: str
    call_id: str
    agent_id: str | None = None
    customer: str | None = None
    direction: Direction | None = None
    business: str | None = None
    started_at: datetime | None = None
    agent_channel: AgentChannel | None = None
    queue_wait_seconds: float | None = None
    ring_count: int | None = None
    is_complaint: bool | None = None


_ROW = TypeAdapter(Row)


class Rows(Mapping[str, Row]):
    """Rows by path, in the order in which they were added."""

    def __init__(self) -> None:
        self._table = _on_the_disk()
        self._table.execute(
            "CREATE TABLE rows (number INTEGER PRIMARY KEY, path BLOB UNIQUE, call TEXT UNIQUE, row TEXT)"
        )

    def add(self, row: Row) -> None:
        """A row whose path and call are not there yet."""
        said = json.dumps(_ROW.dump_python(row, mode="json", exclude={"path"}))
        values = (row.number, os.fsencode(row.path), row.call_id, said)
        self._table.execute("INSERT INTO rows VALUES (?, ?, ?, ?)", values)

    def of_call(self, call_id: str) -> Row | None:
        """The row of a call."""
        return self._one("SELECT path, row FROM rows WHERE call = ?", call_id)

    def __getitem__(self, path: str) -> Row:
        row = self._one("SELECT path, row FROM rows WHERE path = ?", os.fsencode(path))
        if row is None:
            raise KeyError(path)
        return row

    def __iter__(self) -> Iterator[str]:
        return (os.fsdecode(path) for (path,) in self._table.execute("SELECT path FROM rows ORDER BY number"))

    def __len__(self) -> int:
        (count,) = self._table.execute("SELECT count(*) FROM rows").fetchone()
        return int(count)

    def _one(self, question: str, key: str | bytes) -> Row | None:
        found = self._table.execute(question, (key,)).fetchone()
        if found is None:
            return None
        path, said = found
        return _ROW.validate_python({**json.loads(said), "path": os.fsdecode(path)})


class Names:
    """Names of the files in folders."""

    def __init__(self) -> None:
        self._table = _on_the_disk()
        self._table.execute(
            "CREATE TABLE names (folder INT, name BLOB, PRIMARY KEY (folder, name)) WITHOUT ROWID"
        )

    def add(self, folder: int, names: Iterable[str]) -> None:
        """Names in a folder, which goes by its number; one that is there is added once."""
        rows = ((folder, os.fsencode(name)) for name in names)
        self._table.executemany("INSERT OR IGNORE INTO names VALUES (?, ?)", rows)

    def has(self, folder: int, name: str) -> bool:
        question = "SELECT 1 FROM names WHERE folder = ? AND name = ?"
        return self._table.execute(question, (folder, os.fsencode(name))).fetchone() is not None


def _on_the_disk() -> sqlite3.Connection:
    """A database without a name: it grows into a file that nobody else sees."""
    return sqlite3.connect("", check_same_thread=False)
