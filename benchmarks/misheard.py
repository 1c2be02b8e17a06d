"""What recognition may write for a sentence: characters of the same, a near or another sound, some lost and a
few added, in runs.

The chances are those of the agents of sixteen labelled calls, 3,035 characters (`benchmarks/mishearing.py`):
15 in a hundred are not written as they were said. They know nothing of any rule. The same text and seed give
the same answer, whatever else is misheard.
"""

import hashlib
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from functools import cache
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from pipeline.detect.ordinary import ordinary
from pipeline.detect.pattern import matchable
from pipeline.detect.sound import daily_characters, is_han, neighbours, parts, readings

Chance = Callable[[], float]
"""The next number in [0, 1)."""


class Kind(StrEnum):
    """What became of a character."""

    RIGHT = "right"
    SAME = "same"  # another character of the same syllable, whatever its tone
    NEAR = "near"  # of a syllable that sounds alike
    OTHER = "other"
    LOST = "lost"


KINDS = tuple(Kind)
AFTER: Mapping[Kind | None, tuple[float, ...]] = {
    None: (0.796, 0.060, 0.033, 0.072, 0.039),
    Kind.RIGHT: (0.893, 0.052, 0.015, 0.035, 0.005),
    Kind.SAME: (0.660, 0.203, 0.061, 0.076, 0.000),
    Kind.NEAR: (0.547, 0.094, 0.188, 0.171, 0.000),
    Kind.OTHER: (0.569, 0.161, 0.029, 0.190, 0.051),
    Kind.LOST: (0.564, 0.000, 0.000, 0.000, 0.436),
}
"""The chance of each kind, in the order of KINDS, by what became of the character before; None: the first."""
ADDED = 0.0033
"""The chance that a character is written before one that was said."""
OTHERS = (0.25, 0.29, 0.46)
"""Of characters of another sound those that share the initial, the final, or nothing with it."""
SURE = {
    True: (0.000, 0.007, 0.017, 0.020, 0.030, 0.042, 0.060, 0.078, 0.141, 0.605),
    False: (0.021, 0.047, 0.090, 0.093, 0.098, 0.124, 0.135, 0.154, 0.100, 0.138),
}
"""How often recognition gives a character that is right, or not, a probability in each tenth."""


MOST_CHANCES = 8
"""So many numbers at most decide about a character and one that is added before it."""


class Written(NamedTuple):
    """A character as recognition writes it, and with which probability; `kind` RIGHT also for what is no
    Chinese character, OTHER for one that was added."""

    char: str
    kind: Kind
    probability: float


class _Chars(NamedTuple):
    """Characters with the running sum of how common they are."""

    chars: str
    sums: tuple[int, ...]


def misheard(text: str, seed: int) -> str:
    """The text as recognition may write it."""
    return "".join(one.char for one in written(text, seed))


def written(text: str, seed: int) -> tuple[Written, ...]:
    """The same by character. Where all would be lost, the text as it is."""
    chance = _chances(text, seed)
    found: list[Written] = []
    before: Kind | None = None
    for char in text:
        if not is_han(char):
            found.append(_sure(char, Kind.RIGHT, chance))
            continue
        if chance() < ADDED:
            found.append(_sure(_drawn(_any(), chance), Kind.OTHER, chance))
        before = KINDS[bisect_right(_sums(AFTER[before]), chance())]
        if before is not Kind.LOST:
            found.append(_instead(char, before, chance))
    if not any(map(matchable, (one.char for one in found))):
        return tuple(_sure(char, Kind.RIGHT, chance) for char in text)
    return tuple(found)


def _chances(text: str, seed: int) -> Chance:
    body = hashlib.shake_256(f"{seed} {text}".encode()).digest(4 * MOST_CHANCES * len(text))
    numbers: list[float] = (np.frombuffer(body, "<u4") / 2.0**32).tolist()
    return iter(numbers).__next__


def _instead(char: str, kind: Kind, chance: Chance) -> Written:
    if kind is Kind.RIGHT:
        return _sure(char, kind, chance)
    shared = bisect_right(_sums(OTHERS), chance()) if kind is Kind.OTHER else 0
    chars = _chars_for(char, kind, shared)
    return _sure(_drawn(chars, chance), kind, chance) if chars.chars else _sure(char, Kind.RIGHT, chance)


def _sure(char: str, kind: Kind, chance: Chance) -> Written:
    tenth = bisect_right(_sums(SURE[kind is Kind.RIGHT]), chance())
    return Written(char, kind, (tenth + 0.5) / 10)


@cache
def _sums(shares: tuple[float, ...]) -> tuple[float, ...]:
    """Where one share ends and the next begins."""
    return tuple(accumulate(shares))[:-1]


@cache
def _chars_for(char: str, kind: Kind, shared: int) -> _Chars:
    """The characters that may be written instead. `shared`: what one of another sound has in common with it,
    its initial (0), its final (1) or nothing (2)."""
    syllable = readings(char)[0][:-1]
    alike = neighbours(syllable)
    if kind is Kind.SAME:
        wanted: Iterable[str] = (syllable,)
    elif kind is Kind.NEAR:
        wanted = alike[1:]
    else:
        wanted = (one for one in _by_syllable() if one not in alike and _shares(one, syllable, shared))
    return _weighed("".join(_by_syllable().get(one, "") for one in wanted).replace(char, ""))


def _shares(one: str, other: str, shared: int) -> bool:
    return shared == len(OTHERS) - 1 or parts(one)[shared] == parts(other)[shared]


def _drawn(chars: _Chars, chance: Chance) -> str:
    return chars.chars[bisect_right(chars.sums, chance() * chars.sums[-1])]


@cache
def _any() -> _Chars:
    return _weighed(daily_characters())


def _weighed(chars: str) -> _Chars:
    seen = _seen()
    return _Chars(chars, tuple(accumulate(seen[char] + 1 for char in chars)))


@cache
def _seen() -> Counter[str]:
    """How often each character stands in ordinary call speech."""
    return Counter(char for line in ordinary() for char in line.text)


@cache
def _by_syllable() -> Mapping[str, str]:
    """The characters in daily use by their first reading without tone."""
    found: dict[str, str] = {}
    for char in daily_characters():
        syllable = readings(char)[0][:-1]
        found[syllable] = found.get(syllable, "") + char
    return found
