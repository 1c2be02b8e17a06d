"""How far raters agree beyond chance: Cohen's kappa for two, Krippendorff's alpha for any number.

Intervals are percentiles of a bootstrap over the units, from a fixed seed: the same ratings always give the
same numbers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from pipeline.scoring.intervals import wilson

Floats = NDArray[np.float64]
SEED = 20_190
RESAMPLES = 2_000
SMALLEST_N = 30
"""With fewer units nothing is claimed."""


class Weights(StrEnum):
    """How much a disagreement between two categories weighs in kappa."""

    NONE = "none"  # any is as bad as any other
    LINEAR = "linear"  # by how many categories lie between
    QUADRATIC = "quadratic"  # by the square of that


class Measure(StrEnum):
    """What the values of alpha mean."""

    NOMINAL = "nominal"  # names
    ORDINAL = "ordinal"  # an order
    INTERVAL = "interval"  # points, whose differences count


class Claim(StrEnum):
    """What may be said of a coefficient, by Krippendorff's limits .667 and .800 and its whole interval."""

    TOO_FEW = "too_few"
    UNDEFINED = "undefined"
    RELIABLE = "reliable"
    TENTATIVE = "tentative"
    UNRELIABLE = "unreliable"
    OPEN = "open"

    @property
    def chinese(self) -> str:
        titles = {
            "too_few": "n 太小",
            "undefined": "全同一级",
            "reliable": "一致",
            "tentative": "大体一致",
            "unreliable": "不一致",
            "open": "说不准",
        }
        return titles[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coefficient:
    """1: perfect, 0: as by chance. `value` is None where everybody always gave the same category (chance
    alone would agree); `low` and `high` bound 95 %; `n` counts the units that at least two rated."""

    value: float | None
    low: float | None
    high: float | None
    n: int

    @property
    def claim(self) -> Claim:
        if self.n < SMALLEST_N:
            return Claim.TOO_FEW
        if self.value is None or self.low is None or self.high is None:
            return Claim.UNDEFINED
        if self.low >= 0.8:
            return Claim.RELIABLE
        if self.low >= 0.667:
            return Claim.TENTATIVE
        return Claim.UNRELIABLE if self.high < 0.667 else Claim.OPEN


def kappa(pairs: Sequence[tuple[int, int]], categories: int, weights: Weights = Weights.NONE) -> Coefficient:
    """Cohen's kappa of two raters; a pair holds the place of each one's category in their order.

    `kappa([(0, 0), (1, 1), (0, 1), (1, 0)], 2).value == 0`. Raises ValueError: a place is not below
    `categories`.
    """
    if any(not 0 <= place < categories for pair in pairs for place in pair):
        raise ValueError(f"found a category outside 0 to {categories - 1}")
    counted = np.zeros((categories, categories))
    for first, second in pairs:
        counted[first, second] += 1
    cost = _costs(categories, weights)
    return _with_interval(
        counted.reshape(-1), lambda counts: _kappas(counts.reshape(-1, categories, categories), cost)
    )


def alpha(units: Sequence[Sequence[float | None]], measure: Measure) -> Coefficient:
    """Krippendorff's alpha. One row a unit: the values that it got, None for a rater who gave none.

    Names are given as any numbers. `alpha([(1, 1), (2, 2)], Measure.NOMINAL).value == 1`.
    """
    rated = [[v for v in unit if v is not None] for unit in units]
    rated = [unit for unit in rated if len(unit) > 1]
    values = np.array(sorted({value for unit in rated for value in unit}), dtype=np.float64)
    counts = np.array([[unit.count(v) for v in values.tolist()] for unit in rated], dtype=np.float64)
    if not rated:
        return Coefficient(value=None, low=None, high=None, n=0)
    patterns, times = np.unique(counts, axis=0, return_counts=True)
    coincidences = _coincidences(patterns)
    return _with_interval(
        times.astype(np.float64),
        lambda drawn: _alphas(np.tensordot(drawn, coincidences, axes=1), values, measure),
    )


def _costs(categories: int, weights: Weights) -> Floats:
    places = np.arange(categories, dtype=np.float64)
    apart: Floats = np.abs(places[:, None] - places[None, :])
    if weights is Weights.NONE:
        return (apart > 0).astype(np.float64)
    return apart if weights is Weights.LINEAR else apart**2


def _kappas(tables: Floats, cost: Floats) -> Floats:
    """Kappa of each table of a stack, shape (n, categories, categories); nan where chance cannot differ."""
    total = tables.sum(axis=(1, 2))
    rows, columns = tables.sum(axis=2), tables.sum(axis=1)
    observed = (tables * cost).sum(axis=(1, 2)) * total
    expected = np.einsum("bi,ij,bj->b", rows, cost, columns)
    return _one_minus(observed, expected)


def _coincidences(patterns: Floats) -> Floats:
    """What each unit adds to the coincidence matrix, shape (patterns, values, values)."""
    pairs = patterns[:, :, None] * patterns[:, None, :]
    places = np.arange(patterns.shape[1])
    pairs[:, places, places] -= patterns
    added: Floats = pairs / (patterns.sum(axis=1) - 1)[:, None, None]
    return added


def _alphas(coincidences: Floats, values: Floats, measure: Measure) -> Floats:
    """Alpha of each coincidence matrix of a stack."""
    marginals = coincidences.sum(axis=2)
    apart = _differences(marginals, values, measure)
    observed = (coincidences * apart).sum(axis=(1, 2)) * (marginals.sum(axis=1) - 1)
    expected = np.einsum("bi,bij,bj->b", marginals, apart, marginals)
    return _one_minus(observed, expected)


def _differences(marginals: Floats, values: Floats, measure: Measure) -> Floats:
    """Squared differences of the values. Those of ordered ones depend on how often each was given."""
    middle = np.cumsum(marginals, axis=1) - marginals / 2
    at = middle if measure is Measure.ORDINAL else np.broadcast_to(values, marginals.shape)
    squared: Floats = (at[:, :, None] - at[:, None, :]) ** 2
    return (squared > 0).astype(np.float64) if measure is Measure.NOMINAL else squared


def _one_minus(observed: Floats, expected: Floats) -> Floats:
    out = np.full(observed.shape, np.nan)
    np.divide(observed, expected, out=out, where=expected > 0)
    return 1 - out


def _with_interval(times: Floats, coefficients: Callable[[Floats], Floats]) -> Coefficient:
    """The coefficient of units that occur so many times, and its interval."""
    n = int(times.sum())
    if n == 0:
        return Coefficient(value=None, low=None, high=None, n=0)
    value = float(coefficients(times[None, :])[0])
    if np.isnan(value):
        return Coefficient(value=None, low=None, high=None, n=n)
    if value > 1 - 1e-12:  # resampling never sees a miss: what so many without one leave open instead
        return Coefficient(value=1.0, low=wilson(n, n)[0], high=1.0, n=n)
    drawn = np.random.RandomState(SEED).multinomial(n, times / n, size=RESAMPLES).astype(np.float64)
    found = coefficients(drawn)
    low, high = np.percentile(found[~np.isnan(found)], (2.5, 97.5))
    return Coefficient(value=value, low=min(float(low), value), high=max(float(high), value), n=n)
