"""`callscore explain` as an inspector runs it."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from rich.console import Console
from test_golden_call import CALL, FILES
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.cli.explain import explanation_view
from pipeline.detect.load import parse_ruleset
from pipeline.detect.script import call_of
from pipeline.errors import NotFound
from pipeline.scorecard import FATAL_FAILS, Decision, Review
from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.timeline import Call
from pipeline.workflows.explain import explain as why
from pipeline.workflows.process_call import judge

NOW = datetime(2026, 3, 1, tzinfo=UTC)
FORM = next(path for path in FILES if path.startswith("scorecards/"))
FATAL = """
fatal:
  - {id: refused, title: 推脱客户, when: {all: [{present: forbidden.shirking}, {absent: closing.goodbye}]}}
  - {id: rude, title: 没问候, when: {absent: greeting.word}}
  - {id: bribe, title: 私下收款}
"""
RULES = FILES | {FORM: FILES[FORM] + FATAL}


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with one scored call, c1."""
    monkeypatch.setenv("COLUMNS", "160")
    url = f"sqlite:///{tmp_path}/calls.db"
    call = call_of(CALL)
    recording = replace(call.recording, call_id="c1")
    with Store.open(url) as store:
        scored = judge(replace(call, recording=recording), parse_ruleset(RULES), Settings(role_threshold=0.6))
        store.save_night_result(scored, at=NOW, reason="night")
    return url


def explain(database: str, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["explain", "c1", *arguments, "--database", database])


def test_it_says_the_rule_the_words_the_time_and_which_level_held(database: str) -> None:
    said = explain(database, "问候").output
    assert "→ 优 5.0 分" in said
    assert "✓ 听到“问候语”（greeting.word）" in said
    assert "00:01.0 坐席“您好”，对照“您好”，原字，距离 0" in said
    assert "match sound" in said
    assert "window.first_turns 1" in said


def test_it_says_what_would_have_changed_it(database: str) -> None:
    assert "没有“问候语”（00:01.0“您好”不算），就会变为差 0.0 分" in explain(database, "greeting").output
    assert "听到“道别”，就会升为优 5.0 分" in explain(database, "道别").output
    assert "没有“推诿”（00:10.5“不归我们管”不算），就会升为 5.0 分" in explain(database, "用语").output


def test_it_says_whether_the_confidence_is_enough(database: str) -> None:
    assert "80% 起可直接采信：可直接采信" in explain(database, "问候").output
    assert "95% 起可直接采信：偏低，请核对" in explain(database, "用语").output


def test_the_document_says_the_same(database: str) -> None:
    found = json.loads(explain(database, "道别", "--json").output)
    assert [(level["title"], level["chosen"]) for level in found["levels"]] == [("优", False), ("差", True)]
    assert found["levels"][1]["condition"]["holds"] is True
    assert found["what_if"][0]["changes"] == [
        {"rule": "closing.goodbye", "title": "道别", "heard": True, "nearest": []}
    ]


def test_a_fatal_item_says_what_made_it_hold_and_what_would_undo_it(database: str) -> None:
    said = explain(database, "推脱客户").output
    assert "一票否决 › 推脱客户" in said
    assert "成立（" in said
    assert "全表零分" in said
    assert "✓ 听到“推诿”（forbidden.shirking）" in said
    assert "00:10.5 坐席“不归我们管”，对照“不归我们管”" in said
    assert "没有“推诿”（00:10.5“不归我们管”不算），就不成立" in said


def test_a_fatal_item_that_does_not_hold_says_why_and_what_would_make_it(database: str) -> None:
    said = explain(database, "rude").output
    assert "不成立（" in said
    assert "✗ 没有听到“问候语”（greeting.word）：不成立" in said
    assert "没有“问候语”（00:01.0“您好”不算），就会成立" in said


def test_a_fatal_item_without_rules_waits_for_a_person(database: str) -> None:
    assert "没有规则，只有人能认定；还没有人认定" in explain(database, "私下收款").output


def test_a_persons_word_on_a_fatal_item_is_told_with_the_name(database: str) -> None:
    rules = parse_ruleset(RULES)
    with Store.open(database) as store:
        stored = store.latest(store.find_call("c1").id)
    call = Call(recording=stored.recording, transcript=stored.transcript)
    word = Review(
        recording_id=stored.recording.id,
        who="王组长",
        at=NOW,
        decision=Decision.OVERRIDE,
        target="refused",
        value=FATAL_FAILS,
        reason="",
    )
    card = judge(call, rules, Settings(), reviews=[word]).scorecard
    found = why(replace(stored, scorecard=card), rules, "refused", [word]).fatal
    assert found
    assert (found.cause.holds, found.reviewers) == (False, ["王组长"])


def test_the_thresholds_of_the_day_are_told(database: str) -> None:
    said = explain(database, "问候").output
    assert "当天的门槛：匹配把握至少 0.5（match_confidence），角色把握至少 0.6（role_threshold）" in said
    assert "谁是坐席：把握 100%" in said


def test_a_card_from_before_thresholds_were_kept_says_so(database: str) -> None:
    with Store.open(database) as store:
        stored = replace(store.latest(store.find_call("c1").id), circumstances=None)
    told = why(stored, parse_ruleset(RULES), "问候")
    assert told.day.thresholds is None
    paper = Console(width=160)
    with paper.capture() as shown:
        paper.print(explanation_view(told))
    assert "当天的门槛没有存下" in shown.get()


def test_a_wrong_name_is_answered_with_the_nearest(database: str) -> None:
    error = explain(database, "问侯").exception
    assert isinstance(error, NotFound)
    assert error.hint == "是不是“问候”？"
