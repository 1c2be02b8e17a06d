"""Appeals through the whole way: what may be raised, what an answer does to the card, what stays."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from review_help import DAY, NOON, SETTINGS, archive, decide, item, latest, points, scorer

from pipeline.appeal import Appeal, Ruling, State
from pipeline.errors import CallscoreError
from pipeline.scorecard import Decision
from pipeline.storage.store import Store
from pipeline.workflows.rescore import rescore_all
from pipeline.workflows.review.appeals import Again, Answer, Plea, answer_appeal, raise_appeal, reopen_appeal


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with archive(tmp_path, combine="average") as opened:
        yield opened


def plead(
    store: Store, name: str = "shirking", who: str = "101", call: str = "c1", at: datetime = NOON + DAY
) -> Appeal:
    return raise_appeal(Plea(call=call, item=name, who=who, reason="没有"), store, SETTINGS, at=at)


def answer(store: Store, number: int = 1, who: str = "王", at: datetime = NOON + DAY, **said: Any) -> Appeal:
    return answer_appeal(number, Answer(who=who, reason="听过", **said), store, SETTINGS, at=at)


def reopen(store: Store, at: datetime = NOON + DAY) -> Appeal:
    return reopen_appeal(1, Again(who="101", reason="再听"), store, SETTINGS, at=at)


def test_an_appeal_is_kept_with_the_card_it_is_about_and_the_days_of_the_form(store: Store) -> None:
    appeal = plead(store)
    assert store.appeals() == (appeal,)
    assert (appeal.id, appeal.item, appeal.title, appeal.days) == (1, "shirking", "不推诿", 3)
    assert appeal.last.scorecard_id == store.latest(appeal.recording_id).scorecard_id


def test_a_changed_ruling_adds_a_review_and_a_scorecard_and_leaves_the_old_ones(store: Store) -> None:
    appeal = plead(store)
    before = store.scorings(appeal.recording_id)
    answered = answer(store, value="10")
    assert answered.last.ruling is Ruling.CHANGED
    assert points(store, "shirking") == "10.0"
    (review,) = store.reviews(appeal.recording_id)
    assert (review.who, review.decision, review.appeal_id) == ("王", Decision.OVERRIDE, 1)
    assert store.scorings(appeal.recording_id)[:-1] == before
    assert answered.last.scorecard_id == store.latest(appeal.recording_id).scorecard_id
    assert store.latest(appeal.recording_id).reason == "申诉 1：改判"


def test_a_finding_that_was_none_gives_its_points_back(store: Store) -> None:
    plead(store)
    answer(store, false=("forbidden.shirking",))
    assert points(store, "shirking") == "10.0"
    assert not latest(store).fatal
    assert [decided.review.appeal_id for decided in store.decided_findings()] == [1]


def test_a_finding_counts_as_false_even_where_an_inspector_had_given_points(store: Store) -> None:
    decide(store, "李", values=(("shirking", "2"),), reason="态度差")
    plead(store)
    answer(store, false=("forbidden.shirking",))
    assert points(store, "shirking") == "10.0"


def test_what_is_kept_stays_as_an_inspector_had_left_it(store: Store) -> None:
    decide(store, "李", values=(("shirking", "2"),), reason="态度差")
    plead(store)
    assert answer(store).last.ruling is Ruling.KEPT
    assert points(store, "shirking") == "2.0"


def test_a_ruling_is_not_averaged_with_reviews_and_not_changed_by_later_ones(store: Store) -> None:
    decide(store, "李", values=(("shirking", "2"),), reason="态度差")
    plead(store)
    answer(store, value="8")
    assert points(store, "shirking") == "8.0"
    with pytest.raises(CallscoreError, match="已由申诉 1 裁定"):
        decide(store, "李", values=(("shirking", "2"),), reason="还是差")
    decide(store, "李", accept_all=True)
    assert points(store, "shirking") == "8.0"


def test_a_ruling_stays_when_the_rules_change(store: Store, tmp_path: Path) -> None:
    plead(store)
    answer(store, value="8")
    form = tmp_path / "rules/scorecards/form.yml"
    form.write_text(
        form.read_text(encoding="utf-8").replace("points: 4, per", "points: 9, per"), encoding="utf-8"
    )
    rescore_all(scorer(store, tmp_path), at=NOON + 2 * DAY)
    assert points(store, "shirking") == "8.0"


def test_the_second_answer_replaces_the_first_and_is_final(store: Store) -> None:
    plead(store)
    answer(store, value="8")
    reopen(store)
    answered = answer(store, value="9")
    assert points(store, "shirking") == "9.0"
    assert answered.state(NOON + DAY) is State.FINAL
    with pytest.raises(CallscoreError, match="已终结"):
        reopen(store)
    assert len(store.reviews(answered.recording_id)) == 2


def test_an_answer_that_gave_everything_is_not_reopened(store: Store) -> None:
    plead(store)
    answer(store, value="10")
    with pytest.raises(CallscoreError, match="已是满分"):
        reopen(store)


def test_a_fatal_item_is_appealed_against_like_an_item(store: Store) -> None:
    plead(store, "rude")
    assert answer(store, value="不成立").last.ruling is Ruling.CHANGED
    assert not latest(store).fatal
    assert points(store, "shirking") == "6.0"


def test_the_days_count_from_when_the_item_got_its_points(store: Store, tmp_path: Path) -> None:
    rescore_all(scorer(store, tmp_path), at=NOON + 5 * DAY)
    with pytest.raises(CallscoreError, match="过了申诉期"):
        plead(store, at=NOON + 6 * DAY)
    decide(store, "王", values=(("shirking", "5"),), reason="语气", at=NOON + 6 * DAY)
    assert plead(store, at=NOON + 8 * DAY).id == 1
    with pytest.raises(CallscoreError, match="过了申诉期"):
        plead(store, "thanks", at=NOON + 8 * DAY)


def test_the_days_count_from_when_the_agent_may_know_the_card(store: Store) -> None:
    """combine average: two inspectors are asked."""
    given = {"values": (("tone", "良"),), "accept_all": True, "done": True, "reason": "听过"}
    decide(store, "王", at=NOON + 5 * DAY, **given)
    with pytest.raises(CallscoreError, match="过了申诉期"):
        plead(store, at=NOON + 6 * DAY)
    decide(store, "李", at=NOON + 7 * DAY, **given)
    assert plead(store, at=NOON + 9 * DAY).id == 1
    with pytest.raises(CallscoreError, match="过了申诉期"):
        plead(store, "thanks", at=NOON + 12 * DAY)


@pytest.mark.parametrize(
    ("plea", "message"),
    [
        ({"name": "shirk"}, "没有项目“shirk”"),
        ({"call": "c9"}, "c9"),
        ({"who": "102"}, "坐席是 101，不是 102"),
        ({"who": " "}, "是谁"),
        ({"name": "tone"}, "还没有评定"),
        ({"name": "thanks", "call": "c2", "who": "102"}, "已是满分 5.0"),
        ({"name": "rude", "call": "c2", "who": "102"}, "没有被判成立"),
        ({"at": NOON + 4 * DAY}, "过了申诉期"),
    ],
)
def test_what_cannot_be_raised_is_told_with_what_to_do_and_not_kept(
    store: Store, plea: dict[str, Any], message: str
) -> None:
    with pytest.raises(CallscoreError, match=message) as caught:
        plead(store, **plea)
    assert caught.value.hint
    assert store.appeals() == ()


def test_an_answer_that_the_form_does_not_allow_keeps_nothing(store: Store) -> None:
    appeal = plead(store)
    with pytest.raises(CallscoreError, match="没有等级或分数“11”"):
        answer(store, value="11")
    with pytest.raises(CallscoreError, match="没有发现"):
        answer(store, false=("eeeeeeee",))
    with pytest.raises(CallscoreError, match="是谁"):
        answer(store, who="")
    assert store.appeals() == (appeal,)
    assert store.reviews(appeal.recording_id) == ()


def test_two_who_answer_at_once_leave_one_answer(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    plead(store)
    keep = Store.save_reviewed

    def overtaken(self: Store, reviewed: Any, *, at: datetime) -> int | None:
        monkeypatch.setattr(Store, "save_reviewed", keep)
        answer(store, who="李", value="8")
        return keep(self, reviewed, at=at)

    monkeypatch.setattr(Store, "save_reviewed", overtaken)
    with pytest.raises(CallscoreError, match="不在等答复"):
        answer(store, who="王", value="9")
    assert points(store, "shirking") == "8.0"
    assert len(store.reviews(store.find_call("c1").id)) == 1


def test_an_item_of_the_card_says_who_settled_it(store: Store) -> None:
    plead(store)
    answer(store, value="8")
    assert item(latest(store), "shirking").reviewers == ("王",)
