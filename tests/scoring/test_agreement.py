"""Agreement coefficients against published examples, and what must hold for any ratings."""

from math import isclose

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.scoring.agreement import SMALLEST_N, Claim, Measure, Weights, alpha, kappa

_ = None
OBSERVERS = (
    (1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _),
    (1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3),
    (_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _),
    (1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _),
)
"""K. Krippendorff, Computing Krippendorff's Alpha-Reliability (2011): four observers, twelve units."""

ROWS = ((7, 7, 2, 3), (2, 8, 3, 7), (1, 5, 4, 9), (2, 8, 9, 14))
"""A. Agresti, Categorical Data Analysis (1990), table 2.10: 91 couples on a scale of four steps."""


def pairs(table: tuple[tuple[int, ...], ...]) -> list[tuple[int, int]]:
    return [(r, c) for r, row in enumerate(table) for c, times in enumerate(row) for _ in range(times)]


@pytest.mark.parametrize(
    ("measure", "published"), [(Measure.NOMINAL, 0.743), (Measure.ORDINAL, 0.815), (Measure.INTERVAL, 0.849)]
)
def test_alpha_of_the_canonical_data_is_the_published_one(measure: Measure, published: float) -> None:
    units = list(zip(*OBSERVERS, strict=True))
    found = alpha(units, measure)
    assert found.value == pytest.approx(published, abs=0.0005)
    assert found.n == 11  # the twelfth unit has one value only


def test_alpha_of_two_observers_and_two_values_is_the_published_one() -> None:
    """The same paper: ten units, alpha .095."""
    first = (0, 1, 0, 0, 0, 0, 0, 0, 1, 0)
    second = (1, 1, 1, 0, 0, 1, 0, 0, 0, 0)
    assert alpha(list(zip(first, second, strict=True)), Measure.NOMINAL).value == pytest.approx(
        0.095, abs=5e-4
    )


def test_kappa_of_couples_is_the_published_one() -> None:
    """M. Friendly, Visualizing Categorical Data (2000): unweighted .1293, with equal spacing .2374."""
    assert kappa(pairs(ROWS), 4).value == pytest.approx(0.1293, abs=5e-5)
    assert kappa(pairs(ROWS), 4, Weights.LINEAR).value == pytest.approx(0.2374, abs=5e-5)


def test_the_interval_is_near_the_published_standard_error() -> None:
    """The same book: standard errors .0686 and .0783, that is .0686 * 1.96 on either side."""
    for weights, error in ((Weights.NONE, 0.0686), (Weights.LINEAR, 0.0783)):
        found = kappa(pairs(ROWS), 4, weights)
        assert found.low is not None
        assert found.high is not None
        assert (found.high - found.low) / 2 == pytest.approx(1.96 * error, rel=0.08)


def test_kappa_with_linear_and_quadratic_weights_is_the_published_one() -> None:
    """The reference values of scikit-learn's `cohen_kappa_score`."""
    first = [0] * 46 + [1] * 44 + [2] * 10
    second = [0] * 50 + [1] * 40 + [2] * 10
    both = list(zip(first, second, strict=True))
    for weights, published in zip(Weights, (0.9315, 0.9412, 0.9541), strict=True):
        assert kappa(both, 3, weights).value == pytest.approx(published, abs=5e-5)


CATEGORY = st.integers(0, 3)
PAIRS = st.lists(st.tuples(CATEGORY, CATEGORY), min_size=1, max_size=40)
WEIGHTS = st.sampled_from(list(Weights))
MEASURES = st.sampled_from(list(Measure))
UNITS = st.lists(st.lists(st.none() | st.integers(0, 5), max_size=4), max_size=15)
few = settings(max_examples=40, deadline=None)


@few
@given(PAIRS, WEIGHTS)
def test_kappa_does_not_care_who_is_named_first(given_pairs: list[tuple[int, int]], weights: Weights) -> None:
    turned = [(second, first) for first, second in given_pairs]
    one, other = kappa(given_pairs, 4, weights).value, kappa(turned, 4, weights).value
    assert (one is None and other is None) or isclose(one or 0, other or 0, abs_tol=1e-9)


@few
@given(PAIRS, WEIGHTS)
def test_kappa_is_one_exactly_where_all_agree(given_pairs: list[tuple[int, int]], weights: Weights) -> None:
    found = kappa(given_pairs, 4, weights)
    agree = all(first == second for first, second in given_pairs)
    one_category = len({place for pair in given_pairs for place in pair}) == 1
    assert (found.value is None) == one_category
    assert (found.value == 1.0) == (agree and not one_category)


@few
@given(UNITS, MEASURES)
def test_alpha_does_not_care_for_the_order_of_raters_or_units(
    units: list[list[int | None]], measure: Measure
) -> None:
    shuffled = [list(reversed(unit)) for unit in reversed(units)]
    assert alpha(units, measure) == alpha(shuffled, measure)


@few
@given(UNITS, MEASURES)
def test_what_only_one_rated_adds_nothing_to_alpha(units: list[list[int | None]], measure: Measure) -> None:
    assert alpha([*units, [3, None, None], [None]], measure) == alpha(units, measure)


@few
@given(UNITS, st.integers(1, 9), st.integers(-9, 9))
def test_alpha_of_points_does_not_care_for_the_scale(
    units: list[list[int | None]], factor: int, shift: int
) -> None:
    moved = [[None if value is None else value * factor + shift for value in unit] for unit in units]
    one, other = alpha(units, Measure.INTERVAL).value, alpha(moved, Measure.INTERVAL).value
    assert (one is None and other is None) or isclose(one or 0, other or 0, abs_tol=1e-9)


@few
@given(UNITS, MEASURES)
def test_the_interval_holds_the_value_and_is_the_same_every_time(
    units: list[list[int | None]], measure: Measure
) -> None:
    found = alpha(units, measure)
    assert found == alpha(units, measure)
    if found.value is not None:
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.value <= found.high <= 1


def test_with_few_units_nothing_is_claimed() -> None:
    agreeing = [(0, 0), (1, 1)] * SMALLEST_N
    assert kappa(agreeing[: SMALLEST_N - 1], 2).claim is Claim.TOO_FEW
    assert kappa(agreeing, 2).claim is Claim.RELIABLE


def test_a_few_dozen_without_a_miss_are_not_called_certain() -> None:
    found = kappa([(0, 0), (1, 1)] * 15, 2)
    assert found.value == 1
    assert found.low == pytest.approx(0.886, abs=0.001)


def test_one_category_alone_says_nothing() -> None:
    assert kappa([(1, 1)] * SMALLEST_N, 2).claim is Claim.UNDEFINED
    assert alpha([(1, 1)] * SMALLEST_N, Measure.ORDINAL).claim is Claim.UNDEFINED


def test_ratings_as_by_chance_are_called_unreliable() -> None:
    assert kappa([(0, 0), (0, 1), (1, 0), (1, 1)] * SMALLEST_N, 2).claim is Claim.UNRELIABLE


def test_a_category_outside_the_form_is_refused() -> None:
    with pytest.raises(ValueError, match="outside 0 to 1"):
        kappa([(0, 2)], 2)


def test_a_thousand_calls_with_many_values_take_moments() -> None:
    units = [(n % 41, (n * 7) % 41) for n in range(1000)]
    assert alpha(units, Measure.INTERVAL).n == 1000
