"""What several processes write at the same moment: each is kept or told that it came too late."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from at_once import at_once

from pipeline.storage.night_records import Quarantined, State, Wanted
from pipeline.storage.queue_records import QueueFilter
from pipeline.storage.records import CompactForm, KeptDraw, KeptPlan, ScoredCall
from pipeline.storage.rule_drafts import RuleDraft
from pipeline.storage.store import Store

NOW = datetime(2024, 5, 7, 2, 0, tzinfo=UTC)
WRITERS = 4
Make = Callable[..., ScoredCall]


@pytest.fixture
def stores(url: str) -> Iterator[list[Store]]:
    """Each has connections of its own."""
    with ExitStack() as opened:
        yield [opened.enter_context(Store.open(url)) for _ in range(WRITERS)]


def fill(store: Store, scored: Make, calls: int) -> list[str]:
    """Their recordings."""
    made = [scored(number) for number in range(calls)]
    for call in made:
        assert store.save_night_result(call, at=NOW, reason="nightly")
    return [call.recording.id for call in made]


def test_one_of_several_first_drafts_of_a_rule_is_kept(stores: list[Store]) -> None:
    draft = RuleDraft(
        rule_id="forbidden.shirking",
        path="forbidden/shirking.yml",
        base="",
        base_sha256="f" * 64,
        text="id: b",
        edited_by=("zhou",),
        updated_at=NOW,
    )
    told: list[int | None] = []
    at_once(*(lambda store=store: told.append(store.save_rule_draft(draft)) for store in stores))
    assert sorted(told, key=str) == [1, None, None, None]
    assert len(stores[0].rule_drafts()) == 1


def test_one_fault_that_several_nights_meet_is_one(stores: list[Store]) -> None:
    fault = Quarantined(path="c3.wav", stage="metadata", reason="no file")
    at_once(*(lambda store=store: store.quarantine(fault, at=NOW) for store in stores))
    assert [(one.path, one.tries) for one in stores[0].quarantined()] == [("c3.wav", WRITERS)]


def test_a_call_that_two_models_are_first_to_hear_is_kept_of_one_and_told_to_the_others(
    stores: list[Store], scored: Make
) -> None:
    told: list[bool] = []

    def hear(store: Store, model: str) -> None:
        made = scored()
        by = replace(made.transcript.provenance, model_sha256=model * 64)
        call = replace(made, transcript=replace(made.transcript, provenance=by))
        told.append(store.save_night_result(call, at=NOW, reason="nightly"))

    at_once(*(lambda store=store, n=n: hear(store, str(n)) for n, store in enumerate(stores)))
    assert any(told)
    assert len(stores[0].history(scored().recording.id)) == sum(told)


def test_facts_and_compact_forms_that_several_make_are_made_once(stores: list[Store], scored: Make) -> None:
    names = fill(stores[0], scored, 6)
    with stores[0]._writing() as session:
        session.connection().exec_driver_sql("DELETE FROM facts")
    form = CompactForm(version=1, text=b"t", detail=b"d")

    def make(store: Store) -> None:
        while store.make_facts(2):
            pass
        while waiting := store.without_compact(1, 2):
            store.save_compact((about.id, number, form) for number, about, _ in waiting)

    at_once(*(lambda store=store: make(store) for store in stores))
    assert stores[0].facts_missing() == 0
    assert len(stores[0].compact_numbers(1, 0, 100)) == len(names)


def test_a_compact_form_that_comes_too_late_does_not_take_the_place_of_a_newer_one(
    store: Store, scored: Make
) -> None:
    (name,) = fill(store, scored, 1)
    (old, _, _), form = store.without_compact(1, 1)[0], CompactForm(version=1, text=b"old", detail=b"")
    made = scored(0)
    newer = replace(made.transcript, provenance=replace(made.transcript.provenance, pipeline="2"))
    call = replace(made, transcript=newer, compact=CompactForm(version=1, text=b"new", detail=b""))
    assert store.save_night_result(call, at=NOW, reason="nightly")
    store.save_compact([(name, old, form)])
    assert [text for _, text in store.compact_texts(1, 0, 10)] == [b"new"]


def test_nobody_waits_for_ever_over_the_queue(stores: list[Store], scored: Make) -> None:
    names = fill(stores[0], scored, 12)

    def hand_out(store: Store, who: str) -> None:
        for minute in range(4):
            at = NOW + timedelta(minutes=minute)
            ordered = names if who < "2" else names[::-1]
            store.assign([(name, who) for name in ordered[:6]], at=at, force=True)
            store.claim_next(who, QueueFilter(), at=at, until=at + timedelta(seconds=30))
            draws = [KeptDraw(recording_id=name, why="") for name in ordered[3:9]]
            store.keep_plan(PLAN, draws, at=at)
            for name in ordered[:3]:
                store.give_back(name, who)

    at_once(*(lambda store=store, n=n: hand_out(store, str(n)) for n, store in enumerate(stores)))
    assert len(stores[0].plan_progress(100)) == 16


PLAN = KeptPlan(id=0, made_at=NOW, since=NOW, until=NOW, seed=1, calls=12, options={})


def test_a_claim_whose_answer_was_lost_is_made_again_by_the_same_question(store: Store) -> None:
    one = Wanted(key="1" * 64, sha256="1" * 64, path="/in/1.wav")
    night = store.start_night("in", at=NOW, owner="one", until=NOW + timedelta(minutes=5))
    assert store.claim_work([one], night, at=NOW)[one.key].mine
    assert store.claim_work([one], night, at=NOW, again=True)[one.key].mine
    other = store.claim_work([one], night, at=NOW)[one.key]
    assert (other.state, other.mine) == (State.CLAIMED, False)
    later = store.claim_work([one], night, at=NOW + timedelta(seconds=1), again=True)[one.key]
    copied = store.claim_work([replace(one, path="/in/copy.wav")], night, at=NOW, again=True)[one.key]
    assert [later.mine, copied.mine] == [False, False]
