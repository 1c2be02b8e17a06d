"""Nights over a folder that fails: it cannot be read, does not answer, goes away, changes meanwhile."""

import errno
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from faults_killed import SAME
from night_children import decoded
from night_ground import Ground, Lost, Outcome, check_quarantined
from night_help import NOON, beep
from night_listeners import FakeListener
from syscalls import Failing, watched

from pipeline.errors import NotFound
from pipeline.workflows.night.job import Job, Made

PATIENCE = {"folder_wait_minutes": 0.02}
WAYS_TO_READ = ("look", "open", "read")


def unreadable(ground: Ground, count: int) -> Outcome:
    """Looking at, opening and reading a recording fail with an error of the disk, at each call in turn."""
    chances = _chances(ground, errno.EIO)
    chosen = chances if count >= len(chances) else ground.chance().sample(chances, count)
    for number, failing in enumerate(chosen):
        path = ground.place / f"unreadable{number}.db"
        told = ground.cause(path, watched(ground.night_alone(path), None, failing).status)
        if told or ground.left(path) != 1:
            raise Lost(f"{failing}: {told} {ground.left(path)} were left")
        check_quarantined(path, _victim(ground))
        ground.resumed(path)
        ground.removed(path)
    told = "那一通隔离并写明原因，其余照常；下一夜自动再试"
    return Outcome(f"{len(chosen)} 处", f"{told}；{SAME}")


def _victim(ground: Ground) -> Path:
    return sorted(ground.folder.glob("*.wav"))[ground.calls // 2]


def _chances(ground: Ground, error: int) -> list[Failing]:
    name, undisturbed = _victim(ground).name, watched(ground.night_alone(ground.place / "count.db"))
    return [
        Failing(call=call, ending=name, number=number, error=error)
        for call in WAYS_TO_READ
        for number in range(undisturbed.times(call, name))
    ]


def dead(ground: Ground, count: int) -> Outcome:
    """Listing the folder, looking at, opening or reading a recording never comes back."""
    name = _victim(ground).name
    ways = [
        Failing(call="list", ending=f"/{ground.folder.name}", lasting=True),
        *(Failing(call=call, ending=name, lasting=True) for call in WAYS_TO_READ),
        Failing(call="read", ending=name, number=1, lasting=True),
    ]
    for number, failing in enumerate(ways[:count]):
        path = ground.place / f"dead{number}.db"
        told = ground.cause(path, watched(ground.night_alone(path, settings=PATIENCE), None, failing).status)
        if "没有回应" not in told:
            raise Lost(f"{failing}: {told}")
        check_quarantined(path)
        ground.resumed(path)
        ground.removed(path)
    told = "等到 folder_wait_minutes 就停下并写明原因，什么也不隔离；恢复后"
    return Outcome(f"{min(count, len(ways))} 处", f"{told}：{SAME}")


def slow(ground: Ground, count: int) -> Outcome:
    """Every read of a recording takes `count` milliseconds."""
    path = ground.place / "slow.db"
    failing = Failing(call="read", ending=".wav", seconds=count / 1000, lasting=True)
    ended = watched(ground.night_alone(path), None, failing)
    reads = ended.times("read", ".wav")
    if ground.cause(path, ended.status) or not reads:
        raise Lost("the folder was not slow")
    ground.check(path)
    return Outcome(f"每次读 {count} 毫秒，{reads} 次", f"慢，但做完；{SAME}")


def changing(ground: Ground, count: int) -> Outcome:
    return _meddled(ground, count, lambda path: beep(path, 777, 3.0))


def vanishing(ground: Ground, count: int) -> Outcome:
    return _meddled(ground, count, lambda path: path.unlink())


def _meddled(ground: Ground, count: int, meddle: Callable[[Path], object]) -> Outcome:
    """`count` recordings are no longer what they were when they are decoded; later they are again."""
    chosen = ground.chance().sample(sorted(ground.folder.glob("*.wav")), count)
    whole = {path: path.read_bytes() for path in chosen}
    database = ground.place / "meddled.db"

    def meddling(job: Job) -> Made:
        if job.path in whole:
            meddle(job.path)
        return decoded(job)

    summary = ground.night(database, prepare=lambda: meddling)
    if {fault.path for fault in summary.quarantined} != set(map(str, chosen)) or not all(
        "文件变了或被移走了" in fault.reason for fault in summary.quarantined
    ):
        raise Lost(f"in quarantine are {summary.quarantined}")
    for path, data in whole.items():
        path.write_bytes(data)
    ground.resumed(database)
    ground.removed(database)
    return Outcome(f"{count} 个", f"隔离并写明原因，其余照常；复原后下一夜做完；{SAME}")


def still_written(ground: Ground, count: int) -> Outcome:
    """`count` recordings were changed a moment ago: they are left alone until they have settled."""
    files, now = sorted(ground.folder.glob("*.wav")), NOON.timestamp()
    for path in files:
        os.utime(path, (now - 3600, now - 3600))
    for path in files[:count]:
        os.utime(path, (now - 5, now - 5))
    database, listener = ground.place / "written.db", FakeListener()
    summary = ground.night(database, listener, plan={"settled_seconds": 30})
    if (summary.pending, summary.quarantined, listener.heard) != (count, [], ground.calls - count):
        raise Lost(f"while some were written: {summary.counts()}")
    ground.night(database, listener, plan={"settled_seconds": 30}, clock=lambda: NOON + timedelta(minutes=1))
    if listener.heard != ground.calls:
        raise Lost(f"{listener.heard} of {ground.calls} were heard")
    ground.removed(database)
    return Outcome(f"{count} 个", "写完之前不碰，写完了就做，一通不少，没有一通做两次")


def unmounted(ground: Ground, count: int) -> Outcome:
    """The folder goes when the n-th recording is decoded, and comes back."""
    away = ground.place / "away"
    for number in range(count):
        database = ground.place / f"unmounted{number}.db"
        _goes(ground, database, away, after=number * ground.calls // count)
        away.rename(ground.folder)
        check_quarantined(database)
        ground.resumed(database)
        ground.removed(database)
    return Outcome(f"{count} 次", f"停下并写明原因，什么也不隔离；挂回来后：{SAME}")


def _goes(ground: Ground, database: Path, away: Path, after: int) -> None:
    decoded_so_far: list[Path] = []

    def unmounting(job: Job) -> Made:
        if len(decoded_so_far) == after:
            ground.folder.rename(away)
        decoded_so_far.append(job.path)
        return decoded(job)

    try:
        ground.night(database, prepare=lambda: unmounting)
    except NotFound as error:
        if "不见了" not in str(error):
            raise Lost(str(error)) from error
    if not away.exists():
        raise Lost("the folder did not go")
