"""The night: every recording of a folder heard, judged and stored, one commit a call.

Who hears, and where, is `tools.hearing`; the way through the folder, rules and database are here.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import CallscoreError, NotFound, StorageError
from pipeline.storage.night_records import OF_A_RECORDING, Quarantined, Wanted
from pipeline.storage.records import ScoredCall
from pipeline.timeline import Call
from pipeline.workflows.night.children import unexpected
from pipeline.workflows.night.hearing import Failed, Heard
from pipeline.workflows.night.job import Job
from pipeline.workflows.night.jobs import Walk, answering
from pipeline.workflows.night.owner import is_gone, this_process
from pipeline.workflows.night.patience import patiently
from pipeline.workflows.night.pulse import counting, pulse
from pipeline.workflows.night.values import NightPlan, NightTools, Summary, Watcher

if TYPE_CHECKING:
    from pipeline.workflows.dispute.carry import Keeper, Kept

NOTICES_KEPT = 1_000


def run_night(plan: NightPlan, tools: NightTools, watcher: Watcher) -> Summary:
    """Work through the folder; what was done before is skipped, what fails is quarantined with its reason,
    what another night works on is left to it.

    Raises NotFound for a folder or metadata file that is not there or does not answer, MetadataError for a
    table without the needed columns, StorageError when the database stays away: then nothing else would be
    kept either; Exhausted.
    """
    night = Night(plan, tools, watcher)
    if plan.dry_run:
        return night.looked_through()
    lease = timedelta(minutes=tools.settings.lease_minutes)
    at, store, me = tools.clock(), tools.store, this_process()
    number = patiently(lambda: store.start_night(str(plan.folder), at=at, owner=me, until=at + lease), tools)
    heard_with = (tools.provenance.settings_digest, tools.settings.of_hearing())
    patiently(lambda: store.keep_listening(*heard_with), tools)
    night.summary.night = number
    watcher.started(number)
    try:
        with pulse(number, night.counts, tools) as night.hurry, counting(plan, night.counted):
            night.work(number)
    finally:
        night.end(number)
    return night.summary


class Night:
    """One run: the summary grows as the work goes on. `_left` is what is under way; `hurry` asks for the
    counts to be kept soon."""

    def __init__(self, plan: NightPlan, tools: NightTools, watcher: Watcher) -> None:
        self.plan, self.tools, self.watcher = plan, tools, watcher
        self.summary = Summary()
        self._began = tools.ticks()
        self._left: dict[str, Job] = {}
        self.hurry: Callable[[], None] = lambda: None

    def looked_through(self) -> Summary:
        """What there would be to do."""
        for _ in Walk(self.plan, self.tools, None, self).jobs(self.summary):
            self.summary.pending += 1
        return self.summary

    def work(self, number: int) -> None:
        """Hear, judge and store. Rules that cannot be used are told of before anything is heard."""
        with closing(self._jobs(number)) as jobs:
            first = list(islice(jobs, 1))
            if not first:
                return
            with self.tools.hearing(self.tools.recipe) as hearing:
                self.tools.ruleset()
                hearing.hear(self._within_budget(first, jobs), self._told)

    def _jobs(self, number: int) -> Generator[Job, None, None]:
        """What is to do. What a night that died had claimed is free: where others held some and none of them
        is alive any more, the folder is walked once more."""
        yield from Walk(self.plan, self.tools, number, self).jobs(self.summary)
        while self.summary.elsewhere and self.plan.limit is None:
            if patiently(lambda: self._claimed_elsewhere(number), self.tools, self.notice):
                return
            rest, found = Summary(), False
            for job in Walk(self.plan, self.tools, number, _Silence()).jobs(rest):
                found = True
                yield job
            self.summary.elsewhere = rest.elsewhere
            if not found:
                return

    def _claimed_elsewhere(self, number: int) -> bool:
        return self.tools.store.claimed_elsewhere(number, at=self.tools.clock(), is_gone=is_gone)

    def counts(self) -> dict[str, float]:
        """As of now."""
        self.summary.seconds = self.tools.ticks() - self._began
        return self.summary.counts()

    def counted(self, recordings: int) -> None:
        self.summary.total = recordings
        self.watcher.counted(recordings)

    def end(self, number: int) -> None:
        """Say how it went, and give back what was claimed and not done."""
        self.summary.pending += len(self._left)
        counts, tools = self.counts(), self.tools
        patiently(lambda: tools.store.end_night(number, counts, at=tools.clock()), tools)

    def _within_budget(self, first: list[Job], jobs: Iterator[Job]) -> Iterator[Job]:
        """Jobs as long as there is time for them and for what is under way."""
        for more in (iter(first), jobs):
            for job in more:
                if self._out_of_time():
                    self.summary.out_of_time = True
                    self.summary.pending += 1
                    return
                self._left[job.sha256] = job
                yield job

    def _out_of_time(self) -> bool:
        if self.plan.budget_seconds is None:
            return False
        gone = self.tools.ticks() - self._began
        finished = self.summary.scored + self.summary.failed
        each = gone / finished if finished else 0.0
        return gone + each * (len(self._left) + 1) > self.plan.budget_seconds

    def _told(self, outcome: Heard | Failed) -> None:
        """What became of a job; it is no longer under way."""
        if isinstance(outcome, Heard):
            self._keep(outcome)
        else:
            self._failed(outcome)
        del self._left[outcome.job.sha256]

    def _keep(self, heard: Heard) -> None:
        from pipeline.workflows.dispute.carry import Keeper  # only a night with work needs it

        keeper = Keeper(
            store=self.tools.store,
            judged=lambda call: replace(self._judged(call), peaks=heard.peaks),
            zone=self.tools.settings.time_zone,
        )
        call = Call(recording=heard.recording, transcript=heard.transcript, sentences=heard.sentences)
        try:
            kept = self._patiently_kept(keeper, call)
        except StorageError:
            raise
        except Exception as error:
            self._failed(Failed(job=heard.job, stage="judge", error=unexpected(heard.job, error)))
            return
        for notice in kept.notices:
            self.notice(notice)
        self.summary.scored += 1
        self.summary.heard += heard.recording.duration
        self.watcher.scored(kept.scored)

    def _patiently_kept(self, keeper: "Keeper", call: Call) -> "Kept":
        return patiently(lambda: keeper.kept(call, at=self.tools.clock()), self.tools, self.notice)

    def _judged(self, call: Call) -> ScoredCall:
        from pipeline.workflows.process_call import judge

        reviews = self.tools.store.reviews(call.recording.id)
        return judge(self.tools.understand(call), self.tools.ruleset(), self.tools.settings, reviews=reviews)

    def _failed(self, failed: Failed) -> None:
        job = failed.job
        fault = Quarantined(
            path=str(job.path),
            stage=failed.stage,
            reason=str(failed.error),
            sha256=job.sha256,
            tries=failed.tries,
        )
        self._put(fault, job.work)
        self.summary.failed += 1

    # what the walk finds

    def notice(self, text: str) -> None:
        self.summary.noticed += 1
        if len(self.summary.notices) < NOTICES_KEPT:
            self.summary.notices.append(text)
        self.watcher.noticed(text)

    def passed(self) -> None:
        self.watcher.passed(1)

    def quarantine(self, path: Path, stage: str, error: CallscoreError, work: Wanted | None = None) -> None:
        self._put(Quarantined(path=str(path), stage=stage, reason=str(error)), work)

    def _put(self, fault: Quarantined, work: Wanted | None) -> None:
        with answering(self.plan, self.tools) as folder:
            is_there = folder.ask(self.plan.folder.is_dir)
        if not is_there:
            raise NotFound(f"{self.plan.folder}：文件夹不见了", hint="检查挂载和网络，再跑一次")
        store, at = self.tools.store, self.tools.clock()

        def is_news() -> bool:
            if self.plan.dry_run:
                return not store.is_released(fault)
            return store.quarantine(fault, at=at, work=work)

        if patiently(is_news, self.tools, self.notice):
            self.summary.quarantined.append(fault)
            self.watcher.quarantined(fault)
            self.hurry()
        elif fault.stage in OF_A_RECORDING:
            self.watcher.passed(1)


class _Silence:
    """On a second walk all was told already."""

    def quarantine(self, path: Path, stage: str, error: CallscoreError, work: Wanted | None = None) -> None:
        """Told."""

    def notice(self, text: str) -> None:
        """Told."""

    def passed(self) -> None:
        """Counted."""
