"""`callscore queue` and `assign`: what waits for inspectors, and who gets it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Annotated

import typer
from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.cli.options import Database, SettingsOptions, inspector, load
from pipeline.cli.render import console, local_time
from pipeline.cli.report import Agent, Business, Since, Team, Until
from pipeline.errors import UsageError
from pipeline.media.values import time_zone
from pipeline.queue import WorkState
from pipeline.settings import Settings
from pipeline.storage.queue_records import (
    PageOf,
    PlanProgress,
    QueueFilter,
    QueueLine,
    QueuePage,
    Sort,
    Whose,
    WhyNot,
)
from pipeline.storage.store import Store
from pipeline.workflows.report.period import a_date, start_of
from pipeline.workflows.review.queue import (
    By,
    Dealing,
    Dealt,
    assign,
    assign_rules,
    bring_queue,
    claim_next,
    deal,
    deal_by_rules,
    of_team,
    waiting,
)
from pipeline.workflows.roster import Roster, read_roster

States = Annotated[
    list[WorkState] | None,
    typer.Option(
        "--state", help="；".join(f"{state.value} {state.chinese}" for state in WorkState) + "。可多次。"
    ),
]
Template = Annotated[str | None, typer.Option("--template", help="只看这张评分表的。")]
Complaint = Annotated[bool | None, typer.Option("--complaint/--no-complaint", help="投诉，或不是投诉。")]
Fatal = Annotated[bool | None, typer.Option("--fatal/--no-fatal", help="有一票否决，或没有。")]
Acceptable = Annotated[
    bool | None, typer.Option("--acceptable/--not-acceptable", help="整张可以直接采信的，或不可以的。")
]
Appealed = Annotated[bool | None, typer.Option("--appeal/--no-appeal", help="有申诉等答复的，或没有的。")]
Plan = Annotated[int | None, typer.Option("--plan", help="这个抽样计划抽中的，编号见 queue --plans。")]
Beginning = Annotated[str, typer.Option("--text", help="通话编号以此开头的。")]
Who = Annotated[
    str | None, typer.Option("--who", help="谁；不写时用设置 reviewer（环境变量 CALLSCORE_REVIEWER）。")
]


def register(app: typer.Typer) -> None:
    app.command("queue", epilog="例：callscore queue --state new --complaint --sort risk --limit 20")(
        queue_command
    )
    app.command("assign", epilog="例：callscore assign --to 王敏 --to 李强 --by agent --limit 40")(
        assign_command
    )


def queue_command(
    mine: Annotated[bool, typer.Option("--mine", help="只看派给我、我领了的。")] = False,
    free: Annotated[bool, typer.Option("--free", help="只看没人领的。")] = False,
    states: States = None,
    template: Template = None,
    agent: Agent = None,
    team: Team = None,
    business: Business = None,
    complaint: Complaint = None,
    fatal: Fatal = None,
    acceptable: Acceptable = None,
    appeal: Appealed = None,
    plan: Plan = None,
    since: Since = None,
    until: Until = None,
    text: Beginning = "",
    sort: Annotated[
        Sort, typer.Option("--sort", help="；".join(f"{s.value} 按{s.chinese}" for s in Sort) + "。")
    ] = Sort.RISK,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="最多列几通。")] = 30,
    claim: Annotated[bool, typer.Option("--claim", help="领下一通：没人领的里面排在最前的。")] = False,
    plans: Annotated[bool, typer.Option("--plans", help="看各个抽样计划做到哪里了。")] = False,
    who: Who = None,
    database: Database = None,
) -> None:
    """质检队列：哪些通话等着评、评到哪一步、谁在评；没有条件时列出全部，风险高的在前。"""
    settings, now = load(SettingsOptions(database=database)), datetime.now(UTC)
    if mine and free:
        raise UsageError("--mine 和 --free 只能用一个", hint="去掉一个")
    name = inspector(who, settings)
    if mine and not name:
        raise UsageError("我是谁？", hint="用 --who 署名，或设环境变量 CALLSCORE_REVIEWER")
    which = QueueFilter(
        whose=Whose.MINE if mine else Whose.UNASSIGNED if free else Whose.ALL,
        who=name,
        states=tuple(states or ()),
        template=template,
        agents=None if agent is None else (agent,),
        business=business,
        complaint=complaint,
        fatal=fatal,
        acceptable=acceptable,
        appeal=appeal,
        plan=plan,
        since=_start(since, "--since", settings),
        until=_start(until, "--until", settings, after=1),
        text=text,
    )
    which = of_team(which, team, _roster(settings))
    with Store.open(settings.database, create=False) as store:
        bring_queue(store)
        if plans:
            console().print(_plans(store.plan_progress(), settings))
        elif claim:
            console().print(_claimed(claim_next(store, name, which, settings, at=now, sort=sort), settings))
        else:
            console().print(_queue(store.queue(which, PageOf(sort=sort, size=limit), at=now), settings))


def assign_command(
    calls: Annotated[
        list[str] | None, typer.Argument(metavar="CALL…", help="派这几通；不写时按条件挑没人领的。")
    ] = None,
    to: Annotated[list[str] | None, typer.Option("--to", metavar="质检员", help="派给谁；可多次。")] = None,
    by: Annotated[
        By,
        typer.Option("--by", help="turn 轮流；agent、team、business：同一坐席、班组、业务的都给同一个人。"),
    ] = By.TURN,
    rules: Annotated[bool, typer.Option("--rules", help="按设置 assignment 里的规则派。")] = False,
    force: Annotated[bool, typer.Option("--force", help="别人领了的也改派；要写明哪几通。")] = False,
    states: States = None,
    template: Template = None,
    agent: Agent = None,
    team: Team = None,
    business: Business = None,
    complaint: Complaint = None,
    acceptable: Acceptable = None,
    plan: Plan = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="最多派几通。")] = 100,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只看会怎么派。")] = False,
    database: Database = None,
) -> None:
    """把通话派给质检员，派了就一直是他的，直到交卷：按人、按规则，或写明哪几通；没人领的里面风险高的先派。"""
    settings, now = load(SettingsOptions(database=database)), datetime.now(UTC)
    if rules == bool(to):
        raise UsageError("要么写派给谁，要么按规则派", hint="--to 质检员，或 --rules")
    if force and not calls:
        raise UsageError("--force 要写明哪几通", hint="callscore assign d11 --to 王敏 --force")
    roster = _roster(settings)
    which = QueueFilter(
        states=tuple(states or ()),
        template=template,
        agents=None if agent is None else (agent,),
        business=business,
        complaint=complaint,
        acceptable=acceptable,
        plan=plan,
    )
    with Store.open(settings.database, create=False) as store:
        bring_queue(store)
        if calls:
            lines = _named(store, calls)
        else:
            lines = list(islice(waiting(store, of_team(which, team, roster), limit, at=now), limit))
        if rules:
            pairs = deal_by_rules(lines, assign_rules(settings), store.loads(), roster)
        else:
            dealing = Dealing(inspectors=tuple(dict.fromkeys(to or ())), by=by)
            pairs = deal(lines, dealing, store.loads(), roster)
        dealt = Dealt(given=pairs, refused=()) if dry_run else assign(store, pairs, at=now, force=force)
    console().print(_dealt(dealt, lines))
    if dry_run:
        console().print("这是预演，什么都没有派出去。")


def _named(store: Store, calls: Sequence[str]) -> list[QueueLine]:
    """The calls that were named. Raises NotFound, UsageError: one has no scorecard."""
    found = []
    for name in dict.fromkeys(calls):
        line = store.queue_line(store.find_call(name).id)
        if line is None:
            raise UsageError(f"{name} 没有评分表，不在队列里", hint="补了模板之后用 callscore rescore 重评")
        found.append(line)
    return found


def _roster(settings: Settings) -> Roster:
    return read_roster(settings.roster, time_zone(settings.time_zone))


def _start(text: str | None, option: str, settings: Settings, *, after: int = 0) -> datetime | None:
    """The first moment of a day, or of one so many days after it."""
    day = a_date(text, option)
    return None if day is None else start_of(day, time_zone(settings.time_zone), after=after)


def _table(title: str, headings: str, figures: str = "") -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in headings.split():
        table.add_column(heading, justify="right" if heading in figures.split() else "left")
    return table


def _queue(page: QueuePage, settings: Settings) -> RenderableType:
    told = "　".join(f"{state.chinese} {count}" for state, count in page.counts.items() if count)
    if not page.lines:
        return Text(f"没有这样的通话。{f'（{told}）' if told else ''}")
    table = _table(
        f"共 {page.total} 通：{told}", "通话 状态 谁 要紧 坐席 业务 开始 得分 待定 把握", "得分 待定 把握"
    )
    for line in page.lines:
        table.add_row(*_cells(line, settings))
    more = page.total - len(page.lines)
    if page.after is not None:
        table.caption = f"后面还有 {more} 通，--limit 多列几通。"
    return table


def _cells(line: QueueLine, settings: Settings) -> tuple[str, ...]:
    """Where the first of two inspectors has decided, figures are kept back until the second is done."""
    figures = ("—", "", "") if line.secret else (_range(line), str(line.open_items or ""), _sure(line))
    return (
        line.name,
        line.state.chinese,
        line.assigned_to or "",
        _matters(line),
        line.agent_id or "",
        line.business or "",
        local_time(line.started_at, settings),
        *figures,
    )


def _matters(line: QueueLine) -> str:
    marks = {
        "否决": line.fatal and not line.secret,
        "申诉": line.open_appeals > 0,
        "投诉": line.complaint,
        "可采信": line.acceptable and not line.secret,
    }
    return " ".join(mark for mark, holds in marks.items() if holds)


def _range(line: QueueLine) -> str:
    lowest, highest = f"{line.lowest:.1f}", f"{line.highest:.1f}"
    return lowest if lowest == highest else f"{lowest}–{highest}"


def _sure(line: QueueLine) -> str:
    return f"{line.confidence / 1000:.0%}"


def _claimed(line: QueueLine | None, settings: Settings) -> RenderableType:
    if line is None:
        return Text("没有可以领的通话。")
    until = local_time(line.claimed_until, settings)
    return Text(f"{line.assigned_to} 领了 {line.name}，到 {until}。callscore review {line.name}")


def _plans(plans: Sequence[PlanProgress], settings: Settings) -> RenderableType:
    if not plans:
        return Text("还没有抽样计划。callscore sample 抽一次。")
    table = _table("抽样计划", "计划 抽样 从 到 抽中 动了 评完", "计划 抽中 动了 评完")
    for plan in plans:
        days = (local_time(moment, settings)[:5] for moment in (plan.made_at, plan.since, plan.until))
        table.add_row(str(plan.plan_id), *days, str(plan.drawn), str(plan.begun), str(plan.released))
    return table


def _dealt(dealt: Dealt, lines: Sequence[QueueLine]) -> RenderableType:
    names = {line.recording_id: line.name for line in lines}
    people = dict.fromkeys(who for _, who in dealt.given)
    told = [f"派出 {len(dealt.given)} 通。"] if dealt.given else ["没有派出去的。"]
    for who in people:
        given = [names[call] for call, person in dealt.given if person == who]
        told.append(f"{who} {len(given)} 通：{'、'.join(given[:20])}{'…' if len(given) > 20 else ''}")
    for one in dealt.refused:
        held = f"（{one.told}）" if one.why is WhyNot.HELD else ""
        told.append(f"{names.get(one.recording_id, one.recording_id)} 没有派：{one.why.chinese}{held}")
    return Text("\n".join(told))
