"""Moments, passwords and users that the tests of accounts share."""

from datetime import UTC, datetime
from pathlib import Path

from argon2 import PasswordHasher

from pipeline.settings import Settings
from pipeline.workflows.accounts.users import By

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
AT = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
BY = By(who="cli:root", at=AT)
PASSWORD = "四个 不相干的词 连起来 就行"
OTHER_PASSWORD = "另外四个 不相干的词 也行"


def everything_stored(settings: Settings) -> bytes:
    """All bytes of the database and what lies beside it."""
    folder = Path(settings.database.removeprefix("sqlite:///")).parent
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())
