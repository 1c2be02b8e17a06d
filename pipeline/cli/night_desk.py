"""`callscore status`, `reconcile` and `quarantine`: how the nights go, what is left over."""

import json
from datetime import UTC, datetime
from typing import Annotated

import typer

from pipeline.cli.night import Folder, MetadataFile
from pipeline.cli.night_progress import STAGES
from pipeline.cli.options import Database, Model, SettingsOptions, load
from pipeline.cli.render import console
from pipeline.errors import UsageError
from pipeline.media.metadata import read_metadata
from pipeline.media.values import time_zone
from pipeline.speech.provenance import provenance_of
from pipeline.storage.night_records import Night
from pipeline.storage.store import Store
from pipeline.units import clock, to_ms
from pipeline.workflows.night.jobs import metadata_path
from pipeline.workflows.night.owner import is_gone
from pipeline.workflows.night.pace import Pace
from pipeline.workflows.night.reconcile import Named, Reconciled, reconcile
from pipeline.workflows.night.values import NightPlan

EXIT_FAULTS = 1
AsJson = Annotated[bool, typer.Option("--json", help="打印 JSON。")]
Paths = Annotated[list[str] | None, typer.Argument(metavar="PATH...", help="录音的路径，照 list 里的写。")]
All = Annotated[bool, typer.Option("--all", help="隔离着的全部。")]

quarantine = typer.Typer(no_args_is_help=True, help="隔离的录音：列出、再试、放过。")


def register(app: typer.Typer) -> None:
    app.command("status", epilog="例：callscore status")(status)
    app.command("reconcile", epilog="例：callscore reconcile data/demo")(reconcile_command)
    app.add_typer(quarantine, name="quarantine")


def status(
    last: Annotated[int, typer.Option("--last", min=1, help="看最近几夜。")] = 3,
    as_json: AsJson = False,
    database: Database = None,
) -> None:
    """最近几夜怎么样：正在跑的做到哪里、多快、还要多久，跑完的做了多少，中断的停在哪里。"""
    settings = load(SettingsOptions(database=database))
    with Store.open(settings.database, create=False) as store:
        nights, waiting = store.nights()[:last], len(store.quarantined())
    now = datetime.now(UTC)
    if as_json:
        told = [_plain(night, now) for night in nights]
        typer.echo(json.dumps({"nights": told, "quarantined": waiting}, ensure_ascii=False, indent=2))
        return
    zone = time_zone(settings.time_zone)
    for night in nights:
        console().print(
            f"第 {night.id} 夜  {night.started_at.astimezone(zone):%Y-%m-%d %H:%M}  {night.folder}  "
            f"{_state(night, now)}",
            markup=False,
            soft_wrap=True,
        )
        console().print(f"  {_progress(night)}", markup=False, soft_wrap=True)
    console().print(f"还隔离着 {waiting} 个。" if nights else "还没有跑过：callscore nightly 录音文件夹")


def _is_running(night: Night, now: datetime) -> bool:
    lives = night.owner is not None and not is_gone(night.owner)
    return night.ended_at is None and lives and night.lease_until is not None and night.lease_until > now


def _state(night: Night, now: datetime) -> str:
    if night.ended_at is not None:
        return "已完成"
    return "正在跑" if _is_running(night, now) else "中断了，再跑一次接着做"


def _progress(night: Night) -> str:
    counts, pace = night.counts, Pace.of(night.counts)
    seconds = float(counts.get("seconds", 0))
    total = "?" if pace.total is None else pace.total
    did = (("评分", "scored", "通"), ("已做过", "already_done", "通"), ("隔离", "quarantined", "个"))
    parts = [
        f"{pace.passed + pace.finished}/{total}",
        "，".join(f"{what} {counts.get(name, 0):g} {unit}" for what, name, unit in did),
        f"用时 {clock(to_ms(seconds))}，{pace.realtime(seconds):.1f} 倍实时",
        f"每小时 {pace.per_hour(seconds):.0f} 通",
    ]
    left = pace.left(seconds)
    if night.ended_at is None and left is not None:
        parts.append(f"还要 {clock(to_ms(left))}")
    return "  ".join(parts)


