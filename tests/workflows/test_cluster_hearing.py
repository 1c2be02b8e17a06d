"""What becomes of calls that a process or a machine of a cluster took with it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from pipeline.errors import BadInput
from pipeline.storage.night_records import MOST_TRIES, Wanted
from pipeline.workflows.night.cluster.crew import Member
from pipeline.workflows.night.cluster.hearing import ClusterHearing
from pipeline.workflows.night.cluster.messages import ASK, Broken, answer_of
from pipeline.workflows.night.hearing import Failed, Heard
from pipeline.workflows.night.job import Job, Stamp

AHEAD = 3
GONE, SILENT = object(), object()
Answer = Callable[[str, Job], object]


def job(name: str) -> Job:
    work = Wanted(key=name, sha256=name, path=f"/srv/{name}.wav")
    return Job(path=Path(work.path), row=None, work=work, stamp=Stamp(1, 1, 1))


def told_of(job: Job) -> bytes:
    """Any answer will do."""
    return answer_of(Failed(job=job, stage="told", error=BadInput(job.sha256)))


class Crew:
    """Machines of one member each that asks for a few calls and answers as `answer` says when a round ends:
    bytes, that it is gone, or nothing. The next one of a machine comes with the next look."""

    def __init__(self, machines: str, answer: Answer) -> None:
        self.alive, self._answer = set(machines.split()), answer
        self.members: list[Member] = []
        self.handed: list[list[str]] = []
        """What a member had in hand whenever it was given a call."""

    def look(self) -> bool:
        for node in sorted(self.alive - {member.node for member in self.members}):
            self.members.append(Busy(self, node))
        return True

    def is_alive(self, node: str) -> bool:
        return node in self.alive

    def asking(self) -> list[Member]:
        return [member for member in self.members if member.asks]

    def told(self, seconds: float) -> Iterator[tuple[Member, bytes | None]]:
        for member in list(self.members):
            if not member.asks and len(member.hand) < AHEAD and not member.is_ending:
                yield member, ASK
            elif not member.asks:
                yield from self._round_of(member)

    def _round_of(self, member: Member) -> Iterator[tuple[Member, bytes | None]]:
        member.is_ending = False
        for job in list(member.hand.values()):
            said = self._answer(member.node, job)
            if said is not SILENT:
                yield member, None if said is GONE else said
            if member not in self.members:
                return

    def works(self, member: Member) -> None: ...

    def dismiss(self, member: Member) -> list[Job]:
        self.members.remove(member)
        return list(member.hand.values())

    def rest(self, member: Member, why: str) -> list[Job]:
        self.alive.discard(member.node)
        return self.dismiss(member)


class Busy(Member):
    is_ending = False

    def __init__(self, crew: Crew, node: str) -> None:
        super().__init__(actor=None, node=node, address=node, asked=None, since=time.monotonic())
        self._crew = crew

    def give(self, job: Job) -> None:
        self.hand[job.sha256], self.asks = job, False
        self._crew.handed.append(list(self.hand))

    def end_round(self) -> None:
        self.asks, self.is_ending = False, True


def heard(crew: Crew, names: str, hang_seconds: float = 60.0) -> dict[str, str]:
    """In which stage each call ended; each once."""
    outcomes: list[Heard | Failed] = []
    hearing = ClusterHearing(crew, hang_seconds)  # type: ignore[arg-type]
    hearing.hear(iter([job(name) for name in names.split()]), outcomes.append)
    assert sorted(one.job.sha256 for one in outcomes) == sorted(names.split())
    return {one.job.sha256: one.stage for one in outcomes if isinstance(one, Failed)}


def test_a_call_that_kills_is_given_up_after_its_third_time_and_those_beside_it_are_heard() -> None:
    crew = Crew("a", lambda node, job: GONE if job.sha256 == "killer" else told_of(job))
    assert heard(crew, "killer x y z") == {"killer": "recognize", "x": "told", "y": "told", "z": "told"}
    assert crew.handed.count(["killer"]) == MOST_TRIES
    assert [hand for hand in crew.handed if "killer" in hand[1:]] == []


def test_what_a_machine_that_is_gone_had_in_hand_is_heard_elsewhere_and_nothing_is_to_blame() -> None:
    def answer(node: str, job: Job) -> object:
        if node != "a":
            return told_of(job)
        crew.alive.discard("a")
        return GONE

    crew = Crew("a b", answer)
    assert set(heard(crew, "u v w x y z").values()) == {"told"}
    assert len(crew.handed) > len(["u", "v", "w", "x", "y", "z"])


def test_a_call_that_is_not_to_blame_for_its_machine_is_heard_on_another() -> None:
    blind = answer_of(Broken(why="看不到录音"))
    crew = Crew("a b", lambda node, job: blind if node == "a" else told_of(job))
    assert set(heard(crew, "x y z").values()) == {"told"}
    assert crew.alive == {"b"}


def test_one_that_says_nothing_for_too_long_is_ended_and_its_call_given_up_at_last() -> None:
    crew = Crew("a", lambda node, job: SILENT if job.sha256 == "hangs" else told_of(job))
    assert heard(crew, "hangs x", hang_seconds=0.01) == {"hangs": "recognize", "x": "told"}
