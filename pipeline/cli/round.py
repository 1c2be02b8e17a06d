"""`callscore round`: inspectors judge the same calls blind, and see how far they agree."""

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.cli.agreement import agreement_view
from pipeline.cli.options import Database, SettingsOptions, inspector, load
from pipeline.cli.render import console, local_time
from pipeline.settings import Settings
from pipeline.storage.queue_records import Round
from pipeline.storage.store import Store
from pipeline.workflows.audit import open_store
from pipeline.workflows.review.rounds import NewRound, RoundResult, new_round, round_result

app = typer.Typer(no_args_is_help=True, help="校准：几位质检员互不知情评同一批电话，看彼此一致多少。")

Number = Annotated[int, typer.Argument(metavar="ROUND", help="校准的编号，见 round show。", min=1)]


@app.command("new", epilog="例：callscore round new 十一月校准 --call d11 --call d12 --who 王敏 --who 李强")
def new_command(
    title: Annotated[str, typer.Argument(metavar="TITLE", help="名称。")],
    calls: Annotated[list[str], typer.Option("--call", metavar="CALL", help="评哪几通；可多次。")],
    inspectors: Annotated[list[str], typer.Option("--who", metavar="质检员", help="谁参加；可多次。")],
    by: Annotated[str | None, typer.Option("--by", help="谁发起；不写时用设置 reviewer。")] = None,
    database: Database = None,
) -> None:
    """发起一次校准。评的结果只用来比较，不进评分表。"""
    settings = load(SettingsOptions(database=database))
    new = NewRound(
        title=title, made_by=inspector(by, settings), calls=tuple(calls), inspectors=tuple(inspectors)
    )
    with open_store(settings) as store:
        made = new_round(store, new, at=datetime.now(UTC))
    console().print(f"校准 {made.id}“{made.title}”：{len(made.calls)} 通，{'、'.join(made.inspectors)}")


@app.command("show", epilog="例：callscore round show 1")
def show_command(
    number: Annotated[
        int | None, typer.Argument(metavar="ROUND", help="校准的编号；不写时列出全部。", min=1)
    ] = None,
    database: Database = None,
) -> None:
    """一次校准做到哪里、逐项一致多少；不写编号时列出全部校准。"""
    settings = load(SettingsOptions(database=database))
    with Store.open(settings.database, create=False) as store:
        if number is None:
            console().print(_list(store.rounds(), settings))
            return
        found = round_result(store, number)
    console().print(_result(found, settings))


@app.command("close", epilog="例：callscore round close 1")
def close_command(number: Number, database: Database = None) -> None:
    """结束一次校准：之后不能再评。"""
    settings = load(SettingsOptions(database=database))
    with open_store(settings) as store:
        store.close_round(number, inspector(None, settings), at=datetime.now(UTC))
        found = round_result(store, number)
    console().print(_result(found, settings))


def _list(rounds: tuple[Round, ...], settings: Settings) -> RenderableType:
    if not rounds:
        return Text("还没有校准。callscore round new 发起一次。")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("编号", "名称", "发起", "时间", "通数", "质检员", "状态"):
        table.add_column(heading)
    for one in rounds:
        closed = f"{local_time(one.closed_at, settings)} 结束" if one.closed_at else "进行中"
        made = local_time(one.made_at, settings)
        people = "、".join(one.inspectors)
        table.add_row(str(one.id), one.title, one.made_by, made, str(len(one.calls)), people, closed)
    return table


def _result(found: RoundResult, settings: Settings) -> RenderableType:
    calls, closed = len(found.round.calls), found.round.closed_at
    state = f"{local_time(closed, settings)} 结束" if closed else "进行中"
    done = "、".join(f"{who} {len(found.done[who])}/{calls} 通" for who in found.round.inspectors)
    return Group(
        Text(f"校准 {found.round.id}“{found.round.title}”，{state}；交卷：{done}"),
        Text("通话：" + "、".join(found.names[name] for name, _ in found.round.calls)),
        agreement_view(found.agreement),
    )
