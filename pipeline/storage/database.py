"""Open a database: check the URL, connect, bring the schema up to date, translate what goes wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, select
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    NoSuchModuleError,
    OperationalError,
    SQLAlchemyError,
)
from sqlalchemy.sql import column, table

from pipeline.errors import StorageError
from pipeline.storage.turns import Turn, take_turn

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0011"
"""The schema this version reads and writes: the newest file under migrations/versions."""

VERSION_TABLE = "callscore_schema"
BUSY_TIMEOUT_MS = 30_000
"""So long a writer waits for another one."""

POSTGRESQL = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
    "options": f"-c lock_timeout={BUSY_TIMEOUT_MS} -c tcp_keepalives_idle=30 -c tcp_keepalives_interval=10"
    " -c tcp_keepalives_count=3",
}
"""A server, or a client that holds locks, whose machine or network is gone is missed within a minute or two,
not within the hours that systems wait by themselves. What the URL says counts before these."""

EXAMPLE = "expected an SQLAlchemy URL such as sqlite:///data/callscore.db or postgresql://user:pw@host/name"


def open_database(url: str, *, create: bool = True) -> Engine:
    """An engine on a database whose schema is this version's; `create=False` refuses an SQLite file that
    is not there yet. Raises StorageError."""
    address = _address(url)
    if not create:
        _check_exists(address)
    with translated(address):
        engine = _engine(address)
        try:
            migrate(engine)
        except BaseException:
            engine.dispose()
            raise
    return engine


def reconnected(engine: Engine) -> Engine:
    """An engine on the same database that shares no connection with this one."""
    return _engine(engine.url)


def snapshots(engine: Engine) -> Engine:
    """The same engine, of which each transaction reads what there was when it began; in SQLite all do."""
    if engine.dialect.name != "postgresql":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ")


def is_shared(engine: Engine) -> bool:
    """Whether other connections see the same data."""
    address = engine.url
    file = address.database or ""
    return address.get_backend_name() != "sqlite" or not (file in ("", ":memory:") or "mode=memory" in file)


def beside(url: str, ending: str) -> Path:
    """A file that belongs to a database: beside an SQLite file, else under `data`, named as the database.
    Raises StorageError."""
    address = _address(url)
    place = Path(address.database or "memory")
    place = place if address.get_backend_name() == "sqlite" else Path("data") / place.name
    return place.with_name(place.name + ending)


def without_password(url: str) -> str:
    """The URL as it may be shown. Raises StorageError."""
    return _address(url).render_as_string(hide_password=True)


def _check_exists(address: URL) -> None:
    file = address.database
    if address.get_backend_name() == "sqlite" and file and file != ":memory:" and not Path(file).exists():
        raise StorageError(
            f"没有数据库文件 {file}", hint="先跑 callscore nightly，或用 --database 指明数据库"
        )


def migrate(engine: Engine) -> None:
    """Bring the schema to HEAD, in one transaction that only one process at a time can be in."""
    with engine.connect() as connection:
        found = schema_version(connection)
    if found == HEAD:
        return
    with engine.connect().execution_options(write=True) as connection, connection.begin():
        take_turn(connection, Turn.SCHEMA)
        found = schema_version(connection)
        if found is not None and found > HEAD:
            raise StorageError(
                f"the database has schema {found}, this callscore knows schemas up to {HEAD}",
                hint="upgrade callscore, or use another database",
            )
        _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    from alembic import command  # takes a moment to load, and few runs meet an old schema

    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def schema_version(connection: Connection) -> str | None:
    """The schema found in the database; None for a database that callscore has not used yet."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(select(column("version_num")).select_from(table(VERSION_TABLE))).scalar()


def alembic_config() -> "Config":
    """Alembic without an ini file; `attributes["connection"]` says where to work."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def translated(address: URL) -> Iterator[None]:
    """Every SQLAlchemy error inside becomes a StorageError that names the database, without its password."""
    try:
        yield
    except (SQLAlchemyError, ModuleNotFoundError, OSError) as error:
        passing = isinstance(error, DBAPIError) and _passes(error)
        raise StorageError(
            f"{name_of(address)}: {_first_line(error)}", hint=_hint(address, error), passing=passing
        ) from error


def _passes(error: DBAPIError) -> bool:
    """Whether waiting helps."""
    if error.connection_invalidated:
        return True
    said = str(error.orig).lower()
    return isinstance(error, OperationalError) and not any(words in said for words in STAYS)


STAYS = ("disk is full", "no space left", "readonly", "permission denied", "password")


def name_of(address: URL) -> str:
    return address.render_as_string(hide_password=True)


def _address(url: str) -> URL:
    try:
        address = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise StorageError(f"the database address cannot be read: {EXAMPLE}") from error
    if address.get_backend_name() not in ("sqlite", "postgresql"):
        raise StorageError(f"{name_of(address)}: this database is not supported", hint=EXAMPLE)
    return address.set(drivername="postgresql+psycopg") if address.drivername == "postgresql" else address


def _engine(address: URL) -> Engine:
    if address.get_backend_name() == "postgresql":
        told = POSTGRESQL.keys() - address.query.keys()
        known = {name: value for name, value in POSTGRESQL.items() if name in told}
        return create_engine(address, pool_pre_ping=True, connect_args=known)
    if address.database and address.database != ":memory:" and not address.database.startswith("file:"):
        Path(address.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(address, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    """WAL lets readers and one writer work together; the driver's own transactions are switched off.

    `synchronous` stays FULL: with NORMAL a power cut takes back the last commits, decisions that somebody was
    told are kept, and the audit log would lie behind its anchor, which looks like a cut end."""
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin_sqlite(connection: Connection) -> None:
    """A writer takes the lock at once: one that only finds out at its first write cannot wait for it."""
    immediate = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if immediate else "BEGIN")


def _first_line(error: Exception) -> str:
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    lines = str(cause).strip().splitlines() or [type(cause).__name__]
    return lines[0]


def _hint(address: URL, error: Exception) -> str:
    """What to do next, from what the drivers say."""
    said = str(error.orig if isinstance(error, DBAPIError) else error).lower()
    hints = {
        "unable to open": "check that the folder exists and may be written to",
        "readonly": "the file or its folder may not be written to",
        "permission denied": "the file or its folder may not be written to",
        "not a database": "this file is no SQLite database; name another one",
        "malformed": "the database is damaged: restore a backup",
        "locked": "another process is writing; try again when it is done",
        "disk i/o error": "check the disk; what was done before is kept",
        "lock timeout": "another process is writing; try again when it is done",
        "deadlock": "others were writing too; try again",
        "disk is full": "make room on the disk; nothing of this call was kept",
        "no space left": "make room on the server's disk; nothing of this call was kept",
        "password": "check user name and password",
        "already exists": "the database holds tables of another program; use an empty one",
        "does not exist": "create the database first",
        "connection refused": "check host and port, and that the server runs",
        "no such file or directory": "check the socket's folder, and that the server runs",
        "closed the connection": "check that the server runs, and try again",
        "terminating connection": "the server is being stopped or started; try again",
        "starting up": "the server is being started; try again",
        "shutting down": "the server is being stopped; try again when it runs",
        "resolve host": "check the host name",
    }
    if isinstance(error, NoSuchModuleError):
        return EXAMPLE
    if isinstance(error, ModuleNotFoundError):
        return "install the driver: pip install 'psycopg[binary]'"
    return next((hint for words, hint in hints.items() if words in said), f"database {address.database}")
