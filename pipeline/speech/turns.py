"""Words of each speaker -> turns in order of time, and where they talk over each other."""

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.timeline import Overlap, Role, Span, Turn, Word
from pipeline.units import Ms

LONG_PAUSE_MS: Ms = 2_500
"""A speaker who goes on after a longer pause begins a new turn."""

SHORT_PAUSE_MS: Ms = 150
"""Within a shorter pause nobody else can have taken over."""

AUDIBLE_OVERLAP_MS: Ms = 200
"""Shorter overlaps are within the error of word times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voiced:
    """All words of one speaker, in order of time. `channel` is None on mono.

    `speech` are the stretches in which a voice was heard: word times are pulled to their edges,
    which are more exact than the recognizer's.
    """

    speaker: int
    channel: int | None
    words: tuple[Word, ...]
    speech: tuple[Span, ...] = ()


def turns_of(voices: Sequence[Voiced]) -> tuple[Turn, ...]:
    """Turns of all speakers, sorted by start. Roles are UNKNOWN.

    A word of another speaker inside one's pause ends the turn; a 嗯 that is spoken under
    somebody else's words does not.
    """
    drafts = [
        (voice, group) for voice in voices for group in _groups(voice.words, _others(voices, voice.speaker))
    ]
    drafts.sort(key=lambda draft: (draft[1][0].span, draft[0].speaker))
    return tuple(
        Turn(
            index=index,
            speaker=voice.speaker,
            role=Role.UNKNOWN,
            channel=voice.channel,
            span=_audible(group, voice.speech),
            words=group,
        )
        for index, (voice, group) in enumerate(drafts)
    )


def overlaps_of(turns: Sequence[Turn]) -> tuple[Overlap, ...]:
    """Where two turns sound at once for long enough to be heard."""
    found = []
    for later in turns:
        for earlier in turns[: later.index]:
            common = earlier.span & later.span
            if earlier.speaker != later.speaker and common.duration >= AUDIBLE_OVERLAP_MS:
                found.append(Overlap(span=common, first=earlier.index, second=later.index))
    return tuple(sorted(found, key=lambda overlap: overlap.span))


def _others(voices: Iterable[Voiced], speaker: int) -> list[Ms]:
    """Middles of all words that are not this speaker's, sorted."""
    return sorted(w.span.middle for voice in voices if voice.speaker != speaker for w in voice.words)


def _groups(words: Sequence[Word], others: Sequence[Ms]) -> list[tuple[Word, ...]]:
    if not words:
        return []
    groups: list[list[Word]] = [[words[0]]]
    for before, after in pairwise(words):
        if _breaks(before.span, after.span, others):
            groups.append([])
        groups[-1].append(after)
    return [tuple(group) for group in groups]


def _breaks(before: Span, after: Span, others: Sequence[Ms]) -> bool:
    pause = after.start - before.end
    if pause >= LONG_PAUSE_MS:
        return True
    if pause <= SHORT_PAUSE_MS:
        return False
    return bisect_left(others, before.end) < bisect_left(others, after.start)


def _audible(group: Sequence[Word], speech: Sequence[Span]) -> Span:
    """From the edge of the stretch of speech that holds the first word to the edge of the last one's,
    as far as no other word of the speaker lies between."""
    span = Span(group[0].span.start, group[-1].span.end)
    first = _holding(group[0].span, speech)
    last = _holding(group[-1].span, speech)
    start = first.start if first and first.start >= span.start - _REACH_MS else span.start
    end = last.end if last and last.end <= span.end + _REACH_MS else span.end
    return Span(start, max(start, end))


_REACH_MS: Ms = 600
"""Word times are pulled to an edge of speech at most this far away."""


def _holding(word: Span, speech: Sequence[Span]) -> Span | None:
    return next((span for span in speech if span.start - 100 <= word.middle < span.end + 100), None)


def by_speaker(words: Sequence[Word], speakers: Mapping[Span, int]) -> dict[int, tuple[Word, ...]]:
    """Give every word of a mono recording to the speaker whose stretch holds its middle, else the nearest."""
    stretches = sorted(speakers.items())
    given: dict[int, list[Word]] = {}
    for word in words:
        if not stretches:
            given.setdefault(0, []).append(word)
            continue
        middle = Span(word.span.middle, word.span.middle)
        _, speaker = min(stretches, key=lambda item: (item[0].gap(middle), item[0]))
        given.setdefault(speaker, []).append(word)
    return {speaker: tuple(found) for speaker, found in sorted(given.items())}
