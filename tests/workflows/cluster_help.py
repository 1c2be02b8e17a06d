"""Ray clusters of several nodes on this machine, and nights on them."""

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from night_help import tools

from pipeline.media.places import place
from pipeline.storage.store import Store
from pipeline.workflows.night.cluster.messages import NO_MORE, Broken, call_of, said_of
from pipeline.workflows.night.cluster.node import Recognizer
from pipeline.workflows.night.hearing import Failed, Heard
from pipeline.workflows.night.job import Job
from pipeline.workflows.night.jobs import Walk
from pipeline.workflows.night.values import NightPlan, Summary

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
OURS = {"PYTHONPATH": f"{ROOT}{os.pathsep}{HERE}", "RAY_USAGE_STATS_ENABLED": "0"}


class RayCluster:
    """A head that hears nothing, and nodes. `seconds` each call takes there."""

    def __init__(self, files: Path, seconds: float = 0.0) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "ray_cluster.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=os.environ | OURS | {"CALL_SECONDS": str(seconds), "RAY_TMPDIR": str(files)},
        )
        self.address = self._line()

    def add(self, cores: int = 1) -> str:
        return self._do(f"add {cores}")

    def kill(self, node: str) -> None:
        self._do(f"kill {node}")

    def kill_head(self) -> None:
        self._do("head")

    def close(self) -> None:
        self._process.communicate(timeout=60)

    def _do(self, order: str) -> str:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{order}\n")
        self._process.stdin.flush()
        return self._line()

    def _line(self) -> str:
        assert self._process.stdout is not None
        while line := self._process.stdout.readline():
            if not line.startswith(("20", "[")):  # what Ray prints by itself
                return line.strip()
        raise RuntimeError("the cluster is gone")


class NightOnCluster:
    """A night in a process of its own; without an address one at home."""

    def __init__(self, folder: str, database: Path, address: str = "", seconds: float = 0.0) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "night_on_cluster.py"), folder, f"sqlite:///{database}", address],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | OURS | {"CALL_SECONDS": str(seconds)},
        )

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    def end(self, seconds: float = 120) -> dict[str, Any]:
        """How it ended."""
        out, wrong = self._process.communicate(timeout=seconds)
        if not out.strip():
            raise AssertionError(f"no answer, exit code {self._process.returncode}: {wrong[-2000:]}")
        told: dict[str, Any] = json.loads(out.splitlines()[-1])
        return told


def stored(path: Path, calls: int, seconds: float = 60) -> None:
    """Waits until a night has kept so many."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as raw:
            if raw.execute("SELECT count(*) FROM transcripts").fetchone()[0] >= calls:
                return
        time.sleep(0.1)
    raise AssertionError(f"not {calls} calls in {seconds} seconds")


def answered(recognizer: Recognizer, asked: Iterable[Job]) -> list[Heard | Failed | Broken]:
    """What a node tells of calls that it is given as it asks for them, until all is told or it is broken."""
    hand: dict[str, Job] = {}
    told: list[Heard | Failed | Broken] = []
    rest = iter(asked)
    while True:
        said = said_of(recognizer.said(), hand)
        if said is not None:
            told.append(said)
        elif (job := next(rest, None)) is not None:
            hand[job.sha256] = job
            recognizer.give(call_of(job))
        elif len(told) < len(hand):
            recognizer.give(NO_MORE)
        if isinstance(said, Broken) or (said is None and len(told) == len(hand)):
            return told


def jobs(folder: str | Path) -> list[Job]:
    """What a night would do."""
    with Store.open("sqlite://") as store:
        told = type("Told", (), {name: lambda *_: None for name in ("quarantine", "notice", "passed")})()
        return list(Walk(NightPlan(folder=place(folder)), tools(store), None, told).jobs(Summary()))
