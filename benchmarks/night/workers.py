"""Two workers on two cores against one on one core, one thread each, alternated."""

import statistics
from dataclasses import replace
from pathlib import Path

from benchmarks.night.archive import copies
from benchmarks.night.nights import Bench
from benchmarks.night.page import Bar, Part, table
from benchmarks.night.processes import Cost, run

CALLS, CALLS_QUICK = 24, 6
KINDS = (("一个进程，一个核", 1, 1), ("一个进程，不限核", 1, None), ("两个进程，两个核", 2, 2))
"""Name, workers, cores."""

Round = tuple[Cost, ...]
"""What each of the kinds cost."""


def part(bench: Bench) -> Part:
    """How much sooner two are done than one. All start as programs."""
    calls = CALLS_QUICK if bench.quick else CALLS
    folder = copies(bench.corpus, bench.new("calls"), calls)
    rounds = [_round(bench, folder, number) for number in range(1 if bench.quick else 2)]
    rows = [
        (number, name, *_figures(cost, two))
        for number, (*ones, two) in enumerate(rounds, start=1)
        for (name, _, _), cost in zip(KINDS, (*ones, two), strict=True)
    ]
    gain = statistics.median(one.seconds / two.seconds for one, _, two in rounds)
    return Part(
        title="一个和两个识别进程",
        lines=[
            f"{calls} 通电话，每个识别进程一个线程，从启动命令到结束。",
            "解码、语音检测、规则和数据库不在识别进程里，不限核时用得上另一个核，",
            "所以“一个核”把整夜绑在一个核上。",
            "",
            *table(("轮次", "", "秒", "用几个核", "处理器（秒）", "两个的比它快几倍"), rows),
        ],
        bars=[Bar(what="两个核两个识别进程，比一个核一个快几倍", found=gain, limit=1.8, least=True)],
    )


def _figures(cost: Cost, two: Cost) -> tuple[str, str, str, str]:
    return (
        f"{cost.seconds:.1f}",
        f"{cost.processor / cost.seconds:.2f}",
        f"{cost.processor:.1f}",
        f"{cost.seconds / two.seconds:.2f}",
    )


def _round(bench: Bench, folder: Path, number: int) -> Round:
    """Forwards, then backwards, so that a machine that grows slower is nobody's gain."""
    kinds = KINDS[:: -1 if number % 2 else 1]
    costs = [_with(bench, folder, workers, cores) for _, workers, cores in kinds]
    return tuple(costs[:: -1 if number % 2 else 1])


def _with(bench: Bench, folder: Path, workers: int, cores: int | None) -> Cost:
    command = bench.program(folder, bench.new(".db"), workers=workers, threads=workers)
    return run(replace(command, cores=cores))
