"""The form an inspector verifies: ScoredItem, Scorecard, Review."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pipeline.timeline import Provenance


class Verdict(StrEnum):
    PASS = "pass"  # noqa: S105  (not a password)
    FAIL = "fail"
    GRADED = "graded"
    NOT_APPLICABLE = "not_applicable"
    NEEDS_REVIEW = "needs_review"
    MANUAL = "manual"

    @property
    def chinese(self) -> str:
        titles = {
            "pass": "满分",
            "fail": "不得分",
            "graded": "已评级",
            "not_applicable": "不适用",
            "needs_review": "待复核",
            "manual": "待人工",
        }
        return titles[self.value]

    @property
    def decided(self) -> bool:
        return self in (Verdict.PASS, Verdict.FAIL, Verdict.GRADED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredItem:
    """One item as filled in. `points` is None until somebody decides."""

    id: str
    title: str
    section: str
    level: str | None
    points: Decimal | None
    points_possible: Decimal
    verdict: Verdict
    confidence: float
    findings: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """Append-only: a re-score adds one.

    `total` is what is scored so far; `open_points` is what undecided items can still add;
    `points_possible` leaves out items that do not apply.
    """

    recording_id: str
    template_id: str
    template_title: str
    template_version: int
    ruleset_digest: str
    provenance: Provenance
    items: tuple[ScoredItem, ...]
    total: Decimal
    open_points: Decimal
    points_possible: Decimal
    fatal: bool


class Decision(StrEnum):
    ACCEPT = "accept"
    OVERRIDE = "override"
    FINDING_TRUE = "finding_true"
    FINDING_FALSE = "finding_false"
    SWAP_ROLES = "swap_roles"
    NOTE = "note"


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What a person decided about an item or a finding, and why. Append-only."""

    recording_id: str
    who: str
    at: datetime
    decision: Decision
    target: str
    value: str
    reason: str
