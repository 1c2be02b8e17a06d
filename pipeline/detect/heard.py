"""A call's words in one row of characters, with the bit masks that the matcher works on.

Position `i` lies before character `i`. Masks are ints: bit `i` speaks of position or character `i`.
Neighbouring turns of one speaker are one stretch as long as nobody else speaks between them;
stretches are kept apart by a character that matches nothing.
"""

from bisect import bisect_right
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import accumulate
from typing import NamedTuple

from pipeline.detect import segment
from pipeline.detect.pattern import fold, matchable
from pipeline.detect.sound import FILLERS, LIGHT, alike_syllables, equals, syllables
from pipeline.timeline import Call, Role, Span, Turn, Word
from pipeline.units import Ms

SEPARATOR = "\n"
Spans = tuple[tuple[int, int], ...]
"""Pairs of positions."""
JOIN_GAP: Ms = 2500
"""Turns of one speaker further apart than this are separate stretches."""
PAUSE: Ms = 500
"""A silence between words that counts as a pause."""
STOPS = frozenset("。！？；!?;")
COMMAS = frozenset("，、：,:")
BREATH: Ms = 500
"""A full stop that is written where the silence is shorter may be recognition's guess."""
COMMA_COST, PAUSE_COST, SOFT_STOP_COST, STOP_COST = 0.15, 0.25, 0.35, 0.45


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One character as heard. `tail` is the punctuation after it, `turn` indexes Transcript.turns."""

    char: str
    raw: str
    tail: str
    span: Span
    probability: float
    turn: int
    role: Role
    stretch: int


class Written(NamedTuple):
    """A stretch as text: its first position, and where in the text each of its characters stands."""

    text: str
    first: int
    at: tuple[int, ...]


def _written(pieces: Sequence[str], first: int) -> Written:
    at = accumulate((len(piece) for piece in pieces), initial=0)
    return Written("".join(pieces), first, tuple(at)[:-1])


def _marks(turn: Turn, position: int, stretch: int) -> list[Mark]:
    return [mark for word in turn.words for mark in _word_marks(word, turn, position, stretch)]


def _word_marks(word: Word, turn: Turn, position: int, stretch: int) -> Iterable[Mark]:
    """Characters of one word share its time evenly."""
    pieces: list[list[str]] = []
    for char in word.text:
        if matchable(char):
            pieces.append([char, ""])
        elif pieces:
            pieces[-1][1] += char
    for i, (raw, tail) in enumerate(pieces):
        start = word.span.start + word.span.duration * i // len(pieces)
        end = word.span.start + word.span.duration * (i + 1) // len(pieces)
        yield Mark(
            char=fold(raw),
            raw=raw,
            tail=tail,
            span=Span(start, end),
            probability=word.probability,
            turn=position,
            role=turn.role,
            stretch=stretch,
        )


def stretches(turns: Sequence[Turn]) -> tuple[tuple[int, ...], ...]:
    """Positions in `turns` grouped: one speaker, nobody else's words between, no long silence."""
    order = sorted((i for i, turn in enumerate(turns) if turn.words), key=lambda i: (turns[i].span, i))
    groups: list[list[int]] = []
    for i in order:
        last = turns[groups[-1][-1]] if groups else None
        together = last is not None and last.speaker == turns[i].speaker and last.role == turns[i].role
        if last is not None and together and turns[i].span.start - last.span.end <= JOIN_GAP:
            groups[-1].append(i)
        else:
            groups.append([i])
    return tuple(tuple(group) for group in groups)


_GAP_MARK = Mark(
    char=SEPARATOR, raw="", tail="", span=Span(0, 0), probability=1.0, turn=-1, role=Role.UNKNOWN, stretch=-1
)


