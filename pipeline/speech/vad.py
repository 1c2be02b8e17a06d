"""Where somebody speaks on one channel: Silero's probabilities, hysteresis, edges sharpened by energy.

The spans are tight: they begin and end with the voice. What a recognizer wants around them, it adds itself.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from faster_whisper.vad import get_vad_model
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d

from pipeline.samples import RATE, Mono
from pipeline.settings import Settings
from pipeline.timeline import Span, merge
from pipeline.units import MS_PER_SECOND, Ms

FRAME = 512
"""Samples of one Silero frame: 32 ms."""

_HYSTERESIS = 0.15
_STEP_MS = 10
_STEP = RATE * _STEP_MS // MS_PER_SECOND
_REACH_MS: Ms = 160
_RISE_DB = 6.0
_LOUD_PERCENTILE = 95
_TARGET_DBFS = -22.0
_FLOOR_DBFS = -65.0
_FLOOR_PERCENTILE = 10
_DIGITAL_SILENCE_DBFS = -90.0
_FRAME_ABOVE_FLOOR_DB = 7.0
_SPAN_ABOVE_FLOOR_DB = 10.0
_BACKGROUND_BELOW_VOICE_DB = 12.0
_LINGER_STEPS = 21
_MAX_GAIN_DB = 24.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VadOptions:
    """The vad_* settings, in milliseconds and probabilities."""

    threshold: float
    min_speech_ms: Ms
    min_silence_ms: Ms

    @classmethod
    def of(cls, settings: Settings) -> "VadOptions":
        return cls(
            threshold=settings.vad_threshold,
            min_speech_ms=settings.vad_min_speech_ms,
            min_silence_ms=settings.vad_min_silence_ms,
        )


def speech_spans(audio: Mono, settings: Settings) -> tuple[Span, ...]:
    """Tight spans of speech on one channel, in order, disjoint, inside the audio.

    Music and ringing are not speech, as far as Silero tells them apart. Empty audio has no speech.
    """
    options = VadOptions.of(settings)
    levels = levels_dbfs(audio)
    if levels.size == 0 or np.percentile(levels, 99) < _FLOOR_DBFS:
        return ()
    probabilities = speech_probabilities(audio * _gain(levels))
    spans = _hysteresis(np.where(_background(levels, len(probabilities)), 0, probabilities), options)
    end = len(audio) * MS_PER_SECOND // RATE
    sharp = (_sharpened(span, levels, end) for span in spans if not _is_background(span, levels))
    return merge(span for span in sharp if span.duration >= options.min_speech_ms)


def speech_probabilities(audio: Mono) -> NDArray[np.float32]:
    """Silero's probability of speech for each 32 ms frame; float32, shape (frames,), the last one padded."""
    padded = np.pad(audio, (0, FRAME - len(audio) % FRAME)).astype(np.float32)
    return np.asarray(get_vad_model()(padded), dtype=np.float32).reshape(-1)


def levels_dbfs(audio: Mono) -> NDArray[np.float32]:
    """RMS level of each 10 ms step in dBFS; float32, shape (steps,); digital silence is -100."""
    steps = len(audio) // _STEP
    frames: NDArray[np.float32] = audio[: steps * _STEP].reshape(steps, _STEP)
    power = np.einsum("ij,ij->i", frames, frames, dtype=np.float64) / _STEP
    return np.asarray(10 * np.log10(power + 1e-10), dtype=np.float32)


def _gain(levels: NDArray[np.float32]) -> np.float32:
    """Factor that brings quiet channels to a usual speech level; loud ones stay as they are."""
    active = levels[levels > _FLOOR_DBFS]
    loud = float(np.percentile(active, _LOUD_PERCENTILE))
    return np.float32(10 ** (min(max(_TARGET_DBFS - loud, 0.0), _MAX_GAIN_DB) / 20))


def _bar(levels: NDArray[np.float32], above_floor: float) -> float:
    """Level below which something is background: little above the floor, and far below the voice."""
    heard = levels[levels > _DIGITAL_SILENCE_DBFS]
    floor, voice = np.percentile(heard, [_FLOOR_PERCENTILE, 99])
    return float(min(floor + above_floor, voice - _BACKGROUND_BELOW_VOICE_DB))


def _background(levels: NDArray[np.float32], frames: int) -> NDArray[np.bool_]:
    """Which Silero frames hold only background, other people's voices included; shape (frames,)."""
    lingering = maximum_filter1d(levels, _LINGER_STEPS)
    steps = (np.arange(frames) * FRAME + FRAME // 2) // _STEP
    quiet = lingering[np.minimum(steps, len(levels) - 1)] < _bar(levels, _FRAME_ABOVE_FLOOR_DB)
    return np.asarray(quiet, dtype=np.bool_)


def _is_background(span: Span, levels: NDArray[np.float32]) -> bool:
    inside = levels[span.start // _STEP_MS : max(span.end // _STEP_MS, span.start // _STEP_MS + 1)]
    return inside.size == 0 or float(np.percentile(inside, 75)) < _bar(levels, _SPAN_ABOVE_FLOOR_DB)


def _hysteresis(probabilities: NDArray[np.float32], options: VadOptions) -> Iterator[Span]:
    """Runs of frames that rise above the threshold and end after enough frames below the lower one."""
    frame_ms = FRAME * MS_PER_SECOND // RATE
    low = max(options.threshold - _HYSTERESIS, 0.01)
    patience = max(options.min_silence_ms // frame_ms, 1)
    start = end = None
    for index, probability in enumerate(probabilities):
        if probability >= options.threshold or (start is not None and end is None and probability >= low):
            start, end = (index if start is None else start), None
        elif start is not None:
            end = index if end is None else end
            if index - end + 1 >= patience:
                yield Span(start * frame_ms, end * frame_ms)
                start = end = None
    if start is not None:
        yield Span(start * frame_ms, (len(probabilities) if end is None else end) * frame_ms)


def _sharpened(span: Span, levels: NDArray[np.float32], end: Ms) -> Span:
    """The span with both edges moved (at most 160 ms) to where the energy rises above its surroundings."""
    start = _edge(span.start, levels)
    stop = len(levels) * _STEP_MS - _edge(len(levels) * _STEP_MS - span.end, levels[::-1])
    start, stop = min(start, end), min(stop, end)
    return Span(start, stop) if stop > start else Span(min(span.start, end), min(span.end, end))


def _edge(at: Ms, levels: NDArray[np.float32]) -> Ms:
    """First step near `at` from which the level stays above the quieter surroundings before it."""
    middle = at // _STEP_MS
    reach = _REACH_MS // _STEP_MS
    before = levels[max(0, middle - 4 * reach) : middle + reach // 2]
    near = levels[max(0, middle - reach) : middle + reach + 3]
    if len(before) < reach or len(near) < 2 * reach:
        return max(at, 0)
    floor, voice = np.percentile(before, 20), np.percentile(near, 90)
    bar = floor + max(_RISE_DB, 0.35 * float(voice - floor))
    above = np.convolve(near > bar, np.ones(3), "valid") >= 3
    if not above.any() or above[0]:
        return max(at, 0)
    return (max(0, middle - reach) + int(np.argmax(above))) * _STEP_MS
