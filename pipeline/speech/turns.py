"""Words of each speaker -> turns in order of time, and where they talk over each other."""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.timeline import Overlap, Role, Span, Turn, Word
from pipeline.units import Ms

LONG_PAUSE_MS: Ms = 2_500
"""A speaker who goes on after a longer pause begins a new turn."""

TAKEOVER_PAUSE_MS: Ms = 150
"""Within a shorter pause nobody else can have taken over."""

ANSWERED_PAUSE_MS: Ms = 1_000
"""In a pause this long, even a 嗯 of the other speaker is an answer."""

BREATH_MS: Ms = 300
"""After a longer silence of their own, a speaker's next word begins something new."""

BACKCHANNEL = frozenset("嗯啊哦噢呃诶唉对是好行")
"""Said once or twice while somebody else goes on talking, these take nothing over."""

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

    Somebody who begins to speak in one's pause ends the turn; a 嗯 does not, nor does somebody who was
    speaking all along.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Others:
    """Sorted times of the other speakers: every word's middle, and the first words that take over."""

    words: tuple[Ms, ...]
    takeovers: tuple[Ms, ...]

    def speak_in(self, pause: Span) -> bool:
        return _any_in(self.words, pause)

    def take_over_in(self, pause: Span) -> bool:
        return _any_in(self.takeovers, pause)


def _any_in(times: Sequence[Ms], span: Span) -> bool:
    return bisect_left(times, span.start) < bisect_left(times, span.end)


def _others(voices: Iterable[Voiced], speaker: int) -> _Others:
    others = [voice for voice in voices if voice.speaker != speaker]
    return _Others(
        words=tuple(sorted(word.span.middle for voice in others for word in voice.words)),
        takeovers=tuple(sorted(time for voice in others for time in _takeovers(voice.words))),
    )


def _takeovers(words: Sequence[Word]) -> Iterator[Ms]:
    """Where a speaker, after a breath, says more than a backchannel."""
    for said in _split(words, lambda pause: pause.duration >= BREATH_MS):
        text = [char for word in said for char in word.text if char.isalnum()]
        if len(text) > 2 or not set(text) <= BACKCHANNEL:
            yield said[0].span.middle


def _groups(words: Sequence[Word], others: _Others) -> list[tuple[Word, ...]]:
    return _split(words, lambda pause: _breaks(pause, others))


def _split(words: Sequence[Word], breaks: Callable[[Span], bool]) -> list[tuple[Word, ...]]:
    groups: list[list[Word]] = [[words[0]]] if words else []
    for before, after in pairwise(words):
        if breaks(Span(before.span.end, max(before.span.end, after.span.start))):
            groups.append([])
        groups[-1].append(after)
    return [tuple(group) for group in groups]


def _breaks(pause: Span, others: _Others) -> bool:
    if pause.duration >= LONG_PAUSE_MS:
        return True
    if pause.duration >= ANSWERED_PAUSE_MS and others.speak_in(pause):
        return True
    return pause.duration > TAKEOVER_PAUSE_MS and others.take_over_in(pause)


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
