"""`callscore report day|week|agent|team|rule`: what was scored, for people who lead."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from pipeline.cli.files import Force, check_name, write
from pipeline.cli.options import Database, Rules, SettingsOptions, load
from pipeline.cli.page_view import print_page
from pipeline.cli.render import console
from pipeline.storage.store import Store
from pipeline.workflows.report.compute import USUAL_LEAST, Order, make_facts, report
from pipeline.workflows.report.layout import page
from pipeline.workflows.report.period import Asked, a_date
from pipeline.workflows.report.surroundings import surroundings
from pipeline.workflows.report.values import Kind, Report
from pipeline.workflows.report.xlsx import workbook

app = typer.Typer(
    help="报表：合格率、各维度得分率、失分、需要辅导的坐席、覆盖率；看在终端，或存成网页、表格。",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

ENDINGS = (".html", ".htm", ".xlsx")

Day = Annotated[str | None, typer.Option("--date", metavar="日期", help="哪一天，如 2024-05-06。")]
Since = Annotated[str | None, typer.Option("--since", metavar="日期", help="从哪天起（含）。")]
Until = Annotated[str | None, typer.Option("--until", metavar="日期", help="到哪天止（含）。")]
Agent = Annotated[str | None, typer.Option("--agent", help="只看这个坐席。")]
Team = Annotated[str | None, typer.Option("--team", help="只看这个班组（设置 roster 的名册里的）。")]
Business = Annotated[str | None, typer.Option("--business", help="只看这种业务。")]
Least = Annotated[
    int, typer.Option("--least", min=2, help="评分少于这么多通的坐席、班组不排名，也不说需要辅导。")
]
Output = Annotated[
    Path | None, typer.Option("-o", "--output", help="存成文件：.html（带图，可打印）或 .xlsx。")
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """The command line of any report."""

    order: Order
    output: Path | None
    force: bool
    settings: SettingsOptions


def _one_day(date: Day = None) -> Asked:
    return Asked(day=a_date(date, "--date"))


def _any_days(since: Since = None, until: Until = None) -> Asked:
    return Asked(since=a_date(since, "--since"), until=a_date(until, "--until"))


def _command(kind: Kind, days: Callable[..., Asked], help: str, epilog: str) -> None:
    """A command with the options of `days`, which say what days its report is about, and those of all."""

    def command(
        agent: Agent = None,
        team: Team = None,
        business: Business = None,
        least: Least = USUAL_LEAST,
        output: Output = None,
        force: Force = False,
        database: Database = None,
        rules: Rules = None,
        **dates: str | None,
    ) -> None:
        asked = days(**dates)
        order = Order(kind=kind, asked=asked, agent=agent, team=team, business=business, least=least)
        settings = SettingsOptions(database=database, rules=rules)
        _run(Ask(order=order, output=output, force=force, settings=settings))

    app.command(kind.value, help=help, epilog=epilog)(_with_options_of(days, command))


def _with_options_of(days: Callable[..., Asked], command: Callable[..., None]) -> Callable[..., None]:
    """The command with the parameters of `days` in the place of its `**dates`: typer reads signatures."""
    own = [p for p in signature(command).parameters.values() if p.kind is not Parameter.VAR_KEYWORD]
    options = [*signature(days).parameters.values(), *own]
    command.__signature__ = Signature(options)  # type: ignore[attr-defined]
    command.__annotations__ = {option.name: option.annotation for option in options}
    return command


_command(
    Kind.DAY,
    _one_day,
    "一天的报表，带前十四天的走势；默认最近有通话的一天。",
    "例：callscore report day --date 2024-05-11 -o 日报.html",
)
_command(
    Kind.WEEK,
    _one_day,
    "周一到周日的报表，带前八周的走势；默认最近有通话的一周。",
    "例：callscore report week -o 周报.html",
)
_command(
    Kind.AGENT,
    _any_days,
    "各坐席的报表；默认到最近一通为止的三十天。",
    "例：callscore report agent --agent 1021 --since 2024-05-01",
)
_command(
    Kind.TEAM,
    _any_days,
    "各班组的报表；谁在哪个班组，看设置 roster 的名册。",
    "例：callscore report team --since 2024-05-01 -o 班组.xlsx",
)
_command(
    Kind.RULE,
    _any_days,
    "各规则命中了多少通话，质检员判过的有多少是真的。",
    "例：callscore report rule --since 2024-05-01 -o 规则.html",
)


def _run(ask: Ask) -> None:
    check_name(ask.output, ENDINGS, force=ask.force)
    settings = load(ask.settings)
    around = surroundings(settings)
    with Store.open(settings.database, create=False) as store:
        bring_facts(store)
        made = report(ask.order, store, around)
    if ask.output is None:
        print_page(page(made), console())
    else:
        _write(made, ask.output)
        typer.echo(f"已写到 {ask.output}")


def bring_facts(store: Store) -> None:
    """Facts of scorings by an older callscore are made once, with a bar on a terminal."""
    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("整理旧的评分", total=None, visible=False)
        make_facts(store, lambda made: progress.update(task, completed=made, visible=True))


def _write(made: Report, output: Path) -> None:
    from pipeline.workflows.report.html import html  # loads the plots' library

    write(
        output,
        {".html": lambda: html(made), ".htm": lambda: html(made), ".xlsx": lambda: workbook(page(made))},
    )
