"""SQLite files that may be read but not written.

A reader of a database in WAL mode writes beside it, unless somebody who may write has it open: then it
shares what that one made. Where nobody has it open and all of it is in the one file, SQLite is told that the
file does not change, and whether that holds is looked at when a connection is taken and when a transaction
ends.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from sqlalchemy import Connection, Engine, event
from sqlalchemy.exc import DisconnectionError

from pipeline.errors import StorageError

STILL = "callscore_still"
"""The name under which a pooled connection keeps the file that it takes to be still."""


@dataclass(frozen=True, slots=True)
class Still:
    """A file as it was when nobody wrote to it."""

    file: Path
    changed_ns: int
    size: int

    @classmethod
    def of(cls, file: Path) -> Self | None:
        """None: somebody has it open, or something beside it is to be brought in."""
        if any(_beside(file, ending).exists() for ending in ("-shm", "-journal")) or _has_more(file):
            return None
        found = file.stat()
        return cls(file, found.st_mtime_ns, found.st_size)

    @property
    def holds(self) -> bool:
        return self == Still.of(self.file)


def allow(engine: Engine) -> None:
    """Connections of this SQLite engine read what may only be read. Raises StorageError: a writer that died
    left what only a writer can bring in, or somebody wrote during a transaction."""
    event.listen(engine, "do_connect", _open)
    event.listen(engine, "checkout", _check_out)
    event.listen(engine, "rollback", _check_end)


def is_writable(file: Path) -> bool:
    """Whether this user may write the database, which may not be there yet, and beside it."""
    return not file.is_file() or (_may_write(file) and _may_write(file.parent))


def _open(_dialect: object, record: Any, given: list[Any], options: dict[str, Any]) -> None:
    file = Path(given[0])
    if is_writable(file):
        return
    if still := Still.of(file):
        given[0], options["uri"] = f"file:{quote(str(file))}?immutable=1", True
        record.info[STILL] = still
    elif _has_more(file) and not _beside(file, "-shm").exists() and not _may_write(file.parent):
        raise StorageError(
            f"数据库 {file}：上次写它的程序没有正常结束，最后写的还在 {file.name}-wal 里，"
            "要能写这个文件夹才读得出来",
            hint="用能写的账号打开一次，如 callscore status；或改文件夹的权限",
        )


def _check_out(_connection: object, record: Any, _proxy: object) -> None:
    """It is opened anew when the file is not still any more."""
    if STILL in record.info and not record.info[STILL].holds:
        raise DisconnectionError


def _check_end(connection: Connection) -> None:
    still = connection.info.get(STILL)
    if still is not None and not still.holds:
        raise StorageError(f"数据库 {still.file}：读的时候有别的进程写了", hint="再试一次", passing=True)


def _has_more(file: Path) -> bool:
    """Whether something that was written is not in the file itself."""
    log = _beside(file, "-wal")
    return log.exists() and log.stat().st_size > 0


def _beside(file: Path, ending: str) -> Path:
    return file.with_name(file.name + ending)


def _may_write(path: Path) -> bool:
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)
