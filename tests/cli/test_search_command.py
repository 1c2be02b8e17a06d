"""`callscore search` as typed."""

import json
import re
import shlex
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipeline.cli.app import app
from pipeline.errors import UsageError

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/workflows/tuning"))

from tuning_help import shipped_like

PAGE = (ROOT / "docs/search.md").read_text(encoding="utf-8")
COMMANDS = [
    line.removeprefix("$ callscore ")
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("$ callscore")
]


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a database of scored calls and a roster."""
    shipped_like(tmp_path)[1].close()
    (tmp_path / "roster.csv").write_text("agent_id,team\n100,一班\n101,二班\n", encoding="utf-8")
    settings = f'database = "sqlite:///{tmp_path}/calls.db"\nroster = "{tmp_path}/roster.csv"\n'
    (tmp_path / "callscore.toml").write_text(settings, encoding="utf-8")
    monkeypatch.chdir(tmp_path)


def callscore(line: str) -> Result:
    return CliRunner().invoke(app, shlex.split(line))


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_on_the_page_runs(line: str) -> None:
    done = callscore(line)
    assert done.exit_code == 0, done.output


def test_a_call_is_shown_with_its_score_and_the_words_around() -> None:
    done = callscore("search 不归我们管")
    rows = [line for line in done.output.splitlines() if "不归我们管" in line]
    assert [row.split()[0] for row in rows] == ["c2", "c1"]
    assert "00:05" in rows[1]
    assert "坐席" in rows[1]
    assert "这个不归我们管，你自己想想办法。" in rows[1]
    assert "2 通，翻了 5 通。" in done.output


def test_the_next_page_begins_where_this_one_ends() -> None:
    first = json.loads(callscore("search --limit 3 --json").output)
    second = json.loads(callscore(f"search --limit 3 --json --after {first['next']}").output)
    assert [hit["call"] for hit in first["hits"] + second["hits"]] == ["c5", "c4", "c3", "c2", "c1"]
    assert second["next"] == ""
    assert f"--after {first['next']}" in callscore("search --limit 3").output


def test_json_tells_place_and_manner() -> None:
    found = json.loads(callscore("search 跟我们没有关系 --sound --json").output)
    assert found["looked_through"] == 5
    for hit in found["hits"]:
        assert {"start_ms", "end_ms", "role", "before", "quote", "after", "how", "rule"} == set(
            hit["passages"][0]
        )


def test_a_team_is_that_of_the_roster() -> None:
    found = json.loads(callscore("search --team 二班 --json").output)
    assert {hit["agent_id"] for hit in found["hits"]} == {"101"}
    done = callscore("search --team 三班")
    assert isinstance(done.exception, UsageError)
    assert "没有班组 三班" in str(done.exception)


def test_a_day_that_is_asked_for_is_whole() -> None:
    def found(days: str) -> int:
        return len(json.loads(callscore(f"search --json {days}").output)["hits"])

    assert found("--since 2024-05-06 --until 2024-05-06") == 5
    assert found("--since 2024-05-07") == found("--until 2024-05-05") == 0
