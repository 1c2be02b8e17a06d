"""The form an inspector verifies: ScoredItem, SectionScore, FatalCause, Scorecard, Review."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pipeline.template import Fill
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


OPEN = (Verdict.NEEDS_REVIEW, Verdict.MANUAL)
"""The verdicts of items that wait for a person."""


class DecidedBy(StrEnum):
    RULES = "rules"
    REVIEW = "review"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deducted:
    """What findings of one rule took from an item."""

    rule: str
    points: Decimal
    text: str
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredItem:
    """One item as filled in. `points` is None until somebody decides; nobody can give less than `lowest`.

    `suggested` is the level that rules would choose where a person decides. `acceptable`: decided, and by
    rules only with a confidence of at least `accept_from`. `fill` None: a card from before it was kept.
    """

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
    lowest: Decimal = Decimal("0.0")
    fill: Fill | None = None
    bonus: bool = False
    decided_by: DecidedBy = DecidedBy.NOBODY
    reviewers: tuple[str, ...] = ()
    suggested: str | None = None
    accept_from: float | None = None
    acceptable: bool = False
    deductions: tuple[Deducted, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionScore:
    """The items of a section added up, as the card does. `rate`: percent of what is decided, None where
    nothing is."""

    id: str
    title: str
    weight: Decimal | None
    points: Decimal
    open: Decimal
    possible: Decimal
    rate: Decimal | None


NAMED_BY_NO_FORM = "none"
"""What a fatal rule that the form does not name zeroes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FatalCause:
    """A fatal item that holds, or (`holds` None) of which nobody can know. `zero`: card, section, or none
    for a fatal rule that the template does not name; it is shown and takes nothing."""

    id: str
    title: str
    zero: str
    section: str | None
    holds: bool | None
    confidence: float
    findings: tuple[str, ...]
    reason: str


FIRST_FORM, FORM = 1, 2
"""The fields that cards had at first, and those that they have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorecard:
    """Append-only: a re-score adds one.

    `total` is what is scored so far; `open_points` is what undecided items can still add;
    `points_possible` leaves out items that do not apply: all three in the points of the form.
    `lowest` and `highest` bound what the final total can still be, normalised to `full`: items that do not
    apply have left, bonuses come on top. `passed` is None while the pass mark lies between them.
    `acceptable`: rules decided every auto item surely enough, and nothing needs a review. `form` tells
    which fields the card had when it was made.
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
    sections: tuple[SectionScore, ...] = ()
    full: Decimal = Decimal("0.0")
    lowest: Decimal = Decimal("0.0")
    highest: Decimal = Decimal("0.0")
    fatals: tuple[FatalCause, ...] = ()
    acceptable: bool = False
    pass_mark: Decimal | None = None
    passed: bool | None = None
    form: int = FORM

    @property
    def open_items(self) -> int:
        """How many items wait for a person."""
        return sum(item.verdict in OPEN for item in self.items)

    @property
    def final(self) -> Decimal | None:
        """The normalised total, None while anything is open."""
        is_open = self.open_items > 0 or any(cause.holds is None for cause in self.fatals)
        return None if is_open and self.lowest != self.highest else self.lowest


class Decision(StrEnum):
    ACCEPT = "accept"
    OVERRIDE = "override"
    FINDING_TRUE = "finding_true"
    FINDING_FALSE = "finding_false"
    FINDING_ADDED = "finding_added"  # a person found what the rules did not
    SWAP_ROLES = "swap_roles"
    NOTE = "note"
    DONE = "done"  # the inspector has finished with the call

    @property
    def chinese(self) -> str:
        titles = {
            "accept": "同意",
            "override": "评定",
            "finding_true": "发现属实",
            "finding_false": "发现不实",
            "finding_added": "人工补充",
            "swap_roles": "互换角色",
            "note": "备注",
            "done": "交卷",
        }
        return titles[self.value]

    @property
    def scores(self) -> bool:
        """Whether it can change points."""
        return self not in (Decision.NOTE, Decision.DONE)


NOT_APPLICABLE = "不适用"
"""The value of an OVERRIDE by which a person takes an item out."""
FATAL_HOLDS, FATAL_FAILS = "成立", "不成立"
"""The values of an OVERRIDE of a fatal item."""
PARTLY, BATCH, FINAL = "部分", "批量", "终审"
"""The values of a DONE that left items open, of one that accepted the machine's card unheard, and of one that
settles what its author decided, whoever else decided about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """What a person decided about an item or a finding, and why. Append-only.

    `target` is the id of a finding, an item or a fatal item. The value of an OVERRIDE is a level's title,
    points, or one of the words above; that of an ACCEPT is what the machine said, that of a FINDING_ADDED the
    place and the words as canonical JSON. Ids of items belong to `template_id`; empty: to any. `saw_machine`
    and `saw_others` tell what was known before deciding: the machine's level, other inspectors' decisions.
    `appeal_id` is set on what decides an appeal: it is final.
    """

    recording_id: str
    who: str
    at: datetime
    decision: Decision
    target: str
    value: str
    reason: str
    template_id: str = ""
    saw_machine: bool = True
    saw_others: bool = True
    appeal_id: int | None = None
