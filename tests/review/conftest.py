"""A house with users of every role, and passwords that are hashed fast."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import demo
import pytest
from page_help import CHEAP, Browser, add_users, settings_in

from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.workflows.accounts import passwords
from pipeline.workflows.audit import open_store


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(passwords, "HASHER", CHEAP)
    passwords._nobody.cache_clear()
    yield
    passwords._nobody.cache_clear()


@pytest.fixture(scope="session")
def scored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the demo calls in a database. Modules that use it work in a copy of that house."""
    folder = tmp_path_factory.mktemp("scored")
    settings = settings_in(folder)
    with open_store(settings, create=True) as store:
        demo.fill(store, settings)
        add_users(store)
    return folder


@pytest.fixture
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if "scored" not in request.fixturenames:
        return settings_in(tmp_path)
    shutil.copytree(request.getfixturevalue("scored"), tmp_path / "house")
    return settings_in(tmp_path / "house")


@pytest.fixture
def store(request: pytest.FixtureRequest, settings: Settings) -> Iterator[Store]:
    scored = "scored" in request.fixturenames
    with open_store(settings, create=not scored) as opened:
        if not scored:
            add_users(opened)
        yield opened


@pytest.fixture
def browser(store: Store, settings: Settings) -> Browser:
    return Browser(store=store, settings=settings)
