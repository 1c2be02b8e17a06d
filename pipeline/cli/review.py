"""`callscore review` and `reviews`: an inspector's decisions about a call."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from pipeline.cli.bar import bar
from pipeline.cli.options import Database, For, SettingsOptions, inspector, load
from pipeline.cli.render import console
from pipeline.cli.review_view import change_view, history_view, sheet_view
from pipeline.errors import UsageError
from pipeline.workflows.audit import open_store
from pipeline.workflows.dispute.standing import clock_time
from pipeline.workflows.review.decide import review
from pipeline.workflows.review.marks import Marks
from pipeline.workflows.review.selected import Selected
from pipeline.workflows.review.sheet import sheet

Call = Annotated[str, typer.Argument(metavar="CALL", help="call_id，或录音编号的唯一前缀。")]
Who = Annotated[
    str | None, typer.Option("--who", help="署名；不写时用设置 reviewer（环境变量 CALLSCORE_REVIEWER）。")
]


def register(app: typer.Typer) -> None:
    app.command("review", epilog="例：callscore review d11 --set polite=良好 --accept-all --done --who 王敏")(
        review_command
    )
    app.command("reviews", epilog="例：callscore reviews d11")(reviews_command)


def review_command(
    call: Call,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="项目=值", help="定一项的等级或分数，也可以是“不适用”；可多次。"),
    ] = None,
    accept: Annotated[
        list[str] | None, typer.Option("--accept", metavar="项目", help="同意机器对这一项的评级；可多次。")
    ] = None,
    accept_all: Annotated[
        bool, typer.Option("--accept-all", help="机器评了、您没有另外定的，全部同意。")
    ] = False,
    true: Annotated[
        list[str] | None, typer.Option("--true", metavar="发现", help="这个发现属实；可多次。")
    ] = None,
    false: Annotated[
        list[str] | None, typer.Option("--false", metavar="发现", help="这个发现不实（要写理由）；可多次。")
    ] = None,
    added: Annotated[
        list[str] | None,
        typer.Option(
            "--add",
            metavar="规则=MM:SS.S-MM:SS.S",
            help="规则没有找到的：这条规则说的话在这里（从第一个字到最后一个字）；可多次。",
        ),
    ] = None,
    note: Annotated[str, typer.Option("--note", help="备注，不影响得分。")] = "",
    reason: Annotated[str, typer.Option("--reason", help="理由；改机器的评级时必须写。")] = "",
    done: Annotated[bool, typer.Option("--done", help="交卷：这通电话我评完了。")] = False,
    partial: Annotated[bool, typer.Option("--partial", help="有没评的项目也交卷。")] = False,
    final: Annotated[
        bool, typer.Option("--final", help="主管复核：交卷，以这次为准，不再与别的复核平均。")
    ] = False,
    blind: Annotated[
        bool, typer.Option("--blind", help="盲评：表上不显示机器的评级，决定记为没看过机器的评级。")
    ] = False,
    who: Who = None,
    database: Database = None,
) -> None:
    """复核一通电话：不带决定时打印要填的表；带决定时记下来，另添一张评分表，原来的都保留。"""
    settings = load(SettingsOptions(database=database))
    marks = Marks(
        who=inspector(who, settings),
        values=tuple(_value(text) for text in values or ()),
        accept=tuple(accept or ()),
        accept_all=accept_all,
        true=tuple(true or ()),
        false=tuple(false or ()),
        added=tuple(_selected(text) for text in added or ()),
        note=note.strip(),
        reason=reason.strip(),
        done=done or final,
        partial=partial,
        blind=blind,
        final=final,
    )
    if final and blind:
        raise UsageError("--final 和 --blind 不能一起用", hint="复核要看着别人的决定，去掉 --blind")
    with open_store(settings) as store:
        if marks.empty:
            if marks.reason or partial:
                raise UsageError(
                    "写了理由，没有写决定", hint="加 --set 项目=值、--accept 项目 或 --false 发现"
                )
            with bar("复核"):
                form = sheet(store, call, marks.who)
            console().print(sheet_view(form, settings, blind=blind))
            return
        with bar("复核"):
            before, after = review(store, call, marks, at=datetime.now(UTC))
    console().print(change_view(before, after, blind=blind))


def reviews_command(call: Call, viewer: For = None, database: Database = None) -> None:
    """一通电话的全部决定：谁、什么时候、对哪一项、为什么，以及看过什么才决定的。"""
    settings = load(SettingsOptions(database=database))
    with open_store(settings) as store:
        found = sheet(store, call, inspector(viewer, settings))
        lines = store.history(found.stored.recording.id)
    console().print(history_view(found, lines, settings))


def _selected(text: str) -> Selected:
    rule, equals, times = text.replace("＝", "=", 1).partition("=")
    start, dash, end = times.partition("-")
    if not (equals and dash and rule.strip()):
        raise UsageError(
            f"--add 写的是“{text}”，应为 规则=MM:SS.S-MM:SS.S",
            hint="例：--add forbidden.shirking=00:12.3-00:14.0",
        )
    return Selected(rule=rule.strip(), start=clock_time(start, "--add"), end=clock_time(end, "--add"))


def _value(text: str) -> tuple[str, str]:
    item, equals, value = text.replace("＝", "=", 1).partition("=")
    if not (equals and item.strip() and value.strip()):
        raise UsageError(
            f"--set 写的是“{text}”，应为 项目=值", hint="例：--set polite=良好 或 --set polite=2.5"
        )
    return item.strip(), value.strip()
