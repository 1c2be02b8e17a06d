"""The whole night against stock faster-whisper on the same audio, alternated in one run.

    python benchmarks/night.py --corpus FOLDER [--rounds 3] [--threads 2] [--markdown docs/benchmark.md]

FOLDER holds recordings, metadata.csv and truth/<name>.json. A night is decoding, voice activity, recognition,
diarization, rules and database. Stock is `BatchedInferencePipeline`, one file at a time, with word times, the
same model, beam, batch size and threads, on the mean of the channels. Both have their models loaded before
the clock starts. The first round of each warms caches and counts like the others.
"""

import argparse
import json
import os
import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rapidfuzz.distance import Levenshtein

from pipeline.media.archive import find_recordings
from pipeline.media.decode import decode
from pipeline.samples import Samples
from pipeline.settings import Settings, load_settings
from pipeline.speech.asr import Recognizer, Request
from pipeline.speech.diarize import diarize
from pipeline.speech.embedding import Embedder
from pipeline.speech.listen import Listener
from pipeline.speech.vad import speech_spans
from pipeline.speech.weights import ready_model
from pipeline.speech.words import simplified
from pipeline.storage.night_records import Quarantined
from pipeline.storage.records import ScoredCall
from pipeline.storage.store import Store
from pipeline.workflows.meaning import Understanding
from pipeline.workflows.night.here import here
from pipeline.workflows.night.preparing import Preparing
from pipeline.workflows.night.values import NightPlan, NightTools
from pipeline.workflows.nightly import run_night
from pipeline.workflows.rules import load_rules

_SPOKEN = str.maketrans("0123456789幺两", "零一二三四五六七八九一二")
_NOT_SPOKEN = re.compile(r"[^\u4e00-\u9fffA-Za-z]")


class Silent:
    """Watches a night without a word and keeps what was heard."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}

    def started(self, night: int) -> None:
        """Not shown."""

    def counted(self, recordings: int) -> None:
        """Not shown."""

    def passed(self, recordings: int) -> None:
        """Not shown."""

    def noticed(self, fault: str) -> None:
        """Not shown."""

    def quarantined(self, fault: Quarantined) -> None:
        """Not shown."""

    def scored(self, call: ScoredCall) -> None:
        """Words of all speakers in the order of time."""
        words = sorted((word for turn in call.transcript.turns for word in turn.words), key=lambda w: w.span)
        self.texts[Path(call.recording.path).stem] = "".join(word.text for word in words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What both sides work on."""

    corpus: Path
    paths: tuple[Path, ...]
    settings: Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round took on each side, and the memory of the process after it."""

    night: "Cost"
    stock: "Cost"
    megabytes: float

    @property
    def ratio(self) -> float:
        """Night to stock, by the clock."""
        return self.night.seconds / self.stock.seconds

    @property
    def work_ratio(self) -> float:
        """Night to stock, by processor time: steadier where the machine has other work."""
        return self.night.processor / self.stock.processor


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Seconds on the clock, and of all processors."""

    seconds: float
    processor: float


