"""`callscore show`, `list` and `export`: looking at calls that were scored."""

import csv
import sys
from collections.abc import Iterable, Iterator
from decimal import Decimal
from enum import StrEnum
from typing import Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table

from pipeline.cli.options import Database, For, SettingsOptions, inspector, load
from pipeline.cli.render import DIRECTIONS, WITH_YEAR, call_view, console, kept_back, local_time
from pipeline.cli.users import done_here
from pipeline.settings import Settings
from pipeline.storage.records import CallFilter, CallSummary, StoredCall
from pipeline.storage.store import Store
from pipeline.units import clock
from pipeline.workflows.audit import open_store
from pipeline.workflows.document import CallDocument, call_document, json_schema
from pipeline.workflows.review.seen import Viewer

MOST_NAMED = 10


def register(app: typer.Typer) -> None:
    app.command("show", epilog="例：callscore show d11 --json")(show)
    app.command("list", epilog="例：callscore list --complaints --limit 20")(list_calls)
    app.command("export", epilog="例：callscore export --format csv > 评分.csv")(export)


def show(
    call: Annotated[
        str | None, typer.Argument(metavar="CALL", help="call_id，或录音编号的唯一前缀。")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="打印 JSON（格式见 --schema）。")] = False,
    schema: Annotated[bool, typer.Option("--schema", help="打印 --json 的 JSON Schema。")] = False,
    viewer: For = None,
    database: Database = None,
) -> None:
    """看一通电话：按角色分行的转写、带证据的发现、评分表。"""
    if schema:
        import json as json_module

        typer.echo(json_module.dumps(json_schema(), ensure_ascii=False, indent=2))
        return
    if call is None:
        raise typer.BadParameter("要看哪一通？给出 CALL。", param_hint="CALL")
    settings = load(SettingsOptions(database=database))
    with Store.open(settings.database, create=False) as store:
        looking = Viewer(store, inspector(viewer, settings))
        found = looking.seen(store.latest(store.find_call(call).id))
        document = _document(found.stored, looking)
    if json:
        typer.echo(document.model_dump_json(indent=2))
        return
    console().print(call_view(document, settings))
    if found.hidden:
        console().print(kept_back(found.hidden, looking.who))


def list_calls(
    agent: Annotated[str | None, typer.Option("--agent", help="只看这个坐席。")] = None,
    complaints: Annotated[bool, typer.Option("--complaints", help="只看投诉。")] = False,
    forbidden: Annotated[bool, typer.Option("--forbidden", help="只看有禁用语的。")] = False,
    limit: Annotated[
        int | None, typer.Option("--limit", min=1, help="只列末尾几行，也就是最新的几通。")
    ] = None,
    viewer: For = None,
    database: Database = None,
) -> None:
    """列出评过分的电话，每通一行，按开始的时间，最新的在最后；不知道时间的排在末尾。"""
    settings = load(SettingsOptions(database=database))
    which = CallFilter(
        agent_id=agent,
        is_complaint=True if complaints else None,
        label="forbidden" if forbidden else None,
        limit=limit,
    )
    with Store.open(settings.database, create=False) as store:
        looking = Viewer(store, inspector(viewer, settings))
        lines = list(looking.calls(which))
        faults = len(store.quarantined())
    out = console()
    out.print(_table([line for line, _ in lines], settings))
    _tell_kept_back(sum(hidden > 0 for _, hidden in lines), looking.who, out)
    waiting = [line.recording.name for line, _ in lines if line.recording.unsettled]
    if waiting:
        told = f"{len(waiting)} 通的改正没能沿用到新的转写，要人核对：{'、'.join(waiting[:MOST_NAMED])}"
        out.print(told, style="yellow", markup=False)
    if faults:
        out.print(f"另有 {faults} 个录音被隔离，没有评分。")


def _table(lines: Iterable[CallSummary], settings: Settings) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("通话", "时间", "方向", "业务", "坐席"):
        table.add_column(heading, no_wrap=heading != "业务")
    for heading in ("时长", "已得", "待定", "满分", "待复核项", "禁用语"):
        table.add_column(heading, justify="right", no_wrap=True)
    for found in lines:
        about = found.recording
        table.add_row(
            about.name,
            local_time(about.started_at, settings, WITH_YEAR),
            DIRECTIONS.get(about.direction),
            about.business or "",
            about.agent_id or "",
            clock(about.duration),
            _number(found.total),
            _number(found.open_points),
            _number(found.points_possible),
            str(found.open_items),
            str(found.forbidden) if found.forbidden else "",
            style="red" if found.fatal else "",
        )
    return table


def _tell_kept_back(calls: int, who: str, out: Console) -> None:
    if calls:
        out.print(f"{calls} 通另有人评过，{who} 交卷之前不含别人的决定。", style="yellow", markup=False)


def _number(value: Decimal | None) -> str:
    return "—" if value is None else f"{value:.1f}"


class Format(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"


def export(
    format: Annotated[
        Format, typer.Option("--format", help="jsonl：每行一通完整的 JSON；csv：每行一个评分项。")
    ] = Format.JSONL,
    viewer: For = None,
    database: Database = None,
) -> None:
    """把评过分的电话全部导出到标准输出。"""
    settings = load(SettingsOptions(database=database))
    with open_store(settings) as store:
        store.record(done_here("export", format=format.value))
        looking = Viewer(store, inspector(viewer, settings))
        if format is Format.JSONL:
            for document in _documents(looking):
                typer.echo(document.model_dump_json())
        else:
            _export_csv(looking)


ITEM_COLUMNS = (
    *("section", "title", "fill", "verdict", "level", "points", "points_possible"),
    *("decided_by", "confidence", "acceptable", "reason"),
)
CSV_COLUMNS = ("call_id", "recording_id", "agent_id", "business", "template", *ITEM_COLUMNS)


def _export_csv(looking: Viewer) -> None:
    writer = csv.writer(sys.stdout)
    writer.writerow(CSV_COLUMNS)
    for document in _documents(looking):
        about, card = document.recording, document.scorecard
        for item in card.items if card else ():
            call = (about.call_id, about.id, about.agent_id, about.business, card.template if card else None)
            writer.writerow((*call, *(getattr(item, column) for column in ITEM_COLUMNS)))


def _documents(looking: Viewer) -> Iterator[CallDocument]:
    """Every call as it may be seen; on the error output, of how many something is kept back."""
    calls = 0
    for stored in looking.store.stored():
        found = looking.seen(stored)
        calls += found.hidden > 0
        yield _document(found.stored, looking)
    _tell_kept_back(calls, looking.who, Console(stderr=True))


def _document(stored: StoredCall, looking: Viewer) -> CallDocument:
    ruleset = looking.rules(stored.ruleset_digest)
    return call_document(stored.recording, stored.transcript, stored.findings, stored.scorecard, ruleset)
