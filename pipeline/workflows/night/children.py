"""Child processes that decode: what a damaged or hostile recording does to them stays with them.

Each does one job after the other. What they make comes back in memory that both processes map, not through a
pipe.
"""

import mmap
import os
import pickle
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import reduction
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Queue
from typing import Any

from pipeline.errors import BadInput, CallscoreError, Exhausted
from pipeline.media.container import check_exhausted
from pipeline.workflows.night.child import MOST_STARTS, READY, START_SECONDS, Child, begin, cannot_start
from pipeline.workflows.night.job import Job, Made, Prepare

JOBS_IN_A_LIFE = 500
"""A library that loses a little memory with each file loses it with the process."""
BASE_SECONDS, SECONDS_PER_MB = 30.0, 60.0
"""Time for a recording of that size: forty times what the slowest takes here (six kilobits a second)."""
MB, GB = 1 << 20, 1 << 30
LOADS = ("pipeline.workflows.night.preparing", "pipeline.speech.prepare")


class ChildFailed(CallscoreError):
    """A child died of a job or went beyond a limit. `tries`: so often was it tried."""

    def __init__(self, message: str, *, tries: int = 1) -> None:
        super().__init__(message, hint="其余照常；callscore quarantine retry 再试")
        self.tries = tries


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """For one recording: seconds at most, memory beyond that of an idle child, bytes that may come back."""

    seconds: float
    memory: int
    result: int

    def seconds_for(self, size: int) -> float:
        """By the clock, for a file of so many bytes."""
        return min(self.seconds, BASE_SECONDS + SECONDS_PER_MB * size / MB)


class Children:
    """At most `count` child processes; as many threads may call it at the same time."""

    def __init__(self, make: Callable[[], Prepare], limits: Limits, count: int) -> None:
        self._make, self._limits = make, limits
        self._idle: Queue[_Child | None] = Queue()
        for _ in range(count):
            self._idle.put(None)
        self._all: set[_Child] = set()
        self._lock = threading.Lock()

    def __call__(self, job: Job, tries: int) -> Made:
        """Raises BadInput, ChildFailed, or what else the job raises in the child. A child that dies is asked
        again, `tries` times in all; one that went beyond a limit is not."""
        why = ""
        for _ in range(tries):
            with self._one() as child:
                made = child.ask(job, self._limits)
            if not isinstance(made, _Died):
                return made
            why = made.why
        raise ChildFailed(f"{job.path}：解码进程崩溃（{why}），试了 {tries} 次", tries=tries)

    def start(self) -> None:
        """Have one more ready before it is needed."""
        with self._one():
            """Started."""

    def close(self) -> None:
        """Ends them all; one that is at work is killed."""
        with self._lock:
            children, self._all = self._all, set()
        for child in children:
            child.end()

    @contextmanager
    def _one(self) -> "Iterator[_Child]":
        child = self._idle.get()
        try:
            if child is None or child.is_used_up:
                child = self._renewed(child)
            yield child
        finally:
            self._idle.put(child)

    def _renewed(self, old: "_Child | None") -> "_Child":
        child = _Child(self._make, self._limits)
        with self._lock:
            if old is not None:
                old.end()
                self._all.discard(old)
            self._all.add(child)
        return child


@dataclass(frozen=True, slots=True)
class _Died:
    why: str


