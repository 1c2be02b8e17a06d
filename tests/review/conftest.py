"""A house with users of every role, and passwords that are hashed fast."""

from collections.abc import Iterator
from pathlib import Path

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


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    with open_store(settings, create=True) as opened:
        add_users(opened)
        yield opened


@pytest.fixture
def browser(store: Store, settings: Settings) -> Browser:
    return Browser(store=store, settings=settings)
