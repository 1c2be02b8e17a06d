"""Every command of docs/reviews.md runs, in the order of the page."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from doc_help import Page

from pipeline.detect.load import load_ruleset
from pipeline.detect.script import call_of
from pipeline.resources import shipped_rules
from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.timeline import Direction
from pipeline.workflows.process_call import judge

PAGE = Page("reviews.md")
CALLS = {
    "d11": "坐席 1.0 您好，我是陈。\n客户 3.0 我的餐呢？\n坐席 9.0 没别的我先挂了。\n坐席 12.0 感谢您来电。",
    "d07": "坐席 1.0 您好，我是小陈。\n客户 3.0 订房。\n坐席 9.0 感谢您的来电，再见。",
}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the settings of the page and calls of the names that it uses, scored just now."""
    PAGE.open_in(tmp_path, monkeypatch)
    ruleset = load_ruleset(shipped_rules())
    with Store.open("sqlite:///data/demo/callscore.db") as store:
        for number, (name, script) in enumerate(CALLS.items()):
            call, sha256 = call_of(script), f"{number + 1}" * 64
            recording = replace(
                call.recording,
                id=sha256[:16],
                sha256=sha256,
                call_id=name,
                agent_id="1050",
                direction=Direction.INBOUND,
            )
            scored = judge(replace(call, recording=recording), ruleset, Settings())
            store.save_night_result(scored, at=datetime.now(UTC), reason="nightly")
    return tmp_path


def test_every_command_of_the_page_runs(desk: Path) -> None:
    assert len(PAGE.commands) > 15
    PAGE.type_all()


def test_the_page_names_every_command_for_people() -> None:
    for name in ("review ", "reviews ", "agreement", *(f"appeal {s}" for s in ("raise", "answer", "reopen"))):
        assert any(line.startswith(name) for line in PAGE.commands), name
