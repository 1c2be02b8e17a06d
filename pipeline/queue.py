"""The inspectors' queue: where a call stands between the machine's card and the agent, and how urgent it is.

    new -> claimed -> draft -> released
     |        |         |         |
     |        +- lease ends: back |
     +- second (the template asks for one more inspector)
     +- done (handed in although items were left)      appeal (an answer is due) -> released

Everything here is pure: it follows from the card, the reviews and the appeals.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from pipeline.scorecard import BATCH, FINAL, OPEN, PARTLY, DecidedBy, Decision, Review, Scorecard, Verdict
from pipeline.template import Combine, Reviewing

THOUSAND = 1000
LAYOUT = 1
"""Of the rows of the queue; rows of another one are made anew."""


class WorkState(StrEnum):
    """Where a call stands, in the order of the work."""

    NEW = "new"
    CLAIMED = "claimed"
    DRAFT = "draft"
    DONE = "done"  # handed in with items left: somebody has to decide them
    SECOND = "second"  # the template asks for one more inspector
    APPEAL = "appeal"
    RELEASED = "released"

    @property
    def chinese(self) -> str:
        titles = {
            "new": "待评",
            "claimed": "已领",
            "draft": "草稿",
            "done": "交卷有缺项",
            "second": "待二评",
            "appeal": "申诉中",
            "released": "已发布",
        }
        return titles[self.value]


HELD = (WorkState.CLAIMED, WorkState.DRAFT)
"""The states in which somebody works on the call."""
CLAIMABLE = (WorkState.NEW, WorkState.SECOND)
"""What an inspector is given who asks for the next call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CardSums:
    """What the queue knows of a card. `rate` is the share of the decided points that was given, in
    thousandths (nothing decided: all of them; a void card: 0); `confidence` that of the least sure item that
    rules decided or could not decide, in thousandths; items that only a person can judge say nothing."""

    template_id: str
    template_title: str
    total: Decimal
    possible: Decimal
    lowest: Decimal
    highest: Decimal
    passed: bool | None
    rate: int
    open_items: int
    fatal: bool
    confidence: int
    acceptable: bool


def sums_of(card: Scorecard) -> CardSums:
    """The sums of a card."""
    return CardSums(
        template_id=card.template_id,
        template_title=card.template_title,
        total=card.total,
        possible=card.points_possible,
        lowest=card.lowest,
        highest=card.highest,
        passed=card.passed,
        rate=0 if card.fatal else _rate(card),
        open_items=sum(item.verdict in OPEN for item in card.items),
        fatal=card.fatal,
        confidence=_confidence(card),
        acceptable=card.acceptable,
    )


def _rate(card: Scorecard) -> int:
    counted = [(i.points, i.points_possible) for i in card.items if i.points is not None and not i.bonus]
    possible = sum(possible for _, possible in counted)
    return int(sum(points for points, _ in counted) * THOUSAND / possible) if possible else THOUSAND


def _confidence(card: Scorecard) -> int:
    said = [item.confidence for item in card.items if item.decided_by is DecidedBy.RULES]
    unsure = any(item.verdict is Verdict.NEEDS_REVIEW for item in card.items)
    return 0 if unsure else int(min(said, default=1.0) * THOUSAND)


FATAL, APPEALED, COMPLAINT, BAND = 10_000_000, 1_000_000, 100_000, 1_000
POINTS_A_BAND = 50
"""Thousandths of the score that make one band of risk: 5 %."""


def risk(sums: CardSums, *, appealed: bool, complaint: bool) -> int:
    """How urgent a call is, as a number of eight digits that sorts: `F A C SS DDD`.

    F something fatal, A an appeal waits, C a complaint, SS how much of the score is lost in bands of 5 %
    (00-20), DDD the doubt about the least sure item in thousandths (000-999).
    """
    lost = (THOUSAND - max(0, min(sums.rate, THOUSAND))) // POINTS_A_BAND
    doubt = min(THOUSAND - sums.confidence, THOUSAND - 1)
    flags = FATAL * sums.fatal + APPEALED * appealed + COMPLAINT * complaint
    return flags + BAND * lost + doubt


def risk_untold(*, appealed: bool, complaint: bool) -> int:
    """The risk of a call whose figures are kept back: the same for all of them. They come behind what is
    fatal and before all others, for the first inspector's work waits for the second's."""
    flags = APPEALED * appealed + COMPLAINT * complaint
    return flags + BAND * (THOUSAND // POINTS_A_BAND) + THOUSAND - 1


TOGETHER = 2
"""So many inspectors judge a form on which they are blind to each other, or averaged."""


def reviews_asked(reviewing: Reviewing | None) -> int:
    """How many inspectors a template wants."""
    if reviewing is None:
        return 1
    return TOGETHER if reviewing.blind or reviewing.combine is Combine.AVERAGE else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Who handed the call in, in order; those of them who left nothing open; whether it went in a batch, or
    was settled by a final review."""

    done: tuple[str, ...]
    full: tuple[str, ...]
    batch: bool
    final: bool = False


def progress(reviews: Sequence[Review]) -> Progress:
    """How far the reviews of one call are."""
    said = [review for review in reviews if review.decision is Decision.DONE]
    return Progress(
        done=tuple(dict.fromkeys(review.who for review in said)),
        full=tuple(dict.fromkeys(review.who for review in said if review.value != PARTLY)),
        batch=any(review.value == BATCH for review in said),
        final=any(review.value == FINAL for review in said),
    )


def released(reviews: Sequence[Review], asked: int) -> bool:
    """Whether the agent may see the card: `asked` inspectors have handed it in complete, or it was accepted
    in a batch, or settled. Once released it stays so: reviews are only added to, and a form that asks for
    more inspectors later takes nothing back (`QueueRow.released`)."""
    made = progress(reviews)
    return made.batch or made.final or len(made.full) >= asked


def released_at(reviews: Sequence[Review], asked: Callable[[int], int]) -> datetime | None:
    """When the agent could see the card first, oldest review first; None: not yet. `asked` tells how many
    inspectors were wanted while there were so many reviews."""
    for count, review in enumerate(reviews, start=1):
        if review.decision is Decision.DONE and released(reviews[:count], asked(count - 1)):
            return review.at
    return None


def keeps_back(done: int, asked: int, released: bool) -> bool:
    """Whether the figures of a card hold what the first of two inspectors decided: not for the second to
    see."""
    return done > 0 and asked > 1 and not released


def idle_state(made: Progress, *, released: bool, appealed: bool) -> WorkState:
    """Where the call stands while nobody holds it."""
    if appealed:
        return WorkState.APPEAL
    if released:
        return WorkState.RELEASED
    if made.full:
        return WorkState.SECOND
    return WorkState.DONE if made.done else WorkState.NEW


def state(idle: WorkState, *, held: bool, drafted: bool) -> WorkState:
    """Where the call stands. Appeals and released cards are nobody's to draft."""
    if not held or idle in (WorkState.APPEAL, WorkState.RELEASED):
        return idle
    return WorkState.DRAFT if drafted else WorkState.CLAIMED
