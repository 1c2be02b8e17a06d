"""Nights on a machine that fails: the disk, the database, open files, the clock."""

import contextlib
import errno
import itertools
import os
import resource
import shutil
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

from faults_killed import CALLS_AT_POINTS, SAME
from night_children import preparing
from night_ground import Ground, Lost, Outcome, check_quarantined, night, split_off
from night_help import NOON
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from syscalls import Failing, watched

from pipeline.storage.store import Store

KB = 1024
DISK = {"write": errno.ENOSPC}
BROKEN_DISK = {"write": errno.EIO, "sync": errno.EIO, "read": errno.EIO}
DATABASE_FILES = (".db", ".db-wal")
OPEN_FILES_BEYOND = 32
"""A night needs fewer, beyond those of the process that it is split off from."""


def full_disk(ground: Ground, count: int) -> Outcome:
    """A small file system of its own that is full at another place each time; it is made larger then."""
    needed = (ground.folder.parent / "whole.db").stat().st_size // KB
    with _small_disk(ground.place / "disk") as resized:
        if resized is None:
            return _full_by_the_system(ground, count)
        stopped = 0
        for number in range(count):
            path = ground.place / "disk" / f"full{number}.db"
            if not resized(needed * (number + 1) // (count + 1)):
                raise Lost("the disk could not be made smaller")
            stopped += _is_full(ground, path)
            resized(64 * needed)
            ground.resumed(path)
            ground.removed(path)
    return Outcome(f"{stopped} 次", f"真的 tmpfs，每次满在别处；停下并写明“disk is full”；加大后：{SAME}")


def _is_full(ground: Ground, path: Path) -> bool:
    """Whether a night stops. Raises Lost: for another cause."""
    _, status = os.waitpid(split_off(ground.night_alone(path)), 0)
    told = ground.cause(path, status)
    if told and not ("full" in told and "腾出地方" in told):
        raise Lost(f"another cause: {told}")
    return bool(told)


@contextlib.contextmanager
def _small_disk(at: Path) -> Iterator[Callable[[int], object] | None]:
    """A tmpfs whose size in KiB can be set; None: it may not be mounted here."""
    at.mkdir(exist_ok=True)
    if not _done("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(at)):
        yield None
        return
    try:
        yield lambda size: _done("mount", "-o", f"remount,size={size}k", str(at))
    finally:
        _done("umount", "-l", str(at))


def _done(*command: str) -> bool:
    """Whether it could be done."""
    if not shutil.which(command[0]):
        return False
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _full_by_the_system(ground: Ground, count: int) -> Outcome:
    told = _failing_calls(ground.smaller("full", CALLS_AT_POINTS), count, DISK, lasting=True)
    return Outcome(told.count, f"这里不能挂 tmpfs，改为让写入报“没有空间”；{told.result}；{SAME}")


def broken_disk(ground: Ground, count: int) -> Outcome:
    """Reads, writes and syncs of the database fail, once or from then on."""
    small = ground.smaller("broken", CALLS_AT_POINTS)
    once = _failing_calls(small, count - count // 2, BROKEN_DISK, lasting=False)
    lasting = _failing_calls(small, count // 2, BROKEN_DISK, lasting=True)
    return Outcome(f"{once.count}，{lasting.count}", f"{once.result}；{lasting.result}；{SAME}")


def _failing_calls(ground: Ground, count: int, errors: dict[str, int], *, lasting: bool) -> Outcome:
    """Each call of the kinds in `errors` to the files of the database, or `count` of them."""
    undisturbed = watched(ground.night_alone(ground.place / f"count{lasting}.db"))
    chances = [
        Failing(call=call, ending=ending, number=number, error=error, lasting=lasting)
        for (call, error), ending in itertools.product(errors.items(), DATABASE_FILES)
        for number in range(undisturbed.times(call, ending))
    ]
    chosen = chances if count >= len(chances) else ground.chance().sample(chances, count)
    ended = Counter(_failed(ground, number, one) for number, one in enumerate(chosen))
    how = "从某一次起一直" if lasting else "某一次"
    told = f"{how}出错：{ended[True]} 夜停下并写明原因，{ended[False]} 夜等一会儿做完"
    return Outcome(f"{how} {len(chosen)} 处", told)


def _failed(ground: Ground, number: int, failing: Failing) -> bool:
    """Whether the night stopped; it is done to its end later."""
    path = ground.place / f"failing{number}.db"
    wait = 0.0 if failing.lasting else 0.05
    ended = watched(ground.night_alone(path, settings={"database_wait_minutes": wait}), None, failing)
    told = ground.cause(path, ended.status)
    ground.resumed(path)
    ground.removed(path)
    return bool(told)


def too_many_files(ground: Ground, count: int) -> Outcome:
    """So many files may be open, and no more: from too few to start with on."""
    free, told = _free_numbers(), Counter[str]()
    step = max(1, OPEN_FILES_BEYOND // count)
    for number in range(count):
        path = ground.place / f"files{number}.db"
        readers = 2 if number % 2 else 0
        most = free[number * step]
        child = split_off(lambda: _limited(ground, path, readers, most))  # noqa: B023
        _, status = os.waitpid(child, 0)
        told[ground.cause(path, status).partition("：")[0]] += 1
        check_quarantined(path)
        ground.resumed(path)
        ground.removed(path)
    stopped = count - told[""]
    return Outcome(f"{count} 种上限", f"{stopped} 夜停下并写明原因，{told['']} 夜够用；放开后：{SAME}")


def _limited(ground: Ground, path: Path, readers: int, most: int) -> None:
    settings = {"readers": readers, "database_wait_minutes": 0}
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    ground.night_alone(path, settings=settings, prepare=preparing)()


def _free_numbers() -> list[int]:
    """Those that files which are opened would get, in order."""
    taken = set(map(int, os.listdir("/proc/self/fd")))
    return [number for number in range(4 * OPEN_FILES_BEYOND) if number not in taken]


def database_gone(ground: Ground, count: int) -> Outcome:
    """Every transaction fails for `count` seconds, from the middle of the night on."""
    path, began = ground.place / "gone.db", time.monotonic()
    until: list[float] = []
    with Store.open(f"sqlite:///{path}") as store:
        begun = itertools.count()

        @event.listens_for(store._engine, "begin")
        def _(connection: object) -> None:
            if next(begun) == ground.calls:
                until.append(time.monotonic() + count)
            if until and time.monotonic() < until[0]:
                raise OperationalError("", None, sqlite3.OperationalError("unable to open database file"))

        night(ground.folder, store)
    if not until or time.monotonic() - began < count:
        raise Lost("the database was not gone")
    ground.check(path)
    return Outcome(f"{count} 秒", f"等它回来接着做，不用人管；{SAME}")


def database_locked(ground: Ground, count: int) -> Outcome:
    """Another program holds the database for `count` seconds."""
    path = ground.place / "locked.db"
    Store.open(f"sqlite:///{path}").close()
    other = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(count, lambda: other.execute("COMMIT")).start()
    began = time.monotonic()
    ground.night(path)
    other.close()
    if time.monotonic() - began < count:
        raise Lost("the database was not locked")
    ground.check(path)
    return Outcome(f"{count} 秒", f"等它放开接着做，不用人管；{SAME}")


def jumping_clock(ground: Ground, count: int) -> Outcome:
    """The clock goes a year ahead and back at every look, while another night works beside this one."""
    path = ground.place / "clock.db"
    jumps = itertools.cycle([timedelta(), timedelta(days=count), timedelta(days=-count)])
    for _ in range(2):
        ground.night(path, clock=lambda: NOON + next(jumps))
    ground.resumed(path)
    return Outcome(f"前后各 {count} 天", f"活着的一夜不会被抢，一通也没有做两次；{SAME}")
