"""The memory of a night over ten times as many calls, all its processes together."""

from collections.abc import Callable
from pathlib import Path

from benchmarks.night import standin
from benchmarks.night.archive import copies
from benchmarks.night.nights import Bench
from benchmarks.night.page import Bar, Part, table
from benchmarks.night.processes import Command, Cost, run

SECONDS, TIMES, BATCH = 8.0, 10, 1
STANDIN_CALLS, REAL_CALLS = 24, 16
TIMES_FEWER_QUICK = 2


def part(bench: Bench) -> Part:
    """Many calls with a model that takes no time, few with the real one."""
    fewer = TIMES_FEWER_QUICK if bench.quick else 1
    stands = _pair(bench, STANDIN_CALLS // fewer, lambda folder: standin.program(folder, _place(bench)))
    real = _pair(
        bench,
        REAL_CALLS // fewer,
        lambda folder: bench.program(folder, bench.new(".db"), batch_size=BATCH),
    )
    named = (
        ("识别用假的，不花时间", STANDIN_CALLS // fewer, stands),
        ("真的识别", REAL_CALLS // fewer, real),
    )
    return Part(
        title="录音多十倍，内存多多少",
        lines=[
            f"每通 {SECONDS:g} 秒；一夜的全部进程的驻留内存之和（几个进程共用的重复计算），取最高的时候。",
            f"真的识别每批 {BATCH} 个窗口，少的那一夜也排满。",
            "",
            *table(
                ("", "通", "MB", "十倍的通", "MB", "倍"),
                (
                    (n, c, f"{s.megabytes:.0f}", c * TIMES, f"{m.megabytes:.0f}", f"{_times(s, m):.3f}")
                    for n, c, (s, m) in named
                ),
            ),
        ],
        bars=[Bar(what=f"内存，十倍的录音（{n}）", found=_times(*pair), limit=1.05) for n, _, pair in named],
    )


def _place(bench: Bench) -> Path:
    place = bench.new("night")
    place.mkdir()
    return place


def _pair(bench: Bench, calls: int, command: Callable[[Path], Command]) -> tuple[Cost, Cost]:
    few, many = (
        run(command(copies(bench.corpus, bench.new("calls"), count, SECONDS)))
        for count in (calls, calls * TIMES)
    )
    return few, many


def _times(few: Cost, many: Cost) -> float:
    return many.megabytes / few.megabytes
