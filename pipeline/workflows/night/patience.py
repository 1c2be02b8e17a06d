"""Waiting for a database that is locked or gone for a moment."""

import time
from collections.abc import Callable
from typing import TypeVar

from pipeline.errors import StorageError
from pipeline.workflows.night.values import NightTools

Result = TypeVar("Result")
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 15.0
"""Seconds."""


def patiently(
    work: Callable[[], Result], tools: NightTools, notice: Callable[[str], None] = lambda text: None
) -> Result:
    """Do it again while the database is away, for `database_wait_minutes` at most. Raises StorageError."""
    until = tools.ticks() + tools.settings.database_wait_minutes * 60
    pause = FIRST_PAUSE
    while True:
        try:
            return work()
        except StorageError as error:
            if not error.passing or tools.ticks() + pause > until:
                raise
            notice(f"数据库暂时用不了，{pause:g} 秒后再试：{error.message}")
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
