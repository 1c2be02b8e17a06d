"""What an inspector may decide, what comes of it, and what the second one sees."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from review_help import DAY, NOON, archive, decide, item, latest, points, scorer

from pipeline.errors import CallscoreError
from pipeline.scorecard import Decision, Verdict
from pipeline.storage.store import Store
from pipeline.workflows.rescore import rescore_all
from pipeline.workflows.review.seen import Viewer
from pipeline.workflows.review.sheet import sheet


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with archive(tmp_path) as opened:
        yield opened


@pytest.fixture
def blind(tmp_path: Path) -> Iterator[Store]:
    with archive(tmp_path, blind=True, combine="average") as opened:
        yield opened


def test_a_level_and_points_decide_an_item(store: Store) -> None:
    decide(store, "王", values=(("tone", "良"),))
    assert (item(latest(store), "tone").level, points(store, "tone")) == ("良", "4.0")
    decide(store, "王", values=(("语气", "3.5"),))
    assert (item(latest(store), "tone").level, points(store, "tone")) == ("良", "3.5")


def test_every_decision_adds_a_scorecard_and_changes_none(store: Store) -> None:
    where = store.find_call("c1").id
    before = store.scorings(where)
    decide(store, "王", values=(("tone", "良"),), at=NOON + DAY)
    after = store.scorings(where)
    assert after[:-1] == before
    assert (after[-1].reason, after[-1].reviews, after[-1].scored_at) == ("复核：王", 1, NOON + DAY)


def test_a_false_finding_gives_its_points_back_and_a_true_one_is_certain(store: Store) -> None:
    assert points(store, "shirking") == "6.0"
    decide(store, "王", true=("forbidden.shirking",))
    assert item(latest(store), "shirking").confidence == 1
    decide(store, "王", false=("forbidden.shirking",), reason="是客户说的")
    assert points(store, "shirking") == "10.0"
    assert not latest(store).fatal
    decided = store.decided_findings()[-1]
    assert decided.review.decision is Decision.FINDING_FALSE


def test_a_fatal_item_is_put_right_by_name(store: Store) -> None:
    assert latest(store).fatal
    decide(store, "王", values=(("rude", "不成立"),), reason="没有辱骂")
    assert not latest(store).fatal


def test_accepting_everything_leaves_what_only_a_person_can_decide(store: Store) -> None:
    left = decide(store, "王", accept_all=True).left()
    assert [found.id for found in left] == ["tone"]
    assert [r.target for r in store.reviews(store.find_call("c1").id)] == ["shirking", "thanks"]
    assert item(latest(store), "thanks").reviewers == ("王",)


def test_what_was_accepted_stays_when_the_rules_change(store: Store, tmp_path: Path) -> None:
    decide(store, "王", accept_all=True)
    softer = (
        (tmp_path / "rules/scorecards/form.yml")
        .read_text(encoding="utf-8")
        .replace("points: 4, per", "points: 1, per")
    )
    (tmp_path / "rules/scorecards/form.yml").write_text(softer, encoding="utf-8")
    rescore_all(scorer(store, tmp_path), at=NOON + DAY)
    assert points(store, "shirking") == "6.0"
    assert store.latest(store.find_call("c1").id).reviews == 2


def test_an_item_that_does_not_apply_is_taken_out(store: Store) -> None:
    decide(store, "王", values=(("tone", "不适用"),))
    assert item(latest(store), "tone").verdict is Verdict.NOT_APPLICABLE
    assert str(latest(store).points_possible) == "15.0"


@pytest.mark.parametrize(
    ("marks", "message", "hint"),
    [
        ({"values": (("tune", "良"),)}, "没有项目“tune”", "tone"),
        ({"values": (("tone", "中"),)}, "没有等级或分数“中”", "良 3–4"),
        ({"values": (("tone", "5.1"),)}, "没有等级或分数", "0–5"),
        ({"values": (("tone", "-0.1"),)}, "没有等级或分数", "0–5"),
        ({"values": (("tone", "3.25"),)}, "没有等级或分数", "一位小数"),
        ({"values": (("tone", "NaN"),)}, "没有等级或分数", "0–5"),
        ({"values": (("rude", "3"),)}, "一票否决项", "成立"),
        ({"values": (("thanks", "优"),)}, "要写明理由", "--reason"),
        ({"values": (("tone", "优"), ("语气", "良"))}, "两个决定", "只写一次"),
        ({"accept": ("tone",)}, "没有可同意的", "--set tone"),
        ({"accept": ("rude",)}, "不能用 --accept", "--set rude"),
        ({"false": ("forbidden.shirking",)}, "要写明理由", "--reason"),
        ({"false": ("ffffffff",), "reason": "x"}, "没有发现“ffffffff”", "callscore review c1"),
        ({"accept_all": True, "blind": True}, "--blind", "--set"),
        ({"done": True}, "还有 1 项没有评：tone", "--partial"),
        ({}, "没有说要做什么", "--set"),
    ],
)
def test_what_the_form_does_not_allow_is_told_and_not_kept(
    store: Store, marks: dict[str, Any], message: str, hint: str
) -> None:
    with pytest.raises(CallscoreError, match=message) as caught:
        decide(store, "王", **marks)
    assert hint in caught.value.hint
    assert store.reviews(store.find_call("c1").id) == ()
    assert len(store.history(store.find_call("c1").id)) == 1


def test_a_review_has_a_name_and_nobody_reviews_the_own_call(store: Store) -> None:
    with pytest.raises(CallscoreError, match="谁在复核") as caught:
        decide(store, " ", values=(("tone", "良"),))
    assert "CALLSCORE_REVIEWER" in caught.value.hint
    with pytest.raises(CallscoreError, match="不能评自己"):
        decide(store, "101", values=(("tone", "良"),))


def test_one_wrong_decision_keeps_the_right_ones_out_too(store: Store) -> None:
    with pytest.raises(CallscoreError):
        decide(store, "王", values=(("tone", "良"), ("thanks", "中")), reason="x")
    assert store.reviews(store.find_call("c1").id) == ()


def test_the_newest_of_two_reviews_is_final_where_the_form_says_so(store: Store) -> None:
    decide(store, "王", values=(("tone", "优"),))
    decide(store, "李", values=(("tone", "3"),))
    assert points(store, "tone") == "3.0"


def test_two_reviews_are_averaged_where_the_form_says_so(blind: Store) -> None:
    decide(blind, "王", values=(("tone", "优"),))
    decide(blind, "李", values=(("tone", "4"),))
    assert points(blind, "tone") == "4.5"


def test_a_blind_second_review_does_not_see_the_first_until_it_is_done(blind: Store) -> None:
    decide(blind, "王", values=(("tone", "差"),), done=True)
    seen = sheet(blind, "c1", "李")
    assert (item(seen.card, "tone").points, seen.reviews, seen.hidden) == (None, (), 1)
    seen = decide(blind, "李", values=(("tone", "优"),))
    assert (str(item(seen.card, "tone").points), seen.hidden) == ("5.0", 1)
    seen = decide(blind, "李", done=True)
    assert (str(item(seen.card, "tone").points), seen.hidden) == ("2.5", 0)


def test_what_is_shown_to_a_blind_inspector_holds_nothing_of_the_others(blind: Store) -> None:
    decide(blind, "王", values=(("tone", "差"),), done=True)
    stored = blind.latest(blind.find_call("c1").id)
    shown = Viewer(blind, "李").seen(stored)
    assert shown.hidden == 1
    assert "王" not in repr((shown.stored.scorecard, shown.reviews))
    assert not shown.shows(stored)
    for who in ("王", ""):
        whole = Viewer(blind, who).seen(stored)
        assert (whole.stored, whole.hidden) == (stored, 0)
        assert whole.shows(stored)


def test_an_open_second_review_sees_the_first_and_that_is_kept(store: Store) -> None:
    decide(store, "王", values=(("tone", "差"),))
    decide(store, "李", values=(("tone", "优"),))
    first, second = store.reviews(store.find_call("c1").id)
    assert (first.saw_others, second.saw_others) == (False, True)


def test_what_is_changed_after_a_blind_review_was_made_with_the_others_seen(blind: Store) -> None:
    for who in ("王", "李"):
        decide(blind, who, values=(("tone", "良"),), done=True)
    decide(blind, "李", values=(("tone", "差"),))
    kept = [r for r in blind.reviews(blind.find_call("c1").id) if r.decision is Decision.OVERRIDE]
    assert [(r.who, r.saw_others) for r in kept] == [("王", False), ("李", False), ("李", True)]


def test_a_review_blind_of_the_machine_says_so_and_must_judge_everything(store: Store) -> None:
    with pytest.raises(CallscoreError, match="还有 2 项没有评：shirking、thanks"):
        decide(store, "王", values=(("tone", "良"),), blind=True, done=True)
    decide(store, "王", values=(("thanks", "优"),), blind=True)
    (kept,) = store.reviews(store.find_call("c1").id)
    assert not kept.saw_machine


def test_who_saw_the_machine_once_is_not_blind_again(store: Store) -> None:
    decide(store, "王", accept=("thanks",))
    with pytest.raises(CallscoreError, match="不能再记为盲评"):
        decide(store, "王", values=(("tone", "良"),), blind=True)
    decide(store, "李", values=(("tone", "良"),), blind=True)


def test_a_done_review_may_still_be_put_right_and_is_not_done_twice(store: Store) -> None:
    decide(store, "王", values=(("tone", "良"),), done=True)
    decide(store, "王", values=(("tone", "优"),))
    with pytest.raises(CallscoreError, match="已经交卷"):
        decide(store, "王", done=True)
    assert points(store, "tone") == "5.0"
