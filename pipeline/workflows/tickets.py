"""A ticket export: read row by row, judged, added up by person and by team, laid out."""

import csv
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from math import ceil
from pathlib import Path
from typing import TypeVar

from pipeline.errors import MetadataError
from pipeline.media import values
from pipeline.media.table import Table as CsvTable
from pipeline.media.table import open_table
from pipeline.scoring.intervals import wilson
from pipeline.scoring.tickets import Counted, Judged, Rules, Standard, Step, Ticket, judge
from pipeline.workflows.report.cells import Block, Cell, Lines, Page, Percent, Table, between, headings
from pipeline.workflows.roster import Roster

TIMES: Mapping[Step, tuple[str, str]] = {
    Step.AUDIT: ("created_at", "audited_at"),
    Step.DISPATCH: ("audited_at", "dispatched_at"),
    Step.RETURN: ("returned_at", "return_done_at"),
    Step.TRACK: ("promised_at", "tracked_at"),
    Step.COMBINE: ("combine_at", "combined_at"),
}
"""The columns in which a step begins and ends."""

CHECKS: Mapping[str, str] = {
    "audit_right": "审核准确",
    "on_site_right": "现场解决能力",
    "information_right": "信息核对准确",
    "department_right": "派发部门准确",
    "deadline_right": "派发时限准确",
    "opinion_right": "派发意见准确",
    "return_right": "返单内容正确",
    "reply_right": "回复客户有效",
    "archive_right": "归档内容",
    "type_right": "工单类型准确",
}
LINE: Mapping[str, str] = {
    "line_attitude": "连线服务态度",
    "line_accuracy": "连线准确性",
    "line_efficiency": "连线处理效率",
}
COLUMNS: Mapping[str, str] = {
    "ticket_id": "工单号",
    "standard": "岗位",
    "agent_id": "处理员",
    "team": "班组",
    "kind": "工单类型",
    "created_at": "新单时间",
    "audited_at": "审核时间",
    "needs_dispatch": "需要派发",
    "dispatched_at": "派发时间",
    "returned_at": "返单时间",
    "return_done_at": "返单处理完成时间",
    "promised_at": "承诺时间",
    "tracked_at": "跟踪时间",
    "combine_at": "综合开始时间",
    "combined_at": "综合完成时间",
    "corrected": "派错已纠正",
    **CHECKS,
    **LINE,
}
"""Our name and the usual Chinese name of every column; either may stand in the header."""

