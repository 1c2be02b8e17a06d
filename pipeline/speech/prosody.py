"""How loud and how high a voice is: numbers for a turn, comparable within one recording."""

import numpy as np
from numpy.typing import NDArray

from pipeline.samples import RATE, Mono, cut
from pipeline.timeline import Span

LOWEST_HZ, HIGHEST_HZ = 60.0, 400.0

_FRAME = 768  # 48 ms: nearly three periods of the lowest voice
_HOP = 320  # 20 ms
_FFT = 2048
_CHUNK = 512  # frames at once: bounded memory for turns of any length
_COMPRESSION = 0.6  # exponent on the magnitude spectrum: the telephone band has no fundamental, so
# that all harmonics must have their say and no formant may outvote them
_VOICED = 0.45  # normalized autocorrelation from which a frame counts as voiced
_OCTAVE_COST = 0.02  # per octave down: of two equal peaks the shorter period is the true one
_QUIET = 0.1  # frames below this share of the loud frames' RMS carry no voice
_FEWEST = 5  # voiced frames for a median

Frames = NDArray[np.float32]


def loudness_dbfs(audio: Mono, span: Span) -> float | None:
    """RMS of the span in dB below full scale (a full-scale square wave is 0); None: digital silence."""
    piece = cut(audio, span).astype(np.float64)
    power = float(np.mean(piece**2)) if piece.size else 0.0
    return 10 * float(np.log10(power)) if power > 0 else None


def pitch_hz(audio: Mono, span: Span) -> float | None:
    """Median fundamental frequency of the voiced frames of the span, 60-400 Hz; None: nothing voiced.

    Works on the spacing of the harmonics, so the fundamental itself may be missing (300-3400 Hz).
    """
    frames = _loud(_frames(cut(audio, span)))
    voiced = [_voiced(frames[i : i + _CHUNK]) for i in range(0, len(frames), _CHUNK)]
    pitches = np.concatenate(voiced) if voiced else np.empty(0)
    return float(np.median(pitches)) if len(pitches) >= _FEWEST else None


def _frames(audio: Mono) -> Frames:
    """Overlapping frames, shape (frames, _FRAME), without a copy."""
    if len(audio) < _FRAME:
        return np.empty((0, _FRAME), dtype=np.float32)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(audio, _FRAME)[::_HOP])


def _loud(frames: Frames) -> Frames:
    """Only the frames that can hold the voice, not the pauses."""
    if not len(frames):
        return frames
    rms = np.sqrt(np.mean(frames**2, axis=1))
    return np.asarray(frames[rms > max(_QUIET * float(np.percentile(rms, 90)), 1e-5)])


def _voiced(frames: Frames) -> NDArray[np.float64]:
    """Fundamental frequencies of the voiced ones among the frames, in Hz."""
    similar = _autocorrelation(frames)
    shortest, longest = int(RATE / HIGHEST_HZ), int(RATE / LOWEST_HZ)
    lags = np.arange(shortest, longest + 1)
    inner = similar[:, shortest : longest + 1]
    is_peak = (inner >= similar[:, shortest - 1 : longest]) & (inner > similar[:, shortest + 1 : longest + 2])
    rated = np.where(is_peak, inner - _OCTAVE_COST * np.log2(lags / shortest), -1.0)
    best = rated.argmax(axis=1)
    rows = np.arange(len(frames))
    voiced = rated[rows, best] > _VOICED
    return RATE / _refined(similar[voiced], lags[best[voiced]])


def _autocorrelation(frames: Frames) -> NDArray[np.float64]:
    """Autocorrelation of the spectrally flattened frames, 1 at lag 0, corrected for the window."""
    window = np.hanning(_FRAME)
    shape = np.fft.irfft(np.abs(np.fft.rfft(window, _FFT)) ** 2)[: _FRAME // 2]
    spectrum = np.abs(np.fft.rfft(frames * window, _FFT)) ** (2 * _COMPRESSION)
    raw = np.fft.irfft(spectrum)[:, : _FRAME // 2]
    return np.asarray(raw / np.maximum(raw[:, :1], 1e-12) / (shape / shape[0]))


def _refined(similar: NDArray[np.float64], lags: NDArray[np.int64]) -> NDArray[np.float64]:
    """Lags moved to the tops of the parabolas through three points."""
    rows = np.arange(len(lags))
    before, at, after = (similar[rows, lags + step] for step in (-1, 0, 1))
    curve = before - 2 * at + after
    shift = np.divide(0.5 * (before - after), curve, out=np.zeros_like(curve), where=curve != 0)
    return np.asarray(lags + np.clip(shift, -0.5, 0.5))
