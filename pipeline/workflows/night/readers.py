"""Recordings made ready for recognition, some at a time, while others are recognized."""

from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from pipeline.samples import RATE
from pipeline.settings import Settings
from pipeline.storage.night_records import MOST_TRIES
from pipeline.workflows.night.children import GB, MB, Children, Limits
from pipeline.workflows.night.hearing import Recipe
from pipeline.workflows.night.job import Job, Made

THREADS_HERE = 2
BYTES_A_SECOND = 2 * 4 * RATE
"""Of two channels."""


class Readers:
    """`readers` child processes, or two threads of this one where that setting is 0."""

    def __init__(self, recipe: Recipe) -> None:
        self._count = count = recipe.settings.readers
        self._pool = ThreadPoolExecutor(count or THREADS_HERE, thread_name_prefix="prepare")
        self._children = Children(recipe.prepare, limits(recipe.settings), count) if count else None
        self._here = None if count else recipe.prepare()

    def submit(self, job: Job) -> Future[Made]:
        """The future raises what `Children` raises, or what the work itself raises here."""
        if self._children:
            return self._pool.submit(self._children, job, MOST_TRIES)
        if self._here is None:
            raise RuntimeError("neither children nor work here")
        return self._pool.submit(self._here, job)

    def __enter__(self) -> Self:
        """The children start while this process loads its own models."""
        if self._children:
            for _ in range(self._count):
                self._pool.submit(self._children.start)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._children and kind is not None:
            self._children.close()
        self._pool.shutdown(wait=True, cancel_futures=True)
        if self._children:
            self._children.close()


def limits(settings: Settings) -> Limits:
    """For one recording. What comes back is little more than its sound."""
    sound = int(settings.max_duration_minutes * 60 * BYTES_A_SECOND)
    return Limits(
        seconds=settings.prepare_minutes * 60,
        memory=int(settings.prepare_memory_gb * GB),
        result=sound + sound // 4 + 64 * MB,
    )
