"""How full windows and batches are, by counts of the packer and of what goes through a model."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.night.archive import joined
from benchmarks.night.nights import Batch, Bench, Counting
from benchmarks.night.page import Bar, Part, table
from benchmarks.night.requests import ready
from benchmarks.night.standin import StandIn
from pipeline.speech.asr import Recognizer, Request
from pipeline.speech.decoder import FRAMES_PER_SECOND
from pipeline.speech.packing import pack
from pipeline.timeline import total
from pipeline.units import MS_PER_SECOND, Ms, clock

LENGTHS = tuple(range(60, 301, 20))
"""Seconds: calls of one to five minutes."""

TIMES = 10
"""Their channels so many times over: the last batches of a night are seldom full."""

PAUSE_SECONDS = 0.002


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Milliseconds of `speech`, of `sound` laid into `count` windows (the speech with what is kept around
    it), and of the windows (`room`) that the model works through."""

    count: int
    speech: int
    sound: int
    room: int

    def share(self, part: Ms) -> tuple[str, str]:
        """Seconds, and the part of the windows."""
        return f"{part / MS_PER_SECOND:.0f}", f"{part / self.room:.2f}"


def part(bench: Bench) -> Part:
    """Counts: the clock has no say in them."""
    calls = list(ready(bench, joined(bench.corpus, bench.new("calls"), LENGTHS)))
    requests = [request for one in calls for request in one.requests]
    windows, batches = laid(requests, bench), sent(requests, bench)
    rows = sum(batch.rows for batch in batches)
    size = bench.settings.batch_size
    heard = sum(one.duration for one in calls)
    by_rows = Counter(batch.rows for batch in batches)
    return Part(
        title="窗口和批有多满",
        lines=[
            f"{len(calls)} 通一到五分钟的电话，由这些文件拼成（共 {clock(heard)}），{windows.count} 个窗口；",
            f"批：同样的声道排 {TIMES} 遍，一批最多 {size} 个窗口。",
            "",
            *table(
                ("", "秒", "占窗口"),
                (
                    ("窗口（模型要算的长度）", *windows.share(windows.room)),
                    ("放进窗口的声音（语音和前后留的一点）", *windows.share(windows.sound)),
                    ("语音", *windows.share(windows.speech)),
                ),
            ),
            "",
            f"{rows} 个窗口排成 {len(batches)} 批。一批几个窗口："
            + "，".join(f"{n} 个 × {by_rows[n]}" for n in sorted(by_rows, reverse=True))
            + "。",
        ],
        bars=[
            Bar(what="批里排上的位置", found=rows / (len(batches) * size), limit=0.95, least=True),
            Bar(what="窗口里的语音", found=windows.speech / windows.room, limit=0.80, least=True),
        ],
    )


def laid(requests: Sequence[Request], bench: Bench) -> Windows:
    """What the packer makes of them."""
    pad, frames_for = bench.settings.vad_pad_ms, bench.reader.frames_for
    windows = [window for one in requests for window in pack(one.audio, one.speech, pad)]
    return Windows(
        count=len(windows),
        speech=sum(total(window.speech) for window in windows),
        sound=sum(window.duration for window in windows),
        room=sum(frames_for(w.duration) for w in windows) * MS_PER_SECOND // FRAMES_PER_SECOND,
    )


def sent(requests: Sequence[Request], bench: Bench) -> list[Batch]:
    """The batches that a model slower than the rest of the night gets to read."""
    reader = Counting(StandIn(bench.reader.frames_for, bench.reader.workers, pause=PAUSE_SECONDS))
    for _ in Recognizer(reader, bench.settings).recognize(_over_and_over(requests)):
        """Heard."""
    return reader.batches


def _over_and_over(requests: Sequence[Request]) -> Iterator[Request]:
    for number in range(TIMES):
        for one in requests:
            yield Request(key=f"{number}/{one.key}", audio=one.audio, speech=one.speech)
