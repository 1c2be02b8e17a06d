"""Pieces of speech of one channel laid into full windows, and times in a window back to the recording.

A window holds whole pieces, each with a little of the real audio around it, one after the other. So the
encoder runs over speech only, and the decoder sees neighbouring sentences in their order.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np

from pipeline.samples import RATE, Mono, cut
from pipeline.speech.levels import levels_dbfs
from pipeline.timeline import Span
from pipeline.units import MS_PER_SECOND, Ms

SIZES: tuple[Ms, ...] = tuple(range(9_800, 30_000, 2_500))
"""What a window may hold: the model's own 30 s, or less where that wastes less; 0.2 s are spare."""

_COST_OF_A_WINDOW: Ms = 4_000
"""What one more window costs, as so much more sound: context is lost at its edges."""

_STEP_MS = 10
_QUIET_STEPS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """`core` is the speech, `cut` what is taken of the recording, `at` where the cut begins in the window."""

    core: Span
    cut: Span
    at: Ms

    @property
    def end(self) -> Ms:
        """Where the cut ends in the window."""
        return self.at + self.cut.duration

    def to_recording(self, start: Ms, end: Ms) -> Span:
        """A span of the window as a span of the recording, kept inside the speech; never empty."""
        shift = self.cut.start - self.at
        low = min(max(start + shift, self.core.start), self.core.end - 1)
        return Span(low, max(low + 1, min(end + shift, self.core.end)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Pieces in the order of time."""

    pieces: tuple[Piece, ...]

    @property
    def duration(self) -> Ms:
        return self.pieces[-1].end

    @property
    def speech(self) -> tuple[Span, ...]:
        return tuple(piece.core for piece in self.pieces)

    def piece_at(self, time: Ms) -> Piece:
        """The piece that is heard at a time of the window; the last one beyond the end."""
        return next((piece for piece in self.pieces if time < piece.end), self.pieces[-1])

    def render(self, audio: Mono) -> Mono:
        """The window's sound; float32, shape (samples,), 16 kHz."""
        return np.concatenate([cut(audio, piece.cut) for piece in self.pieces])

    @classmethod
    def of(cls, pieces: Iterable[Piece]) -> "Window":
        """The pieces one after the other from the window's start."""
        at = 0
        placed = []
        for piece in pieces:
            placed.append(Piece(core=piece.core, cut=piece.cut, at=at))
            at += piece.cut.duration
        return cls(pieces=tuple(placed))

    def halves(self) -> tuple["Window", ...]:
        """The window cut in two at the piece boundary nearest to its middle; one piece stays whole."""
        if len(self.pieces) < 2:
            return (self,)
        half = min(range(1, len(self.pieces)), key=lambda i: abs(self.pieces[i].at - self.duration // 2))
        return (Window.of(self.pieces[:half]), Window.of(self.pieces[half:]))


def pack(audio: Mono, speech: Sequence[Span], pad: Ms, sizes: Sequence[Ms] = SIZES) -> tuple[Window, ...]:
    """Windows that hold all of `speech`, in order, divided so that the model works through as little as may
    be when each window is filled up to the next of `sizes`.

    Each piece is cut `pad` wider than the speech on both sides, but at most to the middle of the
    pause. Pieces that are too long are split where they are quietest.
    """
    limit = max(sizes)
    end = len(audio) * MS_PER_SECOND // RATE
    inside = (span & Span(0, end) for span in sorted(speech))
    cores = [part for span in inside if span.duration for part in _split(audio, span, limit - 2 * pad)]
    pieces = [Piece(core=core, cut=c, at=0) for core, c in zip(cores, _cuts(cores, pad, end), strict=True)]
    return tuple(Window.of(group) for group in _divided(pieces, sorted(sizes)))


def _divided(pieces: Sequence[Piece], sizes: Sequence[Ms]) -> list[Sequence[Piece]]:
    """The runs of pieces that cost least together, by the cheapest way to each piece's end."""
    ends = [0, *accumulate(piece.cut.duration for piece in pieces)]
    cheapest: list[tuple[Ms, int]] = [(0, 0)]
    for stop in range(1, len(ends)):
        first = bisect_left(ends, ends[stop] - sizes[-1])
        ways = ((cheapest[n][0] + _cost(ends[stop] - ends[n], sizes), n) for n in range(first, stop))
        cheapest.append(min(ways))
    groups: list[Sequence[Piece]] = []
    stop = len(pieces)
    while stop:
        start = cheapest[stop][1]
        groups.append(pieces[start:stop])
        stop = start
    return groups[::-1]


def _cost(duration: Ms, sizes: Sequence[Ms]) -> Ms:
    """What the model works through for one window."""
    return sizes[bisect_left(sizes, duration)] + _COST_OF_A_WINDOW


def _cuts(cores: Sequence[Span], pad: Ms, end: Ms) -> list[Span]:
    starts = [0, *(core.end for core in cores[:-1])]
    stops = [*(core.start for core in cores[1:]), end]
    cuts = []
    for core, before, after in zip(cores, starts, stops, strict=False):
        low = core.start - min(pad, core.start - before if before == 0 else (core.start - before + 1) // 2)
        high = core.end + min(pad, after - core.end if after == end else (after - core.end) // 2)
        cuts.append(Span(low, high))
    return cuts


def _share(rest: Ms, limit: Ms) -> Ms:
    return rest // max(1, -(-rest // limit))


def _split(audio: Mono, span: Span, longest: Ms) -> Iterable[Span]:
    """The span in parts of at most `longest`, cut at the quietest place of each part's second half."""
    while span.duration > longest:
        share = _share(span.duration, longest)
        search = Span(span.start + share // 2, span.start + min(longest, share + share // 2))
        middle = search.start + _quietest(cut(audio, search))
        yield Span(span.start, middle)
        span = Span(middle, span.end)
    yield span


def _quietest(audio: Mono) -> Ms:
    """The middle of the quietest 120 ms, from the start of `audio`."""
    levels = levels_dbfs(audio)
    if len(levels) <= _QUIET_STEPS:
        return len(levels) * _STEP_MS // 2
    smooth = np.convolve(levels, np.ones(_QUIET_STEPS), "valid")
    return (int(np.argmin(smooth)) + _QUIET_STEPS // 2) * _STEP_MS
