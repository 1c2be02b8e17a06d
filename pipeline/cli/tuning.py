"""`callscore rules try|impact|backtest|suggest`: what a change to the rules does to the stored calls."""

import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import tuning_view as view
from pipeline.cli.options import Database, Rules, SettingsOptions, load
from pipeline.cli.render import console
from pipeline.detect.scene import Thresholds
from pipeline.errors import CallscoreError, UsageError
from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.workflows.rules import rules_folder
from pipeline.workflows.tuning.sources import RulesFolder
from pipeline.workflows.tuning.try_rule import Order, Trial, try_rule

POLL_SECONDS = 0.4

Json = Annotated[bool, typer.Option("--json", help="打印 JSON。")]


class Who(StrEnum):
    AGENT = "agent"
    CUSTOMER = "customer"
    ANY = "any"


def register(app: typer.Typer) -> None:
    app.command("try", epilog="例：callscore rules try rules/forbidden/shirking.yml --watch")(try_command)


def try_command(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="一个规则文件；不写就只试 --phrase。")
    ] = None,
    phrase: Annotated[
        list[str] | None,
        typer.Option("--phrase", help="试一条说法：加进 FILE 的说法里，并标出是它找到的；可以写几次。"),
    ] = None,
    role: Annotated[Who, typer.Option("--role", help="没有 FILE 时，谁说的算。")] = Who.AGENT,
    order: Annotated[
        Order, typer.Option("--order", help="newest：新的在前；doubtful：最没把握的在前。")
    ] = Order.NEWEST,
    limit: Annotated[int, typer.Option("--limit", min=0, help="最多列几处；0：全部。")] = 20,
    near: Annotated[bool, typer.Option("--near", help="差一点就算的地方也列出来。")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="存盘就重跑；按 Ctrl-C 结束。")] = False,
    json: Json = False,
    database: Database = None,
    rules: Rules = None,
) -> None:
    """试一条规则：现在的写法会命中哪些存过的通话。只跑这条规则和它引用的，不重新识别，不写库。

    文件写错了就列出每处错误；--watch 时接着等下一次存盘。
    """
    if file is None and not phrase:
        raise UsageError("没有要试的规则", hint="给出规则文件，或 --phrase 说法")
    settings = load(SettingsOptions(database=database, rules=rules))
    trial = Trial(
        file=file,
        phrases=tuple(phrase or ()),
        role=role.value,
        order=order,
        limit=limit or None,
        near=near,
    )
    folder = RulesFolder(rules_folder(settings))
    with Store.open(settings.database, create=False) as store:
        once = lambda: _try_once(trial, folder, store, settings, json=json)  # noqa: E731
        if watch and file is not None:
            on_every_save(file, once)
        else:
            once()


def _try_once(trial: Trial, folder: RulesFolder, store: Store, settings: Settings, *, json: bool) -> None:
    began = time.monotonic()
    tried = try_rule(trial, folder, store, Thresholds.of(settings), view.progress)
    if json:
        typer.echo(view.tried_json(tried))
    else:
        view.print_tried(tried, trial, settings, seconds=time.monotonic() - began)


def on_every_save(file: Path, run: Callable[[], None], *, rounds: int | None = None) -> None:
    """Run now and after every change of the file, `rounds` times (None: until Ctrl-C). What is wrong with
    the file is printed and waited out. Looking at the file's time works on network shares, too."""
    try:
        while rounds is None or rounds > 0:
            saved = _saved_at(file)
            try:
                run()
            except CallscoreError as error:
                console().print(f"错误：{error}", style="red", markup=False, soft_wrap=True)
            rounds = None if rounds is None else rounds - 1
            if rounds != 0:
                console().print(f"等 {file} 存盘……（Ctrl-C 结束）", style="dim", markup=False)
            while rounds != 0 and _saved_at(file) == saved:
                time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:
        console().print("结束。")


def _saved_at(file: Path) -> tuple[int, int] | None:
    try:
        about = file.stat()
    except OSError:
        return None
    return about.st_mtime_ns, about.st_size
