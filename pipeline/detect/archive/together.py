"""Many compact calls as one row of characters: where in any of them a pattern may end, with one mask for all.

What the compact text does not tell, pauses and written stops, is taken not to be there: that lets patterns
reach further, never less far. So no stretch is missed in which `pipeline.detect.match` finds something.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, cached_property
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pipeline.detect.archive import classes
from pipeline.detect.archive.compact import CLOSING, HEAD_UNITS, OUTSIDE, ROLES
from pipeline.detect.heard import SEPARATOR, Heard
from pipeline.detect.match import Matcher
from pipeline.detect.pattern import Pattern
from pipeline.detect.sound import LIGHT, alike_syllables, equals, syllables
from pipeline.timeline import Role

Bits = NDArray[np.uint8]


class Together(Heard):
    """The texts of compact calls, one behind the other; `known`: whether the roles of each are.
    `units`: their code units without the heads."""

    def __init__(self, texts: Sequence[bytes], known: Sequence[bool]) -> None:
        super().__init__(marks=(), groups=())
        self._known = np.array(known, bool)
        self._said: dict[Role | None, int] = {}
        rows = [np.frombuffer(text, "<u2")[HEAD_UNITS:] for text in texts]
        self.units = np.concatenate([*rows, np.zeros(1, "<u2")])
        self._opens = np.flatnonzero(self.units[:-1] < CLOSING)
        sizes = [len(row) for row in rows]
        self._call_of = np.repeat(np.arange(len(rows)), sizes)[self._opens]
        firsts = np.searchsorted(self._call_of, np.arange(len(rows)))
        self._number_of = np.arange(len(self._opens)) - firsts[self._call_of]

    def stretches(self, matcher: Matcher, pattern: Pattern, role: Role | None) -> Iterator[tuple[int, int]]:
        """Call and stretch wherever the role (None: anybody) may end the pattern; in the calls whose roles
        are not known, whoever it is."""
        if role not in self._said:
            self._said[role] = self._said_by(role)
        ends = np.flatnonzero(_unpacked(matcher.ends(pattern, self._said[role]), len(self.units)))
        at = np.unique(np.searchsorted(self._opens, ends) - 1)
        yield from zip(self._call_of[at].tolist(), self._number_of[at].tolist(), strict=True)

    def _said_by(self, role: Role | None) -> int:
        if role is None:
            return self.words
        own = (self.units[self._opens] == ROLES.index(role)) | ~self._known[self._call_of]
        sizes = np.diff(np.append(self._opens, len(self.units)))
        first = self._opens[0] if len(self._opens) else len(self.units)
        return _mask(np.concatenate((np.zeros(first, bool), np.repeat(own, sizes)))) & self.words

    def __len__(self) -> int:
        return len(self.units)

    @cached_property
    def text(self) -> str:
        shown = np.where(self.units <= CLOSING, ord(SEPARATOR), self.units).astype("<u2")
        return shown.tobytes().decode("utf-16-le", "replace")

    @cached_property
    def words(self) -> int:
        return _mask(self.units > CLOSING)

    @cached_property
    def light(self) -> int:
        return _mask(classes.table()[self.units] == classes.SOFT)

    @cached_property
    def stops(self) -> int:
        return self.words & ~(self.words << 1)

    @cached_property
    def broken(self) -> int:
        return 0

    def with_char(self, char: str) -> int:
        found = 0
        for same in equals(char):
            found |= _mask(self.units == min(ord(same), OUTSIDE))
        return found

    def _kept(self, keep: Callable[[str], bool]) -> int:
        wanted = np.zeros(OUTSIDE + 1, bool)
        for unit in self._distinct:
            wanted[unit] = keep(chr(unit))
        return _mask(wanted[self.units]) & self.words

    @cached_property
    def _distinct(self) -> list[int]:
        distinct: list[int] = np.unique(self.units).tolist()
        return distinct

    @cached_property
    def soft_stops(self) -> int:
        return 0

    @cached_property
    def sounds(self) -> Mapping[str, int]:
        return _Sounds(self.units)


class _Sounds(dict[str, int]):
    """As `Heard.sounds`: masks of what is, or sounds like, a character."""

    def __init__(self, units: NDArray[np.uint16]) -> None:
        self._units = units
        firsts, listed, names = _syllables()
        bits = np.zeros((len(names), -(-len(units) // 8)), np.uint8)
        _fill(units, firsts, listed, bits)
        self._bits, self._number = bits, names

    def __missing__(self, char: str) -> int:
        near = alike_syllables(char)
        found = 0
        for syllable in near:
            if syllable in self._number:
                found |= int.from_bytes(self._bits[self._number[syllable]].tobytes(), "little")
        for same in equals(char):
            if not set(syllables(same)) & set(near):
                found |= _mask(self._units == min(ord(same), OUTSIDE))
        self[char] = found
        return found


@cache
def _syllables() -> tuple[NDArray[np.int32], NDArray[np.int32], dict[str, int]]:
    """For each code unit where the numbers of its syllables begin, and those of the next one; the numbers;
    and which syllable has which."""
    examples = classes.examples()
    keys = classes.table().astype(np.int32)
    for number, light in enumerate(sorted(LIGHT), start=len(examples)):
        keys[ord(light)] = number
    spoken = [syllables(char) if char else () for char in (*examples, *sorted(LIGHT))]
    names = {name: i for i, name in enumerate(dict.fromkeys(s for listed in spoken for s in listed))}
    sizes = np.array([len(listed) for listed in spoken])
    firsts = np.cumsum([0, *sizes])
    numbers = np.array([names[name] for listed in spoken for name in listed], np.int32)
    return np.stack((firsts[keys], firsts[keys + 1])).astype(np.int32), numbers, names


@njit(cache=True)
def _fill(units: Any, firsts: Any, listed: Any, bits: Any) -> None:  # pragma: no cover  (compiled)
    for at in range(units.shape[0]):
        unit = units[at]
        for i in range(firsts[0, unit], firsts[1, unit]):
            bits[listed[i], at >> 3] |= np.uint8(1 << (at & 7))


def _mask(where: NDArray[np.bool_]) -> int:
    return int.from_bytes(np.packbits(where, bitorder="little").tobytes(), "little")


def _unpacked(mask: int, size: int) -> Bits:
    """Position by position whether the bit is set."""
    packed = np.frombuffer(mask.to_bytes(size // 8 + 1, "little"), np.uint8)
    return np.unpackbits(packed, bitorder="little")
