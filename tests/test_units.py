from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.units import clock, points, to_ms, to_seconds


@given(st.integers(min_value=-10_000_000, max_value=10_000_000))
def test_whole_milliseconds_survive_the_way_through_seconds(ms: int) -> None:
    assert to_ms(to_seconds(ms)) == ms


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "00:00.0"),
        (49, "00:00.0"),
        (50, "00:00.1"),
        (59_950, "01:00.0"),
        (83_450, "01:23.5"),
        (6_000_000, "100:00.0"),
    ],
)
def test_clock_shows_minutes_seconds_and_tenths(ms: int, text: str) -> None:
    assert clock(ms) == text


def test_points_are_rounded_half_up_to_one_decimal() -> None:
    assert points("2.25") == Decimal("2.3")
    assert str(points(3)) == "3.0"
