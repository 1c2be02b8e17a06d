"""Watches a child process at its system calls: kills it at the one that is named, has some of them fail or
never come back.

Linux; all threads of the child are watched, what it splits off is not. Only on x86-64 calls can fail.
"""

import ctypes
import os
import platform
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

CHANGES = {
    "x86_64": {18: "write", 74: "sync", 75: "sync", 77: "truncate", 82: "rename", 87: "unlink"}
    | {263: "unlink", 264: "rename", 316: "rename"},
    "aarch64": {68: "write", 82: "sync", 83: "sync", 46: "truncate", 35: "unlink", 38: "rename"}
    | {276: "rename"},
}.get(platform.machine(), {})
"""What changes a file, by its number. `write` is pwrite64, which databases use."""
OTHERS = {
    "x86_64": {0: "read", 17: "read", 217: "list", 257: "open", 262: "look"},
}.get(platform.machine(), {})
BY_NAME = ("open", "look")

SEIZE, INTERRUPT, SYSCALL, GET_INFO, POKE = 0x4206, 0x4207, 24, 0x420E, 6
SYSGOOD, CLONE, EXITKILL = 1, 8, 1 << 20
ENTRY, ALL_THREADS = 1, 0x40000000
AT_CALL = signal.SIGTRAP | 0x80
NUMBER_REGISTER, RESULT_REGISTER = 15 * 8, 10 * 8
_LIBC = ctypes.CDLL(None, use_errno=True)


class _Info(ctypes.Structure):
    _fields_ = (
        ("op", ctypes.c_uint8),
        ("pad", ctypes.c_uint8 * 3),
        ("arch", ctypes.c_uint32),
        ("ip", ctypes.c_uint64),
        ("sp", ctypes.c_uint64),
        ("number", ctypes.c_uint64),
        ("arguments", ctypes.c_uint64 * 8),
    )


@dataclass(frozen=True, slots=True)
class Point:
    """Before (`after` False) or after the `number`-th of the calls that change files, from 0."""

    number: int
    after: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """The `number`-th call of a kind to a file whose name ends so, from 0, fails with `error`, and with
    `lasting` all that follow. Without an error it takes so many `seconds`, without those for ever."""

    call: str
    ending: str = ""
    number: int = 0
    error: int = 0
    seconds: float = 0.0
    lasting: bool = False

    def is_for(self, call: str, file: str) -> bool:
        return call == self.call and file.endswith(self.ending)

    def fits(self, count: int) -> bool:
        return count == self.number or (self.lasting and count > self.number)


@dataclass(slots=True)
class Watched:
    """How the child ended, as `os.waitpid` has it; the calls that changed files, in order, as they began; how
    often there was each kind of call to each file."""

    status: int = 0
    calls: list[str] = field(default_factory=list)
    files: Counter[tuple[str, str]] = field(default_factory=Counter)

    def times(self, call: str, ending: str) -> int:
        return sum(
            count for (name, file), count in self.files.items() if name == call and file.endswith(ending)
        )


def can_watch() -> bool:
    """Whether processes may be watched here, and made to fail."""
    try:
        return bool(CHANGES and OTHERS) and watched(lambda: None).status == 0
    except OSError:
        return False


def watched(work: Callable[[], None], point: Point | None = None, failing: Failing | None = None) -> Watched:
    """Do `work` in a process that is split off; kill it at `point`, have calls fail. Raises OSError: it is
    not allowed to watch processes here."""
    ready, go = os.pipe()
    child = os.fork()
    if not child:
        os.close(go)
        os.read(ready, 1)
        work()
        os._exit(0)
    os.close(ready)
    try:
        _ask(SEIZE, child, 0, SYSGOOD | CLONE | EXITKILL)
        _ask(INTERRUPT, child)
    except OSError:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    finally:
        os.write(go, b"!")
        os.close(go)
    return _Watch(child, point, failing).followed()


class _Watch:
    """`_under_way`: the calls that threads are in; `_fails`: the threads whose call is to fail."""

    def __init__(self, child: int, point: Point | None, failing: Failing | None) -> None:
        self._child, self._point, self._failing = child, point, failing
        self._seen = Watched()
        self._under_way: dict[int, int] = {}
        self._fails: set[int] = set()

    def followed(self) -> Watched:
        while True:
            thread, status = os.waitpid(-1, ALL_THREADS)
            if os.WIFSTOPPED(status):
                self._stopped(thread, status)
            elif thread == self._child:
                self._seen.status = status
                return self._seen

    def _stopped(self, thread: int, status: int) -> None:
        stop, passed_on = os.WSTOPSIG(status), 0
        if stop == AT_CALL:
            if self._is_the_end(thread):
                os.kill(self._child, signal.SIGKILL)
                return
            if thread in self._fails and self._never_comes_back():
                return
        elif not status >> 16:
            passed_on = stop
        _ask_if_there(SYSCALL, thread, 0, passed_on)

    def _is_the_end(self, thread: int) -> bool:
        info = _Info()
        if not _ask_if_there(GET_INFO, thread, ctypes.sizeof(info), ctypes.addressof(info)):
            return False
        at = self._begun(thread, info) if info.op == ENTRY else self._done(thread)
        return at is not None and at == self._point

    def _never_comes_back(self) -> bool:
        return self._failing is not None and not (self._failing.error or self._failing.seconds)

    def _begun(self, thread: int, info: _Info) -> Point | None:
        name = CHANGES.get(info.number) or OTHERS.get(info.number)
        if name is None:
            return None
        self._let_fail(thread, name, info)
        if info.number not in CHANGES:
            return None
        self._under_way[thread] = len(self._seen.calls)
        self._seen.calls.append(name)
        return Point(len(self._seen.calls) - 1)

    def _done(self, thread: int) -> Point | None:
        if thread in self._fails and self._failing:
            self._fails.remove(thread)
            _ask_if_there(POKE, thread, RESULT_REGISTER, -self._failing.error)
        number = self._under_way.pop(thread, None)
        return None if number is None else Point(number, after=True)

    def _let_fail(self, thread: int, name: str, info: _Info) -> None:
        wanted, file = self._failing, _file(thread, name, info)
        if wanted and wanted.is_for(name, file) and wanted.fits(self._seen.times(wanted.call, wanted.ending)):
            time.sleep(wanted.seconds)
            if not wanted.seconds:
                self._fails.add(thread)
                _ask_if_there(POKE, thread, NUMBER_REGISTER, -1)
        self._seen.files[name, file] += 1


def _file(thread: int, call: str, info: _Info) -> str:
    """The file that a call is for."""
    try:
        if call not in BY_NAME:
            return os.readlink(f"/proc/{thread}/fd/{info.arguments[0]}")
        with open(f"/proc/{thread}/mem", "rb", buffering=0) as memory:
            memory.seek(info.arguments[1])
            return os.fsdecode(memory.read(4096).partition(b"\0")[0])
    except OSError:
        return ""


def _ask(what: int, thread: int, first: int = 0, second: int = 0) -> None:
    if _LIBC.ptrace(what, thread, ctypes.c_void_p(first), ctypes.c_void_p(second)) == -1:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def _ask_if_there(what: int, thread: int, first: int, second: int) -> bool:
    """False: the thread was killed meanwhile."""
    try:
        _ask(what, thread, first, second)
    except ProcessLookupError:
        return False
    return True
