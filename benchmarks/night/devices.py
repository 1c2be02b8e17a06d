"""Batches across files against one file at a time, on a GPU or whatever `--device` names."""

import statistics
from collections.abc import Sequence

from benchmarks.night.nights import Bench
from benchmarks.night.page import Part, table
from benchmarks.night.processes import Cost, timed
from benchmarks.night.requests import Ready, ready
from pipeline.speech.asr import Recognizer
from pipeline.units import MS_PER_SECOND

ROUNDS = 2
TIMES_ON_GPU = 10
"""The corpus so many times over: a GPU is done with it once before it can be measured."""


def gpus() -> int:
    """How many the recognizer can use."""
    from ctranslate2 import get_cuda_device_count

    return int(get_cuda_device_count())


def part(bench: Bench) -> Part:
    """Recognition alone, the models loaded and the recordings ready before the clock starts."""
    title = "显卡" if bench.settings.device == "cuda" else "跨文件的批"
    if bench.settings.device == "cuda" and not gpus():
        return Part(title=title, lines=[no_gpu(bench)])
    calls = list(ready(bench, bench.corpus)) * (TIMES_ON_GPU if bench.settings.device == "cuda" else 1)
    recognizer = bench.recognizer
    rounds = [_round(recognizer, calls, n) for n in range(1 if bench.quick else ROUNDS)]
    together, apart = ([pair[side] for pair in rounds] for side in (0, 1))
    heard = sum(one.duration for one in calls) / MS_PER_SECOND
    return Part(
        title=title,
        lines=[
            f"只有识别，{len(calls)} 个文件、{heard / 60:.0f} 分钟录音，设备 {bench.settings.device}、",
            f"{bench.settings.compute_type}，一批最多 {bench.settings.batch_size} 个窗口，",
            f"轮流 {len(rounds)} 次取中位数。",
            "",
            *table(
                ("", "秒", "处理器（秒）", "倍实时"),
                (
                    ("跨文件排批", *_figures(together, heard)),
                    ("一次一个文件", *_figures(apart, heard)),
                ),
            ),
            "",
            f"一次一个文件 ÷ 跨文件：{_median(apart) / _median(together):.2f}。",
        ],
    )


def no_gpu(bench: Bench) -> str:
    """What to do where there is one."""
    return (
        "这台机器没有识别用得上的显卡，没有量。有显卡时："
        f"`python -m benchmarks.night --parts devices --device cuda --corpus {bench.corpus.name}`。"
    )


def _round(recognizer: Recognizer, calls: Sequence[Ready], number: int) -> tuple[Cost, Cost]:
    def together() -> None:
        requests = (request for one in calls for request in one.requests)
        list(recognizer.recognize(requests))

    def apart() -> None:
        for one in calls:
            list(recognizer.recognize(one.requests))

    if number % 2:
        slow, fast = timed(apart), timed(together)
    else:
        fast, slow = timed(together), timed(apart)
    return fast, slow


def _figures(costs: Sequence[Cost], heard: float) -> tuple[str, str, str]:
    processor = statistics.median(cost.processor for cost in costs)
    return f"{_median(costs):.1f}", f"{processor:.1f}", f"{heard / _median(costs):.1f}"


def _median(costs: Sequence[Cost]) -> float:
    return statistics.median(cost.seconds for cost in costs)
