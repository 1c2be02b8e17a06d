"""What examples teach is shipped, remembered and pinned."""

from datetime import UTC, datetime
from pathlib import Path

from pipeline.detect.script import call_of
from pipeline.resources import shipped_models, shipped_rules
from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.workflows.meaning import SHIPPED, Understanding, key_of, write
from pipeline.workflows.process_call import judge
from pipeline.workflows.rules import load_rules, rules_in_force, rules_of_the_day

SETTINGS = Settings(rules=str(shipped_rules()))
NOON = datetime(2024, 5, 6, 12, tzinfo=UTC)


def test_the_shipped_rules_need_not_learn() -> None:
    name = f"{key_of(load_rules(SETTINGS), SETTINGS)}.json.gz"
    assert (shipped_models() / SHIPPED / name).is_file(), "run `make meaning`"


def test_a_replay_weighs_with_what_was_taught_on_the_day(tmp_path: Path) -> None:
    understanding = Understanding(SETTINGS)
    call = understanding.with_sentences(call_of("坐席 20.0 这事不归我管，您爱找谁找谁去。"))
    with Store.open(f"sqlite:///{tmp_path}/calls.db") as store:
        ruleset = rules_in_force(store, understanding, at=NOON)
        scored = judge(call, ruleset, SETTINGS)
        store.save_night_result(scored, at=NOON, reason="nightly")
        stored = store.latest(call.recording.id)
        again = judge(stored.call, rules_of_the_day(store, stored.ruleset_digest), SETTINGS)
    assert stored.sentences == call.sentences
    assert again.findings == scored.findings
    assert again.scorecard == scored.scorecard


def test_a_call_keeps_the_vectors_that_it_has() -> None:
    understanding = Understanding(SETTINGS)
    call = understanding.with_sentences(call_of("坐席 1.0 您好，请讲。"))
    assert understanding.with_sentences(call) is call


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    write(tmp_path / "a/b", b"one")
    write(tmp_path / "a/b", b"two")
    assert (tmp_path / "a/b").read_bytes() == b"two"
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]
