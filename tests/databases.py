"""Databases for tests: what is in one, and a PostgreSQL server of these tests' own, by Debian's programs.

The server is in a temporary folder. It keeps what was committed when it is stopped at once, but not when the
computer is: nothing waits for a disk.
Text is sorted as a Chinese dictionary does, so that whatever relies on another order shows.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import URL, Connection, create_engine, make_url, text
from sqlalchemy.exc import OperationalError

from pipeline.storage.columns import Base
from pipeline.storage.database import open_database

NEEDED = "postgres", "initdb"
OPTIONS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "autovacuum": "off",
    "shared_buffers": "32MB",
}
PATIENCE = 30.0
PREFIX = "callscore-pg-"
MEMORY = Path("/dev/shm")  # noqa: S108
ROOM = 1 << 30


def contents(url: str) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables, in an order that does not depend on how the database sorts text."""
    engine = open_database(url)
    with engine.connect() as connection:
        rows = {
            table.name: sorted((tuple(row) for row in connection.execute(table.select())), key=repr)
            for table in Base.metadata.sorted_tables
        }
    engine.dispose()
    return rows


def missing() -> str:
    """Why no server can be started here; empty: one can."""
    try:
        import psycopg  # noqa: F401
    except ModuleNotFoundError:
        return "PostgreSQL: no driver, pip install 'psycopg[binary]'"
    return "" if all(map(_program, NEEDED)) else "PostgreSQL is not installed: apt-get install postgresql"


def _program(name: str) -> str | None:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return shutil.which(name, path=os.pathsep.join([*map(str, folders), os.environ.get("PATH", "")]))


class Databases:
    """Makes databases on a server: empty ones, and ones with the newest schema, which are copies of one."""

    def __init__(self, url: str) -> None:
        self._engine = create_engine(_address(url), isolation_level="AUTOCOMMIT", pool_pre_ping=True)
        self._pattern = ""

    @contextmanager
    def empty(self) -> Iterator[str]:
        """The URL of a new database, which is gone afterwards."""
        name = self._create()
        yield self._url(name)
        self._drop(name)

    @contextmanager
    def ready(self) -> Iterator[str]:
        """As `empty`, with all tables."""
        self._pattern = self._pattern or self._create_pattern()
        name = self._create(f"TEMPLATE {self._pattern}")
        yield self._url(name)
        self._drop(name)

    def cut(self, url: str) -> int:
        """Break all connections to one of these databases; how many there were."""
        query = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = :name"
        with self._engine.connect() as connection:
            return int(connection.scalar(text(query), {"name": make_url(url).database}) or 0)

    def close(self) -> None:
        if self._pattern:
            self._drop(self._pattern)
        self._engine.dispose()

    def _create_pattern(self) -> str:
        name = self._create()
        open_database(self._url(name)).dispose()
        return name

    def _create(self, how: str = "") -> str:
        name = f"callscore_test_{uuid.uuid4().hex}"
        with self._engine.connect() as connection:
            strategy = " STRATEGY FILE_COPY" if _version(connection) >= 15 else ""
            connection.execute(text(f"CREATE DATABASE {name} {how}{strategy}"))
        return name

    def _drop(self, name: str) -> None:
        with self._engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))

    def _url(self, name: str) -> str:
        address = self._engine.url.set(database=name, drivername="postgresql")
        return address.render_as_string(hide_password=False)


class Server:
    """Databases on a server in a folder of its own; `stop` and `start` as often as a test likes."""

    def __init__(self) -> None:
        user = _user()
        self._folder = _new_folder()
        os.chown(self._folder, user.pw_uid, user.pw_gid)
        self._who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if not os.getuid() else {}
        how = ("-U", "callscore", "-A", "trust", "-E", "UTF8", "--no-sync", "--no-instructions")
        order = ("--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=zh")
        self._run("initdb", "-D", str(self._data), *how, *order)
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql://callscore@/postgres?host={self._folder}"

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def start(self) -> None:
        """Comes back when it answers."""
        options = [f"--{name}={value}" for name, value in OPTIONS.items()]
        command = [_program("postgres") or "", "-D", str(self._data), "-k", str(self._folder), *options]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*_ending_with_us(), *command], stdout=log, stderr=log, cwd="/", **self._who
            )
        self._wait()

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT ends it in order; SIGQUIT drops all connections and what they were at."""
        self._process.send_signal(how)
        self._process.wait(PATIENCE)

    def remove(self) -> None:
        with suppress(ProcessLookupError):
            self.stop()
        shutil.rmtree(self._folder)

    def _wait(self) -> None:
        engine, until = create_engine(_address(self.url)), time.monotonic() + PATIENCE
        while True:
            try:
                return engine.connect().close()
            except OperationalError:
                if self._process.poll() is not None or time.monotonic() > until:
                    raise RuntimeError((self._folder / "log").read_text(errors="replace")) from None
            finally:
                engine.dispose()
            time.sleep(0.02)

    def _run(self, name: str, *arguments: str) -> None:
        command = [_program(name) or "", *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd="/", **self._who)


def _new_folder() -> Path:
    """In memory where there is room: a database is a copy of five hundred small files. What tests that were
    killed have left is removed."""
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    place = MEMORY if has_room else Path(tempfile.gettempdir())
    for left in place.glob(f"{PREFIX}*"):
        if not Path("/proc", left.name.split("-")[2]).exists():
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=place))


def _user() -> pwd.struct_passwd:
    """Who the server runs as: it refuses to run as root."""
    if os.getuid():
        return pwd.getpwuid(os.getuid())
    known = {user.pw_name: user for user in pwd.getpwall()}
    return known.get("postgres") or known["nobody"]


def _ending_with_us() -> list[str]:
    """So that no server outlives tests that are killed."""
    found = shutil.which("setpriv")
    return [found, "--pdeathsig", "QUIT"] if found else []


def _address(url: str) -> URL:
    return make_url(url).set(drivername="postgresql+psycopg")


def _version(connection: Connection) -> int:
    version = connection.dialect.server_version_info
    return version[0] if version else 0