class _Child:
    """One process that decodes."""

    def __init__(self, make: Callable[[], Prepare], limits: Limits) -> None:
        """Raises what loading raised, ModelError where they die of it: no recording is to blame."""
        self._process, self.jobs = _ready(make, limits), 0
        self._line, self.end = self._process.line, self._process.end

    @property
    def is_used_up(self) -> bool:
        return not self._process.is_alive or self.jobs >= JOBS_IN_A_LIFE

    def ask(self, job: Job, limits: Limits) -> Made | _Died:
        """Raises what the job raised. Raises ChildFailed: it went beyond a limit."""
        self.jobs += 1
        seconds = limits.seconds_for(job.stamp.size)
        try:
            self._line.send((job, seconds))
            if not self._line.poll(seconds):
                self.end()
                raise ChildFailed(f"{job.path}：解码超过 {seconds:.0f} 秒没有完，已停下")
            told = self._line.recv()
            if isinstance(told, list):
                return self._taken(told, job, limits)
        except (EOFError, OSError) as error:
            check_exhausted(error)
            return self._died(job)
        raise told

    def _taken(self, sizes: list[int], job: Job, limits: Limits) -> Made:
        if sum(sizes) > limits.result:
            self.end()
            raise ChildFailed(f"{job.path}：解出的声音有 {sum(sizes) / GB:.1f} GB，太长")
        handle = reduction.recv_handle(self._line)
        try:
            made = _unpacked(handle, sizes)
        finally:
            os.close(handle)
        return made

    def _died(self, job: Job) -> _Died:
        self.end()
        if self._process.code == -signal.SIGXCPU:
            raise ChildFailed(f"{job.path}：解码用的处理器时间过长，已停下")
        return _Died(self._process.fate)


def _ready(make: Callable[[], Prepare], limits: Limits) -> Child:
    for _ in range(MOST_STARTS):
        child = Child(_serve, make, limits, loads=LOADS)
        if child.becomes_ready(START_SECONDS):
            return child
    raise cannot_start()


def _serve(line: Connection, make: Callable[[], Prepare], limits: Limits) -> None:
    """The life of a child: a job, an answer, until the other side is gone."""
    begin()
    try:
        prepare = make()
    except CallscoreError as error:
        line.send(error)
        return
    line.send(READY)
    _limit_memory(limits.memory)
    while True:
        try:
            job, seconds = line.recv()
            _limit_processor(seconds)
            _answer(line, prepare, job)
        except (EOFError, OSError):
            return


def _answer(line: Connection, prepare: Prepare, job: Job) -> None:
    try:
        made = prepare(job)
        packed = _packed(made)
        del made
    except MemoryError:
        line.send(ChildFailed(f"{job.path}：解码要的内存超过限制，已停下"))
    except (BadInput, Exhausted) as error:
        line.send(error)
    except Exception as error:
        line.send(unexpected(job, error))
    else:
        handle, sizes = packed
        line.send(sizes)
        reduction.send_handle(line, handle, os.getppid())
        os.close(handle)


def unexpected(job: Job, error: Exception) -> CallscoreError:
    """A mistake of the program, told by its place."""
    return CallscoreError(f"{job.path}：处理失败（{place(error)}）", hint="其余照常；把这一行报给维护者")


def place(error: Exception) -> str:
    """Where in the program it failed. The error's own text stays out: it might hold what was said."""
    at, frame = "?", error.__traceback__
    while frame is not None:
        at = f"{os.path.basename(frame.tb_frame.f_code.co_filename)}:{frame.tb_lineno}"
        frame = frame.tb_next
    return f"{type(error).__name__}，{at}"


def _packed(made: Made) -> tuple[int, list[int]]:
    """A result in a file without a name: its handle, and the sizes of its parts."""
    buffers: list[pickle.PickleBuffer] = []
    parts: list[Any] = [pickle.dumps(made, protocol=5, buffer_callback=buffers.append)]
    parts += [buffer.raw() for buffer in buffers]
    handle = os.memfd_create("prepared")
    with open(handle, "wb", closefd=False) as file:
        for part in parts:
            file.write(part)
    return handle, [len(part) for part in parts]


def _unpacked(handle: int, sizes: list[int]) -> Made:
    """The result; its arrays lie in the mapped memory, which goes with the last of them."""
    whole = memoryview(mmap.mmap(handle, sum(sizes), access=mmap.ACCESS_COPY))
    parts, at = [], 0
    for size in sizes:
        parts.append(whole[at : at + size])
        at += size
    made: Made = pickle.loads(parts[0], buffers=parts[1:])  # noqa: S301 - our own child wrote it
    return made


def _limit_memory(allowed: int) -> None:
    if sys.platform != "linux":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    most = pages * resource.getpagesize() + allowed
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _limit_processor(seconds: float) -> None:
    """From now on."""
    if sys.platform == "win32":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    most = int(used.ru_utime + used.ru_stime + seconds) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (most, resource.getrlimit(resource.RLIMIT_CPU)[1]))
