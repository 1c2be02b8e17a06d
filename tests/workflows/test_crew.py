"""Which machines of a cluster are given calls, and what is said of the others."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.errors import CallscoreError
from pipeline.settings import Settings
from pipeline.storage.mapping import pack
from pipeline.workflows.night.cluster import crew
from pipeline.workflows.night.cluster.crew import Crew, Want
from pipeline.workflows.night.cluster.messages import ASK, Order

OURS = {"callscore": "0.1.0+ours", "模型": "base"}


class Actor:
    """What it is asked is answered at once; the answer is its own reference."""

    def __init__(self, node: str, program: dict[str, str]) -> None:
        self.node = node
        self.program = SimpleNamespace(remote=lambda: (node, pack(program)))
        self.said = SimpleNamespace(remote=lambda: (node, ASK))


class Machines:
    """A cluster by the programs of its machines, one core each. `silent` are gone and still listed."""

    def __init__(self, **programs: dict[str, str]) -> None:
        self.programs, self.silent = programs, set[str]()
        self.killed: list[str] = []
        self.ray = self
        self.exceptions = SimpleNamespace(RayError=RuntimeError)

    def nodes(self) -> list[dict[str, Any]]:
        return [
            {"NodeID": name, "NodeManagerAddress": name, "Resources": {"CPU": 1.0}} for name in self.programs
        ]

    def check(self) -> bool:
        return True

    def answers(self, node: dict[str, Any]) -> bool:
        return node["NodeID"] not in self.silent

    def only_on(self, node: str) -> str:
        return node

    def remote(self, kind: type) -> Any:
        def options(scheduling_strategy: str, **_: Any) -> Any:
            actor = Actor(scheduling_strategy, self.programs[scheduling_strategy])
            return SimpleNamespace(remote=lambda order: actor)

        return SimpleNamespace(options=options)

    def wait(self, refs: list[Any], **_: Any) -> tuple[list[Any], list[Any]]:
        return refs, []

    def get(self, ref: tuple[str, bytes]) -> bytes:
        return ref[1]

    def kill(self, actor: Actor) -> None:
        self.killed.append(actor.node)


@pytest.fixture
def told() -> list[str]:
    return []


def crew_of(machines: Machines, told: list[str], monkeypatch: pytest.MonkeyPatch) -> Crew:
    monkeypatch.setattr(crew, "LOOK_SECONDS", 0.0)
    order = Order(settings=Settings(), recipe="a:b", folder=str(Path()))
    return Crew(machines, order, OURS, told.append)  # type: ignore[arg-type]


def looked(made: Crew) -> list[str]:
    """The machines that hear after a look and their answers."""
    assert made.look()
    list(made.told(0.0))
    return [member.node for member in made.members if member.is_ready]


def test_a_machine_with_another_program_is_not_used_and_it_is_told_where_it_differs(
    told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    machines = Machines(like=OURS, old=OURS | {"callscore": "0.0.9+older"})
    made = crew_of(machines, told, monkeypatch)
    assert looked(made) == looked(made) == ["like"]
    assert told == ["节点 old：callscore 是 0.0.9+older（应为 0.1.0+ours），不用它；装上同一个版本再加入"]
    assert machines.killed == ["old"]


def test_where_no_machine_has_our_program_the_night_ends_with_that(
    told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = crew_of(Machines(old=OURS | {"模型": "tiny"}), told, monkeypatch)
    assert looked(made) == []
    with pytest.raises(CallscoreError, match="没有能用的节点：old：模型 是 tiny（应为 base）"):
        made.look()


def test_a_machine_that_does_not_see_the_recordings_is_asked_again_later(
    told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    machines = Machines(like=OURS, blind={"broken": "看不到录音的位置 /srv"})
    made = crew_of(machines, told, monkeypatch)
    assert looked(made) == ["like"]
    assert told == ["节点 blind：看不到录音的位置 /srv，先不用它"]
    machines.programs["blind"] = OURS
    assert looked(made) == ["like"]
    monkeypatch.setattr(crew, "REST_SECONDS", 0.0)
    made._resting.clear()
    assert looked(made) == ["like", "blind"]


def test_machines_that_come_are_used_and_one_that_is_gone_is_told_once(
    told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    machines = Machines(first=OURS)
    made = crew_of(machines, told, monkeypatch)
    assert looked(made) == ["first"]
    machines.programs["second"] = OURS
    assert looked(made) == ["first", "second"]
    machines.silent.add("first")
    assert (made.is_alive("first"), made.is_alive("second")) == (False, True)
    del machines.programs["first"]
    made.look()
    assert told == ["节点 first：没了，它手上的重做"]


def test_nobody_ready_for_long_ends_the_night(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    made = crew_of(Machines(), told, monkeypatch)
    monkeypatch.setattr(crew, "START_SECONDS", -1.0)
    with pytest.raises(CallscoreError, match="没有一个节点能识别（没有空的核或 GPU）"):
        made.look()


def test_each_gpu_or_core_has_one_that_hears() -> None:
    def room(resources: dict[str, float], **settings: Any) -> int:
        return Want.of(Settings(**settings), resources).times(resources)

    assert room({"CPU": 8.0}, threads=1) == 8
    assert room({"CPU": 8.0}, threads=3) == 2
    assert room({"CPU": 8.0, "GPU": 2.0}, device="cpu", threads=1) == 8
    assert room({"CPU": 8.0, "GPU": 2.0}, device="cuda", threads=1) == 2
    assert room({"CPU": 8.0, "GPU": 2.0}, device="auto", threads=1) == 2
    assert room({"CPU": 8.0}, device="cuda", threads=1) == 0


def test_what_a_dismissed_one_had_in_hand_is_known(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    made = crew_of(Machines(first=OURS), told, monkeypatch)
    looked(made)
    (member,) = made.members
    member.hand = {"sha256": "job"}  # type: ignore[dict-item]
    assert made.dismiss(member) == ["job"]
    assert made.members == []
