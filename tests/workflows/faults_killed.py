"""Nights that are killed: at random moments, at each call that changes a file, with their children."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from night_children import Dying, preparing
from night_ground import Ground, Lost, Outcome, split_off
from syscalls import Point, watched

from pipeline.storage.store import Store

SAME = "一通不少，没有一通做两次，全部内容与没受打扰的一夜逐字节相同；接着做只做剩下的"
CALLS_AT_POINTS = 4
WRITE = "write"
CALLS_IN_HAND = 3
"""Times as many as elsewhere, so that both processes have some in hand."""
WORKERS_KILLER = Path(__file__).parent / "night_workers_killer.py"


def at_random(ground: Ground, count: int) -> Outcome:
    chance = ground.chance()

    def kill(path: Path) -> bool:
        night = split_off(ground.night_alone(path))
        time.sleep(chance.uniform(0, max(0.5, ground.seconds / 5)))
        return _killed(night)

    archives = _until_killed(ground, count, kill)
    return Outcome(f"{count} 次", f"{archives} 次各 {ground.calls} 通：{SAME}")


def _until_killed(ground: Ground, count: int, kill: Callable[[Path], bool]) -> int:
    """Each archive is worked on by nights until one comes through, and more are, until so many were killed;
    how many archives it took."""
    killed, archives = 0, 0
    while killed < count:
        path = ground.place / f"killed{archives}.db"
        while killed < count and kill(path):
            killed += 1
        ground.resumed(path)
        ground.removed(path)
        archives += 1
    return archives


def _killed(night: int) -> bool:
    """Whether it was still at work."""
    os.kill(night, signal.SIGKILL)
    _, status = os.waitpid(night, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise Lost(f"a night ended by itself with {os.WEXITSTATUS(status)}")
    return os.WIFSIGNALED(status)


def at_each_point(ground: Ground, count: int) -> Outcome:
    """Before and after each call of an undisturbed night that writes, syncs, cuts, renames or removes a
    file; `count` of them where there are more, the many writes last."""
    small = ground.smaller("points", CALLS_AT_POINTS)
    whole = watched(small.night_alone(small.place / "calls.db"))
    points = [Point(number, after) for number in range(len(whole.calls)) for after in (False, True)]
    ground.chance().shuffle(points)
    chosen = sorted(points, key=lambda point: whole.calls[point.number] == WRITE)[:count]
    for point in chosen:
        path = small.place / f"point{point.number}{point.after}.db"
        watched(small.night_alone(path), point)
        small.resumed(path)
        small.removed(path)
    kinds = "、".join(f"{kind} {times}" for kind, times in sorted(Counter(whole.calls).items()))
    told = f"{CALLS_AT_POINTS} 通的一夜（连同建库）改动文件的系统调用有 {len(whole.calls)} 个（{kinds}）"
    others = sum(whole.calls[point.number] != WRITE for point in chosen)
    return Outcome(f"{len(chosen)} 处", f"{told}，除了 write 的占 {others} 处：{SAME}")


def of_a_decoder(ground: Ground, count: int) -> Outcome:
    """Half of all recordings are being decoded when their process is killed: the night goes on."""
    killed, nights = 0, 0
    while killed < count:
        path, dying = (
            ground.place / f"decoder{nights}.db",
            Dying(ground.place / f"deaths{nights}", ground.seed),
        )
        ground.night(path, settings={"readers": 2}, prepare=dying)
        ground.check(path)
        ground.removed(path)
        killed, nights = killed + dying.deaths(), nights + 1
    told = f"{nights} 夜各 {ground.calls} 通，一夜也没有停：一通不少，全部内容与没受打扰的一夜逐字节相同"
    return Outcome(f"{killed} 次", told)


def with_its_decoders(ground: Ground, count: int) -> Outcome:
    """The coordinator is killed while its children decode; none of them outlives it."""
    chance = ground.chance()

    def kill(path: Path) -> bool:
        night = split_off(ground.night_alone(path, settings={"readers": 2}, prepare=preparing))
        below = _awaited(night)
        time.sleep(chance.uniform(0, ground.seconds / 2))
        was_at_work = _killed(night)
        _check_gone(below)
        return was_at_work

    archives = _until_killed(ground, count, kill)
    return Outcome(f"{count} 次", f"{archives} 次各 {ground.calls} 通，没有留下一个解码进程；{SAME}")


def of_recognition(ground: Ground, count: int) -> Outcome:
    """The processes that recognize, those that decode for them, and the coordinator; words known by heart."""
    return _killed_by_another(ground, count, "--calls", str(CALLS_IN_HAND * ground.calls))


def of_the_real_one(ground: Ground, count: int) -> Outcome:
    """`callscore nightly` over data/demo with the model that comes along, two processes that recognize."""
    return _killed_by_another(ground, count, "--model", "base")


def _killed_by_another(ground: Ground, count: int, *options: str) -> Outcome:
    """By a program of its own. Raises Lost: what it says."""
    given = ["--seed", str(ground.seed), "--kills", str(count), *options]
    done = subprocess.run(
        [sys.executable, str(WORKERS_KILLER), *given], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Lost(done.stderr.strip().splitlines()[-1])
    counts = json.loads(done.stdout.splitlines()[-1])
    kills = f"{counts['below'] + counts['coordinator']} 次（协调进程 {counts['coordinator']} 次）"
    stopped = f"；还没起来就连着被杀的 {counts['stopped']} 夜停下并写明原因" if counts["stopped"] else ""
    again = f"；连着被杀三次、隔离后重试的 {counts['quarantined']} 通" if counts["quarantined"] else ""
    return Outcome(kills, f"{counts['runs']} 次各 {counts['recordings']} 通：{SAME}{stopped}{again}")


def side_by_side(ground: Ground, count: int) -> Outcome:
    """So many nights at once on one folder share its recordings, and one of them is killed."""
    path = ground.place / "shared.db"
    Store.open(f"sqlite:///{path}").close()
    nights = [split_off(ground.night_alone(path)) for _ in range(count)]
    time.sleep(ground.seconds / 2)
    os.kill(nights[0], signal.SIGKILL)
    ended = [os.waitpid(process, 0)[1] for process in nights]
    if any(ended[1:]):
        raise Lost(f"nights side by side ended with {ended}")
    ground.resumed(path)
    ground.removed(path)
    return Outcome(f"{count} 夜同时跑，杀掉一夜", f"分着做完；{SAME}")


def _awaited(process: int) -> list[int]:
    """The decoders of a night, when there are some, and the server that they come from; none: it is over."""
    while _runs(process):
        servers = _children(process)
        decoders = [two for one in servers for two in _children(one)]
        if decoders:
            return [*servers, *decoders]
        time.sleep(0.02)
    return []


def _check_gone(processes: list[int]) -> None:
    for _ in range(250):
        there = [process for process in processes if _runs(process)]
        if not there:
            return
        time.sleep(0.02)
    raise Lost(f"processes that outlive their night: {there}")


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _children(process: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found