class _Sounds(dict[str, int]):
    """Masks of what sounds like a character, by character, from the masks of characters and of syllables."""

    def __init__(self, characters: Mapping[str, int], syllables: Mapping[str, int]) -> None:
        self._characters, self._syllables = characters, syllables

    def __missing__(self, char: str) -> int:
        bits, known = _written_as(char, self._characters), self._syllables
        for near in alike_syllables(char):
            if near in known:
                bits |= known[near]
        self[char] = bits
        return bits


def _written_as(char: str, characters: Mapping[str, int]) -> int:
    bits = 0
    for same in equals(char):
        bits |= characters.get(same, 0)
    return bits


@dataclass(eq=False)
class Heard:
    """The row of characters of one call; masks are made when first asked for. `terms` are words that the
    dictionary may not have."""

    marks: tuple[Mark, ...]
    groups: tuple[tuple[int, ...], ...]
    terms: frozenset[str] = frozenset()
    _sounds: dict[str, int] = field(default_factory=dict)
    _ends: dict[int, frozenset[int]] = field(default_factory=dict)
    _where: dict[Callable[[str], bool], int] = field(default_factory=dict)
    seeds: dict[tuple[Hashable, Spans], int] = field(default_factory=dict)
    openings: dict[frozenset[str], int] = field(default_factory=dict)
    runs: dict[str, Spans] = field(default_factory=dict)

    @classmethod
    def of(cls, call: Call, terms: frozenset[str] = frozenset()) -> "Heard":
        """Lay out the words of a call."""
        groups = stretches(call.transcript.turns)
        return cls.of_some(call, groups, range(len(groups)), terms)

    @classmethod
    def of_some(
        cls,
        call: Call,
        groups: tuple[tuple[int, ...], ...],
        chosen: Iterable[int],
        terms: frozenset[str] = frozenset(),
    ) -> "Heard":
        """Lay out some of the call's stretches; they keep their numbers."""
        turns = call.transcript.turns
        marks = [_GAP_MARK]
        for number in chosen:
            for position in groups[number]:
                marks.extend(_marks(turns[position], position, number))
            marks.append(_GAP_MARK)
        return cls(marks=tuple(marks), groups=groups, terms=terms)

    def __len__(self) -> int:
        return len(self.marks)

    @cached_property
    def text(self) -> str:
        return "".join(mark.char for mark in self.marks)

    def mask(self, keep: Callable[[Mark], bool]) -> int:
        """Bits of the characters for which `keep` holds; separators never do."""
        bits = 0
        for i, mark in enumerate(self.marks):
            if mark.stretch >= 0 and keep(mark):
                bits |= 1 << i
        return bits

    @cached_property
    def words(self) -> int:
        """Characters that were heard: everything but separators."""
        return self.mask(lambda mark: True)

    @cached_property
    def light(self) -> int:
        """Characters that may be skipped cheaply."""
        return self.mask(lambda mark: mark.char in LIGHT)

    @cached_property
    def fillers(self) -> int:
        return self.mask(lambda mark: mark.char in FILLERS)

    @cached_property
    def breaks(self) -> tuple[float, ...]:
        """Cost of running on across position i: punctuation or a pause before character i."""
        costs = [STOP_COST]
        for before, after in zip(self.marks, self.marks[1:], strict=False):
            costs.append(_break_cost(before, after))
        return tuple(costs)

    @cached_property
    def stops(self) -> int:
        """Positions where a sentence or a stretch ends, and that can be heard."""
        return _bits(i for i, cost in enumerate(self.breaks) if cost >= STOP_COST)

    @cached_property
    def soft_stops(self) -> int:
        """Positions where a sentence ends as it is written, without a silence."""
        return _bits(i for i, cost in enumerate(self.breaks) if cost == SOFT_STOP_COST)

    @cached_property
    def pauses(self) -> int:
        """Positions after any punctuation or pause, and the starts of turns."""
        return self.broken | self.turn_edges

    @cached_property
    def broken(self) -> int:
        """Positions after any punctuation or pause."""
        return _bits(i for i, cost in enumerate(self.breaks) if cost > 0)

    @cached_property
    def turn_edges(self) -> int:
        pairs = enumerate(zip(self.marks, self.marks[1:], strict=False), start=1)
        return _bits(i for i, (before, after) in pairs if after.turn != before.turn)

    @cached_property
    def sounds(self) -> Mapping[str, int]:
        """Characters that are, or sound like, the key; made when first asked for."""
        return _Sounds(self._characters, self._syllables)

    def where(self, keep: Callable[[str], bool]) -> int:
        """Characters for which `keep`, a function that is always the same, holds."""
        if keep not in self._where:
            self._where[keep] = self._kept(keep)
        return self._where[keep]

    def _kept(self, keep: Callable[[str], bool]) -> int:
        bits = 0
        for char, positions in self._characters.items():
            if keep(char):
                bits |= positions
        return bits

    def with_char(self, char: str) -> int:
        """Characters that are `char`, or another way to write it."""
        return _written_as(char, self._characters)

    @cached_property
    def _characters(self) -> dict[str, int]:
        bits: dict[str, int] = {}
        for i, mark in enumerate(self.marks):
            bits[mark.char] = bits.get(mark.char, 0) | 1 << i
        return bits

    @cached_property
    def _syllables(self) -> dict[str, int]:
        bits: dict[str, int] = {}
        for char, positions in self._characters.items():
            for syllable in syllables(char):
                bits[syllable] = bits.get(syllable, 0) | positions
        return bits

    def is_word_edge(self, position: int) -> bool:
        """Whether a word of the text as heard begins or ends here."""
        stretch = max(self.marks[min(position, len(self) - 1)].stretch, self.marks[position - 1].stretch)
        if stretch not in self._ends:
            self._ends[stretch] = frozenset(self._edges(stretch))
        return position in self._ends[stretch]

    def _edges(self, stretch: int) -> Iterable[int]:
        written = self.texts[stretch]
        offset = 0
        for word in segment.cut(written.text, self.terms):
            yield written.first + bisect_right(written.at, offset) - 1
            offset += len(word)
        inside = range(written.first, written.first + len(written.at))
        yield from (inside[0], inside[-1] + 1)
        yield from (i + 1 for i in inside if self.marks[i].tail)

    @cached_property
    def texts(self) -> Mapping[int, Written]:
        """The text of each stretch that has words, by number."""
        pieces: dict[int, list[str]] = {}
        firsts: dict[int, int] = {}
        for i, mark in enumerate(self.marks):
            pieces.setdefault(mark.stretch, []).append(mark.raw + mark.tail)
            firsts.setdefault(mark.stretch, i)
        return {n: _written(texts, firsts[n]) for n, texts in pieces.items() if n >= 0}

    def span(self, start: int, end: int) -> Span:
        """Time from the first to the last of the characters `start` .. `end - 1`."""
        first, last = self.marks[start].span, self.marks[end - 1].span
        return Span(first.start, max(first.start, last.end))

    def quote(self, start: int, end: int) -> str:
        """The characters as heard, with the punctuation between them."""
        inside = self.marks[start:end]
        return "".join(m.raw + m.tail for m in inside[:-1]) + inside[-1].raw

    def probability(self, start: int, end: int) -> float:
        """Mean probability of the characters."""
        inside = self.marks[start:end]
        return sum(mark.probability for mark in inside) / len(inside)


def _bits(positions: Iterable[int]) -> int:
    bits = 0
    for position in positions:
        bits |= 1 << position
    return bits


def _break_cost(before: Mark, after: Mark) -> float:
    if before.stretch != after.stretch:
        return STOP_COST
    silence = after.span.start - before.span.end
    if STOPS & set(before.tail):
        return SOFT_STOP_COST if silence < BREATH else STOP_COST
    if silence >= PAUSE:
        return PAUSE_COST
    return COMMA_COST if COMMAS & set(before.tail) else 0.0
