"""Who the agents are: a CSV `agent_id,team,since` (team and first day of work may be empty)."""

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, tzinfo
from pathlib import Path

from pipeline.errors import MetadataError
from pipeline.media.table import open_table
from pipeline.media.values import moment

COLUMNS = ("agent_id", "team", "since")


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Teams and first days by agent; an agent who is not in it has neither."""

    teams: Mapping[str, str] = field(default_factory=dict)
    first_days: Mapping[str, date] = field(default_factory=dict)

    def team(self, agent_id: str | None) -> str | None:
        return self.teams.get(agent_id or "")

    def members(self, team: str) -> frozenset[str]:
        return frozenset(agent for agent, of in self.teams.items() if of == team)


def read_roster(path: str, zone: tzinfo) -> Roster:
    """The roster at `path`; empty path: an empty one. Raises MetadataError with the line that is wrong: a
    roster decides where a call counts, so nothing of a faulty one is used."""
    if not path:
        return Roster()
    table = open_table(Path(path))
    header = [name.casefold() for name in table.header]
    if "agent_id" not in header:
        raise MetadataError(
            f"{path} 第 {table.header_row} 行：缺少列 agent_id，现有列：{'、'.join(table.header)}",
            row=table.header_row,
            hint="坐席名册的列：agent_id、team（班组）、since（上岗日期）",
        )
    teams: dict[str, str] = {}
    first_days: dict[str, date] = {}
    for number, cells in table.rows():
        if isinstance(cells, csv.Error):
            raise MetadataError(f"{path} 第 {number} 行：不是完整的 CSV，应为引号成对的一行", row=number)
        row = {name: cell.strip() for name, cell in zip(header, cells, strict=False)}
        agent = row.get("agent_id", "")
        if not agent or agent in teams:
            found = f"坐席 {agent} 又出现一次" if agent else "没有 agent_id"
            raise MetadataError(f"{path} 第 {number} 行：{found}，应为每个坐席一行", row=number)
        teams[agent] = row.get("team", "")
        if row.get("since"):
            first_days[agent] = _day(row["since"], zone, f"{path} 第 {number} 行", number)
    return Roster(teams={agent: team for agent, team in teams.items() if team}, first_days=first_days)


def _day(cell: str, zone: tzinfo, where: str, row: int) -> date:
    try:
        return moment(cell, zone).astimezone(zone).date()
    except ValueError as error:
        raise MetadataError(f"{where} since 列：发现“{cell}”，应为{error}", row=row) from None
