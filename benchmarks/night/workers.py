"""Two workers on two cores against one on one core, one thread each."""

from dataclasses import replace
from pathlib import Path

from benchmarks.night.archive import copies
from benchmarks.night.nights import Bench
from benchmarks.night.page import Bar, Part, table
from benchmarks.night.processes import Cost, run

CALLS, CALLS_QUICK = 64, 6
KINDS = (("一个进程，一个核", 1, 1), ("一个进程，不限核", 1, None), ("两个进程，两个核", 2, 2))
"""Name, workers, cores."""


def part(bench: Bench) -> Part:
    """How much sooner two are done than one. All start as programs."""
    calls = CALLS_QUICK if bench.quick else CALLS
    folder = copies(bench.corpus, bench.new("calls"), calls)
    one, _, two = costs = [_with(bench, folder, workers, cores) for _, workers, cores in KINDS]
    rows = [(name, *_figures(cost, two)) for (name, _, _), cost in zip(KINDS, costs, strict=True)]
    return Part(
        title="一个和两个识别进程",
        lines=[
            f"{calls} 通电话，每个识别进程一个线程，从启动命令到结束。",
            "解码、语音检测、规则和数据库不在识别进程里，不限核时用得上另一个核，",
            "所以“一个核”把整夜绑在一个核上。",
            "",
            *table(("", "秒", "用几个核", "处理器（秒）", "两个的比它快几倍"), rows),
        ],
        bars=[
            Bar(
                what="两个核两个识别进程，比一个核一个快几倍",
                found=one.seconds / two.seconds,
                limit=1.8,
                least=True,
            )
        ],
    )


def _figures(cost: Cost, two: Cost) -> tuple[str, str, str, str]:
    return (
        f"{cost.seconds:.1f}",
        f"{cost.processor / cost.seconds:.2f}",
        f"{cost.processor:.1f}",
        f"{cost.seconds / two.seconds:.2f}",
    )


def _with(bench: Bench, folder: Path, workers: int, cores: int | None) -> Cost:
    command = bench.program(folder, bench.new(".db"), workers=workers, threads=workers)
    return run(replace(command, cores=cores))
