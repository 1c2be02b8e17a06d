"""`callscore sample`: which calls people listen to."""

import json as json_module
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.files import Force, Makers, check_name, csv_of, write
from pipeline.cli.options import Database, SettingsOptions, load
from pipeline.cli.page_view import print_page
from pipeline.cli.render import console
from pipeline.cli.report import Agent, Business, Since, Team, Until, bring_facts
from pipeline.errors import NotFound
from pipeline.media.values import time_zone
from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.workflows.report.period import a_date, between
from pipeline.workflows.report.values import Period
from pipeline.workflows.report.xlsx import workbook
from pipeline.workflows.roster import read_roster
from pipeline.workflows.sample import Rates, Sample, Sampling, keep, page, plain, sample

USUAL_DAYS = 7
ENDINGS = (".csv", ".xlsx", ".json")


def register(app: typer.Typer) -> None:
    app.command("sample", epilog="例：callscore sample --since 2024-05-06 --until 2024-05-12 -o 抽样.xlsx")(
        sample_command
    )


def sample_command(
    since: Since = None,
    until: Until = None,
    share: Annotated[
        float, typer.Option("--share", min=0, max=100, help="投诉以外的通话抽百分之几；标准是 20–30。")
    ] = 25.0,
    clean: Annotated[
        float | None,
        typer.Option(
            "--clean", min=0, max=100, help="没有禁用语、没有否决的通话抽百分之几；默认同 --share。"
        ),
    ] = None,
    new: Annotated[
        float, typer.Option("--new", min=0, max=100, help="新坐席（名册里上岗不满 90 天）的通话抽百分之几。")
    ] = 50.0,
    falling: Annotated[
        float,
        typer.Option("--falling", min=0, max=100, help="得分率近期明显下滑的坐席的通话抽百分之几。"),
    ] = 50.0,
    at_least: Annotated[
        int, typer.Option("--at-least", min=0, help="每个坐席至少抽几通（投诉不算），不够的全抽。")
    ] = 0,
    seed: Annotated[int, typer.Option("--seed", help="种子；同一个种子抽出同一批。")] = 0,
    agent: Agent = None,
    team: Team = None,
    business: Business = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只看抽出哪些，不把计划存进数据库。")] = False,
    json: Annotated[bool, typer.Option("--json", help="打印 JSON。")] = False,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="存成文件：.csv、.xlsx 或 .json。")
    ] = None,
    force: Force = False,
    database: Database = None,
) -> None:
    """抽质检样本：投诉全部，其他按坐席、业务、时段分层随机，说明每通为什么抽；默认最近七天。

    计划存进数据库，报表据此说明覆盖率。
    """
    check_name(output, ENDINGS, force=force)
    rates = Rates(
        seed=seed,
        share=share / 100,
        clean=None if clean is None else clean / 100,
        new=new / 100,
        falling=falling / 100,
        at_least=at_least,
    )
    days = a_date(since, "--since"), a_date(until, "--until")
    ask = Ask(days=days, rates=rates, agent=agent, team=team, business=business, keep=not dry_run)
    settings = load(SettingsOptions(database=database))
    found = _drawn(ask, settings)
    _give(found, output, time_zone(settings.time_zone), json=json)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """What the command line asks for. `days`: the first and the last, where they were named."""

    days: tuple[date | None, date | None]
    rates: Rates
    agent: str | None
    team: str | None
    business: str | None
    keep: bool

    def sampling(self, period: Period) -> Sampling:
        return Sampling(
            period=period, rates=self.rates, agent=self.agent, team=self.team, business=self.business
        )


def _drawn(ask: Ask, settings: Settings) -> Sample:
    """The sample, kept where that is asked for."""
    zone = time_zone(settings.time_zone)
    roster = read_roster(settings.roster, zone)
    with Store.open(settings.database, create=False) as store:
        bring_facts(store)
        period = between(*_days(*ask.days, store, zone), zone)
        found = sample(ask.sampling(period), store, roster, zone)
        if ask.keep:
            keep(found, store, at=datetime.now(UTC))
    return found


def _give(found: Sample, output: Path | None, zone: tzinfo, *, json: bool) -> None:
    """Print the sample, or write it as its file's ending says."""
    if output is None and json:
        typer.echo(_json(found))
        return
    laid = page(found, zone)
    if output is None:
        print_page(laid, console())
        return
    makers: Makers = {
        ".csv": lambda: csv_of(laid),
        ".xlsx": lambda: workbook(laid),
        ".json": lambda: _json(found),
    }
    write(output, makers)
    typer.echo(f"抽出 {len(found.drawn)} 通，已写到 {output}")


def _days(since: date | None, until: date | None, store: Store, zone: tzinfo) -> tuple[date, date]:
    """The days that were asked for, else the seven up to the newest call. Raises NotFound: no call."""
    spans = store.span_of_calls()
    if spans is None:
        raise NotFound("还没有评过分、带开始时间的通话", hint="先跑 callscore nightly")
    last = until or max(spans[1].astimezone(zone).date(), since or date.min)
    return since or last - timedelta(days=USUAL_DAYS - 1), last


def _json(found: Sample) -> str:
    return json_module.dumps(plain(found), ensure_ascii=False, indent=2)
