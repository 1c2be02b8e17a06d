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
    """A house with the demo calls, scored. Tests that use it get a copy of it as theirs."""
    folder = tmp_path_factory.mktemp("scored")
    settings = settings_in(folder)
    with pytest.MonkeyPatch.context() as patch, open_store(settings, create=True) as store:
        patch.setattr(passwords, "HASHER", CHEAP)
        demo.fill(store, settings)
        add_users(store)
    return folder


@pytest.fixture
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    house = tmp_path / "house"
    if "scored" in request.fixturenames:
        shutil.copytree(request.getfixturevalue("scored"), house)
    house.mkdir(exist_ok=True)
    return settings_in(house)


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    with open_store(settings, create=True) as opened:
        if not opened.users():
            add_users(opened)
        yield opened


@pytest.fixture
def browser(store: Store, settings: Settings) -> Browser:
    return Browser(store=store, settings=settings)
