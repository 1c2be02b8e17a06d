"""Puts this folder on the path, so that all tests find `small_rules`, and gives them databases."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import Databases, Server, missing

from pipeline.storage.store import Store


@pytest.fixture(scope="session")
def own_server() -> Iterator[Server]:
    """A PostgreSQL server that a test may stop and start, one for each process of tests."""
    why_not = missing()
    if why_not:
        pytest.skip(why_not)
    server = Server()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def postgresql(request: pytest.FixtureRequest) -> Iterator[Databases]:
    """Databases on the server that CALLSCORE_TEST_POSTGRES names, else on one of the tests' own."""
    named = os.environ.get("CALLSCORE_TEST_POSTGRES")
    databases = Databases(named or request.getfixturevalue("own_server").url)
    yield databases
    databases.close()


@pytest.fixture(scope="session")
def sqlite_pattern(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite database with all tables, to be copied."""
    path = tmp_path_factory.mktemp("pattern") / "calls.db"
    Store.open(f"sqlite:///{path}").close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without tables, of each kind."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path}/db/calls.db"
        return
    with request.getfixturevalue("postgresql").empty() as url:
        yield url


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database with the newest schema and nothing in it, of each kind."""
    if kind == "sqlite":
        path = tmp_path / "db/calls.db"
        path.parent.mkdir()
        shutil.copyfile(request.getfixturevalue("sqlite_pattern"), path)
        yield f"sqlite:///{path}"
        return
    with request.getfixturevalue("postgresql").ready() as ready:
        yield ready


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as opened:
        yield opened
