"""What another threshold would let through: findings, confirmed, rejected, precision. Pure."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.scoring.intervals import Share

LOWEST, HIGHEST, STEP = 30, 95, 5
"""Per cent of confidence."""

Confidences = Counter[tuple[int, bool | None]]
"""Findings by confidence in whole per mille, and by what was decided about them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRow:
    """Findings whose confidence is at least `threshold`."""

    threshold: float
    confirmed: int
    rejected: int
    undecided: int

    @property
    def findings(self) -> int:
        return self.confirmed + self.rejected + self.undecided

    @property
    def precision(self) -> Share:
        return Share(right=self.confirmed, n=self.confirmed + self.rejected)


def sweep(confidences: Mapping[tuple[int, bool | None], int], lowest: float) -> tuple[SweepRow, ...]:
    """One row a step, from the lowest threshold that was run."""
    steps = (percent / 100 for percent in range(LOWEST, HIGHEST + 1, STEP))
    return tuple(_row(confidences, step) for step in steps if step >= lowest - 1e-9)


def _row(confidences: Mapping[tuple[int, bool | None], int], threshold: float) -> SweepRow:
    least = round(threshold * 1000)
    counts: Counter[bool | None] = Counter()
    for (confidence, decided), number in confidences.items():
        if confidence >= least:
            counts[decided] += number
    return SweepRow(
        threshold=threshold, confirmed=counts[True], rejected=counts[False], undecided=counts[None]
    )
