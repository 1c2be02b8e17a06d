"""Log mel energies as Kaldi computes them (dither off), which is what the voice model was trained on."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from pipeline.samples import RATE, Mono

BANDS = 80
FRAME, HOP, FFT = 400, 160, 512
"""Samples at 16 kHz: 25 ms frames every 10 ms."""
LOW_HZ, PREEMPHASIS = 20.0, 0.97
FLOOR = float(np.finfo(np.float32).eps)


def fbank(audio: Mono) -> NDArray[np.float32]:
    """float32, shape (frames, 80); frames are those that fit whole, so shorter than 25 ms gives none."""
    count = max(0, 1 + (len(audio) - FRAME) // HOP)
    if not count:
        return np.zeros((0, BANDS), np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(audio, FRAME)[::HOP][:count]
    frames = frames - frames.mean(axis=1, keepdims=True)
    before = np.concatenate((frames[:, :1], frames[:, :-1]), axis=1)
    spectrum = np.fft.rfft((frames - PREEMPHASIS * before) * _window(), FFT)
    power = np.square(spectrum.real) + np.square(spectrum.imag)
    return np.log(np.maximum(power @ _mel_weights(), FLOOR)).astype(np.float32)


@cache
def _window() -> NDArray[np.float32]:
    """Kaldi's `povey` window: a Hann window to the power 0.85."""
    return np.asarray(np.hanning(FRAME) ** 0.85, dtype=np.float32)


@cache
def _mel_weights() -> NDArray[np.float32]:
    """Triangles of equal width on the mel scale, shape (bins, bands)."""
    edges = np.linspace(_mel(LOW_HZ), _mel(RATE / 2), BANDS + 2)
    bins = _mel(np.arange(FFT // 2 + 1) * RATE / FFT)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.asarray(np.maximum(0, np.minimum(rising, falling)), dtype=np.float32)


def _mel(hertz: float | NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1127.0 * np.log1p(np.asarray(hertz) / 700.0))
