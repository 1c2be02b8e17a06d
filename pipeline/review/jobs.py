"""Work that takes longer than a page may: done in the background, watched, stopped, bounded."""

import logging
import secrets
import time
import traceback
from collections import OrderedDict
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from threading import Event, Lock, Semaphore, Thread
from typing import Any

from pipeline.errors import CallscoreError, NotFound

LOG = logging.getLogger("callscore.review")
AT_ONCE = 2
MOST_KEPT = 40
SECONDS = 600.0

Watch = Callable[[int, int], None]
"""To be told how much is done, and of how much; raises where the work shall end."""
Work = Callable[[Watch], Any]


def steps(watch: Watch, total: int) -> Callable[[], None]:
    """To be called before each of some steps: tells how many were begun."""
    begun = count(1)
    return lambda: watch(next(begun), total)


class State(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"


class Stopped(Exception):
    """Somebody stopped the work, or it took too long."""


@dataclass(slots=True, kw_only=True)
class Job:
    """`owner` is who sees it (a login); `key` says what the work is about: the same work is not done twice;
    `about` is what the page tells of it."""

    owner: str
    key: str
    about: Any = None
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    state: State = State.WAITING
    done: int = 0
    total: int = 0
    result: Any = None
    fault: str = ""
    hint: str = ""
    stop: bool = False
    began: float = 0.0
    ended: float = 0.0
    over: Event = field(default_factory=Event)

    @property
    def is_over(self) -> bool:
        return self.state in (State.DONE, State.FAILED, State.STOPPED)

    @property
    def seconds(self) -> float:
        return self.ended - self.began

    def as_it_is(self) -> "Job":
        """For a page, which asks more than once: it must not be over in between."""
        return copy(self)

    def watch(self, done: int, total: int) -> None:
        """Raises Stopped."""
        self.done, self.total = done, total
        if self.stop:
            raise Stopped
        if time.monotonic() - self.began > SECONDS:
            self.fault, self.hint = f"超过 {SECONDS / 60:.0f} 分钟，停了", "换短一点的范围，或用命令行"
            raise Stopped


class Jobs:
    """The jobs of one server. Two run at once, the others wait; a person has one at a time of each kind that
    is asked for with `alone`."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._lock = Lock()
        self._turn = Semaphore(AT_ONCE)

    def start(self, job: Job, work: Work, *, alone: bool = False) -> Job:
        """Begin the work, or give the job that does the same for the same person. `alone`: the person's other
        jobs of this kind are stopped."""
        with self._lock:
            same = self._same(job)
            if same is not None:
                return same
            for other in self._jobs.values():
                if alone and other.owner == job.owner and kind(other) == kind(job):
                    other.stop = True
            self._jobs[job.id] = job
            self._forget()
        Thread(target=self._run, args=(job, work), daemon=True, name=f"job-{job.id}").start()
        return job

    def find(self, owner: str, job_id: str) -> Job:
        """Raises NotFound: there is none, it is somebody else's, or it is forgotten."""
        with self._lock:
            found = self._jobs.get(job_id)
        if found is None or found.owner != owner:
            raise NotFound("没有这次试算，或已过期", hint="再试一次")
        return found

    def _same(self, job: Job) -> Job | None:
        known = (other for other in reversed(self._jobs.values()) if other.owner == job.owner)
        found = next((other for other in known if other.key == job.key), None)
        gone = found is None or found.stop or found.state in (State.FAILED, State.STOPPED)
        return None if gone else found

    def _forget(self) -> None:
        over = [job.id for job in self._jobs.values() if job.is_over]
        for job_id in over[: max(0, len(self._jobs) - MOST_KEPT)]:
            del self._jobs[job_id]

    def _run(self, job: Job, work: Work) -> None:
        with self._turn:
            job.began = time.monotonic()
            job.state = State.RUNNING
            state = State.FAILED
            try:
                job.watch(0, 0)
                job.result = work(job.watch)
                state = State.DONE
            except Stopped:
                state = State.FAILED if job.fault else State.STOPPED
            except CallscoreError as error:
                job.fault, job.hint = error.message, error.hint
            except Exception as error:
                LOG.error("job %s: %s", job.id, _place(error))
                job.fault, job.hint = f"程序出错了，编号 {job.id}", "把编号告诉管理员"
            job.ended = time.monotonic()
            job.state = state
            job.over.set()


def kind(job: Job) -> str:
    """The first word of its key."""
    return job.key.partition(" ")[0]


def _place(error: Exception) -> str:
    """What went wrong where; not the message, which may quote what was said."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} at {last.filename}:{last.lineno}"
