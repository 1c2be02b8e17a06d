"""Decoded audio as every stage sees it: 16 kHz float32."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.timeline import Span
from pipeline.units import MS_PER_SECOND, Ms

RATE = 16_000
"""Samples a second of all decoded audio, whatever the file had."""

Mono = NDArray[np.float32]
"""float32, shape (samples,), 16 kHz, [-1, 1]."""


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """`data`: float32, shape (channels, samples), 16 kHz, [-1, 1]; one or two channels."""

    data: NDArray[np.float32]

    @property
    def channels(self) -> int:
        return int(self.data.shape[0])

    @property
    def duration(self) -> Ms:
        return int(self.data.shape[1]) * MS_PER_SECOND // RATE

    def channel(self, index: int) -> Mono:
        """One channel, without a copy."""
        return np.asarray(self.data[index], dtype=np.float32)

    def mixed(self) -> Mono:
        """Mean of the channels."""
        return np.asarray(self.data.mean(axis=0), dtype=np.float32)


def cut(audio: Mono, span: Span) -> Mono:
    """The part of `audio` inside `span`; shorter where the span reaches past the end."""
    return audio[span.start * RATE // MS_PER_SECOND : span.end * RATE // MS_PER_SECOND]


@dataclass(frozen=True, slots=True, kw_only=True)
class Peaks:
    """A waveform to draw: by channel one byte for each `step` of time, the last one for what is left. A byte
    is 255 times the square root of the loudest sample in it, so that quiet speech can be seen."""

    step: Ms
    channels: tuple[bytes, ...]

    def at_most(self, points: int) -> "Peaks":
        """The same waveform in at most so many points a channel: whole steps, taken together."""
        size = len(self.channels[0]) if self.channels else 0
        times = max(1, -(-size // points))
        if times == 1:
            return self
        return Peaks(step=self.step * times, channels=tuple(_together(c, times) for c in self.channels))


def _together(channel: bytes, times: int) -> bytes:
    padded = np.frombuffer(channel.ljust(-(-len(channel) // times) * times, b"\0"), np.uint8)
    return bytes(padded.reshape(-1, times).max(axis=1))
