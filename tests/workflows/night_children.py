"""What child processes are asked to do in these tests; imported by them by name."""

import os
import random
import signal
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.errors import ModelError
from pipeline.media import peaks as waveform
from pipeline.settings import Settings
from pipeline.workflows.night.job import Job, Made, Prepare
from pipeline.workflows.night.preparing import loaded_as_counted


@dataclass(frozen=True, slots=True)
class Poison:
    """Goes wrong over files by the beginning of their names; `seen` gets a line for each try."""

    seen: Path

    def __call__(self) -> Prepare:
        return self._prepare

    def _prepare(self, job: Job) -> Made:
        with self.seen.open("a") as file:
            file.write(f"{job.path.name} {os.getpid()}\n")
        kind = job.path.name.partition("_")[0]
        if kind == "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
        if kind == "hang":
            time.sleep(600)
        if kind == "spin":
            while True:
                pass
        if kind == "hog":
            np.ones((8 << 30) // 8)
        if kind == "bug":
            raise RuntimeError("说了什么")
        return decoded(job)

    def tries(self) -> dict[str, int]:
        names = [line.split()[0] for line in self.seen.read_text().splitlines()]
        return {name: names.count(name) for name in names}


@dataclass(frozen=True, slots=True)
class Dying:
    """Half of the recordings kill the process that decodes them, at a random moment, the first time; `seen`
    gets a line for each."""

    seen: Path
    seed: int

    def __call__(self) -> Prepare:
        return self._prepare

    def _prepare(self, job: Job) -> Made:
        chance = random.Random(f"{self.seed} {self.seen.name} {job.path.name}")  # noqa: S311
        if chance.random() < 0.5 and job.path.name not in self._names():
            with self.seen.open("a") as file:
                file.write(f"{job.path.name}\n")
            death = threading.Timer(chance.uniform(0, 0.02), os.kill, (os.getpid(), signal.SIGKILL))
            death.start()
            decoded(job)
            death.join()
        return decoded(job)

    def _names(self) -> list[str]:
        return self.seen.read_text().split() if self.seen.exists() else []

    def deaths(self) -> int:
        return len(self._names())


def decoded(job: Job) -> Made:
    """Decoded and no more: a fake listener needs nothing else."""
    loaded = loaded_as_counted(job, Settings())
    return Made(ready=loaded.recording, peaks=waveform.peaks(loaded.samples))  # type: ignore[arg-type]


def preparing() -> Prepare:
    """Goes to child processes by its name."""
    return decoded


def broken() -> Prepare:
    raise ModelError("没有模型")


def deadly() -> Prepare:
    os._exit(3)
