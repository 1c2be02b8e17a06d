"""A night that is heard by the machines of a Ray cluster. The coordinator walks the folder, judges and
stores; only places of recordings go out, only transcripts come back. That a call is done once is decided by
the database alone: what is lost with a machine is heard again."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import CallscoreError
from pipeline.media.places import address
from pipeline.settings import Settings
from pipeline.storage.night_records import MOST_TRIES
from pipeline.workflows.night.children import ChildFailed
from pipeline.workflows.night.cluster.crew import Crew, Member
from pipeline.workflows.night.cluster.link import linked
from pipeline.workflows.night.cluster.messages import Broken, Order, said_of
from pipeline.workflows.night.cluster.node import program_of
from pipeline.workflows.night.hearing import Failed, Hearing, Recipe, Tell
from pipeline.workflows.night.job import Job

WAIT_SECONDS = 1.0
ORDINARY = "pipeline.workflows.night.cluster.node:ordinary"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCluster:
    """Opens the hearing on the cluster at `address`, whose machines all see `folder`. `notice` is told, in
    words for people, which machines come, go and cannot be used; `recipe` names what the machines hear
    with."""

    address: str
    folder: Path
    notice: Callable[[str], None]
    recipe: str = ORDINARY

    @contextmanager
    def __call__(self, recipe: Recipe) -> Iterator[Hearing]:
        """Raises SettingsError: Ray is not installed; CallscoreError: there is no cluster."""
        settings = _of_a_node(recipe.settings)
        order = Order(settings=settings, recipe=self.recipe, folder=address(self.folder))
        with linked(self.address) as link:
            crew = Crew(link, order, program_of(settings), self.notice)
            yield ClusterHearing(crew, hang_seconds=60 * settings.recognize_minutes)


def _of_a_node(settings: Settings) -> Settings:
    """Each recognizer has a core and a decoding child of its own, not those of the whole machine."""
    return settings.model_copy(
        update={"readers": min(1, settings.readers), "threads": max(1, settings.threads)}
    )


@dataclass(frozen=True, slots=True)
class _Loss:
    """A recognizer that is gone, and what it had in hand. Whether its machine is gone, too, is known a little
    later."""

    node: str
    jobs: list[Job]


class ClusterHearing:
    """A call that was in hand when a process died is heard again with nothing beside it: so the one that
    kills is found, and the others are done."""

    def __init__(self, crew: Crew, hang_seconds: float) -> None:
        self._crew, self._hang = crew, hang_seconds
        self._again: deque[Job] = deque()
        self._suspects: deque[Job] = deque()
        self._tries: dict[str, int] = {}
        self._losses: list[_Loss] = []
        self._is_over = False

    def hear(self, jobs: Iterator[Job], tell: Tell) -> None:
        """Raises CallscoreError: the cluster is gone, or nobody in it can hear."""
        self._forget()
        while True:
            if self._crew.look():
                self._settle(tell)
            for member in self._crew.asking():
                self._serve(member, jobs)
            if self._is_over and not self._under_way:
                return
            for member, message in self._crew.told(WAIT_SECONDS):
                self._take(member, message, tell)

    def _forget(self) -> None:
        """What a night before this one left when it was ended."""
        for member in [one for one in self._crew.members if one.hand]:
            self._crew.dismiss(member)
        for left in (self._again, self._suspects, self._losses, self._tries):
            left.clear()
        self._is_over = False

    @property
    def _under_way(self) -> bool:
        waiting = self._again or self._suspects or self._losses
        return bool(waiting or any(member.hand for member in self._crew.members))

    def _serve(self, member: Member, jobs: Iterator[Job]) -> None:
        """A call, if there is one for it. Suspects go to whoever has nothing else: at the latest to the one
        that comes in place of the one that died."""
        job = self._chosen(member, jobs)
        if job is not None:
            member.give(job)
        elif member.hand:
            member.end_round()

    def _chosen(self, member: Member, jobs: Iterator[Job]) -> Job | None:
        if not member.hand:
            member.alone = bool(self._suspects)
            if member.alone:
                return self._suspects.popleft()
        if member.alone:
            return None
        if self._again:
            return self._again.popleft()
        job = None if self._is_over else next(jobs, None)
        self._is_over = job is None
        return job

    def _take(self, member: Member, message: bytes | None, tell: Tell) -> None:
        """What it says, or what is known where it is gone."""
        if message is None:
            self._losses.append(_Loss(member.node, self._crew.dismiss(member)))
            return
        said = said_of(message, member.hand)
        if said is None:
            member.asks = True
        elif isinstance(said, Broken):
            self._again.extend(self._crew.rest(member, said.why))
        else:
            self._crew.works(member)
            del member.hand[said.job.sha256]
            self._tries.pop(said.job.sha256, None)
            tell(said)

    def _settle(self, tell: Tell) -> None:
        """What was lost is heard again; a call that was in hand when a process died on a machine that lives
        is suspected, and given up after so many tries."""
        losses, self._losses = self._losses, []
        for loss in losses:
            if not self._crew.is_alive(loss.node):
                self._again.extend(loss.jobs)
                continue
            for job in loss.jobs:
                self._suspect(job, tell)
        self._end_what_hangs()

    def _suspect(self, job: Job, tell: Tell) -> None:
        self._tries[job.sha256] = tries = self._tries.get(job.sha256, 0) + 1
        if tries < MOST_TRIES:
            self._suspects.append(job)
            return
        del self._tries[job.sha256]
        error: CallscoreError = ChildFailed(f"{job.path}：识别进程崩溃，试了 {tries} 次", tries=tries)
        tell(Failed(job=job, stage="recognize", error=error, tries=tries))

    def _end_what_hangs(self) -> None:
        now = time.monotonic()
        for member in [one for one in self._crew.members if one.hand and now - one.since > self._hang]:
            self._losses.append(_Loss(member.node, self._crew.dismiss(member)))
