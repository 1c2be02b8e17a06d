from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from dispute_help import NOON, a_call, filled, scorer, signed
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import MetadataError, NotFound, UsageError
from pipeline.scorecard import Scorecard
from pipeline.settings import Settings
from pipeline.storage.records import Origin, Subject
from pipeline.storage.store import Store
from pipeline.timeline import Direction, Role
from pipeline.workflows.dispute.correct import (
    Facts,
    Signed,
    Wording,
    correct_words,
    corrected,
    relink,
    swap_roles,
)
from pipeline.workflows.dispute.history import history
from pipeline.workflows.dispute.standing import clock_time


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with filled(tmp_path) as opened:
        yield opened


def levels(card: Scorecard | None) -> dict[str, str | None]:
    return {item.id: item.level for item in card.items} if card else {}


def test_corrected_words_score_anew_and_the_words_as_heard_are_kept(store: Store) -> None:
    before, after = correct_words("c1", Wording(at=2000, heard="宫号", said="工号"), scorer(store), signed())
    assert levels(before.scorecard)["number"] == "差"
    assert levels(after.scorecard)["number"] == "优"
    assert after.origin is Origin.WORDS_CORRECTED
    assert store.heard("a" * 16).turns[0].text == "您好，宫号一零二一。"
    assert store.latest("a" * 16).transcript.turns[0].text == "您好，工号一零二一。"
    assert store.scoring(before.scorecard_id) == before


def test_every_correction_leaves_who_when_why_and_what(store: Store) -> None:
    correct_words("c1", Wording(at=2000, heard="宫号", said="工号"), scorer(store), signed("听错了", 1))
    swap_roles("c1", scorer(store), signed("反了", 2))
    relink("c1", Facts(values={"agent_id": "2000"}), scorer(store), signed("登记错了", 3))
    kept = store.corrections("a" * 16)
    assert [c.subject for c in kept] == [Subject.WORDS, Subject.ROLES, Subject.METADATA]
    assert {c.who for c in kept} == {"王组长"}
    assert [c.reason for c in kept] == ["听错了", "反了", "登记错了"]
    assert [(c.changes[0].before, c.changes[0].after) for c in kept] == [
        ("宫号", "工号"),
        ("说话人0", "说话人1"),
        ("1021", "2000"),
    ]
    assert [c.scorecard_id for c in kept] == [line.scorecard_id for line in store.history("a" * 16)[1:]]
    told = [event.what for event in history(store, "a" * 16)]
    assert told == ["评分", "改正文字", "评分", "改正角色", "评分", "改正话单", "评分"]


def test_corrections_build_on_each_other(store: Store) -> None:
    swap_roles("c1", scorer(store), signed("反了", 1))
    _, after = correct_words(
        "c1", Wording(at=2000, heard="宫号", said="工号"), scorer(store), signed("错", 2)
    )
    assert after.transcript.turns[0].role is Role.CUSTOMER
    assert after.transcript.turns[0].text == "您好，工号一零二一。"


def test_an_unsigned_correction_is_refused() -> None:
    for who, reason in (("", "听错"), ("王组长", " ")):
        with pytest.raises(UsageError, match="不能空着"):
            Signed(who=who, at=NOON, reason=reason)


def test_words_that_were_not_heard_there_are_refused_with_what_was(store: Store) -> None:
    with pytest.raises(NotFound, match="没有“编号”") as caught:
        correct_words("c1", Wording(at=2000, heard="编号", said="工号"), scorer(store), signed())
    assert "您好，宫号一零二一。" in caught.value.hint
    with pytest.raises(NotFound) as caught:
        correct_words("c1", Wording(at=11_000, heard="宫号", said="工号"), scorer(store), signed())
    assert "出现在 00:01" in caught.value.hint
    assert len(store.history("a" * 16)) == 1


