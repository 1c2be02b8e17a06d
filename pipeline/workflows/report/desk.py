"""Reports that are made in the background: who asks gets one, or how far it is."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Event, Lock, Thread

from pipeline.errors import UsageError
from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.workflows.report.compute import Order, make_facts, report
from pipeline.workflows.report.surroundings import surroundings
from pipeline.workflows.report.values import Report

MOST_JOBS = 8
KEPT_SECONDS = 60.0
"""So long a finished report waits for who asked; then it would no longer be what is in the database."""


class Stage(StrEnum):
    RULES = "rules"
    FACTS = "facts"
    CALLS = "calls"

    @property
    def chinese(self) -> str:
        return {"rules": "读规则和名册", "facts": "整理旧的评分", "calls": "读通话"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a report is: so many are `done`, of `all` (None: nobody knows)."""

    stage: Stage = Stage.RULES
    done: int = 0
    all: int | None = None


@dataclass(slots=True)
class _Job:
    progress: Progress = field(default_factory=Progress)
    finished: Event = field(default_factory=Event)
    finished_at: float = 0.0
    report: Report | None = None
    fault: Exception | None = None


@dataclass(slots=True)
class Desk:
    """The reports that are being made. The same order at the same moment is made once; facts of old scorings
    are made by one thread at a time. `clock` counts seconds, from anywhere."""

    clock: Callable[[], float] = time.monotonic
    _jobs: dict[Order, _Job] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)
    _facts: Lock = field(default_factory=Lock)

    def ask(
        self, order: Order, store: Store, settings: Settings, *, seconds: float | None
    ) -> Report | Progress:
        """The report, if it is there within so many seconds (None: however long it takes), else how far it
        is. It is handed out once. Raises what making it raised; UsageError: too many are being made."""
        job = self._job(order, store, settings)
        if not job.finished.wait(seconds):
            return job.progress
        with self._lock:
            if self._jobs.get(order) is job:
                del self._jobs[order]
        if job.report is None:
            raise job.fault or RuntimeError("a report ended without a result")
        return job.report

    def progress(self, order: Order) -> Progress | None:
        """How far an order is; None: it is done, or nobody asked for it."""
        with self._lock:
            job = self._jobs.get(order)
        return None if job is None or job.finished.is_set() else job.progress

    def _job(self, order: Order, store: Store, settings: Settings) -> _Job:
        with self._lock:
            self._clear()
            known = self._jobs.get(order)
            if known is not None:
                return known
            if len(self._jobs) >= MOST_JOBS:
                raise UsageError(f"正在算 {MOST_JOBS} 份报表，再多就都慢了", hint="过一会儿再看")
            job = self._jobs[order] = _Job()
        Thread(
            target=self._make, args=(job, order, store, settings), name="callscore-report", daemon=True
        ).start()
        return job

    def _clear(self) -> None:
        now = self.clock()
        over = [
            order
            for order, job in self._jobs.items()
            if job.finished.is_set() and now - job.finished_at > KEPT_SECONDS
        ]
        for order in over:
            del self._jobs[order]

    def _make(self, job: _Job, order: Order, store: Store, settings: Settings) -> None:
        try:
            around = surroundings(settings)
            self._make_facts(job, store)
            job.progress = Progress(stage=Stage.CALLS)

            def read(calls: int) -> None:
                job.progress = Progress(stage=Stage.CALLS, done=calls)

            job.report = report(order, store, around, read)
        except Exception as error:  # whoever asked gets it
            job.fault = error
        finally:
            job.finished_at = self.clock()
            job.finished.set()

    def _make_facts(self, job: _Job, store: Store) -> None:
        with self._facts:
            missing = store.facts_missing()

            def made(count: int) -> None:
                job.progress = Progress(stage=Stage.FACTS, done=count, all=max(missing, count))

            if missing:
                made(0)
                make_facts(store, made)
