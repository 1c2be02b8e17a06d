"""`callscore agreement`: how far people and machine agree, and how sure that is."""

from typing import Annotated

import typer
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.cli.options import Database, SettingsOptions, load
from pipeline.cli.render import console
from pipeline.scoring.agreement import SMALLEST_N, Claim, Coefficient
from pipeline.storage.store import Store
from pipeline.workflows.review.agreement import Agreement, Between, Line, agreement

STYLES = {Claim.RELIABLE: "green", Claim.TENTATIVE: "cyan", Claim.UNRELIABLE: "red"}


def register(app: typer.Typer) -> None:
    app.command("agreement", epilog="例：callscore agreement --template inbound_100")(agreement_command)


def agreement_command(
    template: Annotated[str | None, typer.Option("--template", help="只看这个模板的项目。")] = None,
    database: Database = None,
) -> None:
    """质检员之间、质检员与机器的一致程度，逐项、逐规则：一致率、Cohen κ、Krippendorff α。

    每行写明评的时候互相看过没有；样本太少的不下结论。
    """
    settings = load(SettingsOptions(database=database))
    with Store.open(settings.database, create=False) as store:
        found = agreement(store)
    console().print(agreement_view(found, template))


def agreement_view(found: Agreement, template: str | None = None) -> RenderableType:
    """Tables of items and rules, of one form or (None) all."""
    if not found.calls:
        return Text("还没有复核。callscore review CALL 开始第一份。")
    people = f"{found.calls} 通电话由 {len(found.inspectors)} 人复核过：{'、'.join(found.inspectors)}"
    parts: list[RenderableType] = [Text(people)]
    for between in Between:
        lines = [line for line in found.items if line.between is between]
        lines = [line for line in lines if template in (None, line.subject.template)]
        parts.append(_table(f"项目：{between.chinese}", lines, between) if lines else _none(between, found))
    for between in Between:
        lines = [line for line in found.rules if line.between is between]
        if lines:
            parts.append(_table(f"规则的发现：{between.chinese}", lines, between))
    return Group(*parts, _legend())


def _none(between: Between, found: Agreement) -> Text:
    if between is Between.MACHINE:
        return Text("质检员与机器：还没有两边都评了的项目。", style="dim")
    alone = "只有一个人复核过" if len(found.inspectors) == 1 else "没有一项由两个人评过"
    return Text(f"质检员之间：{alone}，无从比较。", style="dim")


def _table(title: str, lines: list[Line], between: Between) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("项目" if lines[0].subject.template else "规则", overflow="fold")
    table.add_column("评的时候", no_wrap=True)
    table.add_column("n", justify="right", no_wrap=True)
    table.add_column("一致率", justify="right", no_wrap=True)
    weighted = any(line.weighted for line in lines)
    for heading in ("κ", "加权 κ", "α") if weighted else ("κ", "α"):
        table.add_column(Text(f"{heading} [95 %]"), justify="right", no_wrap=True)
    table.add_column("结论", no_wrap=True)
    known = {Between.MACHINE: ("没看机器", "看过机器"), Between.INSPECTORS: ("互不知情", "看过别人")}[between]
    for line in lines:
        share = "" if line.share.value is None else f"{line.share.value:.0%}"
        coefficients = (line.kappa, line.weighted, line.alpha) if weighted else (line.kappa, line.alpha)
        table.add_row(
            line.subject.title,
            known[0] if line.independent else known[1],
            str(line.share.n),
            share,
            *(Text(_coefficient(found)) for found in coefficients),
            Text(line.alpha.claim.chinese, style=STYLES.get(line.alpha.claim, "dim")),
        )
    return table


def _coefficient(found: Coefficient | None) -> str:
    if found is None or found.value is None or found.low is None or found.high is None:
        return "—"
    return f"{found.value:.2f} [{found.low:.2f}, {found.high:.2f}]"


def _legend() -> Text:
    return Text(
        "κ：前两份评级；加权 κ：差一级比差两级轻；α：全部评级，等级按次序。1 为完全一致，0 同碰运气。\n"
        "结论看 α 的整个区间：下限 ≥ 0.80 一致，≥ 0.667 大体一致，上限 < 0.667 不一致，此外说不准；"
        f"n 不足 {SMALLEST_N} 的不下结论。\n看过对方再评的，一致不说明可靠。",
        style="dim",
    )
