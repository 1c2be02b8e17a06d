"""Classes of characters that sound the same, and what it costs to hear one for a character of a rule.

Costs are lower bounds: nothing that the matcher accepts costs less there than here.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from pipeline.detect.archive.compact import CLOSING, OUTSIDE
from pipeline.detect.costs import FORGIVEN_COST, LEAST_WEIGHT
from pipeline.detect.pattern import fold, matchable
from pipeline.detect.sound import (
    LIGHT,
    NEGATIONS,
    PERSONS,
    UNRELATED,
    char_cost,
    equals,
    is_han,
    neighbours,
    readings,
    syllables,
)

EDGE = 0
"""The class of what stands between stretches."""
SOFT = 1
"""The class of every light character: a scan passes over them."""
OTHER = 2
"""The class of everything that no reading is known of, letters a to z aside."""
SCALE = 100
NEVER = 255
"""Cost of an exchange that no match can have, in hundredths like every cost here."""

Classes = NDArray[np.int16]
Costs = NDArray[np.uint8]


def _is_special(char: str) -> bool:
    return len(equals(char)) > 1 or char in NEGATIONS or char in PERSONS


@cache
def _classes() -> tuple[Classes, tuple[str, ...]]:
    """The class of each code unit, and one character of each class."""
    of = np.full(0x10000, OTHER, np.int16)
    of[: CLOSING + 1] = EDGE
    members: dict[object, int] = {}
    examples = ["", "", ""]
    for code in (*range(0x30, 0x7B), 0x3007, *range(0x4E00, 0xA000)):
        char = chr(code)
        if not matchable(char) or fold(char) != char:
            continue
        key = char if _is_special(char) or not is_han(char) else readings(char)
        if key not in members:
            members[key] = len(examples)
            examples.append(char)
        of[code] = members[key]
    of[[ord(char) for char in LIGHT]] = SOFT
    return of, tuple(examples)


def examples() -> tuple[str, ...]:
    """One character of each class; "" where no reading is known."""
    return _classes()[1]


@cache
def _by_syllable() -> dict[str, tuple[int, ...]]:
    found: dict[str, list[int]] = {}
    for number, char in enumerate(_classes()[1]):
        for syllable in syllables(char) if char else ():
            found.setdefault(syllable, []).append(number)
    return {syllable: tuple(numbers) for syllable, numbers in found.items()}


@cache
def costs(char: str, *, short: bool = False) -> Costs:
    """Least cost of hearing each class where `char` was meant; `short`: in a wording of three."""
    own = _classes()[0][min(ord(char), OUTSIDE)]
    alone = _is_special(char) or own in (SOFT, OTHER)
    row = _row(char) if alone else _row_of_class(int(own))
    return np.where(row == NEVER, NEVER, np.minimum(row, int(FORGIVEN_COST * SCALE))) if short else row


@cache
def _row_of_class(number: int) -> Costs:
    """Of any character of the class: they sound the same."""
    return _row(_classes()[1][number])


def _row(char: str) -> Costs:
    of, examples = _classes()
    row = np.full(len(examples), NEVER, np.uint8)
    near = {n for s in syllables(char) for like in neighbours(s) for n in _by_syllable().get(like, ())}
    for number in near - {EDGE, SOFT}:
        row[number] = _scaled(char_cost(char, examples[number]), short=False)
    row[[int(of[min(ord(same), OUTSIDE)]) for same in equals(char) if same not in LIGHT]] = 0
    return row


def _scaled(cost: float, *, short: bool) -> int:
    if cost >= UNRELATED:
        return NEVER
    least = cost * LEAST_WEIGHT
    return int(SCALE * (min(least, FORGIVEN_COST) if short else least))


@cache
def softest(char: str, *, short: bool = False) -> int:
    """Least cost of hearing a light character for this one."""
    return min(_scaled(char_cost(char, light), short=short) for light in LIGHT)


@cache
def alike(char: str) -> str:
    """The light characters that may be heard for this one."""
    return "".join(light for light in sorted(LIGHT) if char_cost(char, light) < UNRELATED)


_LIGHT_BITS = np.zeros(0x10000, np.int32)
_LIGHT_BITS[[ord(light) for light in sorted(LIGHT)]] = 1 << np.arange(len(LIGHT), dtype=np.int32)


@cache
def plain() -> NDArray[np.int32]:
    """The number of the syllables of each class, tones left out: what anchors are looked up by."""
    numbers: dict[object, int] = {}
    keys = (syllables(char) or number for number, char in enumerate(_classes()[1]))
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.int32)


@cache
def plain_of(char: str) -> int:
    """The plain number of a character."""
    return int(plain()[_classes()[0][min(ord(char), OUTSIDE)]])


@cache
def plain_count() -> int:
    return int(plain().max()) + 1


def by_plain(costs: Costs) -> Costs:
    """Rows of costs by class -> by plain number, the least of its classes."""
    order = np.argsort(plain(), kind="stable")
    firsts = np.searchsorted(plain()[order], np.arange(plain_count()))
    return np.minimum.reduceat(costs[:, order], firsts, axis=1)


def table() -> Classes:
    """The class of every code unit."""
    return _classes()[0]


def light_table() -> NDArray[np.int32]:
    """The light bit of every code unit."""
    return _LIGHT_BITS
