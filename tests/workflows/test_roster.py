from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipeline.errors import MetadataError
from pipeline.workflows.roster import Roster, read_roster

ZONE = ZoneInfo("Asia/Shanghai")


def roster(tmp_path: Path, text: str) -> Roster:
    path = tmp_path / "名册.csv"
    path.write_text(text, encoding="gb18030")
    return read_roster(str(path), ZONE)


def test_teams_and_first_days_are_known_by_agent(tmp_path: Path) -> None:
    found = roster(tmp_path, "agent_id,team,since\n1001,甲班,2024-05-01\n1002,,\n")
    assert (found.team("1001"), found.team("1002"), found.team(None)) == ("甲班", None, None)
    assert found.first_days == {"1001": date(2024, 5, 1)}


def test_no_file_is_an_empty_roster() -> None:
    assert read_roster("", ZONE) == Roster()


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("工号,team\n1001,甲\n", "缺少列 agent_id"),
        ("agent_id,team\n1001,甲\n1001,乙\n", "第 3 行：坐席 1001 又出现一次"),
        ("agent_id,since\n1001,去年\n", "第 2 行 since 列：发现“去年”"),
    ],
)
def test_a_faulty_roster_is_refused_with_line_and_cause(tmp_path: Path, text: str, cause: str) -> None:
    with pytest.raises(MetadataError, match=cause):
        roster(tmp_path, text)
