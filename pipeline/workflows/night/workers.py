"""Hearing in processes of their own, one a device or a few on a CPU: what recognition does to one of them
stays with it.

Each works as `here` does and takes a job when it has room for one. What a process that dies or hangs had in
hand is heard again by another one, one recording at a time, so that the one that is to blame shows.
"""

import logging
import os
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from itertools import cycle, islice
from multiprocessing.connection import Connection, wait
from types import TracebackType
from typing import Self

from pipeline.errors import CallscoreError
from pipeline.speech.devices import device_names, thread_count, worker_count
from pipeline.storage.night_records import MOST_TRIES
from pipeline.workflows.night.child import MOST_STARTS, READY, START_SECONDS, Child, begin, cannot_start
from pipeline.workflows.night.children import ChildFailed, place
from pipeline.workflows.night.hearing import Failed, Heard, Hearing, Recipe, Tell
from pipeline.workflows.night.here import here
from pipeline.workflows.night.job import Job

LOG = logging.getLogger("callscore.night")
ASK, DONE, BEAT = "ask", "done", "beat"
"""What a process says: it wants a job, has done all that it was given, is at work."""
LOADS = (__name__, "pipeline.speech.listen")
LOOK_SECONDS = 1.0


Notice = Callable[[str], None]


def nobody(notice: str) -> None:
    """Where nobody is to be told."""


def local(recipe: Recipe, *, notice: Notice = nobody) -> AbstractContextManager[Hearing]:
    """What the settings say: in processes of their own, or in this one. `notice` is told, in Chinese, what
    becomes of processes."""
    count = worker_count(recipe.settings)
    return Workers(recipe, count, notice) if count else here(recipe)


class Workers:
    """As many processes as asked for, or as start: at once, and they load their models while whoever opened
    them does something else. They stay for the next `hear`."""

    def __init__(self, recipe: Recipe, count: int, notice: Notice = nobody) -> None:
        self._notice = notice
        self._recipes = cycle(recipes(recipe, count))
        self._silence = recipe.settings.recognize_minutes * 60
        self._count, self._workers = count, list[_Worker]()
        self._stillborn = 0

    def __enter__(self) -> Self:
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.child.end()

    def hear(self, jobs: Iterator[Job], tell: Tell) -> None:
        """Raises ModelError: no process starts."""
        stock = _Stock(jobs)
        while True:
            if not stock.is_empty:
                self._start()
            for worker in self._workers:
                worker.serve(stock)
            if stock.is_empty and not any(worker.in_round for worker in self._workers):
                return
            for worker in self._speaking():
                self._listen(worker, stock, tell)
            for worker in self._silent():
                self._stop(worker, stock, tell)

    def _start(self) -> None:
        """All of them; they load their models at the same time."""
        while len(self._workers) < self._count:
            self._workers.append(_Worker(next(self._recipes)))

    def _speaking(self) -> "list[_Worker]":
        lines = wait([worker.child.line for worker in self._workers], LOOK_SECONDS)
        return [worker for worker in self._workers if worker.child.line in lines]

    def _silent(self) -> "list[_Worker]":
        now, longer = time.monotonic(), max(START_SECONDS, self._silence)
        limits = {worker: self._silence if worker.is_ready else longer for worker in self._workers}
        return [w for w, limit in limits.items() if w.is_at_work and now - w.last_word > limit]

    def _listen(self, worker: "_Worker", stock: "_Stock", tell: Tell) -> None:
        said = worker.hears()
        if isinstance(said, Heard | Failed):
            tell(said)
        elif isinstance(said, CallscoreError) and worker.is_ready:
            raise said
        elif isinstance(said, CallscoreError):
            self._did_not_start(worker, said)
        elif said == READY:
            self._stillborn = 0
        elif said is None and worker.is_ready:
            self._died(worker, stock, tell)
        elif said is None:
            self._did_not_start(worker)

    def _did_not_start(self, worker: "_Worker", error: CallscoreError | None = None) -> None:
        """Where it said why, or several died without a word, the others do its work."""
        self._drop(worker)
        self._stillborn += 1
        if error is None and self._stillborn < MOST_STARTS:
            return
        self._count, self._stillborn = self._count - 1, 0
        if not self._count:
            raise error or cannot_start()
        LOG.warning("recognition goes on with fewer processes: %d", self._count)
        self._notice(f"有的识别进程起不来，用 {self._count} 个接着做")

    def _died(self, worker: "_Worker", stock: "_Stock", tell: Tell) -> None:
        self._drop(worker)
        for job in stock.blamed(worker.hand.values()):
            why = f"{job.path}：识别进程崩溃（{worker.child.fate}），试了 {MOST_TRIES} 次"
            tell(_failed(job, why, MOST_TRIES))

    def _stop(self, worker: "_Worker", stock: "_Stock", tell: Tell) -> None:
        """It hangs. One recording that does so alone is not tried again by this night."""
        self._drop(worker)
        if not worker.is_ready:
            self._did_not_start(worker)
        elif len(worker.hand) == 1:
            (job,) = worker.hand.values()
            tell(_failed(job, f"{job.path}：识别 {self._silence / 60:g} 分钟没有动静，已停下", 1))
        else:
            stock.again.extend(worker.hand.values())

    def _drop(self, worker: "_Worker") -> None:
        if worker in self._workers:
            self._workers.remove(worker)
            worker.child.end()
            fate, hand = worker.child.fate, len(worker.hand)
            LOG.warning("a process that recognizes ended (%s), %d recordings in hand", fate, hand)
            self._notice(f"一个识别进程没了（{fate}），手上有 {hand} 个录音；换一个进程接着做")


