"""Who of the speakers of one channel speaks when.

Overlapping windows inside each span of speech are embedded once; the embeddings are split into two voices
(one if there is no clear split, three only on clear evidence); then the most likely sequence of speakers is
found, frame by frame, where a change of speaker is cheap in a pause and dear in the middle of a word.
Where two people talk at once, the louder one gets the time.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.samples import Mono, cut
from pipeline.speech.clustering import FindVoices, voice_centroids
from pipeline.speech.embedding import Embeds, Features
from pipeline.speech.fbank import BANDS, FRAME, fbank
from pipeline.timeline import Span, merge
from pipeline.units import Ms

FRAME_MS: Ms = 10
"""Hop of the features, and the grain of speaker changes."""

_EDGE_FRAMES = 2
"""A frame of features is 25 ms long: a window holds two frames less than its time over 10 ms."""

_VOICE_BANDS = slice(3, 60)
"""Mel bands whose mean energy shows pauses: about 150 to 3400 Hz."""

Scores = NDArray[np.float32]
"""float32, shape (frames, speakers): how well each speaker fits each frame."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One stretch of one speaker. `speaker` counts from 0 in order of first speech."""

    span: Span
    speaker: int
    confidence: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How to diarize. The defaults are what docs/diarization.md measured best.

    `certainty` turns a difference of cosines at one frame into a log-likelihood ratio; `switch` is what a
    change of speaker costs in the middle of speech, in the same unit; of it, `pause_discount` is taken off
    where the frame is as quiet as a pause, and between two spans of speech.
    """

    window_ms: Ms = 1_000
    hop_ms: Ms = 750
    certainty: float = 2.0
    switch: float = 12.0
    pause_discount: float = 0.7
    max_speakers: int = 3


_PAUSE_PERCENTILE, _LOUD_PERCENTILE = 5, 90
_CONFIDENCE_FRAMES = 8
_TARGET_RMS, _MOST_GAIN = 0.03, 100.0


def diarize(
    audio: Mono,
    speech: Sequence[Span],
    embedder: Embeds,
    manner: Manner | None = None,
    find_voices: FindVoices = voice_centroids,
) -> tuple[Voice, ...]:
    """Voices in order of time: disjoint, covering exactly `speech`, of one to three speakers.

    `audio`: one channel, 16 kHz. Deterministic. A span of speech that touches the next is joined to it.
    """
    manner, spans = manner or Manner(), [span for span in merge(speech) if span.duration]
    if not spans:
        return ()
    gain = _gain([cut(audio, span) for span in spans])
    parts = [_Part.of(audio, gain, span, manner) for span in spans]
    embeddings = embedder.embed([window.features for part in parts for window in part.windows])
    seconds = np.concatenate([part.seconds_by_window for part in parts])
    centroids = find_voices(embeddings, seconds, manner.max_speakers)
    scores = _frame_scores(parts, embeddings @ centroids.T) * manner.certainty
    path = best_path(scores, _switch_costs(parts, manner))
    return _in_order_of_speech(_voices(parts, path, scores))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Window:
    """A piece of a part: `count` frames of time from its frame `first`. `features` all have one length."""

    first: int
    count: int
    features: Features


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Part:
    """One span of speech, its features, how many frames of time it holds, and its windows."""

    span: Span
    features: Features
    frames: int
    windows: tuple[_Window, ...]

    @classmethod
    def of(cls, audio: Mono, gain: np.float32, span: Span, manner: Manner) -> "_Part":
        """A span too short for features, or past the end of the audio, gets those of silence."""
        features = fbank(cut(audio, span) * gain)
        if not len(features):
            features = fbank(np.zeros(FRAME, np.float32))
        frames = max(1, span.duration // FRAME_MS)
        return cls(span=span, features=features, frames=frames, windows=_windows(features, frames, manner))

    @property
    def seconds_by_window(self) -> NDArray[np.float64]:
        """The part's time, shared evenly among its windows."""
        count = len(self.windows)
        return np.full(count, self.frames * FRAME_MS / 1000 / count)


def _gain(spoken: Sequence[Mono]) -> np.float32:
    """What brings the call's speech to one level: the floor under the features' logarithm is absolute."""
    power = sum(float(np.square(piece).sum()) for piece in spoken)
    rms = math.sqrt(power / max(1, sum(map(len, spoken))))
    return np.float32(min(_TARGET_RMS / max(rms, 1e-9), _MOST_GAIN))


