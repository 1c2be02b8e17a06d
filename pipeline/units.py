"""Time as whole milliseconds: the only place where seconds become `Ms`, and `Ms` become text."""

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache

Ms = int
"""Milliseconds from the start of the recording."""

MS_PER_SECOND = 1000


def to_ms(seconds: float) -> Ms:
    """Round seconds to the nearest millisecond (half away from zero for positive times)."""
    return int(seconds * MS_PER_SECOND + 0.5) if seconds >= 0 else -to_ms(-seconds)


def to_seconds(ms: Ms) -> float:
    """Milliseconds as float seconds, for libraries that want them."""
    return ms / MS_PER_SECOND


def clock(ms: Ms) -> str:
    """`mm:ss.s` as people read it; minutes grow past 99. `clock(83_450) == "01:23.5"`."""
    minutes, rest = divmod((max(ms, 0) + 50) // 100, 600)
    return f"{minutes:02d}:{rest // 10:02d}.{rest % 10}"


def points(value: Decimal | float | str | int) -> Decimal:
    """Points with one decimal place, rounded half up. `points("2.25") == Decimal("2.3")`."""
    return Decimal(str(value)).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)


def tenths(value: Decimal) -> int:
    """Points as whole tenths, rounded half up. `tenths(Decimal("2.5")) == 25`."""
    return int(points(value).scaleb(1))


@lru_cache(maxsize=4096)
def from_tenths(value: int) -> Decimal:
    """Whole tenths as points. `from_tenths(25) == Decimal("2.5")`."""
    return Decimal(value).scaleb(-1)


def nearest(value: Fraction) -> int:
    """The nearest whole number, halves up."""
    return (2 * value.numerator + value.denominator) // (2 * value.denominator)
