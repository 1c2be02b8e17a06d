"""The range of a ratio, points over possible points, while some of it is open.

An inspector may give an open item anything from its least to its most, or take it out as not applicable,
so the range looks for the worst and the best choice of both.
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import NamedTuple

ZERO = Fraction(0)


class Part(NamedTuple):
    """An open item in tenths of a point."""

    least: int
    most: int
    possible: int


class Spread(NamedTuple):
    """`may_vanish`: everything in it is open and could be taken out."""

    lowest: Fraction
    highest: Fraction
    may_vanish: bool


def spread(points: int, decided: int, parts: Sequence[Part]) -> Spread:
    """The range of `points` out of `decided` when the open parts come to it."""
    if not parts:
        only = Fraction(points, decided) if decided else ZERO
        return Spread(only, only, decided == 0)
    low = _extreme(points, decided, ((part.least, part.possible) for part in parts), sign=1)
    high = _extreme(points, decided, ((part.most, part.possible) for part in parts), sign=-1)
    return Spread(low, high, decided == 0)


def _extreme(points: int, possible: int, choices: Iterable[tuple[int, int]], *, sign: int) -> Fraction:
    """The smallest (sign 1) or largest (sign -1) ratio: take in what pulls that way, the strongest first."""
    counted = (choice for choice in choices if choice[1])
    for gained, of in sorted(counted, key=lambda choice: sign * choice[0] / choice[1]):
        if possible == 0 or sign * (gained * possible - points * of) < 0:
            points, possible = points + gained, possible + of
    return Fraction(points, possible) if possible else ZERO


def mean_spread(weighed: Iterable[tuple[Fraction, Spread]]) -> Spread:
    """The range of the weighted mean of several ratios, of which some may vanish with their weight."""
    listed = [(weight, one) for weight, one in weighed if weight]
    fixed = [(weight, one) for weight, one in listed if not one.may_vanish]
    loose = [(weight, one) for weight, one in listed if one.may_vanish]
    low = _mean_extreme([(w, s.lowest) for w, s in fixed], [(w, s.lowest) for w, s in loose], sign=1)
    high = _mean_extreme([(w, s.highest) for w, s in fixed], [(w, s.highest) for w, s in loose], sign=-1)
    return Spread(low, high, not fixed)


def _mean_extreme(
    fixed: Sequence[tuple[Fraction, Fraction]], loose: Sequence[tuple[Fraction, Fraction]], *, sign: int
) -> Fraction:
    total = sum((weight * ratio for weight, ratio in fixed), ZERO)
    weights = sum((weight for weight, _ in fixed), ZERO)
    for weight, ratio in sorted(loose, key=lambda pair: sign * pair[1]):
        if weights == 0 or sign * (ratio * weights - total) < 0:
            total, weights = total + weight * ratio, weights + weight
    return total / weights if weights else ZERO
