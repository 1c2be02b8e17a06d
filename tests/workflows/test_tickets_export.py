"""A ticket export as it comes: names, gaps and mistakes."""

from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from pipeline.errors import MetadataError
from pipeline.scoring.tickets import Rules, Standard
from pipeline.workflows.report.cells import Lines, Table, text
from pipeline.workflows.roster import Roster
from pipeline.workflows.tickets import Reading, TicketReport, page, read_tickets

HEADER = "工单号,岗位,处理员,班组,工单类型,新单时间,审核时间,派发部门准确,派错已纠正,审核准确"
GOOD = "T1,工单处理员,3001,甲班,投诉,2024-05-06 09:00,2024-05-06 09:20,,,是"


def reading(columns: dict[str, str] | None = None, roster: Roster | None = None) -> Reading:
    return Reading(
        columns=columns or {},
        zone=ZoneInfo("Asia/Shanghai"),
        standard=Standard.CLERK,
        roster=roster or Roster(),
        rules=Rules(shifts=(time(8), time(16))),
    )


def read(tmp_path: Path, *rows: str, header: str = HEADER, **how: object) -> TicketReport:
    path = tmp_path / "工单.csv"
    path.write_text("\n".join((header, *rows)) + "\n", encoding="utf-8")
    return read_tickets(path, reading(**how))  # type: ignore[arg-type]


def test_people_and_teams_are_added_up(tmp_path: Path) -> None:
    made = read(
        tmp_path,
        GOOD,
        "T2,工单处理员,3001,甲班,投诉,2024-05-06 09:00,2024-05-06 09:40,,,否",
        "T3,工单处理员,3002,甲班,投诉,2024-05-06 09:00,2024-05-06 09:10,,,",
    )
    person = made.persons[Standard.CLERK, "甲班", "3001"]
    assert (person.tickets, person.timely.yes, person.timely.no) == (2, 1, 1)
    assert (person.accurate.yes, person.accurate.no) == (1, 1)
    team = made.teams[Standard.CLERK, "甲班"]
    assert (team.tickets, team.timely.yes, team.accurate.known, team.accurate.open) == (3, 2, 2, 1)


def test_general_handlers_are_in_time_as_a_team_only(tmp_path: Path) -> None:
    made = read(tmp_path, "T1,综合处理员,4001,乙班,投诉,2024-05-06 09:00,2024-05-06 09:40,,,")
    tables = {block.title: block for block in page(made).blocks if isinstance(block, Table)}
    rate = [heading.title for heading in tables["各人"].headings].index("及时率")
    assert text(tables["各人"].rows[0][rate]) == "按班组"
    assert text(tables["各班组"].rows[0][rate - 1]) == "100.0 %"


def test_a_wrong_department_that_was_put_right_in_time_costs_nothing(tmp_path: Path) -> None:
    row = "T1,工单处理员,3001,甲班,投诉,2024-05-06 09:00,2024-05-06 09:20,否,{},"
    pardoned, charged = read(tmp_path, row.format("是")), read(tmp_path, row.format(""))
    assert pardoned.teams[Standard.CLERK, "甲班"].accurate.yes == 1
    assert charged.teams[Standard.CLERK, "甲班"].accurate.no == 1


def test_bad_rows_are_named_by_line_and_cause_and_the_rest_counts(tmp_path: Path) -> None:
    made = read(
        tmp_path,
        GOOD,
        GOOD,
        "T2,主管,3001,甲班,投诉,2024-05-06 09:00,2024-05-06 09:20,,,",
        "T3,工单处理员,3001,甲班,投诉,2024-05-06 09:00,昨天,,,",
        "T4,工单处理员,3001,甲班,投诉,2024-05-06 09:00,2024-05-06 08:00,,,",
        "T5,工单处理员,,甲班,投诉,2024-05-06 09:00,2024-05-06 09:20,,,",
        "T6,工单处理员,3001,甲班,投诉,2024-05-06 09:00,2024-05-06 09:20,大概,,",
    )
    assert sum(sums.tickets for sums in made.teams.values()) == 1
    causes = ("已在第 2 行", "“主管”", "“昨天”", "早于新单时间", "处理员 是空的", "“大概”")
    for line, (fault, cause) in enumerate(zip(made.faults, causes, strict=True), start=3):
        assert fault.startswith(f"第 {line} 行：")
        assert cause in fault


def test_columns_may_have_our_names_usual_names_or_names_of_their_own(tmp_path: Path) -> None:
    header = "流水,agent_id,新单时间,audited_at"
    made = read(
        tmp_path,
        "T1,3001,2024-05-06 09:00,2024-05-06 09:20",
        header=header,
        columns={"ticket_id": "流水"},
        roster=Roster(teams={"3001": "甲班"}),
    )
    assert made.teams[Standard.CLERK, "甲班"].timely.yes == 1


def test_a_table_without_the_needed_columns_is_refused_with_their_names(tmp_path: Path) -> None:
    with pytest.raises(MetadataError, match="ticket_id（工单号）"):
        read(tmp_path, header="处理员,新单时间,审核时间")
    with pytest.raises(MetadataError, match="ticket_columns"):
        read(tmp_path, GOOD, columns={"nothing": "x"})


def test_what_the_export_cannot_tell_is_said(tmp_path: Path) -> None:
    made = read(tmp_path, "T1,工单处理员,3001,甲班,投诉,2024-05-06 09:00,,,,")
    (overview, *_) = page(made).blocks
    assert isinstance(overview, Lines)
    assert "不能判断及时：审核：还没完成，1 处。" in overview.lines
    assert any("没有检查人填的准确与否：1 张" in line for line in overview.lines)
