"""Calls handed out by rules, accepted in a batch, judged in a round."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from review_help import DAY, NOON, SETTINGS, archive, decide, latest

from pipeline.audit import AuditEntry
from pipeline.errors import NotFound, SettingsError, UsageError
from pipeline.queue import WorkState
from pipeline.scorecard import BATCH, Decision
from pipeline.settings import Settings
from pipeline.storage.queue_records import DraftKey, PageOf, QueueFilter, QueueLine, WhyNot
from pipeline.storage.store import Store
from pipeline.workflows.review.batch import accept_batch
from pipeline.workflows.review.drafts import Handing, Saved, Saving, save
from pipeline.workflows.review.marks import Marks
from pipeline.workflows.review.queue import (
    By,
    Dealing,
    assign,
    assign_rules,
    bring_queue,
    claim_next,
    deal,
    deal_by_rules,
    of_team,
    waiting,
)
from pipeline.workflows.review.rounds import (
    NewRound,
    judge_in_round,
    new_round,
    round_result,
    round_sheet,
    submit_in_round,
)
from pipeline.workflows.roster import Roster

ROSTER = Roster(teams={"101": "一班", "102": "二班", "103": "一班"})


@pytest.fixture
def store(tmp_path: Path, url: str) -> Iterator[Store]:
    with archive(tmp_path, url) as opened:
        yield opened


def number(store: Store, call: str) -> str:
    return store.find_call(call).id


def line(store: Store, call: str = "c1") -> QueueLine:
    found = store.queue_line(number(store, call))
    assert found is not None
    return found


def test_a_queue_is_made_of_the_archive_once(store: Store) -> None:
    assert bring_queue(store) == 0


def test_a_blind_form_wants_two_inspectors(tmp_path: Path) -> None:
    with archive(tmp_path, blind=True, combine="average") as store:
        assert (line(store).asked, line(store).secret) == (2, False)
        decide(store, "王", values=(("tone", "良"),), done=True)
        assert (line(store).state, line(store).secret) == (WorkState.SECOND, True)
        found = claim_next(store, "王", QueueFilter(), SETTINGS, at=NOON)
        assert found is not None
        assert found.name == "c2"
        other = claim_next(store, "李", QueueFilter(), SETTINGS, at=NOON)
        assert other is not None
        assert (other.name, other.claimed_until) == ("c1", NOON + DAY / 48)


def test_a_claim_needs_a_name(store: Store) -> None:
    with pytest.raises(UsageError, match="谁来领"):
        claim_next(store, " ", QueueFilter(), SETTINGS, at=NOON)


def test_a_team_is_the_agents_of_the_roster(store: Store) -> None:
    def names(which: QueueFilter) -> list[str]:
        return [one.name for one in store.queue(which, PageOf(), at=NOON).lines]

    assert names(of_team(QueueFilter(), "一班", ROSTER)) == ["c1"]
    assert names(of_team(QueueFilter(), "三班", ROSTER)) == []
    assert names(of_team(QueueFilter(agents=("102",)), "一班", ROSTER)) == []
    assert of_team(QueueFilter(), None, ROSTER) == QueueFilter()


def many(store: Store, count: int) -> list[QueueLine]:
    one = line(store)
    return [replace(one, recording_id=f"{n:016x}", agent_id=f"10{n % 3 + 1}") for n in range(count)]


def test_calls_are_dealt_in_turn_to_whoever_holds_the_fewest(store: Store) -> None:
    pairs = deal(many(store, 6), Dealing(inspectors=("王", "李")), {"王": 2}, ROSTER)
    assert [who for _, who in pairs] == ["李", "李", "王", "李", "王", "李"]


def test_calls_of_one_agent_or_team_stay_together(store: Store) -> None:
    lines = many(store, 9)
    for by in (By.AGENT, By.TEAM):
        dealt = dict(deal(lines, Dealing(inspectors=("王", "李"), by=by), {}, ROSTER))
        whose: dict[str | None, set[str]] = {}
        for one in lines:
            key = one.agent_id if by is By.AGENT else ROSTER.team(one.agent_id)
            whose.setdefault(key, set()).add(dealt[one.recording_id])
        assert all(len(people) == 1 for people in whose.values())
        assert len(set().union(*whose.values())) == 2


def test_nobody_is_dealt_a_call_they_answered(store: Store) -> None:
    pairs = deal(many(store, 3), Dealing(inspectors=("101", "王")), {"王": 9}, ROSTER)
    assert [who for _, who in pairs] == ["王", "101", "101"]
    assert deal(many(store, 1), Dealing(inspectors=("101",)), {}, ROSTER) == ()
    with pytest.raises(UsageError, match="派给谁"):
        deal(many(store, 1), Dealing(inspectors=()), {}, ROSTER)


def test_the_rule_table_sends_a_call_to_the_first_row_that_covers_it(store: Store) -> None:
    table = {"agent=103": "赵", "team=一班": "王 李", "template=form": "孙"}
    rules = assign_rules(Settings(assignment=table))
    pairs = deal_by_rules(many(store, 6), rules, {}, ROSTER)
    assert [who for _, who in pairs] == ["王", "孙", "赵", "李", "孙", "赵"]
    assert (
        deal_by_rules(many(store, 1), assign_rules(Settings(assignment={"agent=9": "王"})), {}, ROSTER) == ()
    )
    everybody = assign_rules(Settings(assignment={"*": "王"}))
    assert len(deal_by_rules(many(store, 2), everybody, {}, ROSTER)) == 2


@pytest.mark.parametrize("table", [{"nobody=1": "王"}, {"team": "王"}, {"team=": "王"}, {"*": " "}])
def test_a_faulty_rule_table_is_refused(table: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="assignment"):
        assign_rules(Settings(assignment=table))


def test_what_waits_is_given_out_riskiest_first(store: Store) -> None:
    lines = list(waiting(store, QueueFilter(), 10, at=NOON))
    assert [one.name for one in lines] == ["c1", "c2"]
    dealt = assign(store, deal(lines, Dealing(inspectors=("王",)), store.loads(), ROSTER), at=NOON)
    assert (dealt.count("王"), dealt.refused) == (2, ())
    assert list(waiting(store, QueueFilter(), 10, at=NOON)) == []
    assert len(list(waiting(store, QueueFilter(states=(WorkState.NEW,)), 1, at=NOON))) == 0


def test_a_batch_takes_only_what_is_sure_and_untouched(store: Store) -> None:
    entries: list[str] = []

    def audit(recording_id: str) -> tuple[AuditEntry, ...]:
        entries.append(recording_id)
        return ()

    c1, c2 = number(store, "c1"), number(store, "c2")
    decide(store, "李", note="听过")
    batch = accept_batch(store, [c1, c2, c2, "0" * 16], "王", at=NOON, audit=audit)
    assert batch.accepted == (c2,)
    assert [(one.recording_id, one.why) for one in batch.refused] == [
        (c1, WhyNot.UNSURE),
        ("0" * 16, WhyNot.UNKNOWN),
    ]
    said = [(r.decision, r.target, r.value) for r in store.reviews(c2)]
    assert said == [
        (Decision.ACCEPT, "shirking", "10.0"),
        (Decision.ACCEPT, "thanks", "优"),
        (Decision.DONE, "", BATCH),
    ]
    assert (line(store, "c2").state, latest(store, "c2").items[2].points) == (WorkState.RELEASED, None)
    assert entries == [c1, c2, "0" * 16]


def test_a_batch_leaves_what_somebody_decided_or_holds(store: Store) -> None:
    c2 = number(store, "c2")
    store.claim(c2, "李", at=NOON, until=NOON + DAY)
    (held,) = accept_batch(store, [c2], "王", at=NOON).refused
    assert (held.why, held.told) == (WhyNot.HELD, "李")
    assert accept_batch(store, [c2], "李", at=NOON).accepted == (c2,)
    (touched,) = accept_batch(store, [c2], "王", at=NOON).refused
    assert touched.why is WhyNot.TOUCHED


def test_a_batch_is_not_for_ones_own_calls(store: Store) -> None:
    (refused,) = accept_batch(store, [number(store, "c2")], "102", at=NOON).refused
    assert (refused.why, "不能评自己" in refused.told) == (WhyNot.REFUSED, True)


def a_round(store: Store, *calls: str) -> int:
    new = NewRound(title="十一月", made_by="主管", calls=calls or ("c1", "c2"), inspectors=("王", "李"))
    return new_round(store, new, at=NOON).id


def judge(store: Store, round_id: int, who: str, tone: str, call: str = "c1") -> None:
    values = (("tone", tone), ("thanks", "差"), ("shirking", "6"))
    marks = Marks(who=who, values=values, done=True)
    judge_in_round(store, round_id, number(store, call), marks, at=NOON)


def test_a_round_measures_inspectors_and_changes_no_card(store: Store) -> None:
    before = latest(store)
    made = a_round(store)
    judge(store, made, "王", "良")
    judge(store, made, "李", "差")
    result = round_result(store, made)
    shares = {
        one.subject.id: one.share.value for one in result.agreement.items if one.between.value == "inspectors"
    }
    assert shares == {"tone": 0.0, "thanks": 1.0, "shirking": 1.0}
    assert all(one.independent for one in result.agreement.items)
    assert result.done == {who: frozenset({number(store, "c1")}) for who in ("王", "李")}
    assert (latest(store), store.reviews(number(store, "c1")), line(store).state) == (
        before,
        (),
        WorkState.NEW,
    )


def test_agreement_of_all_calls_leaves_rounds_out_and_rounds_leave_other_reviews_out(store: Store) -> None:
    made = a_round(store)
    judge(store, made, "王", "良")
    decide(store, "李", values=(("tone", "差"),))
    assert [
        one for one in round_result(store, made).agreement.items if one.between.value == "inspectors"
    ] == []


def test_an_inspector_sees_only_their_own_part_of_a_round(store: Store) -> None:
    made = a_round(store)
    decide(store, "赵", values=(("tone", "优"),))
    judge(store, made, "王", "良")
    other = round_sheet(store, made, number(store, "c1"), "李")
    assert (other.everything, other.reviews) == ((), ())
    assert [r.value for r in round_sheet(store, made, number(store, "c1"), "王").own][:2] == ["良", "差"]
    with pytest.raises(UsageError, match="赵 不在校准"):
        round_sheet(store, made, number(store, "c1"), "赵")
    with pytest.raises(NotFound, match="没有这通电话"):
        round_sheet(store, made, "0" * 16, "王")


def test_a_round_is_blind_and_ends(store: Store) -> None:
    made = a_round(store, "c1")
    blind = Marks(who="王", accept=("thanks",))
    with pytest.raises(UsageError, match="--blind"):
        judge_in_round(store, made, number(store, "c1"), blind, at=NOON)
    store.close_round(made, at=NOON)
    with pytest.raises(UsageError, match="已结束"):
        judge(store, made, "王", "良")


def test_a_draft_of_a_round_is_apart_from_the_calls_own(store: Store) -> None:
    made = a_round(store, "c1")
    key = DraftKey(recording_id=number(store, "c1"), who="王", round_id=made)
    found = round_sheet(store, made, key.recording_id, "王")
    values = (("tone", "良"), ("thanks", "差"), ("shirking", "6"))
    saving = Saving(key=key, marks=Marks(who="王", values=values), version=0, seen=found.seen)
    kept = save(store, saving, at=NOON, until=NOON)
    assert isinstance(kept, Saved)
    assert (line(store).state, store.draft(replace(key, round_id=0))) == (WorkState.NEW, None)
    submit_in_round(store, Handing(key=key, version=1), at=NOON)
    assert (store.draft(key), len(store.round_reviews(made))) == (None, 4)


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"inspectors": ("王", "王 ")}, "至少要两位"),
        ({"title": " "}, "要有名称"),
        ({"calls": ()}, "哪些电话"),
        ({"inspectors": ("101", "王")}, "不能评自己"),
    ],
)
def test_a_round_that_makes_no_sense_is_refused(store: Store, changes: dict[str, object], match: str) -> None:
    new = NewRound(title="十一月", made_by="主管", calls=("c1",), inspectors=("王", "李"))
    with pytest.raises(UsageError, match=match):
        new_round(store, replace(new, **changes), at=NOON)  # type: ignore[arg-type]
