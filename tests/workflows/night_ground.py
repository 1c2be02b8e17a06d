"""The ground on which faults are tried: an archive, what an undisturbed night keeps of it, and the proof that
disturbed ones kept the same."""

import os
import random
import resource
import sqlite3
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from night_help import Notes, beep, kept, tools
from night_listeners import FakeListener

from pipeline.errors import CallscoreError
from pipeline.storage.store import Store
from pipeline.workflows.night.reconcile import reconcile
from pipeline.workflows.night.values import NightPlan, Summary
from pipeline.workflows.nightly import run_night

STOPPED, BROKEN = 3, 4
"""How a process ends whose night ended with a cause, or with something that is no cause."""


class Lost(Exception):
    """Something is not as after an undisturbed night."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How often a fault was injected, and what came of it, for people."""

    count: str
    result: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """`seconds` and `whole`: how long an undisturbed night takes here, and all that it keeps."""

    place: Path
    folder: Path
    calls: int
    seed: int
    seconds: float
    whole: object

    @classmethod
    def made(cls, place: Path, calls: int, seed: int) -> "Ground":
        folder = recordings(place / "in", calls)
        bare = cls(place=place, folder=folder, calls=calls, seed=seed, seconds=0.0, whole=None)
        recordings(place / "warm", 1)
        replace(bare, folder=place / "warm").night(place / "warm.db")
        began = time.monotonic()
        bare.night(place / "whole.db")
        seconds = time.monotonic() - began
        return replace(bare, seconds=seconds, whole=kept(f"sqlite:///{place}/whole.db"))

    def chance(self) -> random.Random:
        return random.Random(self.seed)  # noqa: S311

    def smaller(self, name: str, calls: int) -> "Ground":
        return Ground.made(self.place / name, calls, self.seed)

    def night(self, path: Path, listener: FakeListener | None = None, **changes: Any) -> Summary:
        """Settings and tools by name."""
        with Store.open(f"sqlite:///{path}") as store:
            return night(self.folder, store, listener, **changes)

    def night_alone(self, path: Path, **changes: Any) -> Callable[[], None]:
        """A night for a process of its own, which ends with it; its cause in a file of the ground."""

        def work() -> None:
            try:
                self.night(path, **changes)
                status = 0
            except CallscoreError as error:
                status = _told(self._cause_of(path), STOPPED, str(error))
            except BaseException as error:
                status = _told(self._cause_of(path), BROKEN, "".join(traceback.format_exception(error)))
            os._exit(BROKEN if _is_held() else status)

        return work

    def cause(self, path: Path, status: int) -> str:
        """Why a night that was alone stopped, in one line; empty: it did not. Raises Lost: it ended in
        another way."""
        if status == 0:
            return ""
        file = self._cause_of(path)
        told = file.read_text(encoding="utf-8") if file.exists() else ""
        file.unlink(missing_ok=True)
        if not os.WIFEXITED(status) or os.WEXITSTATUS(status) != STOPPED or "\n" in told or not told:
            raise Lost(f"{path.name}: a night ended with {status}: {told}")
        return told

    def _cause_of(self, path: Path) -> Path:
        return self.place / f"{path.name}.cause"

    def left(self, path: Path) -> int:
        """How many calls are not in a database yet, which may be none."""
        raw = sqlite3.connect(path)
        try:
            (done,) = raw.execute("SELECT count(*) FROM transcripts").fetchone()
        except sqlite3.OperationalError:
            done = 0
        raw.close()
        return self.calls - done

    def resumed(self, path: Path, **changes: Any) -> int:
        """Let a night finish the work; how much it had to hear. Raises Lost: more than was left, or not all
        is as it should be."""
        left, listener = self.left(path), FakeListener()
        self.night(path, listener, **changes)
        if listener.heard != left:
            raise Lost(f"{path.name}: {left} were left, {listener.heard} were heard")
        self.check(path)
        return left

    def check(self, path: Path) -> None:
        """Raises Lost: a call is lost, there twice, or not the same to the byte."""
        if kept(f"sqlite:///{path}") != self.whole:
            raise Lost(f"{path.name}: not what an undisturbed night keeps")
        with Store.open(f"sqlite:///{path}") as store:
            found = reconcile(self.folder, None, store, tools(store).provenance)
            faults = store.quarantined()
        if not (found.adds_up and found.done == self.calls) or faults:
            raise Lost(f"{path.name}: {found}, {faults}")
        with sqlite3.connect(path) as raw:
            states = dict(raw.execute("SELECT state, count(*) FROM work GROUP BY state"))
        raw.close()
        if states != {"done": self.calls}:
            raise Lost(f"{path.name}: work is {states}")

    def removed(self, path: Path) -> None:
        for file in path.parent.glob(path.name + "*"):
            file.unlink()


def check_quarantined(path: Path, *recordings: Path) -> None:
    """Raises Lost: others are in quarantine, or not all of these."""
    with Store.open(f"sqlite:///{path}") as store:
        faults = store.quarantined()
    if sorted(fault.path for fault in faults) != sorted(map(str, recordings)):
        raise Lost(f"{path.name}: in quarantine are {faults}")


def split_off(work: Callable[[], object]) -> int:
    """The process that does it, and ends."""
    child = os.fork()
    if not child:
        work()
        os._exit(0)
    return child


def night(folder: Path, store: Store, listener: FakeListener | None = None, **changes: Any) -> Summary:
    """`changes` to the tools; `settings` and `plan` as dictionaries."""
    ready = tools(store, listener, **changes.pop("settings", {}))
    plan = NightPlan(folder=folder, **changes.pop("plan", {}))
    return run_night(plan, replace(ready, **changes), Notes())


def _told(file: Path, status: int, text: str) -> int:
    """Leave a cause behind, whatever limit this process was under."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    file.write_text(text, encoding="utf-8")
    return status


def _is_held() -> bool:
    """Whether a thread would keep this process from ending."""
    return any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread())


def recordings(folder: Path, count: int) -> Path:
    for number in range(count):
        beep(folder / f"c{number:05}.wav", 300 + number / 4, 0.7)
    return folder
