"""Reviews and appeals in the database: added to, never changed, and in one order however many write."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from conftest import rescore

from pipeline.appeal import Appeal, AppealEvent, Ruling, Step
from pipeline.errors import NotFound
from pipeline.scorecard import Decision, Review
from pipeline.storage.records import Reviewed, ScoredCall
from pipeline.storage.store import Store

AT = datetime(2024, 5, 7, tzinfo=UTC)
Make = Callable[..., ScoredCall]


def a_review(recording_id: str, who: str = "王", decision: Decision = Decision.OVERRIDE) -> Review:
    return Review(
        recording_id=recording_id,
        who=who,
        at=AT,
        decision=decision,
        target="service",
        value="良",
        reason="语气好",
        template_id="inbound_100",
        saw_machine=False,
        saw_others=False,
    )


def an_appeal(recording_id: str) -> Appeal:
    event = AppealEvent(step=Step.RAISED, who="1021", at=AT, reason="说过了", until=AT + timedelta(days=7))
    return Appeal(
        recording_id=recording_id,
        template_id="inbound_100",
        item="service",
        title="服务用语",
        days=7,
        events=(event,),
    )


def answer_to(appeal: Appeal, ruling: Ruling = Ruling.CHANGED) -> Appeal:
    event = AppealEvent(step=Step.ANSWERED, who="王", at=AT, reason="属实", until=AT, ruling=ruling)
    return replace(appeal, events=(*appeal.events, event))


def decided(store: Store, call: ScoredCall, *reviews: Review, appeal: Appeal | None = None) -> Reviewed:
    """Decisions on what the store holds now."""
    latest, before = store.latest(call.recording.id), store.reviews(call.recording.id)
    return Reviewed(
        reviews=reviews,
        scored=replace(call, reviews=len(before) + len(reviews)),
        basis=latest.scorecard_id,
        reason="review",
        appeal=appeal,
    )


@pytest.fixture
def call(store: Store, scored: Make) -> ScoredCall:
    found = scored(1)
    store.save_night_result(found, at=AT, reason="nightly")
    return found


def test_a_review_comes_back_with_what_the_inspector_had_seen(store: Store, call: ScoredCall) -> None:
    review = a_review(call.recording.id)
    store.save_reviewed(decided(store, call, review), at=AT)
    assert store.reviews(call.recording.id) == (review,)
    assert store.reviewed() == {call.recording.id: (review,)}


def test_a_decision_adds_a_scorecard_that_says_how_many_reviews_it_counts(
    store: Store, call: ScoredCall
) -> None:
    where = call.recording.id
    store.save_reviewed(decided(store, call, a_review(where), a_review(where, "李")), at=AT)
    store.save_reviewed(decided(store, call, a_review(where, "赵")), at=AT)
    assert [line.reviews for line in store.history(where)] == [0, 2, 3]
    assert [found.reviews for found in store.scorings(where)] == [0, 2, 3]
    assert store.latest(where).reason == "review"


def test_a_note_adds_no_scorecard(store: Store, call: ScoredCall) -> None:
    note = a_review(call.recording.id, decision=Decision.NOTE)
    assert (
        store.save_reviewed(decided(store, call, note), at=AT) == store.latest(call.recording.id).scorecard_id
    )
    assert len(store.history(call.recording.id)) == 1
    assert store.reviews(call.recording.id) == (note,)


def test_what_was_decided_on_an_older_scorecard_is_not_kept(store: Store, call: ScoredCall) -> None:
    late = decided(store, call, a_review(call.recording.id))
    rescore(store, call, at=AT, reason="rescore")
    assert store.save_reviewed(late, at=AT) is None
    assert store.reviews(call.recording.id) == ()


def test_a_note_in_between_makes_it_be_counted_again(store: Store, call: ScoredCall) -> None:
    late = decided(store, call, a_review(call.recording.id))
    store.add_review(a_review(call.recording.id, "李", Decision.NOTE))
    assert store.save_reviewed(late, at=AT) is None


def test_inspectors_who_decide_at_once_lose_nothing(url: str, scored: Make) -> None:
    call, stores = scored(1), [Store.open(url) for _ in range(4)]
    stores[0].save_night_result(call, at=AT, reason="nightly")

    def work(store: Store, who: str) -> None:
        for _ in range(5):
            while store.save_reviewed(decided(store, call, a_review(call.recording.id, who)), at=AT) is None:
                pass

    threads = [threading.Thread(target=work, args=(store, str(n))) for n, store in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [line.reviews for line in stores[0].history(call.recording.id)] == list(range(21))
    assert len(stores[0].reviews(call.recording.id)) == 20
    for store in stores:
        store.close()


def test_an_appeal_comes_back_with_its_events(store: Store, call: ScoredCall) -> None:
    appeal = an_appeal(call.recording.id)
    number = store.add_appeal(appeal, earlier=0)
    assert number is not None
    assert store.appeal(number) == replace(appeal, id=number)
    assert store.appeals() == store.appeals(call.recording.id) == (replace(appeal, id=number),)
    assert store.appeals("0" * 16) == ()


def test_an_answer_comes_with_its_review_and_the_scorecard_that_it_made(
    store: Store, call: ScoredCall
) -> None:
    number = store.add_appeal(an_appeal(call.recording.id), earlier=0)
    assert number is not None
    appeal = answer_to(store.appeal(number))
    review = replace(a_review(call.recording.id), appeal_id=number)
    card = store.save_reviewed(decided(store, call, review, appeal=appeal), at=AT)
    assert store.appeal(number).last.scorecard_id == card
    assert store.appeal(number).last.ruling is Ruling.CHANGED
    assert store.reviews(call.recording.id) == (review,)


def test_two_answers_at_once_leave_one_and_nothing_of_the_other(store: Store, call: ScoredCall) -> None:
    number = store.add_appeal(an_appeal(call.recording.id), earlier=0)
    assert number is not None
    appeal = answer_to(store.appeal(number))
    assert store.add_appeal_event(appeal)
    assert not store.add_appeal_event(answer_to(appeal=replace(appeal, events=appeal.events[:1])))
    review = replace(a_review(call.recording.id), appeal_id=number)
    assert store.save_reviewed(decided(store, call, review, appeal=appeal), at=AT) is None
    assert store.reviews(call.recording.id) == ()
    assert len(store.appeal(number).events) == 2


def test_two_appeals_at_once_against_one_item_leave_one(store: Store, call: ScoredCall) -> None:
    assert store.add_appeal(an_appeal(call.recording.id), earlier=0)
    assert store.add_appeal(an_appeal(call.recording.id), earlier=0) is None
    assert len(store.appeals()) == 1


def test_an_unknown_call_or_appeal_is_named(store: Store) -> None:
    with pytest.raises(NotFound):
        store.add_appeal(an_appeal("0" * 16), earlier=0)
    with pytest.raises(NotFound, match="没有申诉 7"):
        store.appeal(7)
    with pytest.raises(NotFound):
        store.add_review(a_review("0" * 16))


def test_decisions_from_before_are_taken_as_made_with_everything_seen(store: Store, call: ScoredCall) -> None:
    """A row as schema 0003 had it."""
    from sqlalchemy import text

    with store._engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO reviews (recording_id, who, at, decision, target, value, reason)"
                " VALUES (:recording, '王', :at, 'override', 'service', '良', '')"
            ),
            {"recording": call.recording.id, "at": AT.replace(tzinfo=None)},
        )
    (review,) = store.reviews(call.recording.id)
    assert review.saw_machine
    assert review.saw_others
    assert review.template_id == ""
