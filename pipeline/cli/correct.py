"""`callscore correct`, `relink` and `history`: putting things right, and the trace that it leaves."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.bar import bar
from pipeline.cli.dispute_view import changes_view, history_view, totals_line
from pipeline.cli.options import Database, For, Rules, SettingsOptions, inspector, load
from pipeline.cli.render import console, kept_back
from pipeline.cli.rescore import Who, login
from pipeline.errors import UsageError
from pipeline.storage.records import StoredCall
from pipeline.workflows.audit import open_store
from pipeline.workflows.dispute.changes import Scoring
from pipeline.workflows.dispute.correct import (
    Facts,
    Signed,
    Wording,
    correct_words,
    relink,
)
from pipeline.workflows.dispute.history import history
from pipeline.workflows.dispute.replay import rules_by_digest
from pipeline.workflows.dispute.standing import clock_time
from pipeline.workflows.rescore import Scorer
from pipeline.workflows.review.seen import Viewer

Call = Annotated[str, typer.Argument(metavar="CALL", help="call_id，或录音编号的唯一前缀。")]
Reason = Annotated[str, typer.Option("--reason", help="为什么改，留在记录里；必须写。")]


def register(app: typer.Typer) -> None:
    app.command(
        "correct", epilog="例：callscore correct d11 --at 00:12.3 --from 宫号 --to 工号 --reason 识别有误"
    )(correct_command)
    app.command("relink", epilog="例：callscore relink d11 --set agent_id=1022 --reason 话单登记错了")(
        relink_command
    )
    app.command("history", epilog="例：callscore history d11")(history_command)


def correct_command(
    call: Call,
    at: Annotated[str, typer.Option("--at", metavar="MM:SS.S", help="那句话在录音里的时间，前后 3 秒内找。")],
    heard: Annotated[str, typer.Option("--from", help="转写里写成什么。")],
    said: Annotated[str, typer.Option("--to", help="实际说的是什么。")],
    reason: Reason = "",
    who: Who = "",
    database: Database = None,
    rules: Rules = None,
) -> None:
    """改正听错的字并重评：原来的转写和评分都保留，另添一份，记下谁、何时、为什么。"""
    settings = load(SettingsOptions(database=database, rules=rules))
    wording = Wording(at=clock_time(at), heard=heard, said=said)
    by = _signed(who, reason)
    with open_store(settings) as store:
        with bar("重评"):
            scorings = correct_words(call, wording, Scorer.in_force(store, settings, at=by.at), by)
        _print_changes(Viewer(store, inspector(who or None, settings)), *scorings)


def relink_command(
    call: Call,
    metadata: Annotated[
        Path | None, typer.Option("--metadata", help="正确的话单 CSV，用其中这通电话的那一行。")
    ] = None,
    values: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="COLUMN=VALUE", help="直接改一列，可写多次；等号后为空就是清掉。"),
    ] = None,
    reason: Reason = "",
    who: Who = "",
    database: Database = None,
    rules: Rules = None,
) -> None:
    """改正话单（坐席、方向、业务、声道……）并重评：原来的评分保留，改了什么记下来。"""
    settings = load(SettingsOptions(database=database, rules=rules))
    if metadata is None and not values:
        raise typer.BadParameter("给出 --metadata 话单，或 --set 列名=值。", param_hint="--metadata/--set")
    facts = Facts(table=metadata, values=dict(map(_pair, values or ())))
    by = _signed(who, reason)
    with open_store(settings) as store:
        with bar("重评"):
            scorings = relink(call, facts, Scorer.in_force(store, settings, at=by.at), by)
        _print_changes(Viewer(store, inspector(who or None, settings)), *scorings)


def history_command(call: Call, viewer: For = None, database: Database = None) -> None:
    """一通电话的经过：每次评分、改正和人的决定，谁、何时、为什么；摘要可用于 rescore --as-of。"""
    settings = load(SettingsOptions(database=database))
    with open_store(settings) as store:
        looking = Viewer(store, inspector(viewer, settings))
        found = looking.seen(store.latest(store.find_call(call).id))
        events = history(store, found.stored.recording.id, found)
    console().print(history_view(events, settings))
    if found.hidden:
        console().print(kept_back(found.hidden, looking.who))


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set：发现“{text}”，应为 列名=值", hint="例：--set agent_id=1022")
    return name.strip(), value


def _signed(who: str, reason: str) -> Signed:
    return Signed(who=who or login(), at=datetime.now(UTC), reason=reason)


def _print_changes(looking: Viewer, before: StoredCall, after: StoredCall) -> None:
    rules = rules_by_digest(looking.store)
    old, new = (Scoring.stored(looking.seen(scoring).stored, rules) for scoring in (before, after))
    out = console()
    out.print("已改正，另添一张评分表；原来的转写和评分都在，callscore history 看经过。")
    out.print(changes_view(old, new))
    out.print(totals_line(old, new))
