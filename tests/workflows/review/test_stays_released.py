"""What the agent may see stays to be seen, whatever a later form asks for."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from review_help import DAY, FORM, NOON, SETTINGS, archive, decide, scorer

from pipeline.queue import WorkState
from pipeline.storage.queue_records import QueueFilter, QueueLine
from pipeline.storage.store import Store
from pipeline.workflows.rescore import rescore_all
from pipeline.workflows.review.appeals import contests
from pipeline.workflows.review.queue import claim_next
from pipeline.workflows.review.sheet import sheet

ALL = (("shirking", "2"), ("thanks", "差"), ("tone", "良"))
RELEASED = NOON + 2 * DAY


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """One call handed in under a form for one inspector, scored anew under a blind form for two."""
    with archive(tmp_path) as opened:
        decide(opened, "王", values=ALL, reason="听了", done=True, at=RELEASED)
        form = FORM.format(blind="true", combine="average").replace("version: 1", "version: 2")
        (tmp_path / "rules/scorecards/form.yml").write_text(form, encoding="utf-8")
        rescore_all(scorer(opened, tmp_path), at=NOON + 3 * DAY)
        yield opened


def line(store: Store, call: str = "c1") -> QueueLine:
    found = store.queue_line(store.find_call(call).id)
    assert found is not None
    return found


def test_a_form_that_asks_for_two_takes_no_release_back(store: Store) -> None:
    assert (line(store).released, line(store).asked, line(store).done) == (True, 2, 1)
    assert line(store).state is WorkState.RELEASED
    assert not line(store).secret
    assert (line(store, "c2").released, line(store, "c2").state) == (False, WorkState.NEW)


def test_a_released_call_is_nobodys_next_one(store: Store) -> None:
    found = claim_next(store, "李", QueueFilter(), SETTINGS, at=NOON + 3 * DAY)
    assert found is not None
    assert found.name == "c2"
    assert claim_next(store, "赵", QueueFilter(), SETTINGS, at=NOON + 3 * DAY) is None


def test_that_the_new_scoring_waits_is_told_until_a_second_person_was_there(store: Store) -> None:
    assert sheet(store, "c1", "李").pending
    assert not sheet(store, "c2", "李").pending
    decide(store, "李", values=ALL, reason="也听了", done=True, at=NOON + 4 * DAY)
    assert not sheet(store, "c1", "").pending
    assert line(store).released


def test_nobody_judges_blind_what_the_agent_may_see(store: Store) -> None:
    found = sheet(store, "c1", "李")
    assert not found.blind
    assert {review.who for review in found.reviews} == {"王"}


def test_the_days_to_appeal_count_from_when_the_agent_saw_the_card_first(store: Store) -> None:
    found = contests(sheet(store, "c1", ""), store, SETTINGS, at=NOON + 4 * DAY)["shirking"]
    assert found.until is not None
    assert (found.until - RELEASED).days == 3
