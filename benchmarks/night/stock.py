"""The whole night against stock faster-whisper on the same audio, alternated in one run.

A night is decoding, voice activity, recognition, diarization, rules and database. Stock is
`BatchedInferencePipeline`, one file at a time, with word times, the same model, beam, batch size and threads,
on the mean of the channels. Both have their models loaded before the clock starts. The first round of each
warms caches and counts like the others.
"""

import json
import re
import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rapidfuzz.distance import Levenshtein

from benchmarks.night.archive import recordings
from benchmarks.night.nights import Bench, speech_text
from benchmarks.night.page import Bar, Part, table
from benchmarks.night.processes import Cost, timed
from pipeline.media.decode import decode
from pipeline.samples import Samples
from pipeline.settings import Settings
from pipeline.speech.asr import Request
from pipeline.speech.diarize import diarize
from pipeline.speech.embedding import Embedder
from pipeline.speech.vad import speech_spans
from pipeline.speech.weights import ready_model
from pipeline.speech.words import simplified

_SPOKEN = str.maketrans("0123456789幺两", "零一二三四五六七八九一二")
_NOT_SPOKEN = re.compile(r"[^\u4e00-\u9fffA-Za-z]")

Texts = Mapping[str, str]
"""What was heard, by the name of the file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What one round took on each side."""

    night: Cost
    stock: Cost

    @property
    def ratio(self) -> float:
        """Night to stock, by the clock."""
        return self.night.seconds / self.stock.seconds

    @property
    def work_ratio(self) -> float:
        """Night to stock, by processor time: steadier where the machine has other work."""
        return self.night.processor / self.stock.processor


def part(bench: Bench) -> Part:
    """Alternated rounds; whether a night is at least as quick and hears at least as well."""
    bench.load()
    stock = stock_of(bench)
    heard: dict[str, Texts] = {}
    rounds = [_round(bench, stock, heard, number) for number in range(1 if bench.quick else 2)]
    bars = [Bar(what="整夜 ÷ 原版 faster-whisper", found=_median(r.ratio for r in rounds), limit=1.0)]
    ours, theirs = (error_rate(bench, heard[side]) for side in ("night", "stock"))
    if ours is not None and theirs is not None:
        worse = 100 * (ours - theirs)
        bars.append(Bar(what="字错率，整夜减原版", found=worse, limit=0.3, unit=" 个百分点"))
    share = _diarization_share(bench)
    if share is not None:
        bars.append(Bar(what="单声道分说话人 ÷ 识别", found=share, limit=0.5))
    return Part(title="和原版 faster-whisper 比", lines=_lines(bench, rounds, ours, theirs), bars=bars)


def _lines(bench: Bench, rounds: list[Round], ours: float | None, theirs: float | None) -> list[str]:
    lines = [
        f"{len(recordings(bench.corpus))} 个文件。整夜：解码、语音检测、识别、说话人分离、规则、数据库。",
        "原版：faster-whisper 的 `BatchedInferencePipeline`，逐个文件、带字时间；",
        "模型、束宽、批大小、线程数相同，",
        "两边都先装好模型再计时。",
        "",
        *table(
            ("轮次", "整夜（秒）", "原版（秒）", "整夜 ÷ 原版", "处理器时间之比"),
            ((n, *_figures(one)) for n, one in enumerate(rounds, start=1)),
        ),
    ]
    if ours is not None and theirs is not None:
        lines += ["", f"字错率：整夜 {ours:.1%}，原版 {theirs:.1%}。"]
    return lines


def _figures(one: Round) -> tuple[str, ...]:
    night, stock = one.night.seconds, one.stock.seconds
    return f"{night:.1f}", f"{stock:.1f}", f"{one.ratio:.2f}", f"{one.work_ratio:.2f}"


def _round(bench: Bench, stock: Callable[[], Texts], heard: dict[str, Texts], number: int) -> Round:
    def ours() -> None:
        texts = bench.night(bench.corpus).items()
        heard["night"] = {name: speech_text(transcript) for name, transcript in texts}

    def theirs() -> None:
        heard["stock"] = stock()

    if number % 2:
        slow, fast = timed(theirs), timed(ours)
    else:
        fast, slow = timed(ours), timed(theirs)
    return Round(night=fast, stock=slow)


def stock_of(bench: Bench) -> Callable[[], dict[str, str]]:
    """Stock faster-whisper over the same files, one at a time."""
    from faster_whisper import BatchedInferencePipeline, WhisperModel

    settings = bench.settings
    folder = str(ready_model(settings).folder)
    model = WhisperModel(
        folder, device=settings.device, compute_type=settings.compute_type, cpu_threads=settings.threads
    )
    pipeline = BatchedInferencePipeline(model)

    def run() -> dict[str, str]:
        paths = recordings(bench.corpus)
        return {path.stem: _stock_text(pipeline, decode(path).samples, settings) for path in paths}

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


def _median(values: Iterable[float]) -> float:
    return statistics.median(values)


def error_rate(bench: Bench, texts: Texts) -> float | None:
    """Characters wrong over all calls with a truth; both sides in order of time."""
    wrong = count = 0
    for path in recordings(bench.corpus):
        truth = bench.corpus / "truth" / f"{path.stem}.json"
        if truth.is_file():
            said = spoken(turn["text"] for turn in json.loads(truth.read_text(encoding="utf-8"))["turns"])
            wrong += Levenshtein.distance(said, spoken([texts.get(path.stem, "")]))
            count += len(said)
    return wrong / count if count else None


def spoken(texts: Iterable[str]) -> str:
    """Han characters and Latin letters, digits as they are read one by one."""
    return _NOT_SPOKEN.sub("", simplified("".join(texts)).translate(_SPOKEN)).lower()


def _diarization_share(bench: Bench) -> float | None:
    """Diarization against recognition on the mono recordings; None: there are none."""
    decoded = (decode(path).samples for path in recordings(bench.corpus))
    mono = [samples.channel(0) for samples in decoded if samples.channels == 1]
    if not mono:
        return None
    pairs = [(audio, speech_spans(audio, bench.settings)) for audio in mono]
    embedder = Embedder.open()
    requests = [Request(key=str(n), audio=a, speech=s) for n, (a, s) in enumerate(pairs)]
    apart = timed(lambda: [diarize(audio, spans, embedder) for audio, spans in pairs])
    heard = timed(lambda: list(bench.recognizer.recognize(requests)))
    return apart.seconds / heard.seconds
