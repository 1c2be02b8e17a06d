"""Where a night's time goes: samples of every thread of all its processes, by stage and as a flame graph."""

import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.night.flames import drawn
from benchmarks.night.nights import Bench
from benchmarks.night.page import Part, table
from benchmarks.night.processes import Command, Cost, run

PICTURE = Path("docs/images/night-flames.svg")
SAMPLES_A_SECOND = 50
BINARIES = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])

Stack = tuple[str, ...]
"""Frames from the outermost to the innermost, each `function (file)`."""

WAITING = (
    "wait (threading.py)",
    "_wait_for_tstate_lock (threading.py)",
    "_worker (concurrent/futures/thread.py)",
    "select (selectors.py)",
    "poll (multiprocessing/popen_fork.py)",
    "_recv (multiprocessing/connection.py)",
    "_poll (multiprocessing/connection.py)",
    "wait (multiprocessing/connection.py)",
    "get (queue.py)",
    "_serve (pipeline/workflows/night/answering.py)",
    "read_signed (multiprocessing/forkserver.py)",
    "main (multiprocessing/forkserver.py)",
    "main (multiprocessing/resource_tracker.py)",
)
"""Where a thread waits for another one: what it waits for is counted there."""

STAGES = (
    ("识别：编码", ("_encode (pipeline/speech/decoder.py)",)),
    ("识别：束搜索", ("_decode (pipeline/speech/decoder.py)",)),
    ("识别：字的时间", ("_times (pipeline/speech/decoder.py)",)),
    ("识别：特征", ("features (pipeline/speech/decoder.py)",)),
    ("识别：其余", ("(pipeline/speech/asr.py)", "(pipeline/speech/decoder.py)")),
    ("解码", ("load (pipeline/workflows/loading.py)",)),
    ("语音检测", ("speech_spans (pipeline/speech/vad.py)",)),
    ("串音、音乐、铃声", ("own_speech (pipeline/speech/channels.py)", "listen (pipeline/speech/tones.py)")),
    ("说话人分离", ("diarize (pipeline/speech/diarize.py)",)),
    ("波形", ("peaks (pipeline/media/peaks.py)",)),
    ("轮次、角色、音高", ("transcript (pipeline/speech/listen.py)",)),
    ("句子向量", ("sentences (pipeline/workflows/meaning.py)",)),
    ("规则和评分", ("judge (pipeline/workflows/process_call.py)",)),
    ("数据库", ("(pipeline/storage/",)),
    ("列目录、数字节、认领", ("(pipeline/workflows/night/jobs.py)", "(pipeline/media/archive.py)")),
    ("启动：装入程序", ("_find_and_load (", "_call_with_frames_removed (")),
    ("启动：规则、模型", ("rules_in_force (", "open (pipeline/speech/")),
    ("进程之间", ("(pipeline/workflows/night/", "(multiprocessing/")),
)
"""The first that a stack goes through; a stack may go through several."""

OTHER = "其余"
OF_THE_PROCESS = ("process ", "thread ", "main(")
"""What these frames name is a process: the last one with all of its command, and so with folders."""


def part(bench: Bench) -> Part:
    """One night as the program, sampled."""
    py_spy = shutil.which("py-spy", path=BINARIES)
    if py_spy is None:
        return Part(title="时间花在哪里", lines=["没有装 py-spy（`pip install callscore[dev]`），没有量。"])
    raw = bench.new(".raw")
    night = bench.program(bench.corpus, bench.new(".db"))
    spy = [py_spy, "record", "--format", "raw", "--idle", "--subprocesses", "--nolineno"]
    asked = ["--rate", str(SAMPLES_A_SECOND), "--output", str(raw), "--", *night.line]
    cost = run(Command(line=[*spy, *asked], environ=night.environ))
    stacks = busy(parsed(raw.read_text(encoding="utf-8").splitlines()))
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(drawn(stacks, "callscore nightly"), encoding="utf-8")
    return Part(title="时间花在哪里", lines=_lines(by_stage(stacks), cost))


def _lines(stages: Mapping[str, int], cost: Cost) -> list[str]:
    whole = sum(stages.values())
    return [
        f"一夜的全部进程、全部线程，py-spy 每秒看 {SAMPLES_A_SECOND} 次；等别的线程的不算。从启动命令到结束",
        f"{cost.seconds:.1f} 秒，处理器 {cost.processor:.1f} 秒（含 py-spy 自己的）。",
        "",
        *table(
            ("阶段", "秒", "占"),
            ((name, f"{n / SAMPLES_A_SECOND:.1f}", f"{n / whole:.1%}") for name, n in stages.items()),
        ),
        "",
        f"![火焰图：越宽花的时间越多](images/{PICTURE.name})",
    ]


def parsed(lines: Iterable[str]) -> Iterator[tuple[Stack, int]]:
    """Stacks and how often each was seen, without the names of processes and their command lines."""
    for line in lines:
        frames, _, count = line.rpartition(" ")
        named = (frame.strip() for frame in frames.split(";"))
        yield tuple(frame for frame in named if not frame.startswith(OF_THE_PROCESS)), int(count)


def busy(stacks: Iterable[tuple[Stack, int]]) -> dict[Stack, int]:
    """Without those that wait for another thread."""
    kept: Counter[Stack] = Counter()
    for stack, count in stacks:
        if stack and not stack[-1].endswith(WAITING):
            kept[stack] += count
    return kept


def by_stage(stacks: Mapping[Stack, int]) -> dict[str, int]:
    """Samples of each stage, the most first."""
    counts: Counter[str] = Counter()
    for stack, count in stacks.items():
        counts[stage_of(stack)] += count
    return dict(counts.most_common())


def stage_of(stack: Stack) -> str:
    return next((name for name, marks in STAGES if _goes_through(stack, marks)), OTHER)


def _goes_through(stack: Stack, marks: Sequence[str]) -> bool:
    return any(mark in frame for frame in stack for mark in marks)
