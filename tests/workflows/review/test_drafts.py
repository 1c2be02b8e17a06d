"""What an inspector marks, sees, undoes and hands in; what they are told of others."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from review_help import NOON, archive, decide, item, latest, points, scorer

from pipeline.errors import UsageError
from pipeline.queue import WorkState
from pipeline.scorecard import PARTLY, Decision
from pipeline.storage.queue_records import Conflict, DraftKey, Seen
from pipeline.storage.store import Store
from pipeline.workflows.rescore import rescore_all
from pipeline.workflows.review.drafts import (
    Handing,
    Meanwhile,
    Saved,
    Saving,
    Submitted,
    marks_of,
    preview,
    read,
    save,
    submit,
    written,
)
from pipeline.workflows.review.marks import Marks
from pipeline.workflows.review.selected import Selected
from pipeline.workflows.review.sheet import sheet

HOUR = timedelta(hours=1)
EVERYTHING = Marks(
    who="王",
    values=(("tone", "良"), ("rude", "不成立")),
    accept=("thanks",),
    false=("forbidden.shirking",),
    added=(Selected(rule="closing.thanks", start=0, end=9),),
    note="整体",
    notes=(("tone", "平稳"),),
    reason="听过",
    reasons=(("rude", "没有辱骂"),),
)


@pytest.fixture
def store(tmp_path: Path, url: str) -> Iterator[Store]:
    with archive(tmp_path, url) as opened:
        yield opened


@pytest.fixture
def blind(tmp_path: Path) -> Iterator[Store]:
    with archive(tmp_path, blind=True, combine="average") as opened:
        yield opened


def keep(store: Store, who: str = "王", call: str = "c1", version: int = 0, **marks: Any) -> Saved:
    """Save a draft by somebody who knows everything so far."""
    kept = try_to_keep(store, who, call, version, **marks)
    assert isinstance(kept, Saved)
    return kept


def try_to_keep(store: Store, who: str, call: str, version: int, **marks: Any) -> Saved | Conflict:
    found = sheet(store, call, who)
    saving = Saving(
        key=DraftKey(recording_id=found.stored.recording.id, who=who),
        marks=Marks(who=who, **marks),
        version=version,
        seen=found.seen,
    )
    return save(store, saving, at=NOON, until=NOON + HOUR)


def hand_in(store: Store, kept: Saved, seen: Seen | None = None, **how: bool) -> Any:
    handing = Handing(key=kept.draft.key, version=kept.draft.version, seen=seen, **how)
    return submit(store, handing, at=NOON)


def state(store: Store, call: str = "c1") -> WorkState:
    line = store.queue_line(store.find_call(call).id)
    assert line is not None
    return line.state


def test_marks_come_back_as_they_were_kept() -> None:
    assert read(written(EVERYTHING), "王") == EVERYTHING
    assert read("", "李") == Marks(who="李")


def test_a_draft_claims_the_call_and_handing_it_in_releases_it(store: Store) -> None:
    kept = keep(store, values=(("tone", "良"),), accept_all=True)
    assert (kept.holder, state(store)) == (None, WorkState.DRAFT)
    done = hand_in(store, kept)
    assert isinstance(done, Submitted)
    assert points(store, "tone") == "4.0"
    assert (state(store), store.draft(kept.draft.key)) == (WorkState.RELEASED, None)


def test_handing_in_with_items_left_is_refused_and_the_draft_stays(store: Store) -> None:
    kept = keep(store, accept=("thanks",))
    with pytest.raises(UsageError, match="还有 1 项没有评"):
        hand_in(store, kept)
    assert (store.draft(kept.draft.key), store.reviews(kept.draft.key.recording_id)) == (kept.draft, ())
    assert isinstance(hand_in(store, kept, partial=True), Submitted)
    assert store.reviews(kept.draft.key.recording_id)[-1].value == PARTLY
    assert state(store) is WorkState.DONE


def test_what_was_handed_in_in_part_can_be_completed(store: Store) -> None:
    hand_in(store, keep(store, accept=("thanks",)), partial=True)
    assert isinstance(hand_in(store, keep(store, values=(("tone", "优"),))), Submitted)
    assert state(store) is WorkState.RELEASED
    with pytest.raises(UsageError, match="已经交卷"):
        hand_in(store, keep(store, note="再说一句"))


def test_two_windows_of_one_person_cannot_undo_each_other(store: Store) -> None:
    keep(store, values=(("tone", "良"),))
    refused = try_to_keep(store, "王", "c1", 0, values=(("tone", "差"),))
    assert isinstance(refused, Conflict)
    assert (refused.who, refused.version) == ("王", 1)
    again = keep(store, version=1, values=(("tone", "优"),))
    stale = Handing(key=again.draft.key, version=1)
    assert isinstance(submit(store, stale, at=NOON), Conflict)
    assert store.reviews(again.draft.key.recording_id) == ()


def test_an_undone_mark_is_not_handed_in(store: Store) -> None:
    keep(store, values=(("tone", "良"),))
    kept = keep(store, version=1, values=(("tone", "差"),))
    undone = store.step_draft(kept.draft.key, -1, version=2, at=NOON)
    assert not isinstance(undone, Conflict)
    assert marks_of(undone).values == (("tone", "良"),)
    hand_in(store, replace(kept, draft=undone))
    assert points(store, "tone") == "4.0"


def test_the_second_inspector_is_told_who_has_the_call_and_who_decided_what(store: Store) -> None:
    first = keep(store, "王", values=(("tone", "良"),))
    second = keep(store, "李", values=(("tone", "差"),))
    assert (second.holder, first.holder) == ("王", None)
    hand_in(store, first)
    told = hand_in(store, second)
    assert isinstance(told, Meanwhile)
    assert [(r.who, r.decision, r.value) for r in told.reviews] == [
        ("王", Decision.OVERRIDE, "良"),
        ("王", Decision.DONE, ""),
    ]
    assert store.draft(second.draft.key) == second.draft
    assert isinstance(hand_in(store, second, seen=told.seen), Submitted)
    assert [review.value for review in store.reviews(second.draft.key.recording_id)] == ["良", "", "差", ""]
    assert points(store, "tone") == "0.0"


def test_a_blind_inspector_is_told_nothing_and_hindered_by_nothing(blind: Store) -> None:
    first = keep(blind, "王", values=(("tone", "良"),))
    second = keep(blind, "李", values=(("tone", "差"),))
    hand_in(blind, first)
    assert state(blind) is WorkState.SECOND
    assert isinstance(hand_in(blind, second), Submitted)
    assert state(blind) is WorkState.RELEASED


def test_a_call_scored_anew_meanwhile_is_told(store: Store, tmp_path: Path) -> None:
    kept = keep(store, values=(("tone", "良"),))
    rules = tmp_path / "rules/a/shirking.yml"
    rules.write_text(rules.read_text().replace("不归我们管", "自己想想办法"), encoding="utf-8")
    rescore_all(scorer(store, tmp_path), at=NOON)
    told = hand_in(store, kept)
    assert isinstance(told, Meanwhile)
    assert (told.reviews, told.rescored) == ((), True)
    assert isinstance(hand_in(store, kept, seen=told.seen), Submitted)


def test_a_preview_is_the_card_that_handing_in_makes(store: Store) -> None:
    marks = {
        "values": (("tone", "良"), ("thanks", "优")),
        "false": ("forbidden.shirking",),
        "reasons": (("thanks", "声音小"), ("forbidden.shirking", "引用")),
    }
    kept = keep(store, **marks)
    shown = preview(sheet(store, "c1", "王"), marks_of(kept.draft), at=NOON)
    assert shown.faults == ()
    hand_in(store, kept)
    assert latest(store) == shown.card


def test_a_preview_leaves_out_what_is_wrong_and_says_why(store: Store) -> None:
    marks = Marks(who="王", values=(("tone", "极好"), ("thanks", "优")), accept=("tone",), accept_all=True)
    shown = preview(sheet(store, "c1", "王"), marks, at=NOON)
    assert [fault.name for fault in shown.faults] == ["tone", "thanks", "tone"]
    assert "没有等级或分数" in shown.faults[0].message
    assert "改定要写明理由" in shown.faults[1].message
    assert str(item(shown.card, "thanks").points) == "0.0"
    assert "王采信" in item(shown.card, "thanks").reason


def test_a_mark_by_itself_gives_way_to_nothing_that_was_accepted_as_a_whole(store: Store) -> None:
    marks = Marks(who="王", values=(("thanks", "优"),), accept_all=True, reason="声音小")
    shown = preview(sheet(store, "c1", "王"), marks, at=NOON)
    assert str(item(shown.card, "thanks").points) == "5.0"


def test_a_preview_takes_less_than_20_ms(store: Store) -> None:
    found = sheet(store, "c1", "王")
    marks = Marks(who="王", values=(("tone", "良"),), accept_all=True)
    preview(found, marks, at=NOON)
    began = time.process_time()
    for _ in range(20):
        preview(found, marks, at=NOON)
    assert (time.process_time() - began) / 20 < 0.020


def test_every_mark_has_its_own_reason_and_notes_name_their_item(store: Store) -> None:
    hand_in(
        store,
        keep(
            store,
            values=(("tone", "良"), ("thanks", "优")),
            reasons=(("thanks", "声音小"),),
            notes=(("tone", "平稳"),),
            note="整体不错",
        ),
    )
    said = {(r.decision, r.target): (r.value, r.reason) for r in store.reviews(store.find_call("c1").id)}
    assert said[Decision.OVERRIDE, "thanks"] == ("优", "声音小")
    assert said[Decision.OVERRIDE, "tone"] == ("良", "")
    assert said[Decision.NOTE, "tone"] == ("平稳", "")
    assert said[Decision.NOTE, ""] == ("整体不错", "")


def test_decisions_without_handing_in_keep_the_call(store: Store) -> None:
    kept = keep(store, values=(("tone", "良"),))
    assert isinstance(hand_in(store, kept, done=False), Submitted)
    assert (points(store, "tone"), state(store)) == ("4.0", WorkState.CLAIMED)


def test_a_decision_from_elsewhere_leaves_the_draft(store: Store) -> None:
    kept = keep(store, values=(("tone", "良"),))
    decide(store, "王", values=(("tone", "差"),))
    assert store.draft(kept.draft.key) == kept.draft
    assert isinstance(hand_in(store, kept), Submitted)


def test_inspectors_who_hand_in_at_once_lose_nothing(store: Store) -> None:
    people = [f"质检{n}" for n in range(4)]
    drafts = [keep(store, who, values=(("tone", "良"),)) for who in people]

    def work(kept: Saved) -> None:
        other, seen = store.another(), None
        while not isinstance(found := hand_in(other, kept, seen=seen), Submitted):
            assert isinstance(found, Meanwhile)
            seen = found.seen
        other.close()

    threads = [threading.Thread(target=work, args=(kept,)) for kept in drafts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    name = drafts[0].draft.key.recording_id
    said = [(r.who, r.decision) for r in store.reviews(name)]
    assert sorted(said) == sorted((who, d) for who in people for d in (Decision.OVERRIDE, Decision.DONE))
    assert store.drafts(name) == ()
    assert len(store.history(name)) == 1 + len(people)
