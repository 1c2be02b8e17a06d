"""What the tests of accounts share: a store with its audit log, passwords that are hashed fast."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from databases import contents

from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.workflows.accounts import passwords
from pipeline.workflows.accounts.users import By
from pipeline.workflows.audit import open_store

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
BY = By(who="cli:root", at=AT)
PASSWORD = "四个 不相干的词 连起来 就行"
OTHER_PASSWORD = "另外四个 不相干的词 也行"


def everything_stored(settings: Settings) -> bytes:
    """All that is in the database, and all bytes of its file and what lies beside it where it has one."""
    kept = repr(contents(settings.database)).encode()
    if not settings.database.startswith("sqlite"):
        return kept
    folder = Path(settings.database.removeprefix("sqlite:///")).parent
    return kept + b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


@pytest.fixture(autouse=True)
def cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(passwords, "HASHER", CHEAP)
    passwords._nobody.cache_clear()
    yield
    passwords._nobody.cache_clear()


@pytest.fixture(name="settings")
def some_settings(url: str, tmp_path: Path) -> Settings:
    return Settings(database=url, audit_key=f"{tmp_path}/keys/audit.key")


@pytest.fixture(name="store")
def a_store(settings: Settings, cheap_hashes: None) -> Iterator[Store]:
    with open_store(settings, create=True) as opened:
        yield opened