@given(said=st.text("工号一二三甲乙丙，。AB12", min_size=1).filter(lambda text: text.strip("，。")))
def test_a_correction_stays_in_the_time_of_the_words_it_replaces(said: str) -> None:
    transcript = a_call().transcript
    fixed, at = corrected(transcript, Wording(at=1500, heard="宫号", said=said))
    old, new = transcript.turns[0].words, fixed.turns[0].words
    place = next(n for n, word in enumerate(old) if word.text.startswith("宫"))
    count = len(new) - len(old) + 2
    inside = new[place : place + count]
    assert at == old[place].span.start == inside[0].span.start
    assert inside[-1].span.end == old[place + 1].span.end
    assert all(a.span.end <= b.span.start for a, b in pairwise(inside))
    assert (new[:place], new[place + count :]) == (old[:place], old[place + 2 :])
    assert "".join(word.text for word in inside).replace(" ", "") == said.replace(" ", "")
    assert fixed.turns[1:] == transcript.turns[1:]


def test_the_occurrence_nearest_to_the_time_is_corrected() -> None:
    transcript = a_call().transcript
    fixed, _ = corrected(transcript, Wording(at=12_000, heard="再见", said="拜拜"))
    assert [turn.text for turn in fixed.turns[-2:]] == ["那再见。", "拜拜。"]


def test_relinked_metadata_score_anew_and_the_old_scoring_stays(store: Store) -> None:
    before, after = relink(
        "c1",
        Facts(values={"direction": "呼出", "business": "宽带", "is_complaint": "是"}),
        scorer(store),
        signed(),
    )
    assert (after.recording.direction, after.recording.business) == (Direction.OUTBOUND, "宽带")
    assert after.recording.is_complaint is True
    assert store.scoring(before.scorecard_id).scorecard == before.scorecard
    assert store.find_call("c1").business == "宽带"


def test_metadata_come_from_the_row_of_a_table(store: Store, tmp_path: Path) -> None:
    table = tmp_path / "话单.csv"
    (tmp_path / "x.wav").write_bytes(b"")
    table.write_text("call_id,file,agent_id,direction\nc1,x.wav,3000,inbound\n", encoding="utf-8")
    _, after = relink("c1", Facts(table=table), scorer(store), signed())
    assert after.recording.agent_id == "3000"


def test_an_empty_value_takes_one_away(store: Store) -> None:
    _, after = relink("c1", Facts(values={"agent_id": ""}), scorer(store), signed())
    assert after.recording.agent_id is None


def test_the_agents_channel_decides_the_roles_anew_unless_a_person_did(store: Store) -> None:
    facts = Facts(values={"agent_channel": "右"})
    before, after = relink("c1", facts, scorer(store), signed())
    channels = {turn.channel for turn in before.transcript.turns}
    if channels == {0, 1}:
        assert after.transcript.turns[0].role is before.transcript.turns[0].role.opposite
    swap_roles("c1", scorer(store), signed(days=2))
    said = store.latest("a" * 16).transcript.turns
    _, again = relink("c1", Facts(values={"agent_channel": "左"}), scorer(store), signed(days=3))
    assert again.transcript.turns == said


def test_metadata_that_cannot_be_are_refused_with_what_can(store: Store) -> None:
    for values, error, told in (
        ({"direction": "哪里"}, MetadataError, "应为呼入/呼出"),
        ({"colour": "red"}, MetadataError, "没有列 colour"),
        ({"file": "x.wav"}, MetadataError, "没有列 file"),
        ({"agent_id": "1021"}, UsageError, "没有可改的"),
    ):
        with pytest.raises(error, match=told):
            relink("c1", Facts(values=values), scorer(store), signed())
    with pytest.raises(NotFound, match="话单不存在"):
        relink("c1", Facts(table=Path("/nowhere.csv")), scorer(store), signed())
    assert len(store.history("a" * 16)) == 1


@pytest.mark.parametrize(
    ("text", "ms"), [("12.3", 12_300), ("1:02.5", 62_500), ("01：02", 62_000), ("1:00:00", 3_600_000)]
)
def test_times_are_read_as_the_transcript_shows_them(text: str, ms: int) -> None:
    assert clock_time(text) == ms


@pytest.mark.parametrize("text", ["", "一分", "-3", "1:2:3:4", "nan"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="应为录音里的时间"):
        clock_time(text)


def test_settings_that_decided_are_kept_with_the_scoring(store: Store) -> None:
    kept = store.latest("a" * 16).circumstances
    assert kept
    assert set(kept.settings) == {"role_threshold", "match_confidence", "time_zone"}
    assert kept.settings == Settings().of_scoring()
