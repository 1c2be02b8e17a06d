"""Two workers with one thread each against one worker with one thread, alternated."""

import statistics
from pathlib import Path

from benchmarks.night.archive import copies
from benchmarks.night.nights import Bench
from benchmarks.night.page import Bar, Part, table
from benchmarks.night.processes import Cost, run

CALLS, CALLS_QUICK = 24, 8


def part(bench: Bench) -> Part:
    """How much sooner two are done than one. Both start as programs."""
    calls = CALLS_QUICK if bench.quick else CALLS
    folder = copies(bench.corpus, bench.new("calls"), calls)
    rounds = [_round(bench, folder, number) for number in range(1 if bench.quick else 2)]
    gain = statistics.median(one.seconds / two.seconds for one, two in rounds)
    rows = [
        (n, f"{one.seconds:.1f}", f"{two.seconds:.1f}", f"{one.seconds / two.seconds:.2f}", *_busy(one, two))
        for n, (one, two) in enumerate(rounds, start=1)
    ]
    head = ("轮次", "一个（秒）", "两个（秒）", "快几倍", "一个用几个核", "两个用几个核", "处理器之比")
    return Part(
        title="一个和两个识别进程",
        lines=[
            f"{calls} 通电话，每个识别进程一个线程，从启动命令到结束。解码、静音检测另有两个子进程，",
            "一个识别进程时它们用得上另一个核。",
            "",
            *table(head, rows),
        ],
        bars=[Bar(what="两个识别进程比一个快几倍", found=gain, limit=1.8, least=True)],
    )


def _busy(one: Cost, two: Cost) -> tuple[str, str, str]:
    return (
        f"{one.processor / one.seconds:.2f}",
        f"{two.processor / two.seconds:.2f}",
        f"{two.processor / one.processor:.2f}",
    )


def _round(bench: Bench, folder: Path, number: int) -> tuple[Cost, Cost]:
    if number % 2:
        two, one = _with(bench, folder, 2), _with(bench, folder, 1)
    else:
        one, two = _with(bench, folder, 1), _with(bench, folder, 2)
    return one, two


def _with(bench: Bench, folder: Path, workers: int) -> Cost:
    return run(bench.program(folder, bench.new(".db"), workers=workers, threads=workers))
