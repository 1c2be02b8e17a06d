"""What processes cost, with everything below them, the dead included. Linux only."""

import ctypes
import os
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import psutil

PR_SET_CHILD_SUBREAPER = 36
LOOK_SECONDS = 0.1
MB = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Seconds on the clock and of all processors; memory at its highest, of all processes together. `first`:
    processor seconds of the first command without what is below it."""

    seconds: float
    processor: float
    megabytes: float = 0.0
    first: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """What is run, with more in its environment. `cores`: it and all below it get no more of them."""

    line: Sequence[str]
    environ: Mapping[str, str]
    cores: int | None = None

    def start(self) -> psutil.Popen:
        return psutil.Popen(
            self.line,
            env={**os.environ, **self.environ},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            preexec_fn=self._keep_to_cores,
        )

    def _keep_to_cores(self) -> None:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: self.cores])


def spent() -> float:
    """Processor seconds so far: of this process, of all that live below it, of all that ended below it."""
    total = 0.0
    for process in (psutil.Process(), *psutil.Process().children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            total += sum(process.cpu_times()[:4])
    return total


def timed(work: Callable[[], object]) -> Cost:
    """Work in this process and in children that it starts."""
    before, began = spent(), time.perf_counter()
    work()
    return Cost(seconds=time.perf_counter() - began, processor=spent() - before)


def run(*commands: Command, killed_when: Callable[[], bool] | None = None) -> Cost:
    """All of them side by side to the end, or until they are to be killed. Raises RuntimeError: it failed."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    others = set(psutil.Process().children())
    before, began, highest, first = spent(), time.perf_counter(), 0.0, 0.0
    running = there = [command.start() for command in commands]
    killed = False
    while running:
        _, running = psutil.wait_procs(running, timeout=LOOK_SECONDS)
        highest, first = max(highest, _memory(there)), max(first, _own(there[0]))
        if not killed and killed_when and killed_when():
            killed = True
            for process in running:
                process.kill()
    seconds = time.perf_counter() - began
    _reap(others)
    for process in there:
        _check(process, killed=killed)
    return Cost(seconds=seconds, processor=spent() - before, megabytes=highest, first=first)


def _own(process: psutil.Process) -> float:
    """Without those below it; 0: it ended."""
    with suppress(psutil.NoSuchProcess):
        return float(sum(process.cpu_times()[:2]))
    return 0.0


def _memory(processes: Sequence[psutil.Popen]) -> float:
    total = 0
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            below = process.children(recursive=True)
            total += sum(_resident(one) for one in (process, *below))
    return total / MB


def _resident(process: psutil.Process) -> int:
    with suppress(psutil.NoSuchProcess):
        return int(process.memory_info().rss)
    return 0


def _reap(others: set[psutil.Process]) -> None:
    """End and wait for what a killed process left below it, so that its time counts."""
    while orphans := set(psutil.Process().children()) - others:
        for orphan in orphans:
            with suppress(psutil.NoSuchProcess):
                orphan.kill()
            with suppress(ChildProcessError):
                os.waitpid(orphan.pid, 0)


def _check(process: psutil.Popen, *, killed: bool) -> None:
    told = process.stderr.read().decode(errors="replace")
    process.stderr.close()
    if process.returncode and not killed:
        raise RuntimeError(f"exit code {process.returncode}: {told[-2000:]}")
