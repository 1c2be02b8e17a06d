"""Work on one call that is done again where somebody else was quicker."""

from collections.abc import Callable
from typing import TypeVar

from pipeline.errors import StorageError

TRIES = 20
"""How often something is made again because another one came first."""

Kept = TypeVar("Kept")


def until_kept(attempt: Callable[[], Kept | None], name: str) -> Kept:
    """What the first attempt that was kept came to; each one reads anew what others wrote meanwhile, None:
    somebody was quicker. Raises StorageError."""
    for _ in range(TRIES):
        kept = attempt()
        if kept is not None:
            return kept
    raise StorageError(f"{name} 一直有别人在写入，没有记下", hint="稍后再试")
