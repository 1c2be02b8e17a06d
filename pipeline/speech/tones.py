"""Sounds that are not speech: ringing, signalling tones, hold music; and the waiting that they mark.

`listen` is the whole: it takes what the voice activity detector called speech and gives back the
speech that is left, the ringing before the call, the music and the holds. What decides is how long spectral
peaks stay in place (see `spectrum`), so nothing here knows a particular melody, voice or exchange.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from pipeline.samples import Mono, Samples
from pipeline.speech.spectrum import (
    HOP_MS,
    Flags,
    Floats,
    Spectrum,
    frames_of,
    frequency_of,
    runs,
    span_of,
    spectrum_of,
)
from pipeline.timeline import Hold, Span, merge, subtract, total
from pipeline.units import Ms

Spans = tuple[Span, ...]

AUDIBLE_DB = 38.0
"""Frames further below the loud parts of their channel say nothing."""

_SILENT_DBFS = -70.0

# music
STEADY_MS = 320
MUSIC_MIN_MS = 4_000
_WINDOW_MS = 3_000
_NOT_SPEECH = 0.4
_MUSIC_SHARE, _MUSIC_SHARE_LOW, _NOTE_SHARE = 0.3, 0.08, 0.3
_PIECE_MS = 500
_MIN_NOTES, _NOTE_PART = 3, 0.06

# signalling tones
TONE_MIN_MS = 220
_PURITY = 0.85
_LOWEST_TONE_HZ, _BELOW_TONE = 330.0, 0.1
_TONE_DRIFT_HZ, _TONE_DRIFT_DB = 8.0, 1.5
_DTMF_LOW, _DTMF_HIGH = (697.0, 770.0, 852.0, 941.0), (1209.0, 1336.0, 1477.0, 1633.0)
_DTMF_TOLERANCE_HZ = 20.0
_SLIVER_MS = 120
_LONG_TONE_MS = 600

# ringing
RING_HZ = (395.0, 505.0)
_RING_MS = (700, 3_000)
_RING_PAUSE_MS = 1_500
_ANNOUNCEMENT_MS = 8_000

# waiting
HOLD_MIN_MS = 4_000
_MUSIC_PAUSE_MS = 10_000
_ANNOUNCED_MS = 1_200


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is heard around the words.

    `speech` has one tuple of spans for each channel; `rings`, `music` and `holds` are of the whole call.
    """

    speech: tuple[Spans, ...]
    rings: Spans
    music: Spans
    holds: tuple[Hold, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tone:
    """A signalling tone and its strongest frequency."""

    span: Span
    hz: float


class Hearing:
    """One channel's spectrum and what follows from it, each worked out once.

    `speech` is what the voice activity detector calls speech on this channel.
    """

    def __init__(self, audio: Mono, speech: Iterable[Span]) -> None:
        self.spectrum: Spectrum = spectrum_of(audio)
        self.called_speech = tuple(speech)

    @cached_property
    def audible(self) -> Flags:
        """Frames within `AUDIBLE_DB` of the channel's loud parts, shape (frames,)."""
        level = self.spectrum.level()
        if not len(level):
            return np.zeros(0, dtype=bool)
        least = max(float(np.percentile(level, 99)) - AUDIBLE_DB, _SILENT_DBFS)
        return np.asarray(level > least, dtype=bool)

    @cached_property
    def steady(self) -> Flags:
        """Peaks that last as no voice does, shape (frames, bins)."""
        return self.spectrum.steady(STEADY_MS) & self.audible[:, None]

    @cached_property
    def share(self) -> Floats:
        """Part of each frame's power that is steady, shape (frames,)."""
        return self.spectrum.share(self.steady)

    @cached_property
    def weight(self) -> Floats:
        """Amplitude of audible frames, 0 elsewhere, shape (frames,)."""
        amplitude = np.sqrt(self.spectrum.power.sum(axis=1)) * self.audible
        return np.asarray(amplitude, dtype=np.float32)

    @cached_property
    def tones(self) -> tuple[Tone, ...]:
        """Signalling tones in order of time, music left out."""
        return tuple(tone for tone in _tones_of(self) if not _inside(tone.span, self.music))

    @cached_property
    def voice(self) -> Spans:
        """What was called speech and does not consist of held notes: what may lie over music."""
        return tuple(span for span in self.called_speech if not self.is_steady(span))

    @cached_property
    def music(self) -> Spans:
        """Where music plays for at least `MUSIC_MIN_MS`, without the speech over it."""
        windows = _hysteresis(_smooth(self), _MUSIC_SHARE, _MUSIC_SHARE_LOW)
        played = (_trimmed(self, *run) for run in runs(windows))
        regions = [span for span in played if span is not None and self.is_melody(span)]
        alone = [spans for spans in map(self._alone, regions) if total(spans) >= MUSIC_MIN_MS]
        return merge(span for spans in alone for span in spans if span.duration >= _PIECE_MS)

    @cached_property
    def speech(self) -> Spans:
        """What was called speech, without music and tones."""
        return without_tones(without_music(self.called_speech, self.music), self.tones)

    def _alone(self, region: Span) -> Spans:
        """The region without the speech over it; the padding of speech beside it is not speech."""
        over = [region & span for span in self.voice if region.overlaps(span)]
        return subtract([region], [span for span in over if not self.is_steady(span)])

    def is_steady(self, span: Span) -> bool:
        """Most of what sounds in `span` is held notes."""
        frames = frames_of(span, self.spectrum.frames)
        weight = self.weight[frames]
        return bool(weight.sum() > 0 and np.average(self.share[frames], weights=weight) >= _NOT_SPEECH)

    def is_melody(self, span: Span) -> bool:
        """Several notes take turns being the loudest; a whine, a hum and a dial tone do not."""
        frames = frames_of(span, self.spectrum.frames)
        held = self.spectrum.power[frames] * self.steady[frames]
        loudest = held.argmax(axis=1)[held.any(axis=1)]
        counts = np.bincount(loudest // 2, minlength=1)
        return int((counts >= _NOTE_PART * counts.sum()).sum()) >= _MIN_NOTES


def listen(samples: Samples, speech: Sequence[Sequence[Span]]) -> Surroundings:
    """Clean `speech` (one sequence of spans a channel) of tones and music, and say what those were."""
    heard = [Hearing(samples.channel(index), spans) for index, spans in enumerate(speech)]
    clean = tuple(ear.speech for ear in heard)
    everything = [span for spans in clean for span in spans]
    music = merge(span for ear in heard for span in ear.music)
    tones = [tone for ear in heard for tone in ear.tones]
    return Surroundings(
        speech=clean,
        rings=rings_of(tones, music, everything),
        music=music,
        holds=_holds(heard, clean),
    )


def without_music(speech: Iterable[Span], music: Iterable[Span]) -> Spans:
    """`speech` outside `music` and without the slivers that this leaves."""
    spans = tuple(speech)
    rest = subtract(spans, music)
    return tuple(span for span in rest if span in spans or span.duration >= _SLIVER_MS)


def without_tones(speech: Iterable[Span], tones: Sequence[Tone]) -> Spans:
    """`speech` without signalling tones: long ones are cut out, short ones only where nothing else sounds."""
    kept = tuple(span for span in speech if not _is_only_tones(span, tones))
    rest = subtract(kept, [tone.span for tone in tones if tone.span.duration >= _LONG_TONE_MS])
    return tuple(span for span in rest if span in kept or span.duration >= 2 * _SLIVER_MS)


def _is_only_tones(span: Span, tones: Iterable[Tone]) -> bool:
    """What is left of the span beside tones is no more than padding."""
    rest = subtract([span], [tone.span.pad(_SLIVER_MS) for tone in tones])
    return total(rest) < _SLIVER_MS


def _inside(span: Span, spans: Iterable[Span]) -> bool:
    return any(span.overlaps(other) for other in spans)


# Music


def _smooth(ear: Hearing) -> Floats:
    """Mean steady share of the seconds around each frame, weighted by amplitude, speech left out."""
    if not ear.spectrum.frames:
        return ear.share
    weight = ear.weight.copy()
    for span in ear.voice:
        weight[frames_of(span, len(weight))] = 0
    box = np.ones(max(1, _WINDOW_MS // HOP_MS), dtype=np.float32)
    loud = _around(weight, box)
    return np.asarray(_around(ear.share * weight, box) / (loud + 1e-9), dtype=np.float32)


def _trimmed(ear: Hearing, start: int, end: int) -> Span | None:
    """The run from its first to its last frame with held notes."""
    notes = np.flatnonzero(ear.share[start:end] >= _NOTE_SHARE)
    return span_of(start + int(notes[0]), start + int(notes[-1]) + 1) if len(notes) else None


def _around(values: Floats, box: Floats) -> Floats:
    padded = np.pad(values, (len(box) // 2, len(box) - 1 - len(box) // 2))
    return np.asarray(np.convolve(padded, box, mode="valid"), dtype=np.float32)


def _hysteresis(values: Floats, high: float, low: float) -> Flags:
    """Runs of at least `low` that reach `high` somewhere."""
    flags = np.zeros(len(values), dtype=bool)
    for start, end in runs(values >= low):
        flags[start:end] = values[start:end].max() >= high
    return flags


# Tones


def _tones_of(ear: Hearing) -> list[Tone]:
    pure = _purity(ear.spectrum) & ear.audible
    found = (_tone_of(ear.spectrum, run) for run in runs(pure))
    return [tone for tone in found if tone is not None]


def _purity(spectrum: Spectrum) -> Flags:
    """Frames whose power lies at one or two frequencies, and none of it where voices have their pitch."""
    power = spectrum.power
    if not len(power):
        return np.zeros(0, dtype=bool)
    first = _lobe(power, power.argmax(axis=1))
    rest = np.where(first, 0, power)
    both = first | _lobe(rest, rest.argmax(axis=1))
    whole = power.sum(axis=1) + 1e-14
    voice = frequency_of(np.arange(power.shape[1])) < _LOWEST_TONE_HZ
    pure = (power * both).sum(axis=1) / whole >= _PURITY
    return np.asarray(pure & (power[:, voice].sum(axis=1) / whole <= _BELOW_TONE), dtype=bool)


def _lobe(power: Floats, at: np.ndarray) -> Flags:
    """The bins within three of `at`, shape as `power`."""
    return np.asarray(np.abs(np.arange(power.shape[1]) - at[:, None]) <= 3, dtype=bool)


def _tone_of(spectrum: Spectrum, run: tuple[int, int]) -> Tone | None:
    start, end = run
    span, power = span_of(start, end), spectrum.power[start:end]
    inner = power[1:-1] if len(power) > 4 else power
    lobe = inner * _lobe(inner, np.array([inner.mean(axis=0).argmax()]))
    centre = (lobe @ frequency_of(np.arange(lobe.shape[1]))) / (lobe.sum(axis=1) + 1e-14)
    hz = float(np.median(centre))
    if _is_dtmf(inner):
        return Tone(span=span, hz=hz)
    level = 10 * np.log10(inner.sum(axis=1) + 1e-14)
    flat = centre.std() <= _TONE_DRIFT_HZ and level.std() <= _TONE_DRIFT_DB
    return Tone(span=span, hz=hz) if flat and span.duration >= TONE_MIN_MS else None


def _is_dtmf(power: Floats) -> bool:
    """Two tones of the keypad, about equally loud."""
    mean = power.mean(axis=0)
    hz = frequency_of(np.arange(len(mean)))
    low, high = (hz >= 650) & (hz < 1000), (hz >= 1150) & (hz < 1700)
    a, b = mean * low, mean * high
    if min(a.sum(), b.sum()) < 0.08 * mean.sum() or len(power) < 2:
        return False
    return _near(hz[a.argmax()], _DTMF_LOW) and _near(hz[b.argmax()], _DTMF_HIGH)


def _near(hz: float, wanted: Sequence[float]) -> bool:
    return any(abs(hz - other) <= _DTMF_TOLERANCE_HZ for other in wanted)


def rings_of(tones: Sequence[Tone], music: Sequence[Span], speech: Sequence[Span]) -> Spans:
    """Ringing, and music in its place, before the line is answered.

    A short announcement may come before it ("正在为您转接"); ringing later in the call is a transfer and
    not meant. `speech` is that of all channels.
    """
    spans = merge((tone.span for tone in tones if RING_HZ[0] <= tone.hz <= RING_HZ[1]), gap=HOP_MS * 2)
    rings = [span for index, span in enumerate(spans) if _is_ring(spans, index)]
    first = min((span.start for span in speech), default=None)
    rings += [span for span in music if first is None or span.end <= first + _SLIVER_MS]
    return merge(ring for ring in rings if _said_before(ring, speech) <= _ANNOUNCEMENT_MS)


def _is_ring(spans: Sequence[Span], index: int) -> bool:
    """Long enough, and not in the quick rhythm of a busy tone; the first and last may be cut short."""
    span = spans[index]
    others = [other for other in spans if other != span]
    apart = all(span.gap(other) >= _RING_PAUSE_MS for other in others)
    cut_short = span.start < 2 * HOP_MS or any(o.duration >= _RING_MS[0] and o < span for o in others)
    return apart and span.duration <= _RING_MS[1] and (cut_short or span.duration >= _RING_MS[0])


def _said_before(ring: Span, speech: Iterable[Span]) -> Ms:
    return sum(span.duration for span in merge(speech) if span.start < ring.start)


# Waiting


def holds_of(music: Iterable[Span], speech: Sequence[Span]) -> tuple[Hold, ...]:
    """Waits with music, at least `HOLD_MIN_MS` long, after the first word of the call.

    `speech` is that of the channel where the music plays: the agent who comes back ends the wait, the
    customer who asks whether anybody is there does not. Pauses of the music belong to the wait.
    """
    first = min((span.start for span in speech), default=None)
    if first is None:
        return ()
    after = [span for span in music if span.start > first]
    waits = subtract(_joined(after, speech), speech)
    return tuple(Hold(span=s, music=True) for s in waits if s.duration >= HOLD_MIN_MS)


def _joined(music: Iterable[Span], speech: Sequence[Span]) -> Spans:
    """Music with the pauses filled in which nobody speaks."""
    joined: list[Span] = []
    for span in sorted(music):
        if joined and span.gap(joined[-1]) <= _MUSIC_PAUSE_MS:
            pause = Span(joined[-1].end, max(joined[-1].end, span.start))
            if not _inside(pause, speech):
                joined[-1] = joined[-1] | span
                continue
        joined.append(span)
    return tuple(joined)


def _holds(heard: Sequence[Hearing], speech: Sequence[Spans]) -> tuple[Hold, ...]:
    """Holds of all channels; the first word may be on any of them."""
    began = min((span.start for spans in speech for span in spans), default=None)
    if began is None:
        return ()
    opening = Span(began, began)
    holds = [h for ear, own in zip(heard, speech, strict=True) for h in holds_of(ear.music, (opening, *own))]
    return tuple(Hold(span=span, music=True) for span in merge(hold.span for hold in holds))


def silences_of(
    speech: Iterable[Span], duration: Ms, *, min_ms: Ms, holds: Iterable[Hold] = (), start: Ms = 0
) -> Spans:
    """Spans of at least `min_ms` after `start` in which nobody speaks, holds left out.

    `speech` is that of all channels; pass `Transcript.connected_at` as `start` to leave out the ringing.
    """
    busy = [*speech, *(hold.span for hold in holds)]
    quiet = subtract([Span(start, duration)], busy) if duration > start else ()
    return tuple(span for span in quiet if span.duration >= min_ms)


def with_silent_holds(
    holds: Sequence[Hold], silences: Iterable[Span], announced: Iterable[Span]
) -> tuple[Hold, ...]:
    """`holds` and those silences that begin right where an announcement of a wait ended.

    `announced` are the spans of the turns that announce one; the words decide that elsewhere.
    """
    ends = [span.end for span in announced]
    silent = [s for s in silences if any(abs(s.start - end) <= _ANNOUNCED_MS for end in ends)]
    fresh = [s for s in silent if s.duration >= HOLD_MIN_MS and not _inside(s, (h.span for h in holds))]
    return tuple(sorted([*holds, *(Hold(span=s, music=False) for s in fresh)], key=lambda h: h.span))
