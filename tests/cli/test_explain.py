"""`callscore explain` as an inspector runs it."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from test_golden_call import CALL, FILES
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.detect.load import parse_ruleset
from pipeline.detect.script import call_of
from pipeline.errors import NotFound
from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.workflows.process_call import judge

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with one scored call, c1."""
    monkeypatch.setenv("COLUMNS", "160")
    url = f"sqlite:///{tmp_path}/calls.db"
    call = call_of(CALL)
    recording = replace(call.recording, call_id="c1")
    with Store.open(url) as store:
        scored = judge(replace(call, recording=recording), parse_ruleset(FILES), Settings())
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


def test_a_wrong_name_is_answered_with_the_nearest(database: str) -> None:
    error = explain(database, "问侯").exception
    assert isinstance(error, NotFound)
    assert error.hint == "是不是“问候”？"
