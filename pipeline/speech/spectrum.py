"""Short-time spectra of the telephone band, and what in them stays put.

A speaking voice glides: even in the flat first tone hardly a harmonic stays in one 16 Hz bin for a third
of a second. Played notes and signalling tones do. `steady` measures exactly that, so it tells music from
speech without knowing either.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from scipy import fft, ndimage

from pipeline.samples import RATE, Mono
from pipeline.timeline import Span
from pipeline.units import MS_PER_SECOND, Ms

WINDOW = 1024
"""Samples in one frame: 64 ms, bins of 15.6 Hz."""

HOP = 512
"""Samples from frame to frame."""

HOP_MS = HOP * MS_PER_SECOND // RATE
FRAME_MS = WINDOW * MS_PER_SECOND // RATE

_FIRST_BIN, _LAST_BIN = 13, 224
_CHUNK = 4096
_PEAK_DB = 8.0
_NEIGHBOURHOOD = 21
_FLOOR = 1e-14

Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Spectrum:
    """`power`: float32, shape (frames, bins), 198-3484 Hz; `peaks`: bool, same shape, local maxima."""

    power: Floats
    peaks: Flags

    @property
    def frames(self) -> int:
        return int(self.power.shape[0])

    def level(self) -> Floats:
        """RMS of each frame inside the band in dBFS."""
        return np.asarray(10 * np.log10(self.power.sum(axis=1) + _FLOOR), dtype=np.float32)

    def steady(self, ms: Ms) -> Flags:
        """Peaks that stay in their bin for at least `ms`, shape (frames, bins)."""
        count = max(2, (ms - FRAME_MS) // HOP_MS + 1)
        return np.asarray(ndimage.binary_opening(self.peaks, np.ones((count, 1), bool)), dtype=bool)

    def share(self, flags: Flags) -> Floats:
        """Part of each frame's power that lies at the flagged bins and their two neighbours."""
        near = ndimage.binary_dilation(flags, np.ones((1, 3), bool))
        held = (self.power * near).sum(axis=1)
        return np.asarray(held / (self.power.sum(axis=1) + _FLOOR), dtype=np.float32)


def spectrum_of(audio: Mono) -> Spectrum:
    """Spectrum of mono audio; no frames where it is shorter than one window."""
    if len(audio) < WINDOW:
        empty = np.zeros((0, _LAST_BIN - _FIRST_BIN), dtype=np.float32)
        return Spectrum(empty, empty.astype(bool))
    windows = sliding_window_view(audio, WINDOW)[::HOP]
    parts = [_power(windows[at : at + _CHUNK]) for at in range(0, len(windows), _CHUNK)]
    power = np.concatenate(parts)
    return Spectrum(power, _peaks(power))


def _power(windows: Floats) -> Floats:
    taper = np.hanning(WINDOW).astype(np.float32)
    bins = fft.rfft(windows * taper, axis=1)[:, _FIRST_BIN:_LAST_BIN]
    return np.asarray((bins.real**2 + bins.imag**2) * _scale(taper), dtype=np.float32)


def _scale(taper: Floats) -> float:
    """Makes the sum over a frame's bins the mean square of its samples."""
    return 2.0 / (WINDOW * float((taper**2).sum()))


def _peaks(power: Floats) -> Flags:
    level = 10 * np.log10(power + _FLOOR)
    around = ndimage.uniform_filter1d(level, _NEIGHBOURHOOD, axis=1)
    peaks = np.zeros(power.shape, dtype=bool)
    middle = level[:, 1:-1]
    rises = (middle > level[:, :-2]) & (middle >= level[:, 2:])
    peaks[:, 1:-1] = rises & (middle > around[:, 1:-1] + _PEAK_DB)
    return peaks


def frequency_of(bins: NDArray[np.int_]) -> NDArray[np.float64]:
    """Hz at the middle of each bin of `Spectrum.power`."""
    return np.asarray((bins + _FIRST_BIN) * (RATE / WINDOW), dtype=np.float64)


def runs(flags: Flags) -> list[tuple[int, int]]:
    """Half-open index ranges where a one-dimensional bool array is True."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], flags, [False])).astype(np.int8)))
    return [(int(start), int(end)) for start, end in zip(edges[::2], edges[1::2], strict=True)]


def span_of(first: int, last: int) -> Span:
    """Time from frame `first` to before frame `last`; frame edges lie a quarter window inside the frame."""
    inset = FRAME_MS // 4
    return Span(first * HOP_MS + inset, (last - 1) * HOP_MS + FRAME_MS - inset)


def frames_of(span: Span, frames: int) -> slice:
    """The frames whose middle lies in `span`, at least one, inside the recording."""
    start = min(max(0, (span.start - FRAME_MS // 2 + HOP_MS - 1) // HOP_MS), max(0, frames - 1))
    return slice(start, max(start + 1, (span.end - FRAME_MS // 2) // HOP_MS + 1))
