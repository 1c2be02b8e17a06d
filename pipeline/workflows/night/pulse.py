"""What goes on beside a night: its claims stay good and its counts can be read, and the folder is counted."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from pipeline.errors import CallscoreError
from pipeline.media.archive import count_recordings
from pipeline.workflows.night.values import NightPlan, NightTools

Counts = Callable[[], dict[str, float]]
LOG = logging.getLogger("callscore.night")
BEAT_SECONDS = 10.0
SOON_SECONDS = 1.0
LEFT_BEHIND_SECONDS = 1.0
"""So long is a count waited for that should have stopped; a folder that does not answer would hold it."""


@contextmanager
def pulse(night: int, counts: Counts, tools: NightTools) -> Iterator[Callable[[], None]]:
    """Beats on a thread of its own, whatever this one is waiting for; what is yielded asks for one soon. A
    beat that fails is made up for by the next one: the lease is longer than several."""
    over, asked = threading.Event(), threading.Event()
    if not tools.store.is_shared:
        yield asked.set
        return
    lease = timedelta(minutes=tools.settings.lease_minutes)
    every = min(BEAT_SECONDS, lease.total_seconds() / 4)

    def beat() -> None:
        while not over.wait(min(SOON_SECONDS, every)):
            asked.wait(max(0.0, every - SOON_SECONDS))
            if over.is_set():
                return
            asked.clear()
            try:
                tools.store.beat(night, counts(), until=tools.clock() + lease)
            except CallscoreError as error:
                LOG.warning("night %d: a beat failed: %s", night, error)

    thread = threading.Thread(target=beat, name="pulse", daemon=True)
    thread.start()
    try:
        yield asked.set
    finally:
        over.set()
        asked.set()
        thread.join()


@contextmanager
def counting(plan: NightPlan, counted: Callable[[int], None]) -> Iterator[None]:
    """Tells how many recordings there are, when it is known."""
    over = threading.Event()

    def count() -> None:
        try:
            found = count_recordings(plan.folder, over.is_set)
        except CallscoreError as error:
            LOG.warning("the recordings were not counted: %s", error)
            return
        if found is not None:
            counted(found if plan.limit is None else min(found, plan.limit))

    thread = threading.Thread(target=count, name="count", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(LEFT_BEHIND_SECONDS)
