"""Shares with their intervals."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from pipeline.scoring.intervals import Share, sample_without_misses, wilson


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_agrees_with_scipy(counted: tuple[int, int]) -> None:
    right, n = counted
    theirs = binomtest(right, n).proportion_ci(confidence_level=0.95, method="wilson")
    assert wilson(right, n) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_nothing_counted_says_nothing() -> None:
    assert Share(right=0, n=0).value is None
    assert Share(right=0, n=0).interval == (0.0, 1.0)


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="3 of 2"):
        wilson(3, 2)


@given(st.floats(0.001, 0.5))
def test_the_sample_asked_for_is_large_enough_and_not_larger(most: float) -> None:
    n = sample_without_misses(most)
    assert wilson(0, n)[1] <= most + 1e-12
    assert n == 1 or wilson(0, n - 1)[1] > most - 1e-12