def _plain(night: Night, now: datetime) -> dict[str, object]:
    pace, seconds = Pace.of(night.counts), float(night.counts.get("seconds", 0))
    return {
        "night": night.id,
        "folder": night.folder,
        "started_at": night.started_at.isoformat(),
        "ended_at": night.ended_at.isoformat() if night.ended_at else None,
        "running": _is_running(night, now),
        "counts": dict(night.counts),
        "realtime_factor": round(pace.realtime(seconds), 2),
        "calls_per_hour": round(pace.per_hour(seconds), 1),
        "seconds_left": None if night.ended_at else pace.left(seconds),
    }


def reconcile_command(
    folder: Folder, metadata: MetadataFile = None, database: Database = None, model: Model = None
) -> None:
    """核对一个文件夹：每个录音是做完、隔离、不用评还是没做，加起来对不对得上；话单、文件、数据库互相缺什么。

    有没做的、缺的，退出码为 1。
    """
    settings = load(SettingsOptions(database=database, model=model))
    path = metadata_path(NightPlan(folder=folder, metadata=metadata))
    rows = read_metadata(path, settings.columns, settings.time_zone) if path.is_file() else None
    with Store.open(settings.database, create=False) as store:
        found = reconcile(folder, rows, store, provenance_of(settings))
    _tell(found)
    others = (found.pending, found.without_row, found.without_file, found.gone)
    raise typer.Exit(EXIT_FAULTS if not found.adds_up or any(one.count for one in others) else 0)


def _tell(found: Reconciled) -> None:
    console().print(
        f"录音 {found.seen} 个 = 做完 {found.done} + 隔离 {found.quarantined} + 不用评 {found.skipped} "
        f"+ 没做 {found.pending.count}{'' if found.adds_up else '：对不上！'}"
    )
    _list("没做的（再跑一次 nightly）", found.pending)
    _list("话单里没有的录音", found.without_row)
    _list("话单里有、文件不在的", found.without_file)
    _list("数据库里有、文件不在的", found.gone)


def _list(title: str, named: Named) -> None:
    if not named.count:
        return
    console().print(f"{title}：{named.count} 个")
    for name in named.first:
        console().print(f"  {name}", markup=False, soft_wrap=True)
    if named.count > len(named.first):
        console().print("  ……")


@quarantine.command("list", epilog="例：callscore quarantine list")
def list_command(as_json: AsJson = False, database: Database = None) -> None:
    """列出隔离着的：路径、在哪一步、为什么、试过几次。"""
    with _store(database) as store:
        faults = store.quarantined()
    if as_json:
        names = ("path", "stage", "reason", "sha256", "tries")
        rows = [{name: getattr(fault, name) for name in names} for fault in faults]
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    for fault in faults:
        given_up = "，不再自动试" if fault.is_poison else ""
        told = f"{STAGES.get(fault.stage, fault.stage)}（{fault.tries} 次{given_up}）  {fault.reason}"
        console().print(told, markup=False, soft_wrap=True)
    if not faults:
        console().print("没有隔离的。")


@quarantine.command("retry", epilog="例：callscore quarantine retry --all")
def retry_command(paths: Paths = None, everything: All = False, database: Database = None) -> None:
    """下一夜再试：从头计次数。"""
    with _store(database) as store:
        count = store.retry(_chosen(paths, everything, store), at=datetime.now(UTC))
    console().print(f"{count} 个下一夜再试。")


@quarantine.command("release", epilog="例：callscore quarantine release data/demo/audio/broken.wav")
def release_command(paths: Paths = None, everything: All = False, database: Database = None) -> None:
    """放过：看过了，不用评；不再试，也不再报。"""
    with _store(database) as store:
        count = store.release(_chosen(paths, everything, store), at=datetime.now(UTC))
    console().print(f"{count} 个不再试。")


def _chosen(paths: list[str] | None, everything: bool, store: Store) -> list[str]:
    there = [fault.path for fault in store.quarantined()]
    if everything:
        return there
    absent = [path for path in paths or [] if path not in there]
    if absent or not paths:
        found = "、".join(absent) or "一个路径也没有"
        raise UsageError(f"{found}：不在隔离里", hint="callscore quarantine list 看有哪些；--all 是全部")
    return paths


def _store(database: str | None) -> Store:
    return Store.open(load(SettingsOptions(database=database)).database, create=False)
