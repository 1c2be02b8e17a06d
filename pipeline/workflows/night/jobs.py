"""The way through a folder: what there is to do, claimed for this night, a few at a time.

Nothing here grows with the archive: files are looked at one after the other, and what became of each is
counted. Where calls differ in importance the folder is walked once for each degree of it.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count, islice
from pathlib import Path
from typing import Protocol

from pipeline.errors import BadInput, CallscoreError, MetadataError, NotFound
from pipeline.media.archive import Found, Report, find_recordings
from pipeline.media.metadata import Fault, Metadata, read_metadata
from pipeline.media.places import address, place
from pipeline.media.rows import Row
from pipeline.storage.night_records import COSTLY, MOST_TRIES, Standing, State, Wanted
from pipeline.storage.store import work_key
from pipeline.workflows.night.answering import Answering
from pipeline.workflows.night.importance import Importance
from pipeline.workflows.night.job import Job
from pipeline.workflows.night.owner import is_gone
from pipeline.workflows.night.patience import patiently
from pipeline.workflows.night.preparing import stamped
from pipeline.workflows.night.values import NightPlan, NightTools, Summary

METADATA_NAME = "metadata.csv"
CLAIMED = State.CLAIMED
GROUP = 8
"""So many recordings are claimed in one transaction."""


class Told(Protocol):
    """Where a walk says what it finds."""

    def quarantine(
        self, path: Path, stage: str, error: CallscoreError, work: Wanted | None = None
    ) -> None: ...
    def notice(self, text: str) -> None: ...
    def passed(self) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidate:
    job: Job
    mark: int


class Walk:
    """The jobs of one night. `night` None claims nothing: a dry run."""

    def __init__(self, plan: NightPlan, tools: NightTools, night: int | None, told: Told) -> None:
        self._plan, self._tools, self._night, self._told = plan, tools, night, told
        self._folder = answering(plan, tools)
        self._metadata = self._read_metadata()
        self._importance = patiently(lambda: Importance.of(self._metadata, tools), tools, told.notice)

    def jobs(self, summary: Summary) -> Generator[Job, None, None]:
        """Claimed work, the most important first; everything else is counted, and so is what was claimed when
        this is closed. Raises NotFound: the folder is not there, goes, or does not answer; StorageError."""
        given = 0
        with self._folder:
            for degree in self._importance.degrees:
                candidates = self._candidates(degree, summary, first=degree == self._importance.degrees[0])
                while group := list(islice(candidates, self._room(given))):
                    claimed = self._claimed(group, summary)
                    try:
                        for job in claimed:
                            given += 1
                            yield job
                    finally:
                        summary.pending += sum(1 for _ in claimed)
                if self._room(given) == 0:
                    return

    def _room(self, given: int) -> int:
        return GROUP if self._plan.limit is None else min(GROUP, self._plan.limit - given)

    def _candidates(self, degree: int, summary: Summary, *, first: bool) -> Iterator[_Candidate]:
        """Recordings of one degree of importance whose bytes were counted."""
        for found in self._found(self._unreadable if first else _nobody):
            row = self._metadata.row_for(found.path) if self._metadata else None
            if self._importance.degree(found.path, row) != degree:
                continue
            mark = hash((str(found.path), found.size, found.modified_at))
            if self._plan.known is not None and mark in self._plan.known:
                continue
            summary.seen += 1
            job = self._job(found, row, degree, summary)
            if job:
                yield _Candidate(job=job, mark=mark)

    def _found(self, report: Report) -> Iterator[Found]:
        """The recordings of the folder; `report` is called on this thread."""
        faults: list[BadInput] = []
        recordings = find_recordings(self._plan.folder, report=faults.append)
        while found := self._folder.ask(lambda: next(recordings, None)):
            _report_all(faults, report)
            yield found
        _report_all(faults, report)

    def _job(self, found: Found, row: Row | None, degree: int, summary: Summary) -> Job | None:
        if self._metadata and row is None and self._plan.known is not None:
            self._count("pending", summary)
        elif self._metadata and row is None:
            self._without_row(found.path, self._metadata)
            self._count("failed", summary)
        elif self._is_old(found, row):
            self._count("skipped", summary)
        elif self._may_grow(found):
            self._count("pending", summary)
        else:
            return self._counted(found.path, row, degree, summary)
        return None

    def _counted(self, path: Path, row: Row | None, degree: int, summary: Summary) -> Job | None:
        try:
            stamp, sha256 = self._folder.ask(lambda: stamped(path))
        except BadInput as error:
            self._told.quarantine(path, "read", error)
            summary.failed += 1
            return None
        key = work_key(sha256, self._tools.provenance)
        work = Wanted(key=key, sha256=sha256, path=address(path), priority=degree)
        return Job(path=path, row=row, work=work, stamp=stamp)

    def _claimed(self, group: list[_Candidate], summary: Summary) -> Iterator[Job]:
        wanted = {one.job.work.key: one.job.work for one in reversed(group)}
        standings = self._standings(list(wanted.values()))
        for one in group:
            work = one.job.work
            standing = standings.get(work.key)
            first = work is wanted[work.key]
            mine = first and (standing is None or standing.mine)
            if self._plan.known is not None and (mine or standing is None or standing.state is not CLAIMED):
                self._plan.known.add(one.mark)
            if mine:
                yield one.job
            else:
                self._set_aside(one.job, standing or _first_of(wanted[work.key]), summary)

    def _standings(self, wanted: list[Wanted]) -> dict[str, Standing]:
        store, night = self._tools.store, self._night
        if night is None:
            found = store.standings(wanted)
            return {key: standing for key, standing in found.items() if not _may_be_claimed(standing)}
        at, tries = self._tools.clock(), count()

        def claimed() -> dict[str, Standing]:
            return store.claim_work(wanted, night, at=at, is_gone=is_gone, again=next(tries) > 0)

        return patiently(claimed, self._tools, self._told.notice)

    def _set_aside(self, job: Job, standing: Standing, summary: Summary) -> None:
        """Count what this night does not do, and say why where it is news. The same bytes at a path that is
        gone are no duplicate: the file was moved."""
        known = standing.path
        if known != job.work.path and self._folder.ask(place(known).exists):
            self._told.notice(f"{job.path}：与 {known} 内容完全相同，只评一次")
            self._count("skipped", summary)
        elif standing.state is State.SKIPPED:
            self._count("skipped", summary)
        elif standing.state is State.DONE:
            self._count("already_done", summary)
        elif standing.state is State.QUARANTINED:
            self._count("poison", summary)
        elif self._night is None or standing.night != self._night:
            self._count("elsewhere", summary)

    def _count(self, name: str, summary: Summary) -> None:
        setattr(summary, name, getattr(summary, name) + 1)
        self._told.passed()

    def _read_metadata(self) -> Metadata | None:
        settings, path = self._tools.settings, metadata_path(self._plan)
        if not self._is_there(path):
            if self._plan.metadata:
                raise NotFound(f"{path}：话单不存在", hint="检查 --metadata 后面的路径")
            return None
        metadata = self._folder.ask(lambda: read_metadata(path, settings.columns, settings.time_zone))
        for fault in metadata.faults:
            self._metadata_fault(fault)
        return metadata

    def _is_there(self, path: Path) -> bool:
        try:
            return self._folder.ask(path.is_file)
        except PermissionError as error:
            raise NotFound(
                f"{path.parent}：没有权限看这个文件夹", hint="换个账号跑，或改文件夹的权限"
            ) from error

    def _metadata_fault(self, fault: Fault) -> None:
        if fault.unusable:
            where = fault.path or f"{fault.csv}:{fault.row}"
            self._told.quarantine(place(where), "metadata", MetadataError(str(fault), row=fault.row))
        else:
            self._told.notice(str(fault))

    def _without_row(self, path: Path, metadata: Metadata) -> None:
        if metadata.fault_for(path):
            return
        message = f"{path}：话单 {metadata.csv} 里没有这个录音，应有一行"
        self._told.quarantine(path, "metadata", MetadataError(message, hint="在话单里补上一行后重跑"))

    def _is_old(self, found: Found, row: Row | None) -> bool:
        if self._plan.since is None:
            return False
        when = row.started_at if row and row.started_at else found.modified_at
        return when < self._plan.since

    def _may_grow(self, found: Found) -> bool:
        quiet: timedelta = self._tools.clock() - found.modified_at
        return 0 <= quiet.total_seconds() < self._plan.settled_seconds

    def _unreadable(self, error: BadInput) -> None:
        path, _, _ = error.message.partition("：")
        self._told.quarantine(place(path), "list", error)


def answering(plan: NightPlan, tools: NightTools) -> Answering:
    """The folder of a plan, asked with the patience that the settings allow."""
    return Answering(plan.folder, tools.settings.folder_wait_minutes * 60)


def metadata_path(plan: NightPlan) -> Path:
    """Where the metadata of a folder are looked for."""
    return plan.metadata or plan.folder / METADATA_NAME


def _first_of(work: Wanted) -> Standing:
    """How the work on the first of two equal recordings of a group stands on a dry run."""
    return Standing(state=State.CLAIMED, path=work.path)


def _may_be_claimed(standing: Standing) -> bool:
    if standing.state is State.QUARANTINED:
        return standing.stage not in COSTLY or standing.tries < MOST_TRIES
    return standing.state in (State.PENDING, State.CLAIMED)


def _report_all(faults: list[BadInput], report: Report) -> None:
    while faults:
        report(faults.pop(0))


def _nobody(error: BadInput) -> None:
    """Said on the first walk."""
