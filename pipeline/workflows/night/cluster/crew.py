"""Who hears in a cluster: on each machine as many recognizers as it has GPUs or cores for. Machines may come
and go while they work."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pipeline.errors import CallscoreError
from pipeline.settings import Settings
from pipeline.storage.mapping import unpack
from pipeline.workflows.night.cluster.link import Link
from pipeline.workflows.night.cluster.messages import NO_MORE, Order, call_of
from pipeline.workflows.night.cluster.node import Recognizer
from pipeline.workflows.night.job import Job

LOOK_SECONDS, ASK_SECONDS = 2.0, 60.0
REST_SECONDS = 30.0
"""A machine on which nothing can be heard is asked again after twice so long, and twice that the next time:
its folder may be mounted by then."""
START_SECONDS = 180.0
"""Nobody is ready for so long: nobody will be."""


WAYS_IN = 3
"""What may be asked of a member at the same time: what it says, whether it is at work, to take a call."""


@dataclass(slots=True, kw_only=True, eq=False)
class Member:
    """A recognizer, as it is seen from here. `hand`: what it was given and has not told of; `asks`: it has
    room for a call; `alone`: it is given no other beside that in hand. `since` is when its work last went on.
    `said` and `asked` are references to what it will say next, and to what it owes an answer to: at first,
    what program it is."""

    actor: Any
    node: str
    address: str
    asked: Any
    since: float
    said: Any = None
    asks: bool = False
    alone: bool = False
    hand: dict[str, Job] = field(default_factory=dict)

    @property
    def is_ready(self) -> bool:
        """Its program is ours."""
        return self.said is not None

    def listen(self) -> None:
        """To the next thing that it says."""
        self.said = self.actor.said.remote()

    def give(self, job: Job) -> None:
        """What it asked for."""
        self.hand[job.sha256] = job
        self.asks, self.since = False, time.monotonic()
        self.actor.give.remote(call_of(job))

    def end_round(self) -> None:
        """There is nothing for it at the moment: what it has in hand is finished without waiting for more."""
        self.asks = False
        self.actor.give.remote(NO_MORE)

    def ask(self, now: float) -> None:
        """Whether it is still at work, where nothing was heard of it for some time."""
        if self.hand and self.asked is None and now - self.since > ASK_SECONDS:
            self.asked = self.actor.silence.remote()


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """What each member needs of its machine."""

    cpus: float
    gpus: float

    @classmethod
    def of(cls, settings: Settings, resources: dict[str, float]) -> "Want":
        """A GPU each where that is the device, or may be and there is one."""
        has_gpu = settings.device == "cuda" or (settings.device == "auto" and resources.get("GPU", 0) >= 1)
        return cls(cpus=max(1, settings.threads), gpus=1.0 if has_gpu else 0.0)

    def times(self, resources: dict[str, float]) -> int:
        """So many have room on a machine."""
        fit = int(resources.get("CPU", 0) // self.cpus)
        return min(fit, int(resources.get("GPU", 0))) if self.gpus else fit


class Crew:
    """All members; those that are `ready` run our program."""

    def __init__(
        self, link: Link, order: Order, program: dict[str, str], notice: Callable[[str], None]
    ) -> None:
        self._link, self._order, self._program, self._notice = link, order, program, notice
        self.members: list[Member] = []
        self._nodes: dict[str, dict[str, Any]] = {}
        self._refused: set[str] = set()
        self._gone: set[str] = set()
        self._why: dict[str, str] = {}
        self._resting: dict[str, float] = {}
        self._rests: Counter[str] = Counter()
        self._looked, self._worked = 0.0, time.monotonic()

    def look(self) -> bool:
        """Whether it was time to see which machines there are: new ones get members. Raises CallscoreError:
        the cluster is gone, or nobody in it can hear."""
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS or not self._link.check():
            return False
        self._looked = now
        nodes = {node["NodeID"]: node for node in self._link.nodes()}
        for name in self._nodes.keys() - nodes.keys():
            self._tell_gone(name)
        self._nodes = nodes
        for node in nodes.values():
            self._staff(node, now)
        for member in self.members:
            member.ask(now)
        self._check_anyone(now)
        return True

    def is_alive(self, name: str) -> bool:
        """Asked of the machine itself. One that does not answer is left alone for a while."""
        node = self._nodes.get(name)
        if node is not None and self._link.answers(node):
            return True
        self._tell_gone(name)
        self._resting[name] = time.monotonic() + REST_SECONDS
        return False

    def _tell_gone(self, name: str) -> None:
        if name in self._nodes and name not in self._gone:
            self._notice(f"节点 {self._nodes[name]['NodeManagerAddress']}：没了，它手上的重做")
            self._gone.add(name)

    def asking(self) -> list[Member]:
        """Those that have room for a call."""
        return [member for member in self.members if member.asks]

    def told(self, seconds: float) -> Iterator[tuple[Member, bytes | None]]:
        """The members that say something, and what; None: it is gone. Waited for so long at most."""
        by_ref = {ref: one for one in self.members for ref in (one.said, one.asked) if ref is not None}
        if not by_ref:
            time.sleep(seconds)
            return
        refs, _ = self._link.ray.wait(list(by_ref), num_returns=1, timeout=seconds)
        for ref in refs:
            member = by_ref[ref]
            if ref == member.asked:
                self._told_of_itself(member)
            else:
                member.since = time.monotonic()
                message = self._answer(ref)
                if message is not None:
                    member.listen()
                yield member, message

    def _answer(self, ref: Any) -> bytes | None:
        """None: whoever owed it is gone."""
        try:
            answer: bytes = self._link.ray.get(ref)
        except self._link.ray.exceptions.RayError:
            return None
        return answer

    def dismiss(self, member: Member) -> list[Job]:
        """It works no more; what it had in hand."""
        self.members.remove(member)
        with suppress(Exception):  # it may be gone already
            self._link.ray.kill(member.actor)
        return list(member.hand.values())

    def works(self, member: Member) -> None:
        """It heard something: its machine is in order."""
        self._rests.pop(member.node, None)
        self._why.pop(member.node, None)

    def rest(self, member: Member, why: str) -> list[Job]:
        """Nothing can be heard on its machine, for a while; what it had in hand."""
        if member.node not in self._resting:
            self._notice(f"节点 {member.address}：{why}，先不用它")
            self._rests[member.node] += 1
        self._why[member.node] = f"{member.address}：{why}"
        self._resting[member.node] = time.monotonic() + REST_SECONDS * 2 ** self._rests[member.node]
        return self.dismiss(member)

    def _staff(self, node: dict[str, Any], now: float) -> None:
        name, resources = node["NodeID"], node["Resources"]
        if name in self._refused or self._resting.get(name, 0) > now:
            return
        self._resting.pop(name, None)
        there = sum(one.node == name for one in self.members)
        want = Want.of(self._order.settings, resources)
        for _ in range(want.times(resources) - there):
            self.members.append(self._member(node, want, now))

    def _member(self, node: dict[str, Any], want: Want, now: float) -> Member:
        name = node["NodeID"]
        made = self._link.ray.remote(Recognizer).options(
            num_cpus=want.cpus,
            num_gpus=want.gpus,
            max_concurrency=WAYS_IN,
            max_restarts=0,
            scheduling_strategy=self._link.only_on(name),
        )
        actor = made.remote(self._order.packed())
        return Member(
            actor=actor,
            node=name,
            address=node["NodeManagerAddress"],
            asked=actor.program.remote(),
            since=now,
        )

    def _told_of_itself(self, member: Member) -> None:
        answer, member.asked = self._answer(member.asked), None
        if not member.is_ready:
            self._meet(member, {"broken": "识别进程起不来"} if answer is None else unpack(answer))
        elif answer is not None:
            member.since = max(member.since, time.monotonic() - unpack(answer))

    def _meet(self, member: Member, theirs: dict[str, str]) -> None:
        """Its program is ours, or it is not given any call."""
        if "broken" in theirs:
            self.rest(member, theirs["broken"])
            return
        other = [name for name in self._program if theirs.get(name) != self._program[name]]
        if not other:
            member.listen()
            return
        told = "、".join(
            f"{name} 是 {theirs.get(name, '没有')}（应为 {self._program[name]}）" for name in other
        )
        if member.node not in self._refused:
            self._notice(f"节点 {member.address}：{told}，不用它；装上同一个版本再加入")
        self._refused.add(member.node)
        self._why[member.node] = f"{member.address}：{told}"
        self.dismiss(member)

    def _check_anyone(self, now: float) -> None:
        if any(one.is_ready for one in self.members):
            self._worked = now
        told = "；".join(self._why.values()) or "没有空的核或 GPU"
        if self._refused and not self.members and not self._nodes.keys() - self._refused:
            raise CallscoreError(f"集群里没有能用的节点：{told}", hint="每台机器装上同一个版本，再跑一次")
        if now - self._worked > START_SECONDS:
            raise CallscoreError(
                f"{START_SECONDS:.0f} 秒没有一个节点能识别（{told}），停在这里。做完的都已存好",
                hint="看 ray status，在每台机器上跑 callscore doctor，再跑一次接着做",
            )
