"""Nights under faults, long; writes docs/reliability.md.

    python tests/workflows/night_soak.py [--seed 1] [--kills 1000] [--poison 300] [--mutated 2000]

Transcription is faked (the words are known by heart), everything else is the real night: listing, claims,
child processes, rules, database. After each kind of fault everything that is kept is compared with an
undisturbed night, byte for byte.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from night_children import Poison
from night_help import FakeListener, Notes, beep, kept, tools

from pipeline.storage.store import Store
from pipeline.workflows.night.reconcile import reconcile
from pipeline.workflows.night.values import NightPlan, Summary
from pipeline.workflows.nightly import run_night

ROOT = Path(__file__).parents[2]
KILLER = Path(__file__).parent / "night_killer.py"
CALLS = 60
KINDS = ("crash", "spin", "hog", "bug")


PAGE = """# 可靠性（由 `make soak` 生成，请勿手改）

{day}，`{command}`。识别用假的（说的话事先写好），其余都是真的一夜：列目录、认领、解码子进程、规则、
数据库（SQLite）。

| 注入的故障 | 多少 | 结果 | 秒 |
|---|---|---|---|
{rows}

短的版本在 `make test` 里：`test_night_faults.py`（被杀、两夜同时跑、数据库锁住和连不上、磁盘满、
录音变了或被移走、还在写、时钟跳、文件夹没了、认领的进程没了）、`test_children.py`（崩溃、卡死、死循环、吃内存）、
`test_copying.py`（备份、恢复、搬库、从每一版升级时中途被杀）。
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One fault, how often, and what came of it."""

    fault: str
    count: str
    result: str
    seconds: float


def main() -> None:
    options = _options()
    lines: list[Line] = []
    with tempfile.TemporaryDirectory() as place:
        folder = _recordings(Path(place) / "in", CALLS)
        whole = Path(place) / "whole.db"
        _night(whole, folder)
        for name, share, how in (
            ("协调进程在随机时刻被 SIGKILL", 0.9, []),
            ("在前八次提交之前、之后轮流被 SIGKILL", 0.08, ["--commits"]),
            ("先杀一个解码子进程，再杀协调进程", 0.02, ["--readers", "2"]),
        ):
            kills = max(1, int(options.kills * share))
            lines.append(_timed(lambda k=kills, h=how, n=name: _killed(n, k, h, folder, whole, options.seed)))
        lines.append(_timed(lambda: _poisoned(Path(place) / "poison", options)))
        lines.append(_timed(lambda: _mutated(Path(place) / "mutated", options)))
    page = _page(lines, options)
    (ROOT / "docs" / "reliability.md").write_text(page, encoding="utf-8")
    print(page)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--poison", type=int, default=300)
    parser.add_argument("--mutated", type=int, default=2000)
    return parser.parse_args()


def _timed(work: Callable[[], Line]) -> Line:
    began = time.monotonic()
    line = replace(work(), seconds=time.monotonic() - began)
    print(line, flush=True)
    return line


def _recordings(folder: Path, count: int) -> Path:
    for number in range(count):
        beep(folder / f"c{number:05}.wav", 300 + number, 1.0)
    return folder


def _night(path: Path, folder: Path, **changes: object) -> Summary:
    with Store.open(f"sqlite:///{path}") as store:
        ready = replace(tools(store, FakeListener()), **changes)  # type: ignore[arg-type]
        return run_night(NightPlan(folder=folder), ready, Notes())


def _killed(name: str, kills: int, how: list[str], folder: Path, whole: Path, seed: int) -> Line:
    """Runs of so many kills over one archive each, until there were `kills`."""
    killed, runs, each = 0, 0, 16 if how == ["--commits"] else 10 if how else 40
    while killed < kills:
        path = whole.with_name(f"killed{runs}{len(how)}.db")
        given = [str(folder), f"sqlite:///{path}", str(seed + runs), str(min(each, kills - killed)), *how]
        done = subprocess.run(
            [sys.executable, str(KILLER), *given],
            check=True,
            capture_output=True,
            text=True,
        )
        told = json.loads(done.stdout)
        if told["last"] or kept(f"sqlite:///{path}") != kept(f"sqlite:///{whole}"):
            raise SystemExit(f"{name}: seed {seed + runs}: not as after an undisturbed night ({told})")
        with Store.open(f"sqlite:///{path}") as store:
            found = reconcile(folder, None, store, tools(store).provenance)
        if not (found.adds_up and found.done == CALLS):
            raise SystemExit(f"{name}: seed {seed + runs}: {found}")
        killed, runs = killed + told["killed"], runs + 1
        path.unlink()
    result = f"{runs} 次各 {CALLS} 通：一通不少，没有一通做两次，全部内容与没受打扰的一夜逐字节相同"
    return Line(fault=name, count=f"{killed} 次", result=result, seconds=0.0)


def _poisoned(folder: Path, options: argparse.Namespace) -> Line:
    _recordings(folder, options.poison)
    bad = max(len(KINDS), options.poison // 100)
    for number in range(bad):
        beep(folder / f"{KINDS[number % len(KINDS)]}_{number}.wav", 5000 + number, 1.0)
    poison, path = Poison(folder / "tries"), folder.with_name("poison.db")
    with Store.open(f"sqlite:///{path}") as store:
        ready = replace(tools(store, FakeListener(), readers=2, prepare_memory_gb=1), prepare=poison)
        summary = run_night(NightPlan(folder=folder), ready, Notes())
        again = run_night(NightPlan(folder=folder), ready, Notes())
        faults = store.quarantined()
    most = max(count for name, count in poison.tries().items() if name.partition("_")[0] in KINDS)
    if (summary.scored, len(faults)) != (options.poison, bad) or again.scored:
        raise SystemExit(f"poison: {summary}")
    result = f"好的 {options.poison} 通都做完，{bad} 个坏的都隔离并写明原因，两夜里每个最多试 {most} 次"
    return Line(fault="解码时崩溃、死循环、吃内存、出错的录音", count=f"{bad} 个", result=result, seconds=0.0)


def _mutated(folder: Path, options: argparse.Namespace) -> Line:
    """Demo recordings cut short and with bytes changed."""
    chance = random.Random(options.seed)  # noqa: S311
    seeds = [path for path in sorted((ROOT / "data/demo/audio").iterdir()) if path.is_file()]
    folder.mkdir()
    for number in range(options.mutated):
        source = seeds[number % len(seeds)]
        data = bytearray(source.read_bytes()[: chance.randint(64, 40_000)])
        for _ in range(chance.randint(1, 40)):
            data[chance.randrange(min(len(data), 2_000) if chance.random() < 0.5 else len(data))] = (
                chance.randrange(256)
            )
        (folder / f"m{number:05}{source.suffix}").write_bytes(bytes(data))
    path = folder.with_name("mutated.db")
    with Store.open(f"sqlite:///{path}") as store:
        ready = tools(store, FakeListener(), readers=2, prepare_memory_gb=2, max_lost_percent=100)
        summary = run_night(NightPlan(folder=folder), ready, Notes())
        stages = Counter(fault.stage for fault in store.quarantined())
    if summary.seen != options.mutated or summary.seen != summary.scored + summary.failed + summary.skipped:
        raise SystemExit(f"mutated: {summary.counts()}")
    told = f"听得出声音的 {summary.scored} 个评了，其余隔离：{dict(stages)}"
    return Line(
        fault="改坏、截短的录音（WAV、MP3、OGG）", count=f"{options.mutated} 个", result=told, seconds=0.0
    )


def _page(lines: list[Line], options: argparse.Namespace) -> str:
    rows = [f"| {one.fault} | {one.count} | {one.result} | {one.seconds:.0f} |" for one in lines]
    sizes = f"KILLS={options.kills} POISON={options.poison} MUTATED={options.mutated}"
    command = f"make soak SEED={options.seed} {sizes}"
    return PAGE.format(day=f"{datetime.now(UTC):%Y-%m-%d}", command=command, rows="\n".join(rows))


if __name__ == "__main__":
    main()
