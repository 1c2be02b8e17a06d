"""How sure a share is that was counted in a sample."""

from dataclasses import dataclass
from math import ceil, sqrt

Z95 = 1.959963984540054
"""Two-sided 95 % of the normal distribution."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """`right` of `n`. `Share(right=9, n=10).value == 0.9`."""

    right: int
    n: int

    def __add__(self, other: "Share") -> "Share":
        return Share(right=self.right + other.right, n=self.n + other.n)

    @property
    def value(self) -> float | None:
        """None where nothing was counted."""
        return self.right / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson's 95 % interval; (0, 1) where nothing was counted."""
        return wilson(self.right, self.n)


def wilson(right: int, n: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's score interval of `right` in `n`. Raises ValueError: `right` is not within 0 to `n`."""
    if not 0 <= right <= n:
        raise ValueError(f"found {right} of {n}, expected 0 to {n}")
    if not n:
        return 0.0, 1.0
    share, square = right / n, z * z
    middle = share + square / (2 * n)
    spread = z * sqrt(share * (1 - share) / n + square / (4 * n * n))
    low, high = (middle - spread) / (1 + square / n), (middle + spread) / (1 + square / n)
    return (low if right else 0.0), (high if right < n else 1.0)


def sample_without_misses(most: float, z: float = Z95) -> int:
    """How many must be looked at, all without a miss, until the share of misses is below `most` (in 0..1)."""
    return ceil(z * z * (1 - most) / most)
