import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.scoring.means import LEAST, Mean, fell

values = st.lists(st.floats(0, 1), min_size=1, max_size=30)


@given(values, values)
def test_two_stretches_together_are_the_mean_of_both(first: list[float], second: list[float]) -> None:
    together, whole = Mean.of(*first) + Mean.of(*second), Mean.of(*first, *second)
    assert together.value == pytest.approx(whole.value)
    assert together.variance == pytest.approx(whole.variance, abs=1e-9)


@given(st.lists(st.floats(0, 1), min_size=LEAST, max_size=30))
def test_the_mean_lies_within_its_interval(given_values: list[float]) -> None:
    mean = Mean.of(*given_values)
    assert mean.interval is not None
    assert mean.value is not None
    assert mean.interval[0] <= mean.value <= mean.interval[1]


def test_a_known_interval() -> None:
    """1 to 5: mean 3, standard error 0.7071, Student's quantile with 4 degrees of freedom 2.776."""
    low, high = Mean.of(1, 2, 3, 4, 5).interval or (0, 0)
    assert (round(low, 2), round(high, 2)) == (1.04, 4.96)


def test_few_values_give_no_interval() -> None:
    assert Mean.of(0.5, 0.5).interval is None
    assert Mean.of().value is None


def test_a_clear_fall_is_one_and_noise_is_none() -> None:
    good, bad = Mean.of(*[0.9, 0.8] * 10), Mean.of(*[0.5, 0.6] * 10)
    assert fell(good, bad, least=10)
    assert not fell(bad, good, least=10)
    assert not fell(good, Mean.of(*[0.9, 0.79] * 10), least=10)


def test_a_fall_seen_on_few_calls_is_none() -> None:
    assert not fell(Mean.of(*[0.9] * 20), Mean.of(*[0.1] * 9), least=10)
