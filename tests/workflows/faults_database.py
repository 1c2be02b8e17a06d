"""Databases that are copied while a night goes on, or brought up to date by a process that is killed."""

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "storage"))

from faults_killed import SAME
from night_ground import Ground, Lost, Outcome, split_off
from old_databases import EARLIER, at_revision, fill_the_rest, has_rows, rows_of, version_of
from syscalls import Point, watched

from pipeline.storage.copying import backup, restore
from pipeline.storage.database import HEAD
from pipeline.storage.store import Store


def backed_up(ground: Ground, count: int) -> Outcome:
    """Backups while a night goes on; each is put back and a night goes on from there."""
    path, copies, left = ground.place / "backed.db", [], []
    Store.open(f"sqlite:///{path}").close()
    night = split_off(ground.night_alone(path))
    while os.waitpid(night, os.WNOHANG)[0] == 0:
        copies.append(ground.place / f"backup{len(copies)}.db")
        backup(f"sqlite:///{path}", copies[-1])
        time.sleep(ground.seconds / count)
    ground.check(path)
    for copied in copies:
        again = copied.with_suffix(".again.db")
        restore(copied, f"sqlite:///{again}")
        left.append(ground.resumed(again))
    midway = sum(0 < one < ground.calls for one in left)
    return Outcome(f"{len(copies)} 份（{midway} 份在中途）", f"那一夜不受影响；每份恢复后接着做：{SAME}")


def upgraded(ground: Ground, count: int) -> Outcome:
    """Databases with each earlier schema, killed before and after each call that changes a file."""
    whole, points = ground.place / "now.db", 0
    backup(f"sqlite:///{ground.folder.parent}/whole.db", whole)
    fill_the_rest(f"sqlite:///{whole}")
    for revision in EARLIER:
        old = ground.place / f"{revision}.db"
        at_revision(old, revision, whole)
        points += _upgraded(ground, old, max(1, count // len(EARLIER)))
    told = "升到一半被杀，要么还是旧版，要么已是新版，再打开就升完；每张表的每一行、每个校验和都还在"
    return Outcome(f"{len(EARLIER)} 版，{points} 处", told)


def _upgraded(ground: Ground, old: Path, count: int) -> int:
    before, again = rows_of(old), old.with_suffix(".again.db")

    def upgrade() -> None:
        Store.open(f"sqlite:///{again}").close()

    _copied(old, again)
    calls = watched(upgrade).calls
    chances = [Point(number, after) for number in range(len(calls)) for after in (False, True)]
    for point in chances if count >= len(chances) else ground.chance().sample(chances, count):
        _copied(old, again)
        watched(upgrade, point)
        if version_of(again) not in (version_of(old), HEAD):
            raise Lost(f"{old.name} {point}: its schema is {version_of(again)}")
        upgrade()
        if version_of(again) != HEAD or not has_rows(again, before):
            raise Lost(f"{old.name} {point}: not all rows are there")
    return min(count, len(chances))


def _copied(old: Path, again: Path) -> None:
    for file in again.parent.glob(again.name + "*"):
        file.unlink()
    backup(f"sqlite:///{old}", again)
