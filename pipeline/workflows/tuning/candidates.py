"""A wording that is proposed for a rule, and what speaks for it."""

from dataclasses import dataclass
from enum import StrEnum

from pipeline.workflows.tuning.frequency import SURE
from pipeline.workflows.tuning.gather import Example

SAFE_LENGTH = 4
"""Shorter ones are not proposed by themselves: they sound like too much else."""


class Origin(StrEnum):
    """Why a wording is a candidate."""

    NEAR_MISS = "near_miss"
    WORDS = "words"
    REJECTED = "rejected"

    @property
    def chinese(self) -> str:
        return {"near_miss": "差一点", "words": "常在附近说", "rejected": "判错过"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A wording that the rule does not find. `calls`: in how many calls it is a near miss, or clauses near
    findings that hold it; `missed`: of these, calls where an inspector heard what the rule missed;
    `elsewhere`: clauses of ordinary calls that hold it; of a sentence, ordinary calls in which something like
    it is said. `z` None: not by frequency. What was rejected is a counter-example."""

    text: str
    origin: Origin
    calls: int
    missed: int
    elsewhere: int
    z: float | None
    near: str
    examples: tuple[Example, ...]

    @property
    def proposed(self) -> bool:
        """Goes into the patch by itself: long enough, and confirmed, repeated or telling."""
        if self.origin is Origin.REJECTED:
            return True
        backed = self.missed > 0 or self.calls >= 2
        telling = self.z is None or self.z >= SURE
        return len(self.text) >= SAFE_LENGTH and backed and telling and self.elsewhere <= self.calls
