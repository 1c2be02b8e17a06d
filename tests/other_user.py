"""A user whom permissions bind, and a folder that such a user may look into."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65534


@contextmanager
def another_user() -> Iterator[None]:
    """Nobody, where the tests run as root. What is imported inside must have been imported before."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def public_folder() -> Iterator[Path]:
    """The folders of pytest are their user's own."""
    with tempfile.TemporaryDirectory() as made:
        Path(made).chmod(0o755)
        yield Path(made)
        Path(made).chmod(0o755)


def lock(file: Path, *, folder: int = 0o555) -> None:
    """Its own user may not write it either."""
    for one in file.parent.iterdir():
        one.chmod(0o444)
    file.parent.chmod(folder)


def unlock(file: Path) -> None:
    """Its own user may write it."""
    file.parent.chmod(0o755)
    for one in file.parent.iterdir():
        one.chmod(0o644)
