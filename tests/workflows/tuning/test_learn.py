"""`rules learn`: inspectors' decisions become examples, and what that changes is seen first."""

import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tuning_help import MEANT, NOON, Plain, decide, meant_like

from pipeline.detect.load import load_ruleset
from pipeline.detect.scene import Thresholds
from pipeline.errors import NotFound, UsageError
from pipeline.storage.records import Rescored
from pipeline.storage.store import Store
from pipeline.workflows.process_call import judge
from pipeline.workflows.rules import rules_of_the_day
from pipeline.workflows.tuning.archive import Archive
from pipeline.workflows.tuning.learn import Learned, apply, learn
from pipeline.workflows.tuning.sources import RulesFolder
from pipeline.workflows.tuning.suggest import suggest

RULE = "forbidden.shirking_meaning"
CALLS = {
    "c1": "坐席 1.0 您好。\n坐席 4.0 这事跟我们也没有关系。",
    "c2": "坐席 1.0 您好。\n坐席 4.0 这不归我们管谁管。",
    "c3": "坐席 1.0 您好。\n坐席 4.0 您自己再想想办法吧。",
    "c4": "坐席 1.0 您好。\n坐席 4.0 这不归我们管谁管。",
    "c5": "坐席 1.0 您好。\n坐席 4.0 快递明天上午给您送到家。",
    "c6": "坐席 1.0 您好。\n坐席 4.0 您找其他部门问一问。",
}
Desk = tuple[Path, Store, Plain]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    rules, store, understanding = meant_like(tmp_path, CALLS)
    with store:
        yield rules, store, understanding


def archive_of(desk: Desk) -> Archive:
    return Archive(store=desk[1], thresholds=Thresholds(), understanding=desk[2])


def learned(desk: Desk, rule_id: str = RULE) -> Learned:
    return learn(rule_id, RulesFolder(desk[0]), archive_of(desk))


def decided(desk: Desk) -> None:
    decide(desk[1], "c1", RULE, right=True)
    decide(desk[1], "c2", RULE, right=False)
    decide(desk[1], "c4", RULE, right=False)


def test_without_decisions_there_is_nothing_to_learn(desk: Desk) -> None:
    found = learned(desk)
    assert (found.before, found.text, found.patch) == (None, "", "")


def test_confirmed_sentences_become_examples_and_rejected_ones_counter_examples(desk: Desk) -> None:
    decided(desk)
    found = learned(desk)
    assert (found.decided.right, found.decided.wrong) == (
        ("这事跟我们也没有关系。",),
        ("这不归我们管谁管。",),
    )
    assert "+confirmed:" in found.patch
    assert "+rejected:" in found.patch
    assert (desk[0] / "a/meant.yml").read_text(encoding="utf-8") == MEANT


def test_what_would_change_is_seen_first(desk: Desk) -> None:
    decided(desk)
    found = learned(desk)
    assert found.before is not None
    assert found.after is not None
    assert found.before.decided_wrong.right == 1
    lost = {change.recording.name for change in found.changes if not change.gained}
    assert {"c2", "c4"} <= lost
    assert "c1" not in lost


def test_a_sentence_that_was_called_both_teaches_nothing(desk: Desk) -> None:
    decide(desk[1], "c2", RULE, right=False)
    decide(desk[1], "c4", RULE, right=True)
    found = learned(desk)
    assert found.decided.contested == ("这不归我们管谁管。",)
    assert not found.text


def test_a_newer_decision_about_the_same_finding_counts(desk: Desk) -> None:
    decide(desk[1], "c1", RULE, right=False, minute=1)
    decide(desk[1], "c1", RULE, right=True, minute=2)
    assert learned(desk).decided.right == ("这事跟我们也没有关系。",)


def test_the_same_decisions_teach_the_same(desk: Desk) -> None:
    decided(desk)
    assert learned(desk) == learned(desk)


def test_what_is_learned_stands_in_the_file_and_is_known_from_then_on(desk: Desk) -> None:
    decided(desk)
    file = desk[0] / "a/meant.yml"
    file.chmod(0o640)
    apply(learned(desk))
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    again = learned(desk)
    assert (again.decided.known, again.decided.right, again.decided.wrong) == (2, (), ())


def test_an_old_scoring_replays_under_what_was_taught_on_the_day(desk: Desk) -> None:
    rules, store, understanding = desk
    decided(desk)
    before = store.latest(store.find_call("c2").id)
    apply(learned(desk))
    now = store.pinned(understanding.taught(load_ruleset(rules)), at=NOON + timedelta(days=2))
    reviews = store.reviews(before.recording.id)
    anew = judge(before.call, now, understanding.settings, reviews=reviews)
    learnt = Rescored(scored=anew, basis=before.scorecard_id, reason="learned")
    assert store.save_rescore(learnt, at=NOON + timedelta(days=2))
    replayed = judge(before.call, rules_of_the_day(store, before.ruleset_digest), understanding.settings)
    assert now.digest != before.ruleset_digest
    assert replayed.findings == before.findings
    assert anew.findings != before.findings


def test_only_rules_of_meaning_learn(desk: Desk) -> None:
    with pytest.raises(UsageError, match="不是按意思"):
        learned(desk, "closing.thanks")
    with pytest.raises(NotFound, match=RULE):
        learned(desk, "forbidden.shirking_meanin")


def test_suggestions_for_a_rule_of_meaning_are_sentences(desk: Desk) -> None:
    decided(desk)
    found = suggest(RULE, RulesFolder(desk[0]), archive_of(desk))
    wrong = [candidate for candidate in found.phrases if candidate.origin.value == "rejected"]
    assert [(candidate.text, candidate.calls) for candidate in wrong] == [("这不归我们管谁管", 2)]
    assert "+  - 这不归我们管谁管" in found.patch
    assert (desk[0] / "a/meant.yml").read_text(encoding="utf-8") == MEANT
