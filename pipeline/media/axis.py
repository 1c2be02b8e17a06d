"""Decoded frames laid on one time axis of samples: resampling, gaps, what is lost."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import av
import numpy as np
from numpy.typing import NDArray

from pipeline.samples import RATE
from pipeline.timeline import Span
from pipeline.units import MS_PER_SECOND

GAP_SECONDS = 0.05
"""Timestamps may be off by this much before silence is put in to keep the time axis right."""

_BATCH_SECONDS = 0.5
_RATES = range(1_000, 384_001)
_ODD_FRAME = "a frame that cannot be audio"


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """`data`: float32, shape (channels, samples), at the axis' rate; its first sample is number `start` of
    the axis."""

    start: int
    data: NDArray[np.float32]


@dataclass(slots=True)
class Axis:
    """Takes frames with their times, gives blocks in order; `lost` collects the spans without audio.

    Frames are pooled to about half a second before resampling: telephone frames last 20 ms.
    """

    channels: int
    rate: int = RATE
    lost: list[Span] = field(default_factory=list)
    position: int = 0
    not_finite: int = 0
    _resampler: av.AudioResampler | None = None
    _shape: tuple[int, str] | None = None
    _pool: list[NDArray[np.generic]] = field(default_factory=list)
    _pooled: int = 0
    _run_start: int = 0
    _run_fed: float = 0.0

    @property
    def seconds(self) -> float:
        """Where the next frame falls when nothing is missing."""
        return self._run_start / self.rate + self._run_fed

    def add(self, frame: av.AudioFrame) -> Iterator[Block]:
        """Append a frame. Raises ValueError: it cannot be audio."""
        if frame.sample_rate not in _RATES or not frame.samples:
            raise ValueError(_ODD_FRAME)
        data = _planar(frame, self.channels)
        shape = (frame.sample_rate, frame.format.planar.name)
        if shape != self._shape:
            yield from self.finish()
            self._shape = shape
        self._pool.append(data)
        self._pooled += frame.samples
        self._run_fed += frame.samples / frame.sample_rate
        if self._pooled >= _BATCH_SECONDS * frame.sample_rate:
            yield from self._emit()

    def skip_to(self, seconds: float) -> Iterator[Block]:
        """Leave silence up to `seconds` and note it as lost."""
        start = self.seconds
        yield from self.finish()
        self.lost.append(Span(int(start * MS_PER_SECOND), int(seconds * MS_PER_SECOND)))
        self.position = self._run_start = round(seconds * self.rate)

    def finish(self) -> Iterator[Block]:
        """What is still in the pool and in the resampler."""
        yield from self._emit()
        if self._resampler is not None:
            yield from self._blocks(self._resampler.resample(None))
        self._resampler, self._shape = None, None
        self._run_start, self._run_fed = self.position, 0.0

    def _emit(self) -> Iterator[Block]:
        if not self._pool or self._shape is None:
            return
        fed_rate, sample_format = self._shape
        layout = "mono" if self.channels == 1 else "stereo"
        pooled = np.ascontiguousarray(np.concatenate(self._pool, axis=1))
        self._pool, self._pooled = [], 0
        frame = av.AudioFrame.from_ndarray(pooled, format=sample_format, layout=layout)
        frame.sample_rate = fed_rate
        if self._resampler is None:
            self._resampler = av.AudioResampler(format="fltp", layout=layout, rate=self.rate)
        yield from self._blocks(self._resampler.resample(frame))

    def _blocks(self, frames: list[av.AudioFrame]) -> Iterator[Block]:
        for frame in frames:
            data = self._clean(frame.to_ndarray().astype(np.float32, copy=False))
            yield Block(self.position, data)
            self.position += data.shape[1]

    def _clean(self, data: NDArray[np.float32]) -> NDArray[np.float32]:
        """Finite and within [-1, 1]; float files can hold anything."""
        bad = int(data.size - np.isfinite(data).sum())
        self.not_finite += bad
        clean = np.nan_to_num(data, nan=0.0, posinf=0.0, neginf=0.0) if bad else data
        return np.clip(clean, -1.0, 1.0)


def _planar(frame: av.AudioFrame, channels: int) -> NDArray[np.generic]:
    """The frame as (channels, samples) in its own sample type; a missing channel repeats the last one."""
    data: NDArray[np.generic] = frame.to_ndarray()
    if not frame.format.is_planar:
        data = data.reshape(frame.samples, -1).T
    if data.shape[0] < channels:
        data = np.repeat(data[-1:], channels, axis=0)
    return data[:channels]
