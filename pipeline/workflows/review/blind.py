"""What an inspector who judges blind is shown: the form, what they decided themselves, and nothing else."""

from dataclasses import replace
from decimal import Decimal

from pipeline.scorecard import DecidedBy, Scorecard, ScoredItem, SectionScore, Verdict
from pipeline.workflows.review.sheet import Sheet

ZERO = Decimal("0.0")


def blinded(found: Sheet) -> Sheet:
    """The sheet without the machine's card and without everything that was found or added up."""
    return replace(
        found,
        stored=replace(found.stored, findings=(), scorecard=None),
        machine=blank(found.machine),
        card=blank(found.card),
    )


def blank(card: Scorecard) -> Scorecard:
    """The card with the items that people decided, and nothing that was added up or that rules said. Make it
    of the reviews that may be seen."""
    return replace(
        card,
        items=tuple(
            _own(item) if item.decided_by is DecidedBy.REVIEW else _open(item) for item in card.items
        ),
        sections=tuple(_unscored(section) for section in card.sections),
        total=ZERO,
        open_points=ZERO,
        points_possible=ZERO,
        lowest=ZERO,
        highest=ZERO,
        fatal=False,
        fatals=(),
        passed=None,
        acceptable=False,
    )


def _own(item: ScoredItem) -> ScoredItem:
    return replace(item, findings=(), suggested=None, accept_from=None, deductions=())


def _open(item: ScoredItem) -> ScoredItem:
    return replace(
        _own(item),
        level=None,
        points=None,
        verdict=Verdict.MANUAL,
        confidence=0.0,
        reason="",
        lowest=ZERO,
        decided_by=DecidedBy.NOBODY,
        reviewers=(),
        acceptable=False,
    )


def _unscored(section: SectionScore) -> SectionScore:
    return replace(section, points=ZERO, open=ZERO, possible=ZERO, rate=None)
