"""`callscore rules try|impact|backtest|suggest|import|export` as typed, and the page that explains them."""

import csv
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from rich.cells import cell_len
from typer.testing import CliRunner, Result

from pipeline.cli.app import app
from pipeline.cli.tuning import on_every_save
from pipeline.errors import RuleError
from pipeline.storage.store import Store

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/workflows/tuning"))

from small_rules import SHIRKING  # noqa: E402
from tuning_help import MEANT, decide, shipped_like  # noqa: E402

PAGE = (ROOT / "docs/tuning.md").read_text(encoding="utf-8")
COMMANDS = [
    line.removeprefix("$ callscore ")
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if "--watch" not in line
]
WORDS = [
    line.strip("| ").split(" | ") for line in PAGE.splitlines() if re.match(r"\| (类别|推诿|辱骂) \|", line)
]


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the page describes: callscore.toml, rules under git, a database with decisions."""
    rules, store = shipped_like(tmp_path)
    with store:
        decide(store, "c1", "forbidden.shirking", right=True)
        decide(store, "c2", "forbidden.shirking", right=False)
    moved = rules / "forbidden"
    moved.mkdir()
    (rules / "a/shirking.yml").rename(moved / "shirking.yml")
    (moved / "shirking_meaning.yml").write_text(MEANT, encoding="utf-8")
    for command in ("init -q", "add .", "-c user.name=x -c user.email=x commit -qm x"):
        subprocess.run(["git", "-C", str(rules), *command.split()], check=True)  # noqa: S607
    settings = f'rules = "rules"\ndatabase = "sqlite:///{tmp_path}/calls.db"\n'
    (tmp_path / "callscore.toml").write_text(settings, encoding="utf-8")
    with (tmp_path / "禁语.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(WORDS)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/demo").symlink_to(ROOT / "data/demo")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def callscore(line: str) -> Result:
    return CliRunner().invoke(app, shlex.split(line.partition(" > ")[0]), catch_exceptions=False)


def test_every_command_of_the_page_runs(desk: Path) -> None:
    assert len(COMMANDS) > 12
    assert len(WORDS) == 3
    for line in COMMANDS:
        result = callscore(line)
        assert result.exit_code == 0, f"{line}\n{result.output}"
        assert result.output.strip() or line == "rules test", line
    assert {path.name for path in desk.iterdir()} >= {"阈值.png", "词表.xlsx"}


def test_the_page_names_every_tuning_command() -> None:
    for name in ("try", "impact", "backtest", "suggest", "learn", "import", "export"):
        assert any(line.startswith(f"rules {name} ") or line == f"rules {name}" for line in COMMANDS)


def test_try_shows_where_who_and_what(desk: Path) -> None:
    result = callscore("rules try rules/forbidden/shirking.yml")
    row = next(line for line in result.output.splitlines() if "c1" in line)
    assert "00:05.5" in row
    assert "坐席" in row
    assert "不归我们管" in row
    assert "查了 5 通，2 通命中，共 2 处" in result.output


def test_columns_are_aligned_for_wide_characters(desk: Path) -> None:
    lines = callscore("rules try rules/forbidden/shirking.yml").output.splitlines()
    head = next(line for line in lines if "通话" in line)
    rows = [line for line in lines if line.strip().startswith("c")]
    at = cell_len(head[: head.index("原话")])
    assert rows
    for row in rows:
        assert cell_len(row[: row.index("不归我们管")]) == at


def test_try_gives_scripts_the_same_as_json(desk: Path) -> None:
    found = json.loads(callscore("rules try rules/forbidden/shirking.yml --json").output)
    assert (found["rule"], found["calls"], found["found"]) == ("forbidden.shirking", 5, 2)
    assert [hit["call"] for hit in found["hits"]] == ["c2", "c1"]
    assert found["hits"][1]["start_ms"] == 5480


def test_impact_tells_what_is_gained_lost_and_scored(desk: Path) -> None:
    file = desk / "rules/forbidden/shirking.yml"
    file.write_text(SHIRKING.replace("- 不归", "- 跟我们没关系\n  - 不归"), encoding="utf-8")
    output = callscore("rules impact --base HEAD").output
    assert re.search(r"多出\s+forbidden\.shirking\s+c4 .*00:03\.5\s+坐席\s+跟我们没关系", output)
    assert "数据库没有改动" in output
    found = json.loads(callscore("rules impact --base HEAD --json").output)
    assert (found["rules"][0]["gained"], found["rules"][0]["lost"]) == (1, 0)
    assert (found["total"]["mean_before"], found["total"]["mean_after"]) == ("9.0", "7.0")


def test_backtest_says_plainly_when_no_recall_can_be_claimed(desk: Path) -> None:
    output = callscore("rules backtest --rule forbidden.shirking --sample 2 --seed 1").output
    assert "50%（9–91，n=2）" in output
    assert "没有人听过没有命中的通话" in output
    (drawn,) = re.findall(r"抽 2 通来听：\n\s+(\S+) (\S+)\n", output)
    found = json.loads(
        callscore("rules backtest --rule forbidden.shirking --sample 2 --seed 1 --json").output
    )
    assert [call["call"] for call in found["rules"][0]["sample"]] == list(drawn)
    assert found["rules"][0]["recall"] is None


def test_suggest_prints_the_patch_alone_when_asked(desk: Path) -> None:
    result = callscore("rules suggest forbidden.shirking --patch")
    assert result.stdout == ""
    assert "没有够稳妥的改动" in result.stderr
    found = json.loads(callscore("rules suggest forbidden.shirking --json").output)
    assert (found["confirmed"], found["rejected"], found["patch"]) == (1, 1, "")


def test_an_import_with_faults_writes_nothing_unless_told_to_skip(desk: Path) -> None:
    with (desk / "禁语.csv").open("a", encoding="utf-8") as file:
        file.write("推诿,,,\n")
    result = callscore("rules import 禁语.csv -o out")
    assert result.exit_code == 1
    assert "第 4 行：说法是空的" in result.output
    assert not (desk / "out").exists()
    assert callscore("rules import 禁语.csv -o out --skip").exit_code == 0
    assert len(list((desk / "out/forbidden").glob("*.yml"))) == 2


def test_watching_goes_on_after_a_broken_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "rule.yml"
    file.write_text("good", encoding="utf-8")
    saves = iter(["broken", "good again"])
    monkeypatch.setattr("time.sleep", lambda _: file.write_text(next(saves), encoding="utf-8"))
    seen: list[str] = []

    def run() -> None:
        seen.append(file.read_text(encoding="utf-8"))
        if seen[-1] == "broken":
            raise RuleError("found a mistake", path=file, line=3)

    on_every_save(file, run, rounds=3)
    assert seen == ["good", "broken", "good again"]
    assert re.sub(r"\s", "", f"{file}:3:1: found a mistake") in re.sub(r"\s", "", capsys.readouterr().out)


def test_watching_tells_what_a_save_changed(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = desk / "rules/forbidden/shirking.yml"
    saves = iter([file.read_text(encoding="utf-8").replace("- 不归我们管", "- 跟我们没关系")])

    def save(_: float) -> None:
        if (text := next(saves, None)) is None:
            raise KeyboardInterrupt
        file.write_text(text, encoding="utf-8")

    monkeypatch.setattr("time.sleep", save)
    assert re.search(r"和上次比：少 \d+ 通、少 \d+ 处。", callscore(f"rules try {file} --watch").output)


def test_watching_ends_quietly_with_control_c(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run() -> None:
        raise KeyboardInterrupt

    on_every_save(tmp_path / "rule.yml", run)
    assert "结束" in capsys.readouterr().out


def test_nothing_of_the_rules_folder_is_changed_by_trying(desk: Path) -> None:
    before = {path: path.read_bytes() for path in (desk / "rules").rglob("*.yml")}
    for line in COMMANDS:
        if not line.startswith(("rules import", "rules export")):
            callscore(line)
    assert {path: path.read_bytes() for path in (desk / "rules").rglob("*.yml")} == before


def test_learning_shows_before_it_writes(desk: Path) -> None:
    file = desk / "rules/forbidden/shirking_meaning.yml"
    rescored = callscore("rescore c1")
    assert rescored.exit_code == 0
    with Store.open(f"sqlite:///{desk}/calls.db") as store:
        decide(store, "c1", "forbidden.shirking_meaning", right=False)
    seen = callscore("rules learn forbidden.shirking_meaning")
    assert "交叉验证" in seen.output
    assert "没有改文件" in seen.output
    assert file.read_text(encoding="utf-8") == MEANT
    told = json.loads(callscore("rules learn forbidden.shirking_meaning --json --apply").output)
    assert told["rejected"]
    assert f"rejected:\n  - {told['rejected'][0]}" in file.read_text(encoding="utf-8")
    assert "没有可学的" in callscore("rules learn forbidden.shirking_meaning").output
