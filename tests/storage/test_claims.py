"""Claims: which night may work on what."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from pipeline.storage import claims
from pipeline.storage.night_records import Quarantined, State, Wanted
from pipeline.storage.records import ScoredCall
from pipeline.storage.store import Store, work_key

NOW = datetime(2024, 5, 7, 2, 0, tzinfo=UTC)
SOON, LATER = NOW + timedelta(minutes=5), NOW + timedelta(hours=1)
WORK = [Wanted(key=f"{n:064}", sha256=f"{n:064}", path=f"/in/{n}.wav") for n in range(4)]
Make = Callable[..., ScoredCall]


def begin(store: Store, owner: str = "one") -> int:
    return store.start_night("in", at=NOW, owner=owner, until=SOON)


def mine(store: Store, night: int, at: datetime = NOW, gone: str = "") -> list[str]:
    found = store.claim_work(WORK, night, at=at, is_gone=lambda owner: owner == gone)
    return [one.key for one in WORK if found[one.key].mine]


def test_two_nights_never_hold_the_same_work(store: Store) -> None:
    first, second = begin(store), begin(store, "two")
    store.claim_work(WORK[:2], first, at=NOW)
    assert mine(store, second) == [one.key for one in WORK[2:]]


def test_the_claims_of_a_process_that_is_gone_come_back_at_once(store: Store) -> None:
    mine(store, begin(store))
    assert len(mine(store, begin(store, "two"), gone="one")) == 4


def test_claims_come_back_when_their_lease_is_over_and_a_beat_makes_it_longer(store: Store) -> None:
    first, second = begin(store), begin(store, "two")
    mine(store, first)
    store.beat(first, {"scored": 1}, until=LATER + timedelta(minutes=1))
    assert mine(store, second, at=LATER) == []
    assert store.claimed_elsewhere(second, at=LATER)
    assert len(mine(store, second, at=LATER + timedelta(minutes=2))) == 4


def test_what_another_night_finished_just_now_is_done(
    store: Store, scored: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    call = scored(1)
    key = work_key(call.recording.sha256, call.transcript.provenance)
    store.save_night_result(call, at=NOW, reason="nightly")
    whole, asked = claims._done, []

    def before_the_other_committed(session: Session, keys: Sequence[str]) -> dict[str, str]:
        asked.append(keys)
        return {} if len(asked) == 1 else whole(session, keys)

    monkeypatch.setattr(claims, "_done", before_the_other_committed)
    wanted = Wanted(key=key, sha256=call.recording.sha256, path="/in/1.wav")
    found = store.claim_work([wanted], begin(store, "two"), at=NOW)[key]
    assert (found.state, found.mine) == (State.DONE, False)


def test_what_a_night_did_not_do_is_free_when_it_ends(store: Store) -> None:
    first, second = begin(store), begin(store, "two")
    mine(store, first)
    store.end_night(first, {}, at=NOW)
    assert len(mine(store, second)) == 4


def test_work_that_is_kept_is_done_for_everybody(store: Store, scored: Make) -> None:
    call, night = scored(), begin(store)
    key = work_key(call.recording.sha256, call.transcript.provenance)
    one = Wanted(key=key, sha256=call.recording.sha256, path=call.recording.path)
    assert store.claim_work([one], night, at=NOW)[key].mine
    store.save_night_result(call, at=NOW, reason="nightly")
    for again in (night, begin(store, "two")):
        found = store.claim_work([one], again, at=NOW)[key]
        assert (found.state, found.mine, found.path) == (State.DONE, False, call.recording.path)


@pytest.mark.parametrize(("stage", "left"), [("crash", False), ("decode", True)])
def test_only_what_fails_without_a_reason_is_given_up_after_three_tries(
    store: Store, stage: str, left: bool
) -> None:
    night, one = begin(store), WORK[0]
    fault = Quarantined(path=one.path, stage=stage, reason="x", sha256=one.sha256)
    for _ in range(3):
        assert store.claim_work([one], night, at=NOW)[one.key].mine
        store.quarantine(fault, at=NOW, work=one)
    assert store.claim_work([one], night, at=NOW)[one.key].mine is left
    (kept,) = store.quarantined()
    assert kept.tries == 3
    assert kept.is_poison is not left


def test_a_person_has_poison_tried_again_or_put_aside(store: Store) -> None:
    night, one = begin(store), WORK[0]
    fault = Quarantined(path=one.path, stage="crash", reason="x", sha256=one.sha256, tries=3)
    store.quarantine(fault, at=NOW, work=one)
    assert store.retry([one.path], at=NOW) == 1
    assert store.quarantined() == ()
    assert store.claim_work([one], night, at=NOW)[one.key].mine
    store.quarantine(fault, at=NOW, work=one)
    assert store.release([one.path], at=NOW) == 1
    assert store.claim_work([one], night, at=NOW)[one.key].state is State.SKIPPED


def test_a_released_fault_is_not_told_again_but_another_one_is(store: Store) -> None:
    fault = Quarantined(path="c3.wav", stage="metadata", reason="no file")
    assert store.quarantine(fault, at=NOW)
    store.release([fault.path], at=NOW)
    assert not store.quarantine(fault, at=LATER)
    assert store.quarantine(Quarantined(path="c3.wav", stage="decode", reason="x"), at=LATER)
    assert [kept.stage for kept in store.quarantined()] == ["decode"]
