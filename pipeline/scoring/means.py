"""How sure a mean is that was taken over a sample."""

from dataclasses import dataclass
from math import sqrt

from scipy.special import stdtrit

from pipeline.scoring.intervals import Z95

LEAST = 5
"""So few values give no interval: they may agree by chance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mean:
    """Of `n` values with this sum and this sum of squares. `Mean.of(1, 3).value == 2`."""

    n: int = 0
    sum: float = 0.0
    squares: float = 0.0

    @classmethod
    def of(cls, *values: float) -> "Mean":
        return cls(n=len(values), sum=sum(values), squares=sum(value * value for value in values))

    def __add__(self, other: "Mean") -> "Mean":
        return Mean(n=self.n + other.n, sum=self.sum + other.sum, squares=self.squares + other.squares)

    @property
    def value(self) -> float | None:
        """None where nothing was counted."""
        return self.sum / self.n if self.n else None

    @property
    def variance(self) -> float:
        """Of the values, unbiased; 0 for less than two."""
        if self.n < 2:
            return 0.0
        return max(0.0, (self.squares - self.sum * self.sum / self.n) / (self.n - 1))

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % by Student's distribution; None for less than `LEAST` values, which say too little of it."""
        if self.value is None or self.n < LEAST:
            return None
        spread = float(stdtrit(self.n - 1, 0.975)) * sqrt(self.variance / self.n)
        return self.value - spread, self.value + spread


def fell(before: Mean, after: Mean, *, least: int) -> bool:
    """Whether `after` lies below `before` by more than chance would have it (95 %, two-sided), with at least
    `least` values on both sides."""
    if before.n < max(least, 2) or after.n < max(least, 2) or before.value is None or after.value is None:
        return False
    spread = Z95 * sqrt(before.variance / before.n + after.variance / after.n)
    return before.value - after.value > spread