class _Stock:
    """What is still to be given out; `again` what a process had in hand that ended."""

    def __init__(self, jobs: Iterator[Job]) -> None:
        self._jobs, self._is_over = jobs, False
        self.again: deque[Job] = deque()
        self._deaths: Counter[str] = Counter()

    @property
    def is_empty(self) -> bool:
        return self._is_over and not self.again

    def next(self) -> Job | None:
        """A job that was not given out before."""
        job = next(self._jobs, None)
        self._is_over = job is None
        return job

    def blamed(self, hand: Iterable[Job]) -> list[Job]:
        """The one that a process held when it died, if that was its third; others are heard again."""
        jobs = list(hand)
        if len(jobs) == 1:
            (job,) = jobs
            self._deaths[job.sha256] += 1
            if self._deaths[job.sha256] >= MOST_TRIES:
                return jobs
        self.again.extend(jobs)
        return []


class _Worker:
    """One process, as it is seen from here. `hand`: what it was given and has not told of. A round is the
    jobs from one pause of the process to the next: only at its end are the last of them heard."""

    def __init__(self, recipe: tuple[Recipe, str]) -> None:
        self.child = Child(_work, *recipe, loads=LOADS, has_children=True)
        self.hand: dict[str, Job] = {}
        self.is_ready = self.in_round = self._asks = self._alone = False
        self.last_word = time.monotonic()

    @property
    def is_at_work(self) -> bool:
        """Something is to be heard from it."""
        return not self.is_ready or (self.in_round and not self._asks)

    def serve(self, stock: _Stock) -> None:
        """A job if it asks for one and there is one. A round is over when there is none, and after one job
        that is heard again."""
        if not self._asks:
            return
        job = self._chosen(stock)
        if job is None and not self.in_round:
            return
        if job is not None:
            self.hand[job.sha256] = job
        self._asks, self.in_round, self.last_word = False, True, time.monotonic()
        with suppress(OSError):  # it died: that shows when it is listened to
            self.child.line.send(job)

    def _chosen(self, stock: _Stock) -> Job | None:
        if self.in_round:
            return None if self._alone else stock.next()
        if stock.again:
            self._alone = True
            return stock.again.popleft()
        return stock.next()

    def hears(self) -> object:
        """What it said; None: it is gone."""
        try:
            said: object = self.child.line.recv()
        except (EOFError, OSError):
            return None
        self.last_word = time.monotonic()
        if said == READY:
            self.is_ready = True
        elif said == ASK:
            self._asks = True
        elif said == DONE:
            self.in_round = self._alone = False
        elif isinstance(said, Heard | Failed):
            del self.hand[said.job.sha256]
        return said


def recipes(recipe: Recipe, count: int) -> list[tuple[Recipe, str]]:
    """For each process its share of threads and readers, and the device that it sees; empty: all."""
    settings = recipe.settings
    share = {
        "threads": max(1, thread_count(settings) // count),
        "readers": settings.readers and max(1, settings.readers // count),
    }
    mine = replace(recipe, settings=settings.model_copy(update=share))
    return [(mine, device) for device in islice(cycle(device_names(settings) or [""]), count)]


def _failed(job: Job, why: str, tries: int) -> Failed:
    return Failed(job=job, stage="recognize", error=ChildFailed(why), tries=tries)


def _work(line: Connection, recipe: Recipe, device: str) -> None:
    """The life of a process: round after round, until the other side is gone."""
    begin()
    if device:
        os.environ["CUDA_VISIBLE_DEVICES"] = device
    try:
        with here(recipe, lambda: line.send(BEAT)) as hearing:
            line.send(READY)
            while True:
                hearing.hear(_asked(line), line.send)
                line.send(DONE)
    except CallscoreError as error:
        line.send(error)
    except (EOFError, OSError):
        return
    except Exception as error:
        LOG.error("a process that recognizes fails: %s", place(error))
        os._exit(1)


def _asked(line: Connection) -> Iterator[Job]:
    """The jobs of a round; the next one is asked for before this one is worked on."""
    line.send(ASK)
    while (job := line.recv()) is not None:
        line.send(ASK)
        yield job
