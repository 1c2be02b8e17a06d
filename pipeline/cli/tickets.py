"""`callscore tickets`: a ticket export against 质量标准 7.7 and 7.8."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.files import Force, check_name, write
from pipeline.cli.options import SettingsOptions, load
from pipeline.cli.page_view import print_page
from pipeline.cli.render import console
from pipeline.errors import UsageError
from pipeline.media import values
from pipeline.scoring.tickets import Rules, Standard
from pipeline.workflows.report.xlsx import workbook
from pipeline.workflows.roster import read_roster
from pipeline.workflows.tickets import Reading, page, read_tickets

ENDINGS = (".html", ".xlsx")


def register(app: typer.Typer) -> None:
    app.command("tickets", epilog="例：callscore tickets 工单.csv --standard 7.8 -o 工单.xlsx")(tickets)


def tickets(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="工单系统导出的 CSV，第一行是列名。")],
    standard: Annotated[
        Standard,
        typer.Option("--standard", help="没有“岗位”列的行按哪个：7.7 工单处理员，7.8 综合处理员。"),
    ] = Standard.CLERK,
    as_of: Annotated[
        str | None,
        typer.Option("--as-of", metavar="时间", help="导出的时间：到那时还没完成又过了时限的算不及时。"),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="存成文件：.html（可打印）或 .xlsx。")
    ] = None,
    force: Force = False,
) -> None:
    """工单的及时率、准确率和连线质量，按人和按班组。有毛病的行列出行号和原因，其余照算。

    准确与否只能由检查人填在导出里；没有填的不算，会说明有几张。
    """
    check_name(output, ENDINGS, force=force)
    settings = load(SettingsOptions())
    zone = values.time_zone(settings.time_zone)
    try:
        moment = values.moment(as_of, zone) if as_of else None
    except ValueError as error:
        raise UsageError(f"--as-of：发现“{as_of}”，应为{error}") from None
    reading = Reading(
        columns=settings.ticket_columns,
        zone=zone,
        standard=standard,
        roster=read_roster(settings.roster, zone),
        rules=Rules(shifts=settings.shift_starts, as_of=moment),
    )
    laid = page(read_tickets(file, reading))
    if output is None:
        print_page(laid, console())
        return
    from pipeline.workflows.report.html import render  # loads the plots' library

    write(output, {".html": lambda: render(laid, {}), ".xlsx": lambda: workbook(laid)})
    typer.echo(f"已写到 {output}")
