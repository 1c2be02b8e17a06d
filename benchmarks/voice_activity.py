"""What voice activity takes for speech, and what it misses, where a wait lies in the middle of each call.

    python -m benchmarks.voice_activity --corpus FOLDER [--markdown docs/voice-activity.md]

FOLDER holds recordings, metadata.csv and truth/<name>.json. The waits are half as long as the call, in the
longest pause of its middle half. No model but Silero's is needed.
"""

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.night.archive import hiss, longest_pause, music
from benchmarks.night.page import table
from pipeline.media.decode import decode
from pipeline.samples import RATE, Mono, Samples
from pipeline.settings import load_settings
from pipeline.speech.vad import speech_spans
from pipeline.timeline import Span, subtract, total
from pipeline.units import MS_PER_SECOND, Ms, to_ms, to_seconds

Wait = Callable[[int], Mono]
"""A sound of so many samples."""

WAITS: dict[str, Wait | None] = {
    "没有": None,
    "数字静音": partial(np.zeros, dtype=np.float32),
    "线路底噪 −65 dBFS": partial(hiss, dbfs=-65.0),
    "线路底噪 −50 dBFS": partial(hiss, dbfs=-50.0),
    "音乐 −30 dBFS": partial(music, dbfs=-30.0),
    "音乐 −20 dBFS": partial(music, dbfs=-20.0),
    "音乐 −10 dBFS": partial(music, dbfs=-10.0),
}
COMMAND = "python -m benchmarks.voice_activity --corpus 文件夹 --markdown 页面"
AROUND: Ms = 200
"""So close to what was said it is no mistake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Milliseconds that were taken for speech and are none, that were missed, that were said."""

    false: Ms
    missed: Ms
    said: Ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Channel:
    """One side of a call, what was said on it, and the sample at which a wait is put in."""

    audio: Mono
    said: tuple[Span, ...]
    at: int

    def with_wait(self, wait: Wait | None) -> "Channel":
        if wait is None:
            return self
        length = len(self.audio) // 2
        audio = np.concatenate([self.audio[: self.at], wait(length), self.audio[self.at :]])
        said = (part for span in self.said for part in self._moved(span, _ms(length)))
        return Channel(audio=audio, said=tuple(said), at=self.at)

    def _moved(self, span: Span, by: Ms) -> Iterator[Span]:
        at = _ms(self.at)
        if span.start < at:
            yield Span(span.start, min(span.end, at))
        if span.end > at:
            yield Span(max(span.start, at) + by, span.end + by)


def measure(channels: list[Channel], wait: Wait | None) -> Found:
    """All channels together."""
    settings = load_settings({})
    waited = [channel.with_wait(wait) for channel in channels]
    pairs = [(channel.said, speech_spans(channel.audio, settings)) for channel in waited]
    return Found(
        false=sum(total(subtract(heard, [span.pad(AROUND) for span in said])) for said, heard in pairs),
        missed=sum(total(subtract(said, heard)) for said, heard in pairs),
        said=sum(total(said) for said, _ in pairs),
    )


def channels_of(corpus: Path) -> list[Channel]:
    """Every channel of the calls that have a truth."""
    truths = (json.loads(path.read_text(encoding="utf-8")) for path in sorted(corpus.glob("truth/*.json")))
    return [
        channel for truth in truths for channel in _channels(truth, decode(corpus / truth["file"]).samples)
    ]


def _channels(truth: dict[str, Any], samples: Samples) -> Iterator[Channel]:
    at = longest_pause(samples)
    agent = 1 if truth["metadata"]["agent_channel"] == "right" else 0
    for number in range(samples.channels):
        turns = (
            t for t in truth["turns"] if samples.channels == 1 or (t["role"] == "agent") == (number == agent)
        )
        said = tuple(Span(to_ms(turn["start"]), to_ms(turn["end"])) for turn in turns)
        yield Channel(audio=samples.channel(number), said=said, at=at)


def _ms(samples: int) -> Ms:
    return samples * MS_PER_SECOND // RATE


def page(channels: list[Channel]) -> str:
    """Markdown."""
    found = {name: measure(channels, wait) for name, wait in WAITS.items()}
    rows = [
        (
            name,
            f"{to_seconds(one.false):.1f}",
            f"{to_seconds(one.missed):.1f}",
            f"{one.missed / one.said:.1%}",
        )
        for name, one in found.items()
    ]
    said = to_seconds(next(iter(found.values())).said)
    lines = [
        "# 语音检测听漏多少、听错多少",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}，`{COMMAND}`。",
        "",
        f"{len(channels)} 个声道，说了 {said:.0f} 秒。",
        "每通电话中间最长的停顿里放进半通那么长的等待，所有声道；等待本身也算在内。",
        f"“当成语音”离说话 {AROUND} 毫秒以内的不算；“漏掉”连同一轮里的停顿，所以到不了零。",
        "",
        *table(("等待", "当成语音（秒）", "漏掉（秒）", "漏掉"), rows),
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    text = page(channels_of(options.corpus))
    print(text)
    if options.markdown:
        options.markdown.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
