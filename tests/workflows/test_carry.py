"""A call that a later night hears again, with what people had put right in it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from dispute_help import MADE_BY, NOON, SAID, a_call, filled, rules, scorer, signed

from pipeline.detect.script import call_of
from pipeline.settings import Settings
from pipeline.storage.records import Origin, ScoredCall, Subject
from pipeline.storage.store import Store
from pipeline.timeline import AgentChannel, Call, Direction, Provenance, Role
from pipeline.workflows.dispute.carry import Keeper, Kept
from pipeline.workflows.dispute.correct import Facts, Wording, correct_words, relink, swap_roles
from pipeline.workflows.dispute.history import history
from pipeline.workflows.dispute.replay import Agreement, replayed, rules_by_digest
from pipeline.workflows.process_call import judge

ID = "a" * 16
BETTER = replace(MADE_BY, model="better", model_sha256="1" * 64)
NIGHT = NOON + timedelta(days=10)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with filled(tmp_path) as opened:
        yield opened


def heard(said: str = SAID, made_by: Provenance = BETTER, **metadata: object) -> Call:
    """The call as a better model hears it."""
    known = a_call()
    recording = replace(known.recording, **metadata)  # type: ignore[arg-type]
    transcript = replace(call_of(said).transcript, provenance=made_by)
    return Call(recording=recording, transcript=transcript)


def night(store: Store, call: Call, days: int = 0) -> Kept:
    """A night that hears the call."""

    def judged(call: Call) -> ScoredCall:
        return judge(call, rules(), Settings(), reviews=store.reviews(call.recording.id))

    keeper = Keeper(store=store, judged=judged, zone="Asia/Shanghai")
    return keeper.kept(call, at=NIGHT + timedelta(days=days))


def correct(store: Store, heard: str = "宫号", said: str = "工号", at: int = 2000, days: int = 1) -> None:
    correct_words("c1", Wording(at=at, heard=heard, said=said), scorer(store), signed("听错了", days))


def level(store: Store, item: str) -> str | None:
    card = store.latest(ID).scorecard
    return next(found.level for found in card.items if found.id == item) if card else None


def test_a_call_that_nobody_put_right_is_kept_as_it_was_heard(store: Store) -> None:
    kept = night(store, heard(SAID.replace("宫号", "工号")))
    assert kept.notices == ()
    assert store.latest(ID).origin is Origin.HEARD
    assert level(store, "number") == "优"


# metadata


def test_metadata_that_a_person_put_right_win_over_the_table(store: Store) -> None:
    relink("c1", Facts(values={"agent_id": "2000", "is_complaint": "是"}), scorer(store), signed())
    kept = night(store, heard(business="宽带"))
    known = store.latest(ID).recording
    assert (known.agent_id, known.is_complaint, known.business) == ("2000", True, "宽带")
    assert kept.scored.recording == known
    assert kept.notices == ()


@pytest.mark.parametrize(
    ("listed", "told"), [("2000", "相同"), ("3000", "仍以改正为准；话单才对的话：callscore relink c1 --set")]
)
def test_a_table_that_later_says_the_same_or_something_new_is_noticed(
    store: Store, listed: str, told: str
) -> None:
    relink("c1", Facts(values={"agent_id": "2000"}), scorer(store), signed())
    (notice,) = night(store, heard(agent_id=listed)).notices
    assert f"坐席工号现在是“{listed}”" in notice
    assert told in notice
    assert "王组长" in notice
    assert store.latest(ID).recording.agent_id == "2000"


def test_metadata_put_back_to_what_they_were_follow_the_table_again(store: Store) -> None:
    for days, value in ((1, "2000"), (2, "1021")):
        relink("c1", Facts(values={"agent_id": value}), scorer(store), signed(days=days))
    assert night(store, heard(agent_id="3000")).notices == ()
    assert store.latest(ID).recording.agent_id == "3000"


def test_every_column_that_can_be_put_right_is_carried_over(store: Store) -> None:
    values = {
        "call_id": "c9",
        "start_time": "2024-05-06 09:30:15",
        "agent_id": "",
        "customer": "某客户",
        "direction": "呼出",
        "business": "宽带",
        "queue_wait_seconds": "12.5",
        "ring_count": "3",
        "agent_channel": "右",
        "is_complaint": "是",
    }
    _, after = relink("c1", Facts(values=values), scorer(store), signed())
    night(store, heard())
    assert store.latest(ID).recording == after.recording


def test_the_agents_channel_that_a_person_gave_decides_the_roles_of_the_new_hearing(store: Store) -> None:
    relink("c1", Facts(values={"agent_channel": "右"}), scorer(store), signed())
    new = heard()
    turns = tuple(replace(turn, channel=turn.speaker) for turn in new.transcript.turns)
    night(store, replace(new, transcript=replace(new.transcript, turns=turns)))
    found = store.latest(ID)
    assert found.recording.agent_channel is AgentChannel.RIGHT
    assert {turn.role for turn in found.transcript.turns if turn.channel == 1} == {Role.AGENT}
    assert found.transcript == store.heard(ID)


# words


def test_corrected_words_are_carried_over_where_the_place_reads_the_same(store: Store) -> None:
    correct(store)
    kept = night(store, heard(SAID.replace("丢了", "丢啦")))
    found = store.latest(ID)
    assert found.transcript.turns[0].text == "您好，工号一零二一。"
    assert "丢啦" in found.transcript.turns[1].text
    assert found.origin is Origin.WORDS_CORRECTED
    assert "沿用改正 1 处" in found.reason
    assert level(store, "number") == "优"
    assert (kept.notices, found.recording.unsettled) == ((), ())
    assert store.heard(ID).turns[0].text == "您好，宫号一零二一。"
    assert store.heard(ID).provenance == BETTER


def test_words_that_the_new_model_hears_as_they_were_corrected_need_nothing(store: Store) -> None:
    correct(store)
    assert night(store, heard(SAID.replace("宫号", "工号"))).notices == ()
    assert store.latest(ID).origin is Origin.HEARD
    assert store.latest(ID).transcript.turns[0].text == "您好，工号一零二一。"


def test_corrections_that_build_on_each_other_are_carried_over_in_their_order(store: Store) -> None:
    correct(store)
    correct(store, "工号一", "工号二", days=2)
    correct(store, "二零二一", "二零二", days=3)
    night(store, heard())
    assert store.latest(ID).transcript.turns[0].text == "您好，工号二零二。"


def test_a_place_that_reads_otherwise_waits_for_a_person_and_history_says_so(store: Store) -> None:
    correct(store)
    kept = night(store, heard(SAID.replace("宫号", "公告号")))
    found = store.latest(ID)
    (mark,) = found.recording.unsettled
    assert "文字改正未能沿用，请人核对" in mark
    assert "公告号" in mark
    assert found.scorecard
    assert not found.scorecard.acceptable
    (event,) = [event for event in history(store, ID) if event.what == "未能沿用"]
    assert "“宫号”→“工号”" in event.told
    assert "王组长" in event.told
    (notice,) = kept.notices
    assert "c1" in notice
    assert "callscore history" in notice
    assert "公告" not in notice


def test_the_same_words_elsewhere_are_not_corrected(store: Store) -> None:
    correct(store)
    night(store, heard(SAID.replace("您好，宫号", "您好，公告").replace("那再见", "哪个宫号")))
    assert store.latest(ID).transcript.turns[3].text == "哪个宫号。"
    assert store.latest(ID).recording.unsettled


def test_a_person_who_corrects_the_place_anew_settles_it_for_good(store: Store) -> None:
    correct(store)
    night(store, heard(SAID.replace("宫号", "公告号")))
    correct(store, "公告号", "工号", days=12)
    assert store.latest(ID).recording.unsettled == ()
    newest = replace(BETTER, model_sha256="2" * 64)
    assert night(store, heard(SAID.replace("宫号", "公告号"), newest), days=20).notices == ()
    assert store.latest(ID).transcript.turns[0].text == "您好，工号一零二一。"
    assert store.latest(ID).recording.unsettled == ()


def test_a_person_who_confirms_what_is_heard_there_settles_it_too(store: Store) -> None:
    correct(store)
    night(store, heard(SAID.replace("宫号", "公告号")))
    correct(store, "公告号", "公告号", days=12)
    assert store.latest(ID).recording.unsettled == ()
    assert store.latest(ID).transcript.turns[0].text == "您好，公告号一零二一。"


def test_a_correction_elsewhere_settles_nothing(store: Store) -> None:
    correct(store)
    night(store, heard(SAID.replace("宫号", "公告号")))
    correct(store, "再见", "拜拜", at=12_000, days=12)
    assert store.latest(ID).recording.unsettled


# roles


def test_swapped_roles_are_carried_over_where_the_machine_errs_as_before(store: Store) -> None:
    swap_roles("c1", scorer(store), signed())
    kept = night(store, heard())
    found = store.latest(ID)
    assert [turn.role for turn in found.transcript.turns][:2] == [Role.CUSTOMER, Role.AGENT]
    assert found.origin is Origin.ROLES_SWAPPED
    assert kept.notices == ()
    assert store.heard(ID).turns[0].role is Role.AGENT


def test_roles_that_are_right_now_stay_and_stay_a_persons_word(store: Store) -> None:
    swap_roles("c1", scorer(store), signed())
    new = heard()
    night(store, replace(new, transcript=new.transcript.swapped("按说的话判断")))
    assert store.latest(ID).transcript.turns[0].role is Role.CUSTOMER
    relink("c1", Facts(values={"direction": "呼出"}), scorer(store), signed(days=12))
    assert store.latest(ID).transcript.turns[0].role is Role.CUSTOMER


def test_roles_swapped_twice_are_as_the_machine_gave_them(store: Store) -> None:
    for days in (1, 2):
        swap_roles("c1", scorer(store), signed(days=days))
    assert night(store, heard()).notices == ()
    assert store.latest(ID).transcript.turns[0].role is Role.AGENT


def test_voices_that_were_told_apart_otherwise_wait_for_a_person(store: Store) -> None:
    swap_roles("c1", scorer(store), signed())
    night(store, heard(SAID.replace("坐席 7.0", "客户 7.0")))
    (mark,) = store.latest(ID).recording.unsettled
    assert "角色改正未能沿用" in mark
    swap_roles("c1", scorer(store), signed(days=12))
    assert store.latest(ID).recording.unsettled == ()


# the past


def test_scorings_from_before_the_new_hearing_are_still_replayed_to_the_byte(store: Store) -> None:
    correct(store)
    relink("c1", Facts(values={"direction": "呼出"}), scorer(store), signed(days=2))
    swap_roles("c1", scorer(store), signed(days=3))
    night(store, heard(SAID.replace("宫号", "公告号")))
    correct(store, "公告号", "工号", days=12)
    found = [
        replayed(scoring, store, rules_by_digest(store), Settings()).agreement
        for scoring in store.scorings(ID)
    ]
    assert found == [Agreement.IDENTICAL] * 6
    assert store.latest(ID).recording.direction is Direction.OUTBOUND


def test_a_correction_that_comes_while_the_call_is_judged_is_not_lost(store: Store) -> None:
    late = [lambda: correct(store)]

    def judged(call: Call) -> ScoredCall:
        made = judge(call, rules(), Settings(), reviews=store.reviews(call.recording.id))
        if late:
            late.pop()()
        return made

    Keeper(store=store, judged=judged, zone="Asia/Shanghai").kept(heard(), at=NIGHT)
    assert store.latest(ID).transcript.turns[0].text == "您好，工号一零二一。"
    subjects = [correction.subject for correction in store.corrections(ID)]
    assert subjects == [Subject.WORDS]
