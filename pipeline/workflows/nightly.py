"""The night: every recording of a folder heard, judged and stored, one commit a call.

Decoding, voice activity and speaker embedding run ahead of recognition on their own threads, at most
`AHEAD` recordings; recognition packs the speech of several recordings into full batches; rules and
database come behind. So memory depends on the longest recordings, not on their number.
"""

import traceback
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Protocol

from pipeline.errors import BadInput, CallscoreError, MetadataError, NotFound, StorageError
from pipeline.media.archive import Found, find_recordings
from pipeline.media.decode import fingerprint
from pipeline.media.metadata import Fault, Metadata, Row, read_metadata
from pipeline.media.peaks import peaks
from pipeline.ruleset import RuleSet
from pipeline.samples import Peaks
from pipeline.settings import Settings
from pipeline.speech.listen import Listener, Prepared
from pipeline.storage.night_records import Quarantined
from pipeline.storage.records import ScoredCall
from pipeline.storage.store import Store
from pipeline.timeline import Call, Provenance, Recording, Transcript
from pipeline.units import Ms
from pipeline.workflows.dispute.carry import Keeper
from pipeline.workflows.process_call import judge, load

AHEAD = 4
READERS = 2
METADATA_NAME = "metadata.csv"

Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class NightPlan:
    """What to work on. `metadata` None: `metadata.csv` in the folder, if there is one."""

    folder: Path
    metadata: Path | None = None
    since: datetime | None = None
    limit: int | None = None
    dry_run: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NightTools:
    """Everything with a state, passed in. `listener` loads the models, and only when there is work;
    `provenance` is what its transcripts will carry; `understand` adds the vectors of a call's sentences."""

    store: Store
    listener: Callable[[], Listener]
    provenance: Provenance
    ruleset: RuleSet
    settings: Settings
    clock: Clock
    understand: Callable[[Call], Call] = lambda call: call


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One recording to work on."""

    path: Path
    row: Row | None
    sha256: str


class Watcher(Protocol):
    """Hears how the night goes on."""

    def planned(self, jobs: int, done: int) -> None: ...
    def scored(self, call: ScoredCall) -> None: ...
    def quarantined(self, fault: Quarantined) -> None: ...
    def noticed(self, fault: str) -> None: ...


@dataclass(slots=True, kw_only=True)
class Summary:
    """How a night ended. `heard` is the length of the recordings that were scored."""

    scored: int = 0
    already_done: int = 0
    not_started: int = 0
    heard: Ms = 0
    quarantined: list[Quarantined] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        return {
            "scored": self.scored,
            "already_done": self.already_done,
            "not_started": self.not_started,
            "quarantined": len(self.quarantined),
        }


def run_night(plan: NightPlan, tools: NightTools, watcher: Watcher) -> Summary:
    """Work through the folder; what was done before is skipped, what fails is quarantined with its reason.

    Raises NotFound for a folder or metadata file that is not there, MetadataError for a table without
    the needed columns, StorageError when the database fails: then nothing else would be kept either.
    """
    night = Night(plan, tools, watcher)
    jobs = night.plan_jobs()
    watcher.planned(len(jobs), night.summary.already_done)
    if plan.dry_run:
        night.summary.not_started = len(jobs)
        return night.summary
    started = tools.store.start_night(str(plan.folder), at=tools.clock())
    tools.store.keep_listening(tools.provenance.settings_digest, tools.settings.of_hearing())
    try:
        if jobs:
            night.work(jobs)
    finally:
        tools.store.end_night(started, night.summary.counts(), at=tools.clock())
    return night.summary


class Night:
    """One run: the summary grows as the work goes on."""

    def __init__(self, plan: NightPlan, tools: NightTools, watcher: Watcher) -> None:
        self.plan, self.tools, self.watcher = plan, tools, watcher
        self.summary = Summary()
        self._seen: dict[str, Path] = {}
        self._peaks: dict[str, Peaks] = {}

    def plan_jobs(self) -> list[Job]:
        """What is left to do, in the archive's order, at most `limit`."""
        metadata = self._metadata()
        jobs: list[Job] = []
        for found in find_recordings(self.plan.folder, report=self._unreadable):
            if self.plan.limit is not None and len(jobs) >= self.plan.limit:
                break
            job = self._job(found, metadata)
            if job:
                jobs.append(job)
        return jobs

    def work(self, jobs: list[Job]) -> None:
        """Hear, judge and store; a failure of one call stays with that call."""
        listener = self.tools.listener()
        left = {job.sha256: job for job in jobs}
        while left:
            try:
                self._hear(listener, list(left.values()), left)
            except CallscoreError:
                raise
            except Exception:
                self._hear_alone(listener, list(left.values())[:AHEAD], left)

    def _hear(self, listener: Listener, jobs: list[Job], left: dict[str, Job]) -> None:
        """Several recordings in full batches; each finished one is taken out of `left`."""
        for recording, transcript in listener.hear(self._prepared(jobs, listener, left)):
            self._keep(left.pop(recording.sha256), recording, transcript)

    def _hear_alone(self, listener: Listener, jobs: list[Job], left: dict[str, Job]) -> None:
        """A batch failed: one by one, so that the recording that made it fail is the only one lost."""
        for job in jobs:
            try:
                self._hear(listener, [job], left)
            except CallscoreError:
                raise
            except Exception as error:
                del left[job.sha256]
                self._quarantine(job.path, "recognize", _unexpected(job, error), job.sha256)

    def _metadata(self) -> Metadata | None:
        path = self.plan.metadata or self.plan.folder / METADATA_NAME
        if not path.is_file():
            if self.plan.metadata:
                raise NotFound(f"{path}：话单不存在", hint="检查 --metadata 后面的路径")
            return None
        metadata = read_metadata(path, self.tools.settings.columns, self.tools.settings.time_zone)
        for fault in metadata.faults:
            self._metadata_fault(fault)
        return metadata

    def _metadata_fault(self, fault: Fault) -> None:
        if fault.unusable:
            where = fault.path or f"{fault.csv}:{fault.row}"
            self._quarantine(Path(where), "metadata", MetadataError(str(fault), row=fault.row))
        else:
            self._notice(str(fault))

    def _notice(self, text: str) -> None:
        self.summary.notices.append(text)
        self.watcher.noticed(text)

    def _job(self, found: Found, metadata: Metadata | None) -> Job | None:
        row = metadata.row_for(found.path) if metadata else None
        if metadata and row is None:
            self._without_row(found.path, metadata)
            return None
        if self._is_old(found, row):
            return None
        try:
            sha256 = fingerprint(found.path)
        except BadInput as error:
            self._quarantine(found.path, "read", error)
            return None
        if sha256 in self._seen:
            self._notice(f"{found.path}：与 {self._seen[sha256]} 内容完全相同，只评一次")
            return None
        self._seen[sha256] = found.path
        if self.tools.store.is_done(sha256, self.tools.provenance):
            self.summary.already_done += 1
            return None
        return Job(path=found.path, row=row, sha256=sha256)

    def _without_row(self, path: Path, metadata: Metadata) -> None:
        if metadata.fault_for(path):
            return
        message = f"{path}：话单 {metadata.csv} 里没有这个录音，应有一行"
        self._quarantine(path, "metadata", MetadataError(message, hint="在话单里补上一行后重跑"))

    def _is_old(self, found: Found, row: Row | None) -> bool:
        if self.plan.since is None:
            return False
        when = row.started_at if row and row.started_at else found.modified_at
        return when < self.plan.since

    def _prepared(self, jobs: list[Job], listener: Listener, left: dict[str, Job]) -> Iterator[Prepared]:
        """Recordings ready for recognition, in order; those that cannot be read are quarantined."""
        with ThreadPoolExecutor(READERS, thread_name_prefix="prepare") as pool:
            waiting: deque[tuple[Job, Future[Prepared]]] = deque()
            rest = iter(jobs)
            try:
                while True:
                    for job in rest:
                        waiting.append((job, pool.submit(self._prepare, job, listener)))
                        if len(waiting) >= AHEAD:
                            break
                    if not waiting:
                        return
                    job, future = waiting.popleft()
                    ready = self._ready(job, future)
                    if ready:
                        yield ready
                    else:
                        del left[job.sha256]
            finally:
                pool.shutdown(wait=True, cancel_futures=True)

    def _prepare(self, job: Job, listener: Listener) -> Prepared:
        loaded = load(job.path, job.row, self.tools.settings, job.sha256)
        self._peaks[job.sha256] = peaks(loaded.samples)
        return listener.prepare(loaded.recording, loaded.samples, loaded.lost)

    def _ready(self, job: Job, future: "Future[Prepared]") -> Prepared | None:
        try:
            return future.result()
        except BadInput as error:
            self._quarantine(job.path, "decode", error, job.sha256)
        except Exception as error:
            self._quarantine(job.path, "prepare", _unexpected(job, error), job.sha256)
        return None

    def _keep(self, job: Job, recording: Recording, transcript: Transcript) -> None:
        waveform = self._peaks.pop(job.sha256, None)
        keeper = Keeper(
            store=self.tools.store,
            judged=lambda call: replace(self._judged(call), peaks=waveform),
            zone=self.tools.settings.time_zone,
        )
        try:
            kept = keeper.kept(Call(recording=recording, transcript=transcript), at=self.tools.clock())
        except StorageError:
            raise
        except Exception as error:
            self._quarantine(job.path, "judge", _unexpected(job, error), job.sha256)
            return
        for notice in kept.notices:
            self._notice(notice)
        self.summary.scored += 1
        self.summary.heard += recording.duration
        self.watcher.scored(kept.scored)

    def _judged(self, call: Call) -> ScoredCall:
        reviews = self.tools.store.reviews(call.recording.id)
        return judge(self.tools.understand(call), self.tools.ruleset, self.tools.settings, reviews=reviews)

    def _unreadable(self, error: BadInput) -> None:
        path, _, _ = error.message.partition("：")
        self._quarantine(Path(path), "list", error)

    def _quarantine(self, path: Path, stage: str, error: CallscoreError, sha256: str | None = None) -> None:
        fault = Quarantined(path=str(path), stage=stage, reason=str(error), sha256=sha256)
        if not self.plan.dry_run:
            self.tools.store.quarantine(fault, at=self.tools.clock())
        self.summary.quarantined.append(fault)
        self.watcher.quarantined(fault)


def _unexpected(job: Job, error: Exception) -> CallscoreError:
    """Where in the program it failed. The error's own text stays out: it might hold what was said."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    return CallscoreError(
        f"{job.path}：处理失败（{type(error).__name__}，{where}）", hint="其余照常；把这一行报给维护者"
    )
