"""The queue on each database: kept up to date, asked, handed out."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from pipeline.appeal import Appeal, AppealEvent, Step
from pipeline.queue import WorkState
from pipeline.scorecard import PARTLY, Decision, Review
from pipeline.storage.queue_records import (
    Conflict,
    DraftKey,
    Key,
    NextStep,
    PageOf,
    QueueFilter,
    QueueLine,
    Refused,
    Round,
    Seen,
    Sort,
    Whose,
    WhyNot,
)
from pipeline.storage.records import KeptDraw, KeptPlan, Rescored, ScoredCall
from pipeline.storage.store import Store

NOON = datetime(2024, 5, 6, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)
Make = Callable[..., ScoredCall]


def fill(store: Store, scored: Make, count: int = 5, **changes: Any) -> list[str]:
    """Calls 1 to `count`, each a minute after the one before; their ids."""
    made = []
    for number in range(1, count + 1):
        call = scored(number, **changes)
        store.save_night_result(call, at=NOON, reason="nightly")
        made.append(call.recording.id)
    return made


def score_again(store: Store, call: ScoredCall) -> None:
    name = call.recording.id
    basis, reviews = store.latest(name).scorecard_id, len(store.reviews(name))
    again = Rescored(scored=replace(call, reviews=reviews), basis=basis, reason="again")
    assert store.save_rescore(again, at=NOON) is not None


def with_card(call: ScoredCall, **changes: Any) -> ScoredCall:
    assert call.scorecard is not None
    return replace(call, scorecard=replace(call.scorecard, **changes))


def line(store: Store, recording_id: str) -> QueueLine:
    found = store.queue_line(recording_id)
    assert found is not None
    return found


def names(store: Store, which: QueueFilter, page: PageOf | None = None) -> list[str]:
    return [one.name for one in store.queue(which, page or PageOf(), at=NOON).lines]


def say(recording_id: str, decision: Decision, who: str = "王", value: str = "") -> Review:
    return Review(
        recording_id=recording_id, who=who, at=NOON, decision=decision, target="", value=value, reason=""
    )


def claim(store: Store, recording_id: str, who: str, at: datetime = NOON) -> QueueLine | Refused:
    return store.claim(recording_id, who, at=at, until=at + HOUR)


def next_for(store: Store, who: str, at: datetime = NOON, **which: Any) -> QueueLine | None:
    return store.claim_next(who, QueueFilter(**which), at=at, until=at + HOUR)


def test_a_scored_call_is_in_the_queue_with_what_its_card_says(store: Store, scored: Make) -> None:
    (name,) = fill(store, scored, 1, is_complaint=True)
    found = line(store, name)
    assert (found.name, found.agent_id, found.business, found.complaint) == ("c1", "1021", "话费查询", True)
    assert (str(found.total), found.open_items, found.confidence) == ("87.5", 1, 0)
    assert (found.state, found.asked, found.done, found.released) == (WorkState.NEW, 1, 0, False)
    assert found.started_at == datetime(2024, 5, 6, 1, 1, tzinfo=UTC)
    assert found.risk == 100_999


def test_a_new_card_and_corrected_metadata_show_at_once(store: Store, scored: Make) -> None:
    (name,) = fill(store, scored, 1)
    call = scored(1)
    score_again(store, with_card(call, fatal=True))
    assert line(store, name).fatal
    store.update_recording(replace(call.recording, agent_id="2000", started_at=None))
    found = line(store, name)
    assert (found.agent_id, found.started_at, found.fatal) == ("2000", None, True)


def test_a_call_without_a_card_is_not_in_the_queue(store: Store, scored: Make) -> None:
    (name,) = fill(store, scored, 1)
    score_again(store, replace(scored(1), scorecard=None))
    assert store.queue_line(name) is None


def test_reviews_and_appeals_move_a_call(store: Store, scored: Make) -> None:
    (name,) = fill(store, scored, 1)
    store.add_review(say(name, Decision.DONE, value=PARTLY))
    assert line(store, name).state is WorkState.DONE
    store.add_review(say(name, Decision.DONE))
    assert line(store, name).state is WorkState.RELEASED
    said = AppealEvent(step=Step.RAISED, who="1021", at=NOON, reason="不服")
    new = Appeal(
        recording_id=name, template_id="inbound_100", item="service", title="服务", days=7, events=(said,)
    )
    number = store.add_appeal(new, earlier=0)
    assert number is not None
    found = line(store, name)
    assert (found.state, found.open_appeals, found.released) == (WorkState.APPEAL, 1, True)
    assert found.risk >= 1_000_000
    raised = store.appeal(number)
    answer = AppealEvent(step=Step.ANSWERED, who="王", at=NOON, reason="维持")
    assert store.add_appeal_event(replace(raised, events=(*raised.events, answer)))
    assert line(store, name).state is WorkState.RELEASED


def test_a_database_from_before_is_put_into_the_queue(store: Store, scored: Make, url: str) -> None:
    made = fill(store, scored, 3)
    store.add_review(say(made[0], Decision.DONE))
    before = [line(store, name) for name in made]
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM queue"))
    engine.dispose()
    store.add_review(say(made[1], Decision.NOTE))
    assert [store.make_queue(2, lambda digest, template: 1) for _ in range(3)] == [2, 1, 0]
    assert [line(store, name) for name in made] == before


@pytest.mark.parametrize("sort", Sort)
def test_pages_by_key_hold_every_call_once_in_order(store: Store, scored: Make, sort: Sort) -> None:
    fill(store, scored, 7)
    whole = names(store, QueueFilter(), PageOf(sort=sort))
    assert len(whole) == 7
    found, page = [], PageOf(sort=sort, size=3)
    while True:
        part = store.queue(QueueFilter(), page, at=NOON)
        found += [one.name for one in part.lines]
        if part.after is None:
            break
        page = replace(page, after=Key.read(str(part.after)))
    assert found == whole


def test_newest_and_riskiest_come_first(store: Store, scored: Make) -> None:
    fill(store, scored, 3)
    score_again(store, with_card(scored(2), fatal=True))
    assert names(store, QueueFilter(), PageOf(sort=Sort.NEWEST)) == ["c3", "c2", "c1"]
    assert names(store, QueueFilter())[0] == "c2"
    assert names(store, QueueFilter(), PageOf(sort=Sort.SCORE))[0] == "c2"


def test_a_broken_key_is_no_key() -> None:
    assert Key.read("12-abcd") == Key(value=12, recording_id="abcd")
    assert [Key.read(text) for text in ("", "x", "-1-a", "12", "１-a", "12-")] == [None] * 6


def test_filters_find_what_they_name(store: Store, scored: Make) -> None:
    fill(store, scored, 3)
    store.save_night_result(
        with_card(scored(12, agent_id="2000", business="投诉", is_complaint=True), acceptable=True),
        at=NOON,
        reason="nightly",
    )
    start = datetime(2024, 5, 6, 1, tzinfo=UTC)
    expected = {
        QueueFilter(agents=("2000", "3000")): ["c12"],
        QueueFilter(agents=()): [],
        QueueFilter(business="投诉"): ["c12"],
        QueueFilter(complaint=False, text="c1"): ["c1"],
        QueueFilter(text="c1"): ["c1", "c12"],
        QueueFilter(text="%"): [],
        QueueFilter(acceptable=True): ["c12"],
        QueueFilter(template="inbound_100", fatal=False, appeal=False, released=False): [
            "c1",
            "c12",
            "c2",
            "c3",
        ],
        QueueFilter(template="other"): [],
        QueueFilter(fatal=True): [],
        QueueFilter(since=start + timedelta(minutes=2), until=start + timedelta(minutes=3)): ["c2"],
        QueueFilter(until=start): [],
        QueueFilter(states=(WorkState.RELEASED, WorkState.SECOND)): [],
    }
    for which, wanted in expected.items():
        assert sorted(names(store, which)) == wanted, which


def test_counts_are_of_every_state_and_leave_the_asked_state_out(store: Store, scored: Make) -> None:
    made = fill(store, scored, 4)
    store.add_review(say(made[0], Decision.DONE))
    claim(store, made[1], "王")
    page = store.queue(QueueFilter(states=(WorkState.NEW,)), PageOf(), at=NOON)
    assert (page.counts[WorkState.NEW], page.counts[WorkState.CLAIMED]) == (2, 1)
    assert (page.counts[WorkState.RELEASED], page.total, len(page.lines)) == (1, 2, 2)
    mine = store.queue(QueueFilter(whose=Whose.MINE, who="王"), PageOf(), at=NOON)
    assert (mine.total, [one.recording_id for one in mine.lines]) == (1, [made[1]])
    assert store.queue(QueueFilter(whose=Whose.UNASSIGNED), PageOf(), at=NOON).total == 3


def test_a_claim_ends_by_itself_and_by_giving_back(store: Store, scored: Make) -> None:
    (name,) = fill(store, scored, 1)
    first = claim(store, name, "王")
    assert isinstance(first, QueueLine)
    assert (first.state, first.assigned_to, first.claimed_until) == (WorkState.CLAIMED, "王", NOON + HOUR)
    held = claim(store, name, "李", NOON + HOUR / 2)
    assert isinstance(held, Refused)
    assert (held.why, held.told) == (WhyNot.HELD, "王")
    assert isinstance(claim(store, name, "王", NOON + HOUR / 2), QueueLine)
    assert isinstance(claim(store, name, "李", NOON + HOUR), Refused)
    assert store.queue(QueueFilter(states=(WorkState.NEW,)), PageOf(), at=NOON + 2 * HOUR).total == 1
    assert isinstance(claim(store, name, "李", NOON + 2 * HOUR), QueueLine)
    assert not store.give_back(name, "王")
    assert store.give_back(name, "李")
    assert line(store, name).state is WorkState.NEW


def test_the_next_call_is_the_riskiest_that_one_may_review(store: Store, scored: Make) -> None:
    made = fill(store, scored, 2)
    risky = with_card(scored(3, agent_id="王"), fatal=True)
    store.save_night_result(risky, at=NOON, reason="nightly")
    found = [next_for(store, "王"), next_for(store, "王"), next_for(store, "王")]
    assert {one.recording_id for one in found if one} == set(made)
    assert found[2] is None
    other = next_for(store, "李")
    assert other is not None
    assert other.name == "c3"


def test_nobody_is_given_a_call_twice(store: Store, scored: Make) -> None:
    (name,) = fill(store, scored, 1)
    store.add_review(say(name, Decision.DONE, "李", PARTLY))
    assert next_for(store, "王", states=(WorkState.DONE,)) is not None
    store.add_review(say(name, Decision.DONE, "王"))
    refused = claim(store, name, "王")
    assert isinstance(refused, Refused)
    assert refused.why is WhyNot.CLOSED


def test_two_inspectors_never_get_one_call(store: Store, scored: Make) -> None:
    made = fill(store, scored, 12)
    got: dict[str, list[str]] = {}

    def work(who: str) -> None:
        other = store.another()
        while (found := next_for(other, who)) is not None or sum(map(len, got.values())) < len(made):
            if found is not None:
                got.setdefault(who, []).append(found.recording_id)
        other.close()

    threads = [threading.Thread(target=work, args=(f"质检{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sorted(chain.from_iterable(got.values())) == sorted(made)


def test_a_call_given_by_hand_stays_until_it_is_handed_in(store: Store, scored: Make) -> None:
    first, second, third = fill(store, scored, 3)
    claim(store, second, "李")
    store.add_review(say(third, Decision.DONE))
    refused = store.assign([(first, "王"), (second, "王"), (third, "王"), ("nobody", "王")], at=NOON)
    assert {one.recording_id: one.why for one in refused} == {
        second: WhyNot.HELD,
        third: WhyNot.CLOSED,
        "nobody": WhyNot.UNKNOWN,
    }
    assert store.assign([(second, "王")], at=NOON, force=True) == ()
    assert dict(store.loads()) == {"王": 2}
    late = NOON + 100 * HOUR
    assert store.queue(QueueFilter(whose=Whose.MINE, who="王"), PageOf(), at=late).total == 2
    assert store.assign([(first, "1021")], at=NOON)[0].why is WhyNot.OWN_CALL
    store.add_review(say(first, Decision.DONE))
    assert line(store, first).assigned_to == "王"
    assert dict(store.loads()) == {"王": 1}


def test_a_sample_shows_what_it_drew_and_how_far_it_is(store: Store, scored: Make) -> None:
    made = fill(store, scored, 4)
    plan = KeptPlan(since=NOON, until=NOON + HOUR, seed=1, calls=4, options={})
    old = store.keep_plan(plan, [KeptDraw(recording_id=name, why="") for name in made[:3]], at=NOON)
    new = store.keep_plan(plan, [KeptDraw(recording_id=made[0], why="")], at=NOON)
    assert names(store, QueueFilter(plan=new)) == ["c1"]
    assert sorted(names(store, QueueFilter(plan=old))) == ["c1", "c2", "c3"]
    store.add_review(say(made[0], Decision.DONE))
    claim(store, made[1], "王")
    newest, oldest = store.plan_progress()
    assert (newest.plan_id, newest.drawn, newest.begun, newest.released) == (new, 1, 1, 1)
    assert (oldest.plan_id, oldest.drawn, oldest.begun, oldest.released) == (old, 3, 2, 1)
    score_again(store, scored(1))
    assert line(store, made[0]).plan_id == new


def test_a_draft_is_kept_step_by_step_and_an_old_version_is_refused(store: Store, scored: Make) -> None:
    (name,) = fill(store, scored, 1)
    key = DraftKey(recording_id=name, who="王")
    seen = Seen(reviews=0, scorecard_id=line(store, name).scorecard_id)

    def save(marks: str, version: int) -> Any:
        return store.save_draft(NextStep(key=key, marks=marks, version=version, seen=seen), at=NOON)

    assert store.draft(key) is None
    assert (save("a", 0).version, save("b", 1).version) == (1, 2)
    refused = save("c", 1)
    assert isinstance(refused, Conflict)
    assert (refused.who, refused.at, refused.version) == ("王", NOON, 2)
    undone: Any = store.step_draft(key, -1, version=2, at=NOON)
    assert (undone.marks, undone.version, undone.undo, undone.redo) == ("a", 3, 1, 1)
    again: Any = store.step_draft(key, 1, version=3, at=NOON)
    assert (again.marks, again.redo) == ("b", 0)
    for version in (4, 5):
        store.step_draft(key, -1, version=version, at=NOON)
    empty = store.draft(key)
    assert empty is not None
    assert (empty.marks, empty.undo, empty.redo) == ("", 0, 2)
    assert isinstance(store.step_draft(key, 1, version=2, at=NOON), Conflict)
    anew = save("d", 6)
    assert (anew.marks, anew.undo, anew.redo) == ("d", 1, 0)
    assert store.drop_draft(key)
    assert not store.drop_draft(key)


def test_a_claimed_call_with_a_draft_says_so(store: Store, scored: Make) -> None:
    (name,) = fill(store, scored, 1)
    seen = Seen(reviews=0, scorecard_id=line(store, name).scorecard_id)
    claim(store, name, "王")
    for_li, for_wang = (
        NextStep(key=DraftKey(recording_id=name, who=who), marks="x", version=0, seen=seen)
        for who in ("李", "王")
    )
    store.save_draft(for_li, at=NOON)
    assert line(store, name).state is WorkState.CLAIMED
    store.save_draft(for_wang, at=NOON)
    assert line(store, name).state is WorkState.DRAFT
    assert [draft.key.who for draft in store.drafts(name)] == sorted(["李", "王"])
    assert store.queue(QueueFilter(), PageOf(), at=NOON + HOUR).counts[WorkState.NEW] == 1


def test_a_round_keeps_its_own_reviews(store: Store, scored: Make) -> None:
    (name,) = fill(store, scored, 1)
    card = line(store, name).scorecard_id
    new = Round(
        id=0,
        title="十一月",
        made_by="主管",
        made_at=NOON,
        closed_at=None,
        calls=((name, card),),
        inspectors=("李", "王"),
    )
    number = store.add_round(new)
    assert store.round(number) == replace(new, id=number)
    made = (say(name, Decision.DONE, "王"),)
    assert store.add_round_reviews(number, made, known=0)
    assert not store.add_round_reviews(number, made, known=0)
    assert store.reviews(name) == ()
    assert line(store, name).state is WorkState.NEW
    (found,) = store.round_reviews(number)
    assert (found.who, found.saw_machine, found.saw_others) == ("王", False, False)
    assert store.close_round(number, at=NOON).closed_at == NOON
    assert not store.add_round_reviews(number, made, known=1)
    assert [one.id for one in store.rounds()] == [number]
