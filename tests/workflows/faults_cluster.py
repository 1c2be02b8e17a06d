"""Nights on a Ray cluster of several nodes on this machine whose parts are killed."""

import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cluster_help import NightOnCluster, RayCluster, stored
from night_ground import Ground, Lost, Outcome, check_quarantined
from night_help import beep, kept

from pipeline.storage.night_records import MOST_TRIES
from pipeline.storage.store import Store

SAME = "一通不少，没有一通做两次，全部内容与一台机器上没受打扰的一夜逐字节相同"
CALLS, NODES, CALL_SECONDS = 120, 3, 0.2
LONGEST_PAUSE = 4.0
SLOW_NODES, SLOW_CALL_SECONDS = 2, 1.0
"""Nodes go on for a while without their head: so that there is more to do than that."""


def of_nodes(ground: Ground, count: int) -> Outcome:
    """Each that is killed is replaced at once."""
    ground, chance = ground.smaller("nodes", CALLS), ground.chance()
    killed = nights = 0
    while killed < count:
        path = ground.place / f"night{nights}.db"
        killed += _nodes_of_one_night(ground, path, chance, count - killed)
        ground.check(path)
        nights += 1
    return Outcome(f"{count} 个节点", f"{nights} 夜各 {CALLS} 通，一夜也没有停：{SAME}")


def _nodes_of_one_night(ground: Ground, path: Path, chance: random.Random, most: int) -> int:
    with _cluster(NODES) as (cluster, nodes):
        night = NightOnCluster(str(ground.folder), path, cluster.address)
        stored(path, 1)
        killed = 0
        while killed < most and night.is_running:
            cluster.kill(nodes.pop(chance.randrange(len(nodes))))
            nodes.append(cluster.add())
            killed += 1
            time.sleep(chance.uniform(0, LONGEST_PAUSE))
        _check_counts(night.end(600), scored=ground.calls, quarantined=0)
    return killed


def of_the_head(ground: Ground, count: int) -> Outcome:
    """The next night is on a cluster whose head was started again."""
    chance = ground.chance()
    for number in range(count):
        path = ground.place / f"head{number}.db"
        with _cluster(SLOW_NODES, SLOW_CALL_SECONDS) as (cluster, _):
            night = NightOnCluster(str(ground.folder), path, cluster.address)
            stored(path, 1)
            time.sleep(chance.uniform(0, LONGEST_PAUSE))
            cluster.kill_head()
            told = night.end()
        if "主节点没有应答" not in told.get("error", ""):
            raise Lost(f"{path.name}: the night ended with {told}")
        left = ground.left(path)
        with _cluster(NODES) as (cluster, _):
            night = NightOnCluster(str(ground.folder), path, cluster.address)
            _check_counts(night.end(), scored=left, quarantined=0)
        ground.check(path)
    result = f"停下并写明原因；主节点起来后再跑，只做剩下的，{count} 次各 {ground.calls} 通：{SAME}"
    return Outcome(f"{count} 次", result)


def by_recordings(ground: Ground, count: int) -> Outcome:
    """Recordings that kill whatever process recognizes them, among others that do not."""
    ground = ground.smaller("deadly", ground.calls)
    deadly = [beep(ground.folder / f"kill_{number}.wav", 3000 + number, 0.7) for number in range(count)]
    path = ground.place / "night.db"
    with _cluster(NODES) as (cluster, _):
        night = NightOnCluster(str(ground.folder), path, cluster.address)
        _check_counts(night.end(600), scored=ground.calls, quarantined=count)
    check_quarantined(path, *deadly)
    with Store.open(f"sqlite:///{path}") as store:
        tries = {fault.tries for fault in store.quarantined()}
    if tries != {MOST_TRIES} or kept(f"sqlite:///{path}") != ground.whole:
        raise Lost(f"{path.name}: after {tries} tries not what an undisturbed night keeps")
    return Outcome(
        f"{ground.calls + count} 通里 {count} 个",
        f"试 {MOST_TRIES} 次后隔离并写明原因；其余 {ground.calls} 通：{SAME}",
    )


@contextmanager
def _cluster(nodes: int, seconds: float = CALL_SECONDS) -> Iterator[tuple[RayCluster, list[str]]]:
    with tempfile.TemporaryDirectory(prefix="ray", dir="/tmp", ignore_cleanup_errors=True) as files:
        cluster = RayCluster(Path(files), seconds)
        try:
            yield cluster, [cluster.add() for _ in range(nodes)]
        finally:
            cluster.close()


def _check_counts(told: dict[str, Any], **wanted: int) -> None:
    if any(told.get(name) != count for name, count in wanted.items()):
        raise Lost(f"a night on a cluster ended with {told}, expected {wanted}")
