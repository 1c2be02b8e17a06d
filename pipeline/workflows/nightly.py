"""The night: every recording of a folder heard, judged and stored, one commit a call.

Decoding, voice activity and speaker embedding run ahead of recognition in child processes, at most `AHEAD`
recordings; recognition packs the speech of several recordings into full batches; rules and database come
behind. So memory depends on the longest recordings, not on their number.
"""

import logging
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from datetime import timedelta
from itertools import islice
from pathlib import Path

from pipeline.errors import BadInput, CallscoreError, ModelError, NotFound, StorageError
from pipeline.samples import Peaks
from pipeline.speech.listen import Listener
from pipeline.speech.prepare import Prepared
from pipeline.storage.night_records import Quarantined, Wanted
from pipeline.storage.records import ScoredCall
from pipeline.timeline import Call, Recording, Transcript
from pipeline.workflows.dispute.carry import Keeper, Kept
from pipeline.workflows.night.children import ChildFailed, place, unexpected
from pipeline.workflows.night.job import Job, Made
from pipeline.workflows.night.jobs import Walk
from pipeline.workflows.night.owner import is_gone, this_process
from pipeline.workflows.night.patience import patiently
from pipeline.workflows.night.pulse import counting, pulse
from pipeline.workflows.night.readers import Readers
from pipeline.workflows.night.values import NightPlan, NightTools, Summary, Watcher
from pipeline.workflows.process_call import judge

LOG = logging.getLogger("callscore.night")
AHEAD = 4
NOTICES_KEPT = 1_000


def run_night(plan: NightPlan, tools: NightTools, watcher: Watcher) -> Summary:
    """Work through the folder; what was done before is skipped, what fails is quarantined with its reason,
    what another night works on is left to it.

    Raises NotFound for a folder or metadata file that is not there, MetadataError for a table without
    the needed columns, StorageError when the database stays away: then nothing else would be kept either.
    """
    night = Night(plan, tools, watcher)
    if plan.dry_run:
        return night.looked_through()
    lease = timedelta(minutes=tools.settings.lease_minutes)
    at = tools.clock()
    number = tools.store.start_night(str(plan.folder), at=at, owner=this_process(), until=at + lease)
    tools.store.keep_listening(tools.provenance.settings_digest, tools.settings.of_hearing())
    night.summary.night = number
    watcher.started(number)
    try:
        with pulse(number, night.counts, tools), counting(plan, night.counted):
            night.work(number)
    finally:
        night.end(number)
    return night.summary


