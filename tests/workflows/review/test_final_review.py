"""A final review (复核): what its author decides stands, whoever else decided about it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from review_help import DAY, NOON, SETTINGS, archive, decide, points

from pipeline.errors import UsageError
from pipeline.queue import WorkState
from pipeline.storage.store import Store
from pipeline.workflows.review.appeals import Answer, Plea, answer_appeal, raise_appeal

ALL = (("shirking", "6"), ("thanks", "差"), ("tone", "良"))


@pytest.fixture
def averaged(tmp_path: Path) -> Iterator[Store]:
    with archive(tmp_path, combine="average") as store:
        yield store


def state(store: Store) -> WorkState | None:
    line = store.queue_line(store.find_call("c1").id)
    return line.state if line else None


def test_it_is_averaged_with_nobody_and_not_changed_by_later_ones(averaged: Store) -> None:
    decide(averaged, "王", values=ALL, reason="推诿", done=True)
    decide(averaged, "主管", values=(("shirking", "10"),), reason="没有推诿", done=True, final=True)
    assert points(averaged, "shirking") == "10.0"
    decide(averaged, "李", values=(("shirking", "0"),), reason="推诿", at=NOON + DAY)
    assert points(averaged, "shirking") == "10.0"


def test_what_it_says_nothing_about_stays_as_others_left_it(averaged: Store) -> None:
    decide(averaged, "王", values=ALL, reason="推诿", done=True)
    decide(averaged, "主管", values=(("shirking", "10"),), reason="没有推诿", done=True, final=True)
    assert points(averaged, "tone") == "4.0"


def test_it_releases_the_card(averaged: Store) -> None:
    decide(averaged, "王", values=ALL, reason="推诿", done=True)
    assert state(averaged) is WorkState.SECOND
    decide(averaged, "主管", values=(("shirking", "10"),), reason="没有推诿", done=True, final=True)
    assert state(averaged) is WorkState.RELEASED


def test_it_leaves_nothing_open_that_nobody_decided(averaged: Store) -> None:
    decide(averaged, "王", values=ALL[:1], reason="推诿", done=True, partial=True)
    with pytest.raises(UsageError, match="还有 1 项没有评：tone"):
        decide(averaged, "主管", values=(("shirking", "10"),), reason="没有推诿", done=True, final=True)


def test_an_answer_to_an_appeal_goes_before_it(averaged: Store) -> None:
    decide(averaged, "王", values=ALL, reason="推诿", done=True)
    decide(averaged, "主管", values=(("shirking", "6"),), reason="推诿", done=True, final=True)
    plea = Plea(call="c1", item="shirking", who="101", reason="没有")
    made = raise_appeal(plea, averaged, SETTINGS, at=NOON + DAY)
    answer = Answer(who="李", reason="确实没有", value="10")
    answer_appeal(made.id, answer, averaged, SETTINGS, at=NOON + DAY)
    assert points(averaged, "shirking") == "10.0"


def test_once_the_card_is_released_nobody_is_blind(tmp_path: Path) -> None:
    with archive(tmp_path, blind=True) as store:
        for who in ("王", "李"):
            decide(store, who, values=ALL, reason="推诿", done=True)
        assert decide(store, "主管", note="看过").hidden == 0
