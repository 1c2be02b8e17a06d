"""A store with its audit log, and passwords that are hashed fast."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from account_help import CHEAP

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
    return Settings(database=f"sqlite:///{tmp_path}/calls.db", audit_key=f"{tmp_path}/keys/audit.key")


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    with open_store(settings, create=True) as opened:
        yield opened
