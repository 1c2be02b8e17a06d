"""`callscore audit`: who did what, and whether the log is still as it was written."""

from datetime import UTC, datetime, time
from typing import Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from pipeline.audit import AuditFilter
from pipeline.cli.options import Database, SettingsOptions, load
from pipeline.cli.render import console
from pipeline.cli.users import who_am_i
from pipeline.media.values import time_zone
from pipeline.workflows.audit import AuditFault, open_store, renew, verify
from pipeline.workflows.report.period import a_date

EXIT_FAULTS = 1

app = typer.Typer(no_args_is_help=True, help="审计日志：谁、什么时候、对什么做了什么；只记编号，没有原话。")


@app.command("verify", epilog="例：callscore audit verify")
def verify_command(
    renewed: Annotated[
        bool,
        typer.Option("--renew", help="查清之后：承认现在的结尾，从这里接着记；这件事本身也记下来。"),
    ] = False,
    database: Database = None,
) -> None:
    """核对全部记录：改过、删过、插过、挪过、截掉过，都说出在哪一条。有毛病时退出码为 1。"""
    settings = load(SettingsOptions(database=database))
    with open_store(settings) as store:
        found = verify(store)
        for fault in found.faults:
            console().print(_told(fault))
        if renewed:
            renew(store, who_am_i(), datetime.now(UTC))
            console().print("已承认现在的结尾，从这里接着记。")
    if not found.faults:
        console().print(f"{found.lines} 条，完好。")
    elif not renewed:
        raise typer.Exit(EXIT_FAULTS)


@app.command("list", epilog="例：callscore audit list --who wangmin --action review --since 2024-05-06")
def list_command(
    who: Annotated[str | None, typer.Option("--who", help="只看这个登录名做的。")] = None,
    action: Annotated[
        str | None, typer.Option("--action", help="只看这种动作；review 连 review.override 等也算。")
    ] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="日期", help="从哪天起（含）。")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="最多几条，取最新的。")] = 100,
    database: Database = None,
) -> None:
    """列出记录，最新的在前。"""
    settings = load(SettingsOptions(database=database))
    zone, day = time_zone(settings.time_zone), a_date(since, "--since")
    start = datetime.combine(day, time(), tzinfo=zone) if day else None
    with open_store(settings) as store:
        lines = store.audit_lines(AuditFilter(who=who, action=action, since=start, limit=limit))
    if not lines:
        console().print("没有记录。")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("编号", justify="right")
    for heading in ("时间", "谁", "动作", "对象", "细节"):
        table.add_column(heading, overflow="fold")
    for line in lines:
        when = line.at.astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")
        cells = (line.who, line.action, line.object, "" if line.detail == "{}" else line.detail)
        table.add_row(str(line.seq), when, *map(Text, cells))
    console().print(table)


def _told(fault: AuditFault) -> Text:
    """Where, what was found, what was expected, what to do."""
    many = fault.until > fault.seq
    where = f"第 {fault.seq}–{fault.until} 条" if many else f"第 {fault.seq} 条"
    told = Text(f"{where}：{fault.found}；应为{fault.expected}", style="red")
    return told.append(f"\n  怎么办：{fault.todo}", style="not red")