def main() -> None:
    """Run, print, write the page."""
    options = _options()
    settings = load_settings({"threads": options.threads, "model": options.model})
    paths = tuple(found.path for found in find_recordings(options.corpus, report=_unreadable))
    bench = Bench(corpus=options.corpus, paths=paths, settings=settings)
    night, stock = _night(bench), _stock(bench)
    rounds, heard = _alternate(night, stock, options.rounds)
    lines = [*_page(bench, rounds, heard), *_shares(bench)]
    print("\n".join(lines))
    if options.markdown:
        options.markdown.write_text("\n".join([*_head(options), *lines, ""]), encoding="utf-8")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, default=Path("data/demo"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--model", default="base")
    parser.add_argument("--markdown", type=Path, default=Path("docs/benchmark.md"))
    return parser.parse_args()


def _unreadable(error: Exception) -> None:
    print(error)


def _night(bench: Bench) -> Callable[[], dict[str, str]]:
    """A night into a fresh database; the models are loaded once."""
    settings = bench.settings
    listener, understanding = Listener.open(settings), Understanding(settings)
    ruleset = understanding.taught(load_rules(settings))

    def run() -> dict[str, str]:
        watcher = Silent()
        with tempfile.TemporaryDirectory() as folder, Store.open(f"sqlite:///{folder}/bench.db") as store:
            tools = NightTools(
                store=store,
                prepare=Preparing(settings),
                listener=lambda _: listener,
                hearing=here,
                provenance=listener.provenance,
                ruleset=ruleset,
                settings=settings,
                clock=lambda: datetime.now(UTC),
                understand=understanding.with_sentences,
            )
            run_night(NightPlan(folder=bench.corpus), tools, watcher)
        return watcher.texts

    return run


def _stock(bench: Bench) -> Callable[[], dict[str, str]]:
    """Stock faster-whisper over the same files, one at a time."""
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    settings = bench.settings
    folder = str(ready_model(settings).folder)
    model = WhisperModel(
        folder, device=settings.device, compute_type=settings.compute_type, cpu_threads=settings.threads
    )
    pipeline = BatchedInferencePipeline(model)

    def run() -> dict[str, str]:
        return {path.stem: _stock_text(pipeline, decode(path).samples, settings) for path in bench.paths}

    return run


def _stock_text(pipeline: Any, samples: Samples, settings: Settings) -> str:
    segments, _ = pipeline.transcribe(
        samples.mixed(),
        language="zh",
        beam_size=settings.beam_size,
        batch_size=settings.batch_size,
        word_timestamps=True,
    )
    return "".join(segment.text for segment in segments)


def _alternate(
    night: Callable[[], dict[str, str]], stock: Callable[[], dict[str, str]], rounds: int
) -> tuple[list[Round], tuple[dict[str, str], dict[str, str]]]:
    done: list[Round] = []
    ours: dict[str, str] = {}
    theirs: dict[str, str] = {}
    for number in range(rounds):
        if number % 2:
            theirs, slow = _timed(stock)
            ours, fast = _timed(night)
        else:
            ours, fast = _timed(night)
            theirs, slow = _timed(stock)
        done.append(Round(night=fast, stock=slow, megabytes=_megabytes()))
        print(
            f"round {number + 1}: {done[-1].ratio:.2f} ({done[-1].work_ratio:.2f} of the processor)",
            flush=True,
        )
    return done, (ours, theirs)


def _timed(work: Callable[[], dict[str, str]]) -> tuple[dict[str, str], Cost]:
    clock, processor = time.perf_counter(), time.process_time()
    result = work()
    cost = Cost(seconds=time.perf_counter() - clock, processor=time.process_time() - processor)
    return result, cost


def _megabytes() -> float:
    """Resident memory of this process; 0 where the system does not tell."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _page(bench: Bench, rounds: Sequence[Round], heard: tuple[dict[str, str], dict[str, str]]) -> list[str]:
    growth = rounds[-1].megabytes - rounds[0].megabytes
    lines = [
        "| 轮次 | 整夜（秒） | 原版（秒） | 整夜 ÷ 原版 | 处理器时间之比 | 内存（MB） |",
        "| --- | --- | --- | --- | --- | --- |",
        *(_row(number, item) for number, item in enumerate(rounds, start=1)),
        "",
        f"- 耗时比：{_spread(item.ratio for item in rounds)}，要求不超过 1.00",
        f"- 处理器时间之比：{_spread(item.work_ratio for item in rounds)}（机器上有别的任务时更可靠）",
        f"- 内存：从第一轮到最后一轮 {growth:+.0f} MB（每轮 {len(bench.paths)} 个文件）",
    ]
    ours, theirs = (_error_rate(bench, texts) for texts in heard)
    if ours is not None and theirs is not None:
        change = 100 * (ours - theirs)
        lines.append(
            f"- 字错率：整夜 {ours:.1%}，原版 {theirs:.1%}，相差 {change:+.1f} 个百分点，要求不超过 +0.3"
        )
    return lines


def _row(number: int, item: Round) -> str:
    times = f"{item.night.seconds:.1f} | {item.stock.seconds:.1f} | {item.ratio:.2f} | {item.work_ratio:.2f}"
    return f"| {number} | {times} | {item.megabytes:.0f} |"


def _spread(values: Iterable[float]) -> str:
    ordered = sorted(values)
    return f"中位数 {statistics.median(ordered):.2f}（{ordered[0]:.2f}–{ordered[-1]:.2f}）"


def _error_rate(bench: Bench, texts: dict[str, str]) -> float | None:
    """Characters wrong over all calls with a truth; both sides in order of time."""
    wrong = count = 0
    for path in bench.paths:
        truth = bench.corpus / "truth" / f"{path.stem}.json"
        if truth.is_file():
            said = _spoken(turn["text"] for turn in json.loads(truth.read_text(encoding="utf-8"))["turns"])
            wrong += Levenshtein.distance(said, _spoken([texts.get(path.stem, "")]))
            count += len(said)
    return wrong / count if count else None


def _spoken(texts: Iterable[str]) -> str:
    """Han characters and Latin letters, digits as they are read one by one."""
    return _NOT_SPOKEN.sub("", simplified("".join(texts)).translate(_SPOKEN)).lower()


def _shares(bench: Bench) -> list[str]:
    """Diarization against recognition on the mono recordings."""
    mono = [audio for path in bench.paths if (audio := decode(path).samples).channels == 1]
    if not mono:
        return ["- 说话人分离：没有单声道录音"]
    speech = [speech_spans(samples.channel(0), bench.settings) for samples in mono]
    embedder, recognizer = Embedder.open(), Recognizer.open(bench.settings)
    pairs = list(zip(mono, speech, strict=True))
    start = time.perf_counter()
    for samples, spans in pairs:
        diarize(samples.channel(0), spans, embedder)
    middle = time.perf_counter()
    requests = (Request(key=str(n), audio=s.channel(0), speech=v) for n, (s, v) in enumerate(pairs))
    list(recognizer.recognize(requests))
    share = (middle - start) / (time.perf_counter() - middle)
    return [f"- 说话人分离 ÷ 识别（{len(mono)} 个单声道录音）：{share:.2f}，要求不超过 0.50"]


def _head(options: argparse.Namespace) -> list[str]:
    command = f"python benchmarks/night.py --corpus {options.corpus} --rounds {options.rounds}"
    when = datetime.now(UTC).date().isoformat()
    return [
        "# 速度",
        "",
        f"{when}，`{command} --threads {options.threads}`，模型 {options.model}，{os.cpu_count()} 核。",
        "整夜：解码、语音检测、识别、说话人分离、规则、数据库。",
        "原版：faster-whisper 的 `BatchedInferencePipeline`，逐个文件、带字时间；",
        "模型、束宽、批大小、线程数相同。",
        "两边在同一次运行里交替。",
        "",
    ]


if __name__ == "__main__":
    main()