REQUIRED = ("ticket_id", "agent_id", "created_at", "audited_at")
STANDARDS = {"工单处理员": Standard.CLERK, "综合处理员": Standard.GENERAL}
T = TypeVar("T")
MOST_LISTED = 50
NO_TEAM = "（未编班组）"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How an export is read. `columns`: its names by ours; `standard`: for rows that do not say."""

    columns: Mapping[str, str]
    zone: tzinfo
    standard: Standard
    roster: Roster
    rules: Rules


@dataclass(slots=True)
class Sums:
    """What a person, a team, or everything comes to."""

    tickets: int = 0
    timely: Counted = field(default_factory=Counted)
    accurate: Counted = field(default_factory=Counted)
    connected: Counted = field(default_factory=Counted)

    def add(self, judged: Judged) -> None:
        self.tickets += 1
        self.timely.add(judged.timely)
        self.accurate.add(judged.accurate)
        if judged.ticket.line:
            self.connected.add(judged.connected)


@dataclass(slots=True)
class TicketReport:
    """Sums by standard and person, by standard and team, by step; what is wrong with tickets and rows."""

    file: str
    persons: dict[tuple[Standard, str, str], Sums] = field(default_factory=lambda: defaultdict(Sums))
    teams: dict[tuple[Standard, str], Sums] = field(default_factory=lambda: defaultdict(Sums))
    steps: dict[tuple[Standard, Step], Counted] = field(default_factory=lambda: defaultdict(Counted))
    whys: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    bad: list[Judged] = field(default_factory=list)
    bad_tickets: int = 0
    faults: list[str] = field(default_factory=list)
    rows: int = 0

    def add(self, judged: Judged) -> None:
        ticket = judged.ticket
        self.persons[ticket.standard, ticket.team, ticket.agent].add(judged)
        self.teams[ticket.standard, ticket.team].add(judged)
        for step in judged.steps:
            self.steps[ticket.standard, step.step].add(step.timely)
            if step.timely is None:
                self.whys[f"{step.step.chinese}：{step.why}"] += 1
        if judged.timely is False or judged.wrong:
            self.bad_tickets += 1
            if len(self.bad) < MOST_LISTED:
                self.bad.append(judged)


def read_tickets(path: Path, reading: Reading) -> TicketReport:
    """Judge every usable row; the others are in `faults`, by line. Raises MetadataError: no table, or one
    without the columns that nothing goes without."""
    table = open_table(path)
    positions = _positions(table, reading.columns)
    made = TicketReport(file=path.name)
    seen: dict[str, int] = {}
    for number, cells in table.rows():
        made.rows += 1
        try:
            ticket = _ticket(number, cells, positions, reading)
            if ticket.id in seen:
                raise ValueError(f"工单号 {ticket.id} 已在第 {seen[ticket.id]} 行，应为每张工单一行")
        except ValueError as error:
            made.faults.append(f"第 {number} 行：{error}；这一行没有算")
            continue
        seen[ticket.id] = number
        made.add(judge(ticket, reading.rules))
    return made


def _positions(table: CsvTable, columns: Mapping[str, str]) -> dict[str, int]:
    unknown = sorted(set(columns) - set(COLUMNS))
    if unknown:
        raise MetadataError(
            f"设置 ticket_columns 里有不认识的列：{'、'.join(unknown)}，应为 {'、'.join(COLUMNS)}"
        )
    header = [name.casefold() for name in table.header]
    names = {ours: (columns.get(ours), ours, usual) for ours, usual in COLUMNS.items()}
    positions = {
        ours: next(header.index(n.casefold()) for n in options if n and n.casefold() in header)
        for ours, options in names.items()
        if any(n and n.casefold() in header for n in options)
    }
    missing = [f"{ours}（{COLUMNS[ours]}）" for ours in REQUIRED if ours not in positions]
    if missing:
        raise MetadataError(
            f"{table.path} 第 {table.header_row} 行：缺少列 {'、'.join(missing)}，"
            f"现有列：{'、'.join(name for name in table.header if name)}",
            row=table.header_row,
            hint="列名不同时，在设置 ticket_columns 里写明，如 {ticket_id = '流水号'}",
        )
    return positions


def _ticket(
    number: int, cells: list[str] | csv.Error, positions: Mapping[str, int], reading: Reading
) -> Ticket:
    """Raises ValueError with what was found and expected."""
    if isinstance(cells, csv.Error):
        raise ValueError("不是完整的 CSV，应为引号成对的一行")
    row = {name: cells[at].strip() for name, at in positions.items() if at < len(cells)}
    row = {name: cell for name, cell in row.items() if cell.casefold() not in values.EMPTY}
    for name in ("ticket_id", "agent_id"):
        if name not in row:
            raise ValueError(f"{COLUMNS[name]} 是空的")
    checks = _truths(row, CHECKS)
    if checks.get(CHECKS["department_right"]) is False and _truth(row, "corrected"):
        checks[CHECKS["department_right"]] = True
    return Ticket(
        id=row["ticket_id"],
        row=number,
        standard=_standard(row, reading),
        agent=row["agent_id"],
        team=row.get("team") or reading.roster.team(row["agent_id"]) or NO_TEAM,
        kind=row.get("kind", ""),
        times=_times(row, reading.zone),
        checks=checks,
        line=_truths(row, LINE),
    )


def _standard(row: Mapping[str, str], reading: Reading) -> Standard:
    cell = row.get("standard")
    if cell is None:
        return reading.standard
    found = STANDARDS.get(cell) or next((known for known in Standard if known.value == cell), None)
    if found is None:
        raise ValueError(f"岗位：发现“{cell}”，应为 工单处理员（7.7）或 综合处理员（7.8）")
    return found


def _times(row: Mapping[str, str], zone: tzinfo) -> dict[Step, tuple[datetime | None, datetime | None]]:
    """A step is there where it began or ended; the audit always, the dispatch where needed or done."""
    times: dict[Step, tuple[datetime | None, datetime | None]] = {}
    for step, (first, last) in TIMES.items():
        begin, end = _moment(row, first, zone), _moment(row, last, zone)
        if begin and end and end < begin:
            raise ValueError(f"{COLUMNS[last]} {row[last]} 早于{COLUMNS[first]} {row[first]}")
        there = begin is not None or end is not None
        if step is Step.DISPATCH:
            there = end is not None or _truth(row, "needs_dispatch")
        if there or step is Step.AUDIT:
            times[step] = begin, end
    return times


def _moment(row: Mapping[str, str], name: str, zone: tzinfo) -> datetime | None:
    if name not in row:
        return None
    return _parsed(row, name, lambda cell: values.moment(cell, zone)).astimezone(zone)


def _truth(row: Mapping[str, str], name: str) -> bool:
    return name in row and _parsed(row, name, values.truth)


def _truths(row: Mapping[str, str], names: Mapping[str, str]) -> dict[str, bool]:
    return {title: _parsed(row, name, values.truth) for name, title in names.items() if name in row}


def _parsed(row: Mapping[str, str], name: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(row[name])
    except ValueError as error:
        raise ValueError(f"{COLUMNS[name]}：发现“{row[name]}”，应为{error}") from None


def page(made: TicketReport) -> Page:
    """The tables, what could not be told, and the rows that were left out."""
    return Page(title="工单及时率、准确率和连线质量", subtitle=made.file, blocks=tuple(_blocks(made)))


FIGURES = (
    "工单",
    "及时",
    "不及时",
    "未定",
    "及时率",
    "95 % 区间",
    "查过",
    "准确",
    "准确率",
    "连线",
    "合格率",
)


def _blocks(made: TicketReport) -> Iterator[Block]:
    used = made.rows - len(made.faults)
    lines = [f"共 {made.rows} 行，算了 {used} 张工单，{len(made.faults)} 行没有算。", *_untold(made)]
    yield Lines(title="概况", lines=tuple(lines))
    if not used:
        yield from _faults(made)
        return
    yield Table(
        title="各班组",
        headings=headings("岗位", "班组", *FIGURES, figures=FIGURES),
        rows=tuple((s.chinese, team, *_sums(sums)) for (s, team), sums in sorted(made.teams.items())),
        note="综合处理员是小组合作处理，及时率只按班组算（7.8）。及时率只算定了的工单，未定的不算进去。",
    )
    yield Table(
        title="各人",
        headings=headings("岗位", "班组", "处理员", *FIGURES, figures=FIGURES),
        rows=tuple(
            (s.chinese, team, agent, *_sums(sums, by_team=s is Standard.GENERAL))
            for (s, team, agent), sums in sorted(made.persons.items())
        ),
    )
    yield Table(
        title="各环节的及时",
        headings=headings("岗位", "环节", "及时", "不及时", "未定", "及时率", figures=FIGURES),
        rows=tuple(
            (s.chinese, step.chinese, counted.yes, counted.no, counted.open, _rate(counted))
            for (s, step), counted in sorted(made.steps.items())
        ),
    )
    if made.bad:
        yield _bad(made)
    yield from _faults(made)


def _untold(made: TicketReport) -> Iterator[str]:
    """What the export cannot tell."""
    for why, count in sorted(made.whys.items()):
        yield f"不能判断及时：{why}，{count} 处。"
    unchecked = sum(sums.accurate.open for sums in made.teams.values())
    if unchecked:
        yield f"没有检查人填的准确与否：{unchecked} 张；准确率不算它们，及时与否不说明准确。"


def _sums(sums: Sums, *, by_team: bool = False) -> tuple[Cell, ...]:
    timely: tuple[Cell, ...] = (
        sums.timely.yes,
        sums.timely.no,
        sums.timely.open,
        _rate(sums.timely),
        _interval(sums.timely),
    )
    return (
        sums.tickets,
        *(("", "", "", "按班组", "") if by_team else timely),
        sums.accurate.known,
        sums.accurate.yes,
        _rate(sums.accurate),
        sums.connected.known,
        _rate(sums.connected),
    )


def _rate(counted: Counted) -> Percent:
    return Percent(counted.yes / counted.known if counted.known else None)


def _interval(counted: Counted) -> str:
    return between(wilson(counted.yes, counted.known) if counted.known else None)


def _bad(made: TicketReport) -> Table:
    more = made.bad_tickets - len(made.bad)
    return Table(
        title="不及时或不准确的工单",
        headings=headings("行", "工单", "处理员", "不及时的环节", "不准确的环节", figures=("行",)),
        rows=tuple(
            (j.ticket.row, j.ticket.id, j.ticket.agent, _late(j), "、".join(j.wrong)) for j in made.bad
        ),
        note=f"另有 {more} 张没有列出。" if more else "",
    )


def _late(judged: Judged) -> str:
    parts = []
    for step in judged.steps:
        if step.late is not None:
            minutes = ceil(step.late.total_seconds() / 60)
            parts.append(f"{step.step.chinese}晚 {minutes} 分钟")
    return "、".join(parts)


def _faults(made: TicketReport) -> Iterator[Lines]:
    if made.faults:
        yield Lines(title="没有算的行", lines=tuple(made.faults))
