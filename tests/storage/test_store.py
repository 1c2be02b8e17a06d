import sqlite3
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pytest
from conftest import rescore

from pipeline.errors import NotFound, StorageError
from pipeline.ruleset import Status
from pipeline.scorecard import Decision, Review
from pipeline.storage import claims, writing
from pipeline.storage.night_records import Quarantined
from pipeline.storage.records import CallFilter, Origin, Rescored, ScoredCall
from pipeline.storage.store import Store
from pipeline.timeline import Direction

NOW = datetime(2024, 5, 7, 2, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
Make = Callable[..., ScoredCall]


def done(store: Store, call: ScoredCall) -> bool:
    return store.is_done(call.recording.sha256, call.transcript.provenance)


def test_a_saved_call_comes_back_as_it_was(store: Store, scored: Make) -> None:
    call = scored()
    assert store.save_night_result(call, at=NOW, reason="nightly")
    stored = store.latest(call.recording.id)
    assert stored.recording == call.recording
    assert stored.transcript == call.transcript
    assert stored.findings == tuple(call.findings)
    assert stored.scorecard == call.scorecard
    assert (stored.scored_at, stored.reason, stored.origin) == (NOW, "nightly", Origin.HEARD)
    assert stored.rules["forbidden.shirking"].category == "shirking"


def test_a_saved_call_is_done_and_another_is_not(store: Store, scored: Make) -> None:
    store.save_night_result(scored(1), at=NOW, reason="nightly")
    assert done(store, scored(1))
    assert not done(store, scored(2))


def test_other_settings_or_another_model_make_it_undone(store: Store, scored: Make) -> None:
    call = scored()
    store.save_night_result(call, at=NOW, reason="nightly")
    heard = call.transcript.provenance
    for change in ({"settings_digest": "x"}, {"model_sha256": "0" * 64}, {"pipeline": "2"}):
        assert not store.is_done(call.recording.sha256, replace(heard, **change))


def test_saving_the_same_work_twice_keeps_one(store: Store, scored: Make) -> None:
    assert store.save_night_result(scored(), at=NOW, reason="nightly")
    assert not store.save_night_result(scored(), at=LATER, reason="nightly")
    assert len(store.history(scored().recording.id)) == 1


def test_a_renamed_file_is_the_same_recording(store: Store, scored: Make) -> None:
    store.save_night_result(scored(), at=NOW, reason="nightly")
    assert not store.save_night_result(scored(path="elsewhere.wav"), at=LATER, reason="nightly")
    assert store.counts()["recordings"] == 1


@pytest.mark.parametrize(
    ("module", "step"),
    [
        (writing, "put_recording"),
        (writing, "add_transcript"),
        (writing, "put_ruleset"),
        (writing, "_finding_values"),
        (claims, "finish"),
        (claims, "resolve"),
    ],
)
def test_a_crash_at_any_step_leaves_nothing_half_written(
    store: Store, scored: Make, monkeypatch: pytest.MonkeyPatch, module: ModuleType, step: str
) -> None:
    whole = getattr(module, step)

    def crash(*args: object, **named: object) -> object:
        whole(*args, **named)
        raise KeyboardInterrupt

    monkeypatch.setattr(module, step, crash)
    with pytest.raises(KeyboardInterrupt):
        store.save_night_result(scored(), at=NOW, reason="nightly")
    monkeypatch.undo()
    assert store.counts() == {"recordings": 0, "scorecards": 0, "quarantined": 0}
    assert not done(store, scored())
    assert store.save_night_result(scored(), at=NOW, reason="nightly")


def test_two_processes_that_finish_the_same_call_keep_one(url: str, scored: Make) -> None:
    stores = [Store.open(url) for _ in range(4)]
    saved: list[bool] = []

    def work(store: Store) -> None:
        for number in range(10):
            saved.append(store.save_night_result(scored(number), at=NOW, reason="nightly"))

    threads = [threading.Thread(target=work, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert saved.count(True) == 10
    assert len(saved) == 40
    assert stores[0].counts()["scorecards"] == 10
    for store in stores:
        store.close()


def test_a_rescore_adds_a_scorecard_and_the_newest_counts(store: Store, scored: Make) -> None:
    store.save_night_result(scored(), at=NOW, reason="nightly")
    again = scored(rules="id: changed")
    rescore(store, again, at=LATER, reason="申诉")
    lines = store.history(again.recording.id)
    assert [line.reason for line in lines] == ["nightly", "申诉"]
    assert store.latest(again.recording.id).ruleset_digest == again.ruleset.digest
    assert store.scoring(lines[0].scorecard_id).ruleset_digest == scored().ruleset.digest


def test_the_same_rules_give_the_same_bytes(store: Store, scored: Make) -> None:
    store.save_night_result(scored(), at=NOW, reason="nightly")
    rescore(store, scored(), at=LATER, reason="again")
    first, second = store.history(scored().recording.id)
    assert first.body_sha256 == second.body_sha256


def test_swapped_roles_add_a_transcript_and_the_old_one_stays(store: Store, scored: Make) -> None:
    call = scored()
    store.save_night_result(call, at=NOW, reason="nightly")
    swapped = replace(call, transcript=call.transcript.swapped("inspector"))
    rescore(store, swapped, at=LATER, reason="roles")
    rescore(store, call, at=LATER, reason="and back")
    before, between, now = store.history(call.recording.id)
    assert store.scoring(before.scorecard_id).transcript == call.transcript
    assert store.scoring(between.scorecard_id).transcript == swapped.transcript
    assert (between.origin, now.origin) == (Origin.ROLES_SWAPPED, Origin.ROLES_SWAPPED)
    assert store.latest(call.recording.id).transcript == call.transcript
    assert done(store, call)


def test_a_rescore_of_an_unknown_recording_is_not_found(store: Store, scored: Make) -> None:
    with pytest.raises(NotFound):
        store.save_rescore(Rescored(scored=scored(), basis=1, reason="申诉"), at=NOW)


def test_a_rescore_of_a_call_that_changed_since_it_was_read_is_not_kept(store: Store, scored: Make) -> None:
    store.save_night_result(scored(), at=NOW, reason="nightly")
    where = scored().recording.id
    late = Rescored(scored=scored(), basis=store.latest(where).scorecard_id, reason="rescore")
    note = Review(
        recording_id=where, who="王", at=LATER, decision=Decision.NOTE, target="", value="再听", reason=""
    )
    store.add_review(note)
    assert store.save_rescore(late, at=LATER) is None
    known = replace(late, scored=replace(late.scored, reviews=1))
    assert store.save_rescore(known, at=LATER)
    assert store.save_rescore(known, at=LATER) is None
    assert len(store.history(where)) == 2


def test_a_call_without_a_template_is_kept_with_its_findings(store: Store, scored: Make) -> None:
    call = replace(scored(), scorecard=None)
    store.save_night_result(call, at=NOW, reason="nightly")
    assert store.latest(call.recording.id).scorecard is None
    (line,) = store.calls()
    assert (line.total, line.forbidden) == (None, 1)


def test_what_a_draft_finds_is_kept_and_does_not_count_as_forbidden(store: Store, scored: Make) -> None:
    call = scored()
    drafts = tuple(replace(rule, status=Status.DRAFT) for rule in call.ruleset.rules)
    call = replace(call, ruleset=replace(call.ruleset, rules=drafts))
    store.save_night_result(call, at=NOW, reason="nightly")
    (line,) = store.calls()
    assert line.forbidden == 0
    assert not list(store.calls(CallFilter(label="forbidden")))
    assert list(store.calls(CallFilter(rule_id="forbidden.shirking")))
    assert store.latest(call.recording.id).rules["forbidden.shirking"].status is Status.DRAFT


def test_rule_files_of_the_day_are_kept(store: Store, scored: Make) -> None:
    call = scored()
    store.save_night_result(call, at=NOW, reason="nightly")
    assert store.ruleset_files(call.ruleset.digest) == dict(call.ruleset.files)
    with pytest.raises(NotFound):
        store.ruleset_files("unknown")


def test_probabilities_that_the_database_would_round_are_refused(store: Store, scored: Make) -> None:
    call = scored()
    word = replace(call.transcript.turns[0].words[0], probability=0.12345)
    turn = replace(call.transcript.turns[0], words=(word,))
    rough = replace(call, transcript=replace(call.transcript, turns=(turn,)))
    with pytest.raises(ValueError, match="storable"):
        store.save_night_result(rough, at=NOW, reason="nightly")


def test_a_call_is_found_by_call_id_or_a_prefix_of_its_bytes(store: Store, scored: Make) -> None:
    call = scored()
    store.save_night_result(call, at=NOW, reason="nightly")
    for name in ("c1", call.recording.id, call.recording.id[:6].upper()):
        assert store.find_call(name) == call.recording


def test_an_ambiguous_or_unknown_name_lists_candidates(store: Store, scored: Make) -> None:
    first, second = scored(1), scored(2, call_id="c1")
    store.save_night_result(first, at=NOW, reason="nightly")
    store.save_night_result(second, at=NOW, reason="nightly")
    with pytest.raises(NotFound) as ambiguous:
        store.find_call("c1")
    assert first.recording.id in str(ambiguous.value)
    assert second.recording.id in str(ambiguous.value)
    for name in ("C", "%", "", "_1"):
        with pytest.raises(NotFound):
            store.find_call(name)
    (duplicate,) = store.duplicates()
    assert set(duplicate.recording_ids) == {first.recording.id, second.recording.id}


def test_the_list_shows_each_call_once_by_start_with_its_newest_score(store: Store, scored: Make) -> None:
    for number in (3, 1, 2):
        store.save_night_result(scored(number), at=NOW, reason="nightly")
    store.save_night_result(scored(9, started_at=None), at=NOW, reason="nightly")
    rescore(store, scored(2), at=LATER, reason="申诉")
    lines = list(store.calls())
    assert [line.recording.call_id for line in lines] == ["c1", "c2", "c3", "c9"]
    assert [line.reason for line in lines] == ["nightly", "申诉", "nightly", "nightly"]
    assert (lines[0].total, lines[0].open_items, lines[0].forbidden) == (Decimal("87.5"), 1, 1)
    assert [s.recording.call_id for s in store.stored()] == ["c1", "c2", "c3", "c9"]


def test_calls_are_listed_by_what_is_asked(store: Store, scored: Make) -> None:
    store.save_night_result(scored(1), at=NOW, reason="nightly")
    other = scored(2, agent_id="7", business="宽带", direction=Direction.OUTBOUND, is_complaint=True)
    store.save_night_result(replace(other, findings=()), at=NOW, reason="nightly")

    def names(**asked: object) -> list[str | None]:
        return [line.recording.call_id for line in store.calls(CallFilter(**asked))]  # type: ignore[arg-type]

    start = scored(2).recording.started_at
    assert names(agent_id="7") == names(business="宽带") == names(is_complaint=True) == ["c2"]
    assert names(direction=Direction.OUTBOUND) == names(since=start) == ["c2"]
    assert names(until=start) == names(label="forbidden", category="shirking") == ["c1"]
    assert names(rule_id="closing.thanks") == names(fatal=True) == []
    assert names(open_items=True) == ["c1", "c2"]
    assert names(limit=1) == ["c2"]


def test_the_last_of_the_list_are_asked_for_in_the_same_order(store: Store, scored: Make) -> None:
    for number in (3, 1, 2):
        store.save_night_result(scored(number), at=NOW, reason="nightly")
    store.save_night_result(scored(9, started_at=None), at=NOW, reason="nightly")
    for limit in range(1, 6):
        names = [line.recording.call_id for line in store.calls(CallFilter(limit=limit))]
        assert names == ["c1", "c2", "c3", "c9"][-limit:]


def test_quarantine_counts_tries_and_ends_when_the_call_is_scored(store: Store, scored: Make) -> None:
    fault = Quarantined(path="archive/1.wav", stage="decode", reason="no audio stream")
    store.quarantine(fault, at=NOW)
    store.quarantine(replace(fault, reason="zero bytes"), at=LATER)
    (found,) = store.quarantined()
    assert (found.tries, found.reason, found.at) == (2, "zero bytes", LATER)
    store.save_night_result(scored(1), at=LATER, reason="nightly")
    assert store.quarantined() == ()


def test_a_quarantined_recording_that_moved_is_known_by_its_bytes(store: Store, scored: Make) -> None:
    sha256 = scored(1).recording.sha256
    store.quarantine(Quarantined(path="old.wav", stage="asr", reason="x", sha256=sha256), at=NOW)
    store.quarantine(Quarantined(path="other.wav", stage="asr", reason="x"), at=NOW)
    store.save_night_result(scored(1), at=NOW, reason="nightly")
    assert [fault.path for fault in store.quarantined()] == ["other.wav"]


def test_reviews_are_kept_in_order(store: Store, scored: Make) -> None:
    call = scored()
    store.save_night_result(call, at=NOW, reason="nightly")
    beijing = timezone(timedelta(hours=8))
    reviews = tuple(
        Review(
            recording_id=call.recording.id,
            who="王",
            at=datetime(2024, 5, 8, 9, minute, tzinfo=beijing),
            decision=Decision.OVERRIDE,
            target="service",
            value="8.0",
            reason="客户已确认",
        )
        for minute in (5, 3)
    )
    for review in reviews:
        store.add_review(review)
    assert store.reviews(call.recording.id) == reviews
    with pytest.raises(NotFound):
        store.add_review(replace(reviews[0], recording_id="nobody"))


def test_nights_are_counted(store: Store) -> None:
    night = store.start_night("archive", at=NOW)
    assert store.nights()[0].ended_at is None
    store.end_night(night, {"scored": 3, "quarantined": 1}, at=LATER)
    (found,) = store.nights()
    assert (found.started_at, found.ended_at, found.counts["scored"]) == (NOW, LATER, 3)


def test_a_file_name_in_an_unknown_encoding_is_kept(store: Store, scored: Make) -> None:
    path = b"\xc2\xbc\xd2\xf4.wav\x80".decode("utf-8", "surrogateescape")
    call = scored(1, path=path)
    store.quarantine(Quarantined(path=path, stage="probe", reason=f"{path}: empty"), at=NOW)
    store.save_night_result(call, at=NOW, reason="nightly")
    assert store.find_call("c1").path == path
    assert store.quarantined() == ()


def test_naive_times_are_refused(store: Store) -> None:
    with pytest.raises(StorageError, match="aware"):
        store.start_night("archive", at=datetime(2024, 5, 7))


def test_damage_in_a_stored_body_is_an_explained_error(tmp_path: Path, scored: Make) -> None:
    with Store.open(f"sqlite:///{tmp_path}/calls.db") as store:
        store.save_night_result(scored(), at=NOW, reason="nightly")
        with sqlite3.connect(tmp_path / "calls.db") as raw:
            raw.execute("UPDATE transcripts SET body = x'00'")
        raw.close()
        with pytest.raises(StorageError, match="读不懂"):
            store.latest(scored().recording.id)


def test_reading_goes_on_while_another_process_writes(tmp_path: Path, scored: Make) -> None:
    url = f"sqlite:///{tmp_path}/calls.db"
    with Store.open(url) as one, Store.open(url) as other:
        for number in range(3):
            one.save_night_result(scored(number), at=NOW, reason="nightly")
        lines = one.calls()
        next(lines)
        assert other.save_night_result(scored(9), at=NOW, reason="nightly")
        assert len(list(lines)) == 2
