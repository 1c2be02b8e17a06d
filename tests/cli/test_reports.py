"""`callscore report`, `sample` and `tickets` as typed, and the page that explains them."""

import csv
import json
import re
import shlex
import sys
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import load_workbook
from typer.testing import CliRunner, Result

from pipeline.cli.app import app
from pipeline.errors import UsageError
from pipeline.storage.store import Store

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/workflows/report"))

from report_help import Made, put

PAGE = (ROOT / "docs/reports.md").read_text(encoding="utf-8")
COMMANDS = [
    line.removeprefix("$ callscore ")
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
]
(ROSTER,) = re.findall(r"```csv\n(.*?)```", PAGE, re.DOTALL)
TICKETS = """工单号,处理员,新单时间,审核时间
T1,3001,2024-05-06 09:00,2024-05-06 09:20
T2,3001,2024-05-06 09:00,
"""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the page describes: settings, roster, tickets, a database with a week of calls."""
    (tmp_path / "名册.csv").write_text(ROSTER, encoding="utf-8")
    (tmp_path / "工单.csv").write_text(TICKETS, encoding="utf-8")
    settings = f'roster = "名册.csv"\ndatabase = "sqlite:///{tmp_path}/calls.db"\n'
    (tmp_path / "callscore.toml").write_text(settings, encoding="utf-8")
    with Store.open(f"sqlite:///{tmp_path}/calls.db") as store:
        put(store, *(Made(number=n, agent=f"100{1 + n % 2}", day=n % 8, complaint=n == 3) for n in range(40)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def typed(command: str) -> Result:
    return CliRunner().invoke(app, shlex.split(command))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_page_works(desk: Path, command: str) -> None:
    result = typed(command)
    assert result.exit_code == 0, result.output
    named = re.search(r"-o (\S+)", command)
    assert named is None or (desk / named[1]).stat().st_size > 1000


def test_a_sample_goes_into_a_spreadsheet_that_opens(desk: Path) -> None:
    assert typed("sample --since 2024-05-06 -o 抽样.csv").exit_code == 0
    with (desk / "抽样.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert sum(row["为什么抽"] == "投诉全部检查" for row in rows) == 1
    assert len(rows) > 5


def test_a_dry_run_keeps_no_plan(desk: Path) -> None:
    first = json.loads(typed("sample --dry-run --json").stdout)
    assert "没有抽样计划" in typed("report week").stdout
    assert json.loads(typed("sample --json").stdout) == first
    assert "抽样计划（1 份）" in typed("report agent").stdout


def test_a_workbook_of_tickets_holds_the_sums(desk: Path) -> None:
    assert typed("tickets 工单.csv -o 工单.xlsx").exit_code == 0
    sheet = load_workbook(BytesIO((desk / "工单.xlsx").read_bytes()))["各人"]
    assert [cell.value for cell in sheet[4]][2:7] == ["3001", 2, 1, 0, 1]


@pytest.mark.parametrize(
    ("command", "cause"),
    [
        ("report day -o 日报.pdf", "以 .html 或 .htm 或 .xlsx 结尾"),
        ("report day --date 昨天", "应为日期"),
        ("report day -o 没有这个/日报.html", "文件夹不存在"),
        ("tickets 工单.csv --as-of 昨天", "--as-of"),
    ],
)
def test_what_cannot_be_done_is_said_before_the_work(desk: Path, command: str, cause: str) -> None:
    result = typed(command)
    assert isinstance(result.exception, UsageError)
    assert cause in str(result.exception)


def test_teams_need_a_roster(desk: Path) -> None:
    (desk / "callscore.toml").write_text(f'database = "sqlite:///{desk}/calls.db"\n', encoding="utf-8")
    assert "没有坐席名册" in str(typed("report team").exception)
