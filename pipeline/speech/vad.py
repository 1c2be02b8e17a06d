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
from pipeline.speech.levels import DIGITAL_SILENCE_DBFS, STEP, STEP_MS, Levels, floor_dbfs, levels_dbfs
from pipeline.timeline import Span, merge
from pipeline.units import MS_PER_SECOND, Ms

FRAME = 512
"""Samples of one Silero frame: 32 ms."""

_HYSTERESIS = 0.15
_REACH_MS: Ms = 160
_RISE_DB = 6.0
_LOUD_PERCENTILE = 95
_TARGET_DBFS = -28.0
_SILENCE_DBFS = -65.0
_FRAME_ABOVE_FLOOR_DB = 6.0
_SPAN_ABOVE_FLOOR_DB = 9.0
_BACKGROUND_BELOW_VOICE_DB = 12.0
_LINGER_STEPS = 21
_FRESH_FRAMES, _WARM_FRAMES = 250, 31
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
    if levels.size == 0 or np.percentile(levels, 99) < _SILENCE_DBFS:
        return ()
    floor = floor_dbfs(levels)
    probabilities = speech_probabilities(audio * _gain(levels, floor))
    low = _background(levels, _bars(levels, floor, _FRAME_ABOVE_FLOOR_DB), len(probabilities))
    spans = _hysteresis(np.where(low, 0, probabilities), options)
    end = len(audio) * MS_PER_SECOND // RATE
    bars = _bars(levels, floor, _SPAN_ABOVE_FLOOR_DB)
    sharp = (_sharpened(span, levels, end) for span in spans if not _is_background(span, levels, bars))
    return merge(span for span in sharp if span.duration >= options.min_speech_ms)


def speech_probabilities(audio: Mono) -> NDArray[np.float32]:
    """Silero's probability of speech for each 32 ms frame; float32, shape (frames,), the last one padded.

    The model is to forget every eight seconds: after loud music, or long silence, it would take speech for
    something else for as long as a minute.
    """
    padded = np.pad(audio, (0, FRAME - len(audio) % FRAME)).astype(np.float32)
    starts = range(0, len(padded) // FRAME, _FRESH_FRAMES)
    return np.concatenate([_fresh(padded, start, start + _FRESH_FRAMES) for start in starts])


def _fresh(padded: Mono, first: int, end: int) -> NDArray[np.float32]:
    """The probabilities of these frames by a model that heard nothing but a second before them."""
    before = min(first, _WARM_FRAMES)
    heard = get_vad_model()(padded[(first - before) * FRAME : end * FRAME])
    return np.asarray(heard, dtype=np.float32).reshape(-1)[before:]


def _gain(levels: Levels, floor: Levels) -> np.float32:
    """Factor that brings what stands out of the background to the level at which Silero hears best; a very
    quiet channel part of the way."""
    audible = levels > _SILENCE_DBFS
    out = levels[audible & (levels > floor + _SPAN_ABOVE_FLOOR_DB)]
    loud = float(np.percentile(out if out.size else levels[audible], _LOUD_PERCENTILE))
    return np.float32(10 ** (min(_TARGET_DBFS - loud, _MAX_GAIN_DB) / 20))


def _bars(levels: Levels, floor: Levels, above: float) -> Levels:
    """For each step the level below which something is background: little above the floor, and far below
    the voice."""
    voice = np.percentile(levels[levels > DIGITAL_SILENCE_DBFS], 99)
    return np.asarray(np.minimum(floor + above, voice - _BACKGROUND_BELOW_VOICE_DB), dtype=np.float32)


def _background(levels: Levels, bars: Levels, frames: int) -> NDArray[np.bool_]:
    """Which Silero frames hold only background, other people's voices included; shape (frames,)."""
    lingering = maximum_filter1d(levels, _LINGER_STEPS)
    steps = np.minimum((np.arange(frames) * FRAME + FRAME // 2) // STEP, len(levels) - 1)
    return np.asarray((lingering < bars)[steps], dtype=np.bool_)


def _is_background(span: Span, levels: Levels, bars: Levels) -> bool:
    inside = slice(span.start // STEP_MS, max(span.end // STEP_MS, span.start // STEP_MS + 1))
    return levels[inside].size == 0 or bool(np.percentile(levels[inside] - bars[inside], 75) < 0)


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


def _sharpened(span: Span, levels: Levels, end: Ms) -> Span:
    """The span with both edges moved (at most 160 ms) to where the energy rises above its surroundings."""
    start = _edge(span.start, levels)
    stop = len(levels) * STEP_MS - _edge(len(levels) * STEP_MS - span.end, levels[::-1])
    start, stop = min(start, end), min(stop, end)
    return Span(start, stop) if stop > start else Span(min(span.start, end), min(span.end, end))


def _edge(at: Ms, levels: Levels) -> Ms:
    """First step near `at` from which the level stays above the quieter surroundings before it."""
    middle = at // STEP_MS
    reach = _REACH_MS // STEP_MS
    before = levels[max(0, middle - 4 * reach) : middle + reach // 2]
    near = levels[max(0, middle - reach) : middle + reach + 3]
    if len(before) < reach or len(near) < 2 * reach:
        return max(at, 0)
    inside = levels[max(0, middle - reach) : middle + 2 * reach]
    floor, voice = np.percentile(before, 20), np.percentile(inside, 90)
    bar = floor + max(_RISE_DB, 0.35 * float(voice - floor))
    above = np.convolve(near > bar, np.ones(3), "valid") >= 3
    if not above.any() or above[0]:
        return max(at, 0)
    return (max(0, middle - reach) + int(np.argmax(above))) * STEP_MS
