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
from pipeline.storage import read_only
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

EXAMPLE = "写 SQLAlchemy URL，如 sqlite:///data/callscore.db 或 postgresql://用户:密码@主机/库名"


def open_database(url: str, *, create: bool = True) -> Engine:
    """An engine on a database whose schema is this version's; `create=False` refuses an SQLite file that
    is not there yet. Raises StorageError."""
    address = _address(url)
    with translated(address):
        if not create:
            _check_exists(address)
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


def is_writable(engine: Engine) -> bool:
    """Whether this user may write an SQLite file; a server says so when it is asked to write."""
    address = engine.url
    return address.get_backend_name() != "sqlite" or read_only.is_writable(Path(address.database or ""))


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
                f"数据库的结构是 {found}，这个版本的 callscore 只认到 {HEAD}",
                hint="升级 callscore，或换一个数据库",
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
            f"数据库 {name_of(address)}：{_first_line(error)}", hint=_hint(address, error), passing=passing
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
        raise StorageError(f"看不懂数据库“{url}”", hint=EXAMPLE) from error
    if address.get_backend_name() not in ("sqlite", "postgresql"):
        raise StorageError(f"{name_of(address)}：不支持这种数据库", hint=EXAMPLE)
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
    read_only.allow(engine)
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
    return f"{IN_CHINESE[lines[0]]}（{lines[0]}）" if lines[0] in IN_CHINESE else lines[0]


IN_CHINESE = {
    "attempt to write a readonly database": "只能读，写不进去",
    "unable to open database file": "打不开",
}
"""What operators meet most often, before the driver's own words."""


def _hint(address: URL, error: Exception) -> str:
    """What to do next, from what the drivers say."""
    said = str(error.orig if isinstance(error, DBAPIError) else error).lower()
    hints = {
        "unable to open": "检查文件夹在不在、能不能写",
        "readonly": "文件或它的文件夹不许写：换一个位置，或改权限",
        "permission denied": "文件或它的文件夹不许读、不许写：换一个位置，或改权限",
        "not a database": "这个文件不是 SQLite 数据库，换一个",
        "malformed": "数据库坏了：从备份恢复",
        "locked": "别的进程正在写，等它写完再试",
        "disk i/o error": "检查磁盘；以前做完的都在",
        "lock timeout": "别的进程正在写，等它写完再试",
        "deadlock": "别人也在写，再试一次",
        "disk is full": "磁盘满了：腾出地方；这一通什么也没存",
        "no space left": "服务器的磁盘满了：腾出地方；这一通什么也没存",
        "password": "检查用户名和密码",
        "already exists": "里面有别的程序的表，换一个空的数据库",
        "does not exist": "先建好这个数据库",
        "connection refused": "检查主机和端口，看服务器在不在运行",
        "no such file or directory": "检查 socket 的文件夹，看服务器在不在运行",
        "closed the connection": "看服务器在不在运行，再试一次",
        "terminating connection": "服务器正在停或启动，过一会儿再试",
        "starting up": "服务器正在启动，过一会儿再试",
        "shutting down": "服务器正在停，等它再运行时重试",
        "resolve host": "检查主机名",
    }
    if isinstance(error, NoSuchModuleError):
        return EXAMPLE
    if isinstance(error, ModuleNotFoundError):
        return "先装 PostgreSQL 的驱动：pip install 'callscore[postgres]'"
    return next(
        (hint for words, hint in hints.items() if words in said), "运行 callscore doctor 看是哪里的毛病"
    )
