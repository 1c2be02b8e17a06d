"""One work done on many tasks, in several processes where this one can be split: the results in the order of
the tasks, the same with any number of processes, whatever happens to one of them."""

import os
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from multiprocessing import get_context
from typing import Any, Protocol, TypeVar

AHEAD = 3
"""So many tasks are given to each process before the first of them must be done."""

Task_contra = TypeVar("Task_contra", contravariant=True)
Result_co = TypeVar("Result_co", covariant=True)
Task = TypeVar("Task")
Result = TypeVar("Result")


class Work(Protocol[Task_contra, Result_co]):
    """What is done with each task. Only tasks and results go from one process to another."""

    def prepare(self) -> None:
        """Called once, before the first task; other processes have been split off by then."""
        ...

    def moved(self) -> None:
        """This copy is in a process of its own from now on: connections of the other one are not its own.
        What it loads here it loads while the other one prepares."""
        ...

    def __call__(self, task: Task_contra) -> Result_co: ...


def hands() -> int:
    """How many processes can work: one for each core that this one may use. One where splitting it is not
    safe: other systems than Linux, other threads."""
    if sys.platform != "linux" or threading.active_count() > 1:
        return 1
    return len(os.sched_getaffinity(0))


def done(work: Work[Task, Result], tasks: Iterable[Task], hands: int) -> Iterator[Result]:
    """The result of each task, in order, a few in memory. What a process that dies had to do is done here."""
    rest = iter(tasks)
    first = list(islice(rest, 2))
    if hands < 2 or len(first) < 2:
        work.prepare()
        yield from map(work, chain(first, rest))
        return
    with ProcessPoolExecutor(hands, get_context("fork"), _begin, (work,)) as pool:
        pool.submit(int)  # splits them off
        work.prepare()
        given = deque[tuple[Task, Future[Result] | None]]()
        for task in chain(first, rest):
            given.append((task, _given(pool, task)))
            if len(given) > AHEAD * hands:
                yield _result(work, *given.popleft())
        while given:
            yield _result(work, *given.popleft())


_WORK: list[Work[Any, Any]] = []
"""In a process that was split off: its work."""


def _begin(work: Work[Any, Any]) -> None:
    work.moved()
    _WORK[:] = [work]


def _do(task: Any) -> Any:
    return _WORK[0](task)


def _given(pool: ProcessPoolExecutor, task: Any) -> Future[Any] | None:
    """None: the processes are gone."""
    try:
        return pool.submit(_do, task)
    except BrokenProcessPool:
        return None


def _result(work: Work[Task, Result], task: Task, given: Future[Result] | None) -> Result:
    try:
        return given.result() if given else work(task)
    except BrokenProcessPool:
        return work(task)
