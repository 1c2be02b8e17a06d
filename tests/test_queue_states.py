"""Risk, release and state follow from the card and the reviews."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from pipeline.queue import CardSums, WorkState, idle_state, progress, released, reviews_asked, risk, state
from pipeline.scorecard import BATCH, PARTLY, Decision, Review
from pipeline.template import Combine, Reviewing

NOON = datetime(2024, 5, 6, 4, tzinfo=UTC)
GOOD = CardSums(
    template_id="form",
    template_title="评分表",
    total=Decimal("100.0"),
    possible=Decimal("100.0"),
    lowest=Decimal("100.0"),
    highest=Decimal("100.0"),
    passed=None,
    rate=1000,
    open_items=0,
    fatal=False,
    confidence=1000,
    acceptable=True,
)


def done(who: str, value: str = "", minute: int = 0) -> Review:
    at = NOON + timedelta(minutes=minute)
    return Review(recording_id="a", who=who, at=at, decision=Decision.DONE, target="", value=value, reason="")


def test_the_risk_of_a_perfect_card_is_nothing() -> None:
    assert risk(GOOD, appealed=False, complaint=False) == 0


def test_risk_reads_as_its_parts() -> None:
    sums = replace(GOOD, fatal=True, rate=0, confidence=655)
    assert risk(sums, appealed=True, complaint=True) == 1_1_1_20_345


def test_what_is_worse_sorts_before_all_that_is_less_bad_together() -> None:
    worst = replace(GOOD, rate=0, confidence=0)
    rising = [
        risk(replace(GOOD, confidence=0), appealed=False, complaint=False),
        risk(replace(GOOD, rate=949), appealed=False, complaint=False),
        risk(worst, appealed=False, complaint=False),
        risk(GOOD, appealed=False, complaint=True),
        risk(worst, appealed=False, complaint=True),
        risk(GOOD, appealed=True, complaint=False),
        risk(worst, appealed=True, complaint=True),
        risk(replace(GOOD, fatal=True), appealed=False, complaint=False),
    ]
    assert all(less < more for less, more in pairwise(rising))


@pytest.mark.parametrize(
    ("reviewing", "asked"),
    [
        (None, 1),
        (Reviewing(), 1),
        (Reviewing(blind=True), 2),
        (Reviewing(combine=Combine.AVERAGE), 2),
    ],
)
def test_a_blind_or_averaged_form_asks_for_two(reviewing: Reviewing | None, asked: int) -> None:
    assert reviews_asked(reviewing) == asked


def test_a_call_is_released_by_the_reviews_that_its_form_asks_for() -> None:
    assert not released([], 1)
    assert released([done("王")], 1)
    assert not released([done("王")], 2)
    assert not released([done("王"), done("王", minute=1)], 2)
    assert released([done("王"), done("李", minute=1)], 2)


def test_a_review_in_part_releases_nothing_until_it_is_completed() -> None:
    partly = done("王", PARTLY)
    assert not released([partly], 1)
    assert released([partly, done("王", minute=1)], 1)


def test_a_batch_releases_whatever_the_form_asks() -> None:
    assert released([done("王", BATCH)], 2)


def test_where_a_call_stands_while_nobody_holds_it() -> None:
    def stands(*reviews: Review, asked: int = 1, appealed: bool = False) -> WorkState:
        out = released(reviews, asked)
        return idle_state(progress(reviews), released=out, appealed=appealed)

    assert stands() is WorkState.NEW
    assert stands(done("王", PARTLY)) is WorkState.DONE
    assert stands(done("王"), asked=2) is WorkState.SECOND
    assert stands(done("王")) is WorkState.RELEASED
    assert stands(done("王"), appealed=True) is WorkState.APPEAL


def test_who_holds_a_call_shows_unless_it_is_released_or_appealed() -> None:
    assert state(WorkState.NEW, held=True, drafted=False) is WorkState.CLAIMED
    assert state(WorkState.SECOND, held=True, drafted=True) is WorkState.DRAFT
    assert state(WorkState.RELEASED, held=True, drafted=True) is WorkState.RELEASED
    assert state(WorkState.NEW, held=False, drafted=True) is WorkState.NEW