class Night:
    """One run: the summary grows as the work goes on. `_left` is what is under way."""

    def __init__(self, plan: NightPlan, tools: NightTools, watcher: Watcher) -> None:
        self.plan, self.tools, self.watcher = plan, tools, watcher
        self.summary = Summary()
        self._began = tools.ticks()
        self._left: dict[str, Job] = {}
        self._peaks: dict[str, Peaks] = {}

    def looked_through(self) -> Summary:
        """What there would be to do."""
        for _ in Walk(self.plan, self.tools, None, self).jobs(self.summary):
            self.summary.pending += 1
        return self.summary

    def work(self, number: int) -> None:
        """Hear, judge and store."""
        jobs = self._jobs(number)
        first = list(islice(jobs, 1))
        if not first:
            return
        with Readers(self.tools) as readers:
            listener = self.tools.listener()
            self._hear_all(listener, readers, self._within_budget(first, jobs))

    def _jobs(self, number: int) -> Iterator[Job]:
        """What is to do. What a night that died had claimed is free: where others held some and none of them
        is alive any more, the folder is walked once more."""
        yield from Walk(self.plan, self.tools, number, self).jobs(self.summary)
        while self.summary.elsewhere and self.plan.limit is None:
            at = self.tools.clock()
            if self.tools.store.claimed_elsewhere(number, at=at, is_gone=is_gone):
                return
            rest, found = Summary(), False
            for job in Walk(self.plan, self.tools, number, _Silence()).jobs(rest):
                found = True
                yield job
            self.summary.elsewhere = rest.elsewhere
            if not found:
                return

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

    def _hear_all(self, listener: Listener, readers: Readers, jobs: Iterator[Job]) -> None:
        """A failure of one call stays with that call."""
        while True:
            try:
                return self._hear(listener, readers, jobs)
            except CallscoreError:
                raise
            except Exception as error:
                LOG.warning("a batch failed, its recordings are heard one by one: %s", place(error))
                for job in list(self._left.values()):
                    self._hear_alone(listener, readers, job)

    def _hear(self, listener: Listener, readers: Readers, jobs: Iterator[Job]) -> None:
        """Several recordings in full batches; each finished one is no longer under way."""
        for recording, transcript in listener.hear(self._prepared(jobs, readers)):
            job = self._left[recording.sha256]
            self._keep(job, recording, transcript)
            del self._left[recording.sha256]

    def _hear_alone(self, listener: Listener, readers: Readers, job: Job) -> None:
        """A batch failed: one by one, so that the recording that made it fail is the only one lost."""
        try:
            self._hear(listener, readers, iter([job]))
        except CallscoreError:
            raise
        except Exception as error:
            self._failed(job, "recognize", unexpected(job, error))

    def _prepared(self, jobs: Iterator[Job], readers: Readers) -> Iterator[Prepared]:
        """Recordings ready for recognition, in order; those that cannot be read are quarantined."""
        waiting: deque[tuple[Job, Future[Made]]] = deque()
        try:
            while True:
                for job in islice(jobs, AHEAD - len(waiting)):
                    waiting.append((job, readers.submit(job)))
                if not waiting:
                    return
                job, future = waiting.popleft()
                made = self._ready(job, future)
                if made:
                    self._peaks[job.sha256] = made.peaks
                    yield made.ready
        finally:
            for _, future in waiting:
                future.cancel()

    def _ready(self, job: Job, future: "Future[Made]") -> Made | None:
        try:
            return future.result()
        except BadInput as error:
            self._failed(job, "decode", error)
        except ChildFailed as error:
            self._failed(job, "crash", error, tries=error.tries)
        except ModelError:
            raise
        except CallscoreError as error:
            self._failed(job, "prepare", error)
        except Exception as error:
            self._failed(job, "prepare", unexpected(job, error))
        return None

    def _keep(self, job: Job, recording: Recording, transcript: Transcript) -> None:
        waveform = self._peaks.pop(job.sha256, None)
        keeper = Keeper(
            store=self.tools.store,
            judged=lambda call: replace(self._judged(call), peaks=waveform),
            zone=self.tools.settings.time_zone,
        )
        heard = Call(recording=recording, transcript=transcript)
        try:
            kept = self._patiently_kept(keeper, heard)
        except StorageError:
            raise
        except Exception as error:
            self._failed(job, "judge", unexpected(job, error))
            return
        for notice in kept.notices:
            self.notice(notice)
        self.summary.scored += 1
        self.summary.heard += recording.duration
        self.watcher.scored(kept.scored)

    def _patiently_kept(self, keeper: Keeper, heard: Call) -> Kept:
        return patiently(lambda: keeper.kept(heard, at=self.tools.clock()), self.tools, self.notice)

    def _judged(self, call: Call) -> ScoredCall:
        reviews = self.tools.store.reviews(call.recording.id)
        return judge(self.tools.understand(call), self.tools.ruleset, self.tools.settings, reviews=reviews)

    def _failed(self, job: Job, stage: str, error: CallscoreError, *, tries: int = 1) -> None:
        """A job that cannot be done: it is no longer under way."""
        fault = Quarantined(
            path=str(job.path), stage=stage, reason=str(error), sha256=job.sha256, tries=tries
        )
        self._put(fault, job.work)
        self._left.pop(job.sha256, None)
        self._peaks.pop(job.sha256, None)
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
        if not self.plan.folder.is_dir():
            raise NotFound(f"{self.plan.folder}：文件夹不见了", hint="检查挂载和网络，再跑一次")
        store, at = self.tools.store, self.tools.clock()
        if not self.plan.dry_run and not patiently(
            lambda: store.quarantine(fault, at=at, work=work), self.tools, self.notice
        ):
            return
        self.summary.quarantined.append(fault)
        self.watcher.quarantined(fault)


class _Silence:
    """On a second walk all was told already."""

    def quarantine(self, path: Path, stage: str, error: CallscoreError, work: Wanted | None = None) -> None:
        """Told."""

    def notice(self, text: str) -> None:
        """Told."""

    def passed(self) -> None:
        """Counted."""