def _windows(features: Features, frames: int, manner: Manner) -> tuple[_Window, ...]:
    """Windows that cover a part evenly, at most `hop_ms` apart; one, repeated to length, if it is short."""
    size, hop = manner.window_ms // FRAME_MS, manner.hop_ms // FRAME_MS
    room = max(0, frames - size)
    starts = np.linspace(0, room, -(-room // hop) + 1).astype(int).tolist()
    return tuple(
        _Window(first=first, count=min(size, frames), features=_tiled(features[first:], size - _EDGE_FRAMES))
        for first in starts
    )


def _tiled(features: Features, length: int) -> Features:
    """The first `length` frames; what is shorter is repeated, for one batch of equal windows."""
    return np.resize(features[:length], (length, BANDS))


def _frame_scores(parts: Sequence[_Part], fits: Scores) -> Scores:
    """Each frame's mean of the windows over it, which count most at their middle. Shape (frames, speakers).

    `fits`: a row per window of all parts in order.
    """
    rows, scores = iter(fits), []
    for part in parts:
        sums = np.zeros((part.frames, fits.shape[1] + 1))
        for window in part.windows:
            weight = _triangle(window.count)[:, None]
            row = np.append(next(rows), 1.0)
            sums[window.first : window.first + window.count] += weight * row
        scores.append(sums[:, :-1] / sums[:, -1:])
    return np.concatenate(scores).astype(np.float32)


def _triangle(count: int) -> NDArray[np.float64]:
    middle = count / 2
    return np.asarray(1.05 - np.abs(np.arange(count) + 0.5 - middle) / middle)


def _switch_costs(parts: Sequence[_Part], manner: Manner) -> NDArray[np.float64]:
    """What a change of speaker costs on entering each frame of all parts."""
    levels = [_levels(part) for part in parts]
    low, high = np.percentile(np.concatenate(levels), (_PAUSE_PERCENTILE, _LOUD_PERCENTILE))
    costs = []
    for level in levels:
        pause = np.clip((high - level) / max(high - low, 1e-6), 0, 1)
        cost = manner.switch * (1 - manner.pause_discount * np.square(pause))
        cost[0] = manner.switch * (1 - manner.pause_discount)
        costs.append(cost)
    return np.concatenate(costs)


def _levels(part: _Part) -> NDArray[np.float64]:
    """Log energy of the voice's bands over 50 ms around each frame of time, shape (frames,)."""
    raw = part.features[:, _VOICE_BANDS].mean(axis=1)
    padded = np.pad(raw, 2, mode="edge")
    smooth = np.convolve(padded, np.ones(5) / 5, "valid")
    late = max(0, part.frames - len(smooth) - 1)
    return np.pad(smooth, (1, late), mode="edge")[: part.frames]


def best_path(scores: Scores, switch_costs: NDArray[np.float64]) -> NDArray[np.int64]:
    """The most likely speaker of every frame: Viterbi over `scores`, shape (frames, speakers)."""
    frames, speakers = scores.shape
    before = np.zeros((frames, speakers), np.int64)
    stay = np.arange(speakers)
    total = scores[0].astype(np.float64)
    for frame in range(1, frames):
        best = int(total.argmax())
        moved = total[best] - switch_costs[frame]
        before[frame] = np.where(total >= moved, stay, best)
        total = np.maximum(total, moved) + scores[frame]
    path = np.empty(frames, np.int64)
    path[-1] = total.argmax()
    for frame in range(frames - 1, 0, -1):
        path[frame - 1] = before[frame, path[frame]]
    return path


def _voices(parts: Sequence[_Part], path: NDArray[np.int64], scores: Scores) -> list[Voice]:
    """Runs of one speaker inside each part, whose ends are kept to the millisecond."""
    voices, first = [], 0
    for part in parts:
        inside = slice(first, first + part.frames)
        labels = path[inside]
        changes = (np.flatnonzero(np.diff(labels)) + 1).tolist()
        for start, end in pairwise([0, *changes, part.frames]):
            span = Span(
                part.span.start + start * FRAME_MS,
                part.span.start + end * FRAME_MS if end < part.frames else part.span.end,
            )
            speaker = int(labels[start])
            sure = _confidence(scores[inside][start:end], speaker)
            voices.append(Voice(span=span, speaker=speaker, confidence=sure))
        first += part.frames
    return voices


def _confidence(scores: Scores, speaker: int) -> float:
    """Logistic of how much better the speaker fits than the next one, over a fifth of a second."""
    if scores.shape[1] == 1:
        return 1.0
    mean = scores.mean(axis=0)
    lead = float(mean[speaker] - np.delete(mean, speaker).max())
    return round(1 / (1 + math.exp(-lead * _CONFIDENCE_FRAMES)), 3)


def _in_order_of_speech(voices: Sequence[Voice]) -> tuple[Voice, ...]:
    numbers: dict[int, int] = {}
    return tuple(replace(v, speaker=numbers.setdefault(v.speaker, len(numbers))) for v in voices)
