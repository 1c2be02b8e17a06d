"""`callscore rules try|impact|backtest|suggest|learn`: what a change of rules does to stored calls."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import tuning_view as view
from pipeline.cli.backtest_view import backtest_json, print_backtest
from pipeline.cli.impact_view import impact_json, print_impact
from pipeline.cli.learn_view import last_line, learned_json, print_learned
from pipeline.cli.options import Database, Rules, SettingsOptions, load
from pipeline.cli.render import console
from pipeline.cli.suggest_view import print_suggestion, suggestion_json
from pipeline.cli.wordlist import register as register_wordlist
from pipeline.detect.scene import Thresholds
from pipeline.errors import CallscoreError, UsageError
from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.workflows.meaning import Understanding
from pipeline.workflows.rules import load_rules, rules_folder
from pipeline.workflows.tuning.archive import Archive
from pipeline.workflows.tuning.backtest import Backtesting, Draw, backtest_store
from pipeline.workflows.tuning.impact import impact
from pipeline.workflows.tuning.learn import apply as write_learned
from pipeline.workflows.tuning.learn import learn
from pipeline.workflows.tuning.plot import plot_sweep
from pipeline.workflows.tuning.sources import RulesFolder, side
from pipeline.workflows.tuning.suggest import suggest
from pipeline.workflows.tuning.try_rule import Order, Trial, Tried, try_rule

POLL_SECONDS = 0.4

Json = Annotated[bool, typer.Option("--json", help="打印 JSON。")]


class Who(StrEnum):
    AGENT = "agent"
    CUSTOMER = "customer"
    ANY = "any"


def register(app: typer.Typer) -> None:
    app.command("try", epilog="例：callscore rules try rules/forbidden/shirking.yml --watch")(try_command)
    app.command("impact", epilog="例：callscore rules impact --base HEAD --head rules")(impact_command)
    app.command(
        "backtest", epilog="例：callscore rules backtest --rule forbidden.shirking --sample 60 --seed 7"
    )(backtest_command)
    app.command("suggest", epilog="例：callscore rules suggest forbidden.shirking --plot 阈值.png")(
        suggest_command
    )
    app.command("learn", epilog="例：callscore rules learn forbidden.shirking_meaning --apply")(learn_command)
    register_wordlist(app)


def try_command(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="一个规则文件；不写就只试 --phrase。")
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
    near: Annotated[
        bool, typer.Option("--near", help="没算上的也列出来：差一点就算的，和被例外去掉的。")
    ] = False,
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
        before: Tried | None = None

        def once() -> None:
            nonlocal before
            began = time.monotonic()
            with _archive(store, settings) as archive:
                tried = try_rule(trial, folder, archive)
            if json:
                typer.echo(view.tried_json(tried))
            else:
                view.print_tried(tried, trial, settings, seconds=time.monotonic() - began)
                view.print_since(before, tried)
            before = tried

        if watch and file is not None:
            on_every_save(file, once)
        else:
            once()


@contextmanager
def _archive(store: Store, settings: Settings) -> Iterator[Archive]:
    """The stored calls, with a bar while they are looked through."""
    with view.progress() as watch:
        yield Archive(
            store=store,
            thresholds=Thresholds.of(settings),
            understanding=Understanding(settings),
            watch=watch,
        )


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


def impact_command(
    base: Annotated[
        str, typer.Option("--base", help="改之前：规则文件夹、存过的规则集摘要（唯一前缀），或 git 版本。")
    ],
    head: Annotated[str | None, typer.Option("--head", help="改之后，同上；默认是现在的规则文件夹。")] = None,
    limit: Annotated[
        int, typer.Option("--limit", min=0, help="每条规则最多各列几处多出、少掉的，新的在前；0：全部。")
    ] = 5,
    json: Json = False,
    database: Database = None,
    rules: Rules = None,
) -> None:
    """规则改了会怎样：每条规则多出、少掉哪些发现，坐席和业务的得分怎么变。只算，不写库。"""
    settings = load(SettingsOptions(database=database, rules=rules))
    folder = rules_folder(settings)
    with Store.open(settings.database, create=False) as store, _archive(store, settings) as archive:
        sides = side(base, folder, store), side(head or str(folder), folder, store)
        found = impact(*sides, archive, examples=limit or None)
    if json:
        typer.echo(impact_json(found))
    else:
        print_impact(found, settings)


def backtest_command(
    rule: Annotated[
        list[str] | None, typer.Option("--rule", help="只看这条规则；可以写几次。默认全部。")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option("--labels", help="标注过的通话的文件夹（含 truth/），也拿来对照。")
    ] = None,
    sample: Annotated[
        int, typer.Option("--sample", min=0, help="每条规则抽几通没有命中的通话来听，以便推算召回率。")
    ] = 0,
    seed: Annotated[int, typer.Option("--seed", help="抽样的种子；同一个种子抽出同一批。")] = 0,
    json: Json = False,
    database: Database = None,
    rules: Rules = None,
) -> None:
    """现在的规则准不准：对照质检员的判断和标注，给出精确率、召回率、n 和 95 % 区间。

    没有人听过没有命中的通话时，召回率不能说；--sample 抽一批来听。
    """
    settings = load(SettingsOptions(database=database, rules=rules))
    order = Backtesting(rules=tuple(rule or ()), labels=labels, draw=Draw(size=sample, seed=seed))
    ruleset = load_rules(settings)
    with Store.open(settings.database, create=False) as store, _archive(store, settings) as archive:
        found = backtest_store(order, ruleset, archive)
    if json:
        typer.echo(backtest_json(found))
    else:
        print_backtest(found, drawn=sample > 0)


def suggest_command(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="规则的 id，如 forbidden.shirking。")],
    plot: Annotated[
        Path | None, typer.Option("--plot", help="另把阈值的取舍画成图（.png、.svg 或 .pdf）。")
    ] = None,
    patch: Annotated[bool, typer.Option("--patch", help="只打印补丁，可以存成文件。")] = False,
    json: Json = False,
    database: Database = None,
    rules: Rules = None,
) -> None:
    """给一条规则提建议：候选说法、候选例外、阈值的取舍，和一个补丁；从不自己改文件。"""
    settings = load(SettingsOptions(database=database, rules=rules))
    folder = RulesFolder(rules_folder(settings))
    with Store.open(settings.database, create=False) as store, _archive(store, settings) as archive:
        found = suggest(rule, folder, archive)
    if plot and found.swept:
        plot_sweep(found.rows, found.threshold, f"{found.rule.title}（{found.rule.id}）", plot)
    if json:
        typer.echo(suggestion_json(found))
    elif patch and not found.patch:
        typer.echo("没有够稳妥的改动可以提出。", err=True)
    elif patch:
        typer.echo(found.patch, nl=False)
    else:
        print_suggestion(found, plot)


def learn_command(
    rule: Annotated[str, typer.Argument(metavar="RULE", help="按意思找的规则的 id。")],
    apply: Annotated[bool, typer.Option("--apply", help="把要学的原话写进规则文件。")] = False,
    patch: Annotated[bool, typer.Option("--patch", help="只打印补丁，可以存成文件。")] = False,
    limit: Annotated[int, typer.Option("--limit", min=0, help="最多列几处变化；0：全部。")] = 20,
    json: Json = False,
    database: Database = None,
    rules: Rules = None,
) -> None:
    """让按意思找的规则从质检员的判断里学：先看学了会怎样，再用 --apply 写进规则文件。

    判对的原话当例句，判错的当反例，写在规则文件的 confirmed 和 rejected 里。
    """
    settings = load(SettingsOptions(database=database, rules=rules))
    folder = RulesFolder(rules_folder(settings))
    with Store.open(settings.database, create=False) as store, _archive(store, settings) as archive:
        found = learn(rule, folder, archive)
    applied = apply and bool(found.text)
    if applied:
        write_learned(found)
    if json:
        typer.echo(learned_json(found))
    elif patch:
        typer.echo(found.patch, nl=False)
    else:
        print_learned(found, settings, limit or None)
        if found.text:
            typer.echo(last_line(found, applied=applied))
