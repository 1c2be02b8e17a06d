"""`callscore nightly` and `callscore watch`."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.files import check_folder
from pipeline.cli.night_run import Cluster, a_length, a_moment, print_summary, running
from pipeline.cli.options import Database, Model, Rules, SettingsOptions, load
from pipeline.media.places import place
from pipeline.workflows.night.values import NightPlan
from pipeline.workflows.night.watch import watch
from pipeline.workflows.nightly import run_night

EXIT_QUARANTINED = 3

Folder = Annotated[
    Path,
    typer.Argument(metavar="FOLDER", parser=place, help="存放录音的文件夹，含下级文件夹；或 s3://桶/位置。"),
]
MetadataFile = Annotated[
    Path | None,
    typer.Option(
        "--metadata", metavar="FILE", parser=place, help="话单 CSV；默认用文件夹里的 metadata.csv。"
    ),
]
OnRay = Annotated[
    str | None,
    typer.Option(
        "--ray",
        metavar="ADDRESS",
        help="在 Ray 集群上识别，如 10.0.0.1:6379；每台机器都看得到这个文件夹，装同一个版本。",
    ),
]


def register(app: typer.Typer) -> None:
    app.command("nightly", epilog="例：callscore nightly data/demo --metadata data/demo/metadata.csv")(
        nightly
    )
    app.command("watch", epilog="例：callscore watch /srv/recordings --settle 30s")(watch_command)


def nightly(
    folder: Folder,
    metadata: MetadataFile = None,
    since: Annotated[
        str | None, typer.Option("--since", help="只处理这个时间以后的通话，如 2024-05-06。")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="最多处理多少通。")] = None,
    budget: Annotated[
        str | None, typer.Option("--budget", help="最多做多久，如 6h、1h30m；到时停下，重要的先做。")
    ] = None,
    report: Annotated[
        Path | None, typer.Option("--report", help="这一夜的报告（JSON）写到哪里；默认在数据库旁边。")
    ] = None,
    ray: OnRay = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只列出要做什么，不识别也不写库。")] = False,
    database: Database = None,
    rules: Rules = None,
    model: Model = None,
) -> None:
    """跑一夜：听完文件夹里的录音，给每通电话预填评分表存进数据库。

    做过的自动跳过；中断后再跑接着做；同时跑两个会分着做。退出码：0 全部正常，3 有录音被隔离，2 用法不对。
    """
    if report:
        check_folder(report)
    settings = load(SettingsOptions(database=database, rules=rules, model=model))
    plan = NightPlan(
        folder=folder,
        metadata=metadata,
        since=a_moment(since, settings),
        limit=limit,
        dry_run=dry_run,
        budget_seconds=a_length(budget, "--budget"),
    )
    with running(settings, Cluster(address=ray, folder=folder) if ray else None) as run:
        summary = run_night(plan, run.tools, run.watcher)
    print_summary(summary, plan)
    run.tell(summary, plan, report)
    raise typer.Exit(EXIT_QUARANTINED if summary.quarantined else 0)


def watch_command(
    folder: Folder,
    metadata: MetadataFile = None,
    settle: Annotated[str, typer.Option("--settle", help="大小和修改时间多久不变算写完，如 30s。")] = "30s",
    every: Annotated[str, typer.Option("--every", help="隔多久看一次，如 10s。")] = "10s",
    ray: OnRay = None,
    database: Database = None,
    rules: Rules = None,
    model: Model = None,
) -> None:
    """守着文件夹：录音写完就评，和 nightly 一样做；Ctrl-C 或 SIGTERM 停下。话单里还没有的等到有了再做。"""
    settings = load(SettingsOptions(database=database, rules=rules, model=model))
    quiet, pause = a_length(settle, "--settle") or 0.0, a_length(every, "--every") or 1.0
    plan = NightPlan(folder=folder, metadata=metadata, settled_seconds=quiet, known=set())
    with running(settings, Cluster(address=ray, folder=folder) if ray else None) as run:
        for summary in watch(plan, run.tools, run.watcher, _pauses(pause)):
            print_summary(summary, plan)


def _pauses(seconds: float) -> Iterator[None]:
    while True:
        yield
        time.sleep(seconds)
