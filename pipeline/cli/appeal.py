"""`callscore appeal`: raised by the agent, answered, re-opened once, final."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.appeal import Appeal, AppealEvent, State, days_left
from pipeline.cli.options import Database, For, SettingsOptions, inspector, load
from pipeline.cli.render import console, local_time
from pipeline.cli.users import who_am_i
from pipeline.errors import UsageError
from pipeline.media.values import time_zone
from pipeline.settings import Settings
from pipeline.workflows.audit import open_store
from pipeline.workflows.review.appeals import (
    Again,
    Answer,
    Plea,
    answer_appeal,
    raise_appeal,
    reopen_appeal,
)
from pipeline.workflows.review.seen import Viewer

app = typer.Typer(no_args_is_help=True, help="申诉：坐席对一项得分不服。")

Number = Annotated[int, typer.Argument(metavar="APPEAL", help="申诉的编号，见 appeal list。", min=1)]
Reason = Annotated[str, typer.Option("--reason", help="理由。")]
Agent = Annotated[str, typer.Option("--who", help="坐席的工号。")]


@app.command("raise", epilog="例：callscore appeal raise d11 thanks --who 1050 --reason 致谢了，声音小")
def raise_command(
    call: Annotated[str, typer.Argument(metavar="CALL", help="call_id，或录音编号的唯一前缀。")],
    item: Annotated[str, typer.Argument(metavar="ITEM", help="项目的编号或名称，也可以是一票否决项。")],
    who: Agent,
    reason: Reason,
    database: Database = None,
) -> None:
    """坐席对一项提出申诉；要在评定后规定的天数之内。"""
    settings, now = load(SettingsOptions(database=database)), datetime.now(UTC)
    with open_store(settings) as store:
        plea = Plea(call=call, item=item, who=who, reason=reason, by=who_am_i())
        appeal = raise_appeal(plea, store, settings, at=now)
    console().print(f"已提出申诉 {appeal.id}：“{appeal.title}”，{_step_left(appeal, now, settings)}。")


@app.command("answer", epilog="例：callscore appeal answer 3 --set 良好 --reason 02:31确有致谢 --who 王敏")
def answer_command(
    number: Number,
    reason: Reason,
    keep: Annotated[bool, typer.Option("--keep", help="维持原评。")] = False,
    value: Annotated[str, typer.Option("--set", help="改为这个等级或分数；一票否决项写“不成立”。")] = "",
    false: Annotated[
        list[str] | None,
        typer.Option("--false", metavar="发现", help="这个发现不实，去掉它重新算；可多次。"),
    ] = None,
    who: Annotated[
        str | None, typer.Option("--who", help="署名；不写时用设置 reviewer（CALLSCORE_REVIEWER）。")
    ] = None,
    database: Database = None,
) -> None:
    """答复一件申诉：维持或改判。添一个决定和一张评分表，这一项就此裁定。"""
    if keep == bool(value or false):
        raise UsageError("要么维持，要么改判", hint="--keep，或 --set 等级或分数，或 --false 发现")
    settings, now = load(SettingsOptions(database=database)), datetime.now(UTC)
    answer = Answer(who=inspector(who, settings), reason=reason, value=value, false=tuple(false or ()))
    with open_store(settings) as store:
        appeal = answer_appeal(number, answer, store, settings, at=now)
        console().print(_one(appeal, Viewer(store, ""), settings, now))


@app.command("reopen", epilog="例：callscore appeal reopen 3 --who 1050 --reason 请再听02:31")
def reopen_command(number: Number, who: Agent, reason: Reason, database: Database = None) -> None:
    """坐席对答复仍不服，再申诉一次；再次答复就是终结。"""
    settings, now = load(SettingsOptions(database=database)), datetime.now(UTC)
    with open_store(settings) as store:
        again = Again(who=who, reason=reason, by=who_am_i())
        appeal = reopen_appeal(number, again, store, settings, at=now)
    console().print(f"申诉 {appeal.id} 已再开：“{appeal.title}”，{_step_left(appeal, now, settings)}。")


@app.command("list", epilog="例：callscore appeal list --agent 1050")
def list_command(
    every: Annotated[bool, typer.Option("--all", help="连终结的也列出。")] = False,
    agent: Annotated[str | None, typer.Option("--agent", help="只看这个坐席的。")] = None,
    database: Database = None,
) -> None:
    """列出申诉：等答复的在前，期限近的在前。"""
    settings, now = load(SettingsOptions(database=database)), datetime.now(UTC)
    with open_store(settings) as store:
        known = [appeal for appeal in store.appeals() if agent in (None, appeal.agent)]
        shown = sorted(
            (a for a in known if every or a.state(now) is not State.FINAL), key=lambda a: _urgency(a, now)
        )
        names = {a.recording_id: store.find_call(a.recording_id).name for a in shown}
    final = len(known) - len(shown)
    console().print(
        _table(shown, names, settings, now)
        if shown
        else Text("没有申诉。" if every or not final else "没有未了的申诉。")
    )
    if final:
        console().print(f"另有 {final} 件已终结（--all 列出）。")


@app.command("show", epilog="例：callscore appeal show 3")
def show_command(number: Number, viewer: For = None, database: Database = None) -> None:
    """一件申诉的全部经过。"""
    settings, now = load(SettingsOptions(database=database)), datetime.now(UTC)
    with open_store(settings) as store:
        looking = Viewer(store, inspector(viewer, settings))
        console().print(_one(store.appeal(number), looking, settings, now))


def _urgency(appeal: Appeal, now: datetime) -> tuple[bool, bool, datetime, int]:
    """What waits for an answer first, then what may be re-opened; the nearest day first."""
    state = appeal.state(now)
    return not state.waits, state is State.FINAL, appeal.last.until or appeal.last.at, appeal.id


def _table(appeals: Iterable[Appeal], names: dict[str, str], settings: Settings, now: datetime) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("编号", justify="right")
    for heading in ("状态", "期限", "通话", "坐席", "项目"):
        table.add_column(heading, no_wrap=heading != "项目")
    table.add_column("理由", overflow="fold")
    for appeal in appeals:
        table.add_row(
            str(appeal.id),
            appeal.state(now).chinese,
            _days(appeal, now, settings),
            names[appeal.recording_id],
            appeal.agent,
            appeal.title,
            appeal.last.reason,
            style="red" if _overdue(appeal, now) else "",
        )
    return table


def _overdue(appeal: Appeal, now: datetime) -> bool:
    return appeal.state(now).waits and appeal.last.until is not None and now > appeal.last.until


def _days(appeal: Appeal, now: datetime, settings: Settings) -> str:
    if appeal.state(now) is State.FINAL or appeal.last.until is None:
        return ""
    left = days_left(appeal.last.until, now, time_zone(settings.time_zone))
    return f"逾期 {-left} 天" if left < 0 else "今天到期" if left == 0 else f"还有 {left} 天"


def _step_left(appeal: Appeal, now: datetime, settings: Settings) -> str:
    state = appeal.state(now)
    todo = {State.ANSWERED: "可以再申诉", State.FINAL: ""}.get(state, "待答复")
    return "已终结" if state is State.FINAL else f"{todo}，{_days(appeal, now, settings)}"


def _one(appeal: Appeal, looking: Viewer, settings: Settings, now: datetime) -> RenderableType:
    call = looking.store.find_call(appeal.recording_id)
    title = Text(f"申诉 {appeal.id}  ", style="bold")
    title.append(f"{call.name}  坐席 {appeal.agent}  “{appeal.title}”（{appeal.item}）", style="not bold")
    title.append(f"\n{_step_left(appeal, now, settings)}", style="not bold")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("时间", "谁", "做了什么", "这一项"):
        table.add_column(heading, no_wrap=True)
    table.add_column("理由", overflow="fold")
    for event in appeal.events:
        ruling = f"，{event.ruling.chinese}" if event.ruling else ""
        result = _result(appeal, event, looking)
        when = local_time(event.at, settings)
        table.add_row(when, event.who, event.step.chinese + ruling, result, event.reason)
    return Group(title, table)


def _result(appeal: Appeal, event: AppealEvent, looking: Viewer) -> str:
    """What the item was on the scorecard of that step."""
    stored = looking.store.scoring(event.scorecard_id) if event.scorecard_id else None
    if stored is not None and not looking.seen(stored).shows(stored):
        return "交卷之后才显示"
    card = stored.scorecard if stored else None
    for item in card.items if card else ():
        if item.id == appeal.item:
            points = "—" if item.points is None else str(item.points)
            return f"{item.level or ''} {points}/{item.points_possible}".strip()
    causes = (cause for cause in card.fatals if cause.id == appeal.item) if card else ()
    return next(("成立" if cause.holds else "不成立" for cause in causes), "")
