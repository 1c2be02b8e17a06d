"""`callscore search`: which calls somebody said something in, and when."""

from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

import typer
from rich.text import Text

from pipeline.cli.options import Database, SettingsOptions, load
from pipeline.cli.render import WITH_YEAR, console, local_time
from pipeline.cli.report import Agent, Business, Since, Team, Until
from pipeline.cli.tuning_view import call_part, document, table
from pipeline.errors import UsageError
from pipeline.findings import How
from pipeline.media.values import time_zone
from pipeline.settings import Settings
from pipeline.storage.records import CallFilter
from pipeline.storage.store import Store
from pipeline.timeline import Role
from pipeline.units import clock
from pipeline.workflows.report.period import a_date
from pipeline.workflows.roster import read_roster
from pipeline.workflows.search import PAGE, Hit, Page, Passage, Query, search


class Who(StrEnum):
    AGENT = "agent"
    CUSTOMER = "customer"


def register(app: typer.Typer) -> None:
    app.command("search", epilog="例：callscore search 不归我们管 --sound --role agent --since 2024-05-01")(
        search_command
    )


def search_command(
    text: Annotated[
        str, typer.Argument(metavar="TEXT", help="要找的原话，可以用规则的写法；不写：只按下面的条件找。")
    ] = "",
    sound: Annotated[bool, typer.Option("--sound", help="按读音找，识别错的字也认；默认要同字。")] = False,
    role: Annotated[Who | None, typer.Option("--role", help="只看谁说的。")] = None,
    agent: Agent = None,
    team: Team = None,
    business: Business = None,
    rule: Annotated[
        str | None, typer.Option("--rule", help="只看这条规则找到过的，如 forbidden.blunt。")
    ] = None,
    label: Annotated[str | None, typer.Option("--label", help="只看有这个标签的，如 forbidden。")] = None,
    since: Since = None,
    until: Until = None,
    min_score: Annotated[float | None, typer.Option("--min-score", help="已得的分不低于。")] = None,
    max_score: Annotated[float | None, typer.Option("--max-score", help="已得的分不高于。")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="一页几通。")] = PAGE,
    after: Annotated[str, typer.Option("--after", help="接着上一页：填上一页末尾给出的位置。")] = "",
    json: Annotated[bool, typer.Option("--json", help="打印 JSON。")] = False,
    database: Database = None,
) -> None:
    """在存过的转写里找：谁在哪通电话的几分几秒说过，新的在前。不重新识别，不写库。"""
    settings = load(SettingsOptions(database=database))
    zone = time_zone(settings.time_zone)
    which = CallFilter(
        agent_id=agent,
        agents=None if team is None else _members(team, settings, zone),
        business=business,
        rule_id=rule,
        label=label,
        since=_midnight(a_date(since, "--since"), zone),
        until=_midnight(a_date(until, "--until"), zone, days=1),
        least_total=_points(min_score),
        most_total=_points(max_score),
        limit=limit,
    )
    query = Query(text=text, by_sound=sound, role=Role(role) if role else None, which=which, after=after)
    with Store.open(settings.database, create=False) as store:
        page = search(query, store, settings)
    if json:
        typer.echo(document(_plain(page)))
    else:
        _print(page, settings)


def _members(team: str, settings: Settings, zone: tzinfo) -> frozenset[str]:
    found = read_roster(settings.roster, zone).members(team)
    if not found:
        raise UsageError(f"名册里没有班组 {team}", hint="检查设置 roster 和班组的名字")
    return found


def _midnight(day: date | None, zone: tzinfo, *, days: int = 0) -> datetime | None:
    return None if day is None else datetime.combine(day + timedelta(days=days), time(), zone)


def _points(value: float | None) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _print(page: Page, settings: Settings) -> None:
    out, made = (
        console(),
        table("通话", "开始", "坐席", "得分", "时间", "谁", "原话", figures=("得分", "时间")),
    )
    for hit in page.hits:
        first, *rest = hit.passages or (None,)
        made.add_row(*_call_cells(hit, settings), *_cells(first))
        for passage in rest:
            made.add_row("", "", "", "", *_cells(passage))
    if page.hits:
        out.print(made)
    found = f"{len(page.hits)} 通，翻了 {page.looked_through} 通。"
    out.print(f"{found}更早的：--after {page.next}" if page.next else found, markup=False, soft_wrap=True)


def _call_cells(hit: Hit, settings: Settings) -> tuple[str, ...]:
    about, total = hit.call.recording, hit.call.total
    began = local_time(about.started_at, settings, WITH_YEAR)
    return about.name, began, about.agent_id or "", "—" if total is None else f"{total:.1f}"


def _cells(passage: Passage | None) -> tuple[str | Text, ...]:
    if passage is None:
        return "", "", ""
    said = Text.assemble((passage.before, "dim"), (passage.quote, "bold"), (passage.after, "dim"))
    return clock(passage.span.start), passage.role.chinese, said


def _plain(page: Page) -> dict[str, Any]:
    hits = [
        {
            **call_part(hit.call.recording),
            "total": None if hit.call.total is None else f"{hit.call.total:.1f}",
            "passages": [_passage(passage) for passage in hit.passages],
        }
        for hit in page.hits
    ]
    return {"hits": hits, "next": page.next, "looked_through": page.looked_through}


def _passage(passage: Passage) -> dict[str, Any]:
    return {
        "start_ms": passage.span.start,
        "end_ms": passage.span.end,
        "role": passage.role.value,
        "before": passage.before,
        "quote": passage.quote,
        "after": passage.after,
        "how": None if passage.how is How.NONE else passage.how.value,
        "rule": passage.rule_id or None,
    }
