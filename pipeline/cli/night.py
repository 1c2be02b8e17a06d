"""`callscore nightly` and `callscore score`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from pipeline.cli.options import Database, Model, Rules, SettingsOptions, load
from pipeline.cli.render import call_view, console
from pipeline.errors import UsageError
from pipeline.media.values import moment, time_zone
from pipeline.settings import Settings
from pipeline.speech.listen import Listener
from pipeline.storage.night_records import Quarantined
from pipeline.storage.records import ScoredCall
from pipeline.storage.store import Store
from pipeline.units import clock, to_ms
from pipeline.workflows.document import call_document
from pipeline.workflows.meaning import Understanding
from pipeline.workflows.nightly import NightPlan, NightTools, Summary, run_night
from pipeline.workflows.process_call import process_call
from pipeline.workflows.rules import load_rules, rules_in_force

EXIT_QUARANTINED = 3
STAGES = {
    "list": "列目录",
    "metadata": "话单",
    "read": "读文件",
    "decode": "解码",
    "prepare": "预处理",
    "recognize": "识别",
    "judge": "评分",
}


def register(app: typer.Typer) -> None:
    app.command("nightly", epilog="例：callscore nightly data/demo --metadata data/demo/metadata.csv")(
        nightly
    )
    app.command("score", epilog="例：callscore score data/demo/audio/d11.mp3")(score)


def nightly(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="存放录音的文件夹，含下级文件夹。")],
    metadata: Annotated[
        Path | None, typer.Option("--metadata", help="话单 CSV；默认用文件夹里的 metadata.csv。")
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", help="只处理这个时间以后的通话，如 2024-05-06。")
    ] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="最多处理多少通。")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只列出要做什么，不识别也不写库。")] = False,
    database: Database = None,
    rules: Rules = None,
    model: Model = None,
) -> None:
    """跑一夜：听完文件夹里的录音，给每通电话预填评分表存进数据库。

    做过的自动跳过；中断后再跑接着做。退出码：0 全部正常，3 有录音被隔离，2 用法不对。
    """
    settings = load(SettingsOptions(database=database, rules=rules, model=model))
    plan = NightPlan(
        folder=folder, metadata=metadata, since=_moment(since, settings), limit=limit, dry_run=dry_run
    )
    understanding = Understanding(settings)
    with Store.open(settings.database) as store:
        tools = NightTools(
            store=store,
            listener=lambda: Listener.open(settings),
            provenance=Listener.provenance_of(settings),
            ruleset=rules_in_force(store, understanding, at=datetime.now(UTC)),
            settings=settings,
            clock=lambda: datetime.now(UTC),
            understand=understanding.with_sentences,
        )
        watcher = progress_watcher()
        try:
            with watcher:
                summary = run_night(plan, tools, watcher)
        except KeyboardInterrupt:
            console().print("已中断。做完的都已存好，再跑一次接着做剩下的。")
            raise typer.Exit(130) from None
    print_summary(summary, plan)
    raise typer.Exit(EXIT_QUARANTINED if summary.quarantined else 0)


def score(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="一个录音文件。")],
    rules: Rules = None,
    model: Model = None,
    json: Annotated[bool, typer.Option("--json", help="打印 JSON。")] = False,
) -> None:
    """听一个录音文件并打印评分表，不写数据库。"""
    settings = load(SettingsOptions(rules=rules, model=model))
    understanding = Understanding(settings)
    ruleset = understanding.taught(load_rules(settings))
    scored = process_call(file, None, ruleset, Listener.open(settings), understanding)
    document = call_document(
        scored.recording, scored.transcript, tuple(scored.findings), scored.scorecard, ruleset
    )
    if json:
        typer.echo(document.model_dump_json(indent=2))
    else:
        console().print(call_view(document, settings))


def _moment(text: str | None, settings: Settings) -> datetime | None:
    if text is None:
        return None
    try:
        return moment(text, zone=time_zone(settings.time_zone))
    except ValueError as error:
        raise UsageError(f"--since：发现“{text}”，应为{error}", hint="例：--since 2024-05-06") from error


class Rate(ProgressColumn):
    """Seconds of audio a second of work, and the time left; both as of the last call that was finished."""

    def __init__(self) -> None:
        super().__init__()
        self.heard_seconds = 0.0
        self._finished, self._at = 0.0, 0.0

    def render(self, task: Task) -> Text:
        elapsed = task.elapsed or 0.0
        if task.completed != self._finished:
            self._finished, self._at = task.completed, elapsed
        if not self._finished or not self._at:
            return Text("")
        expected = self._at / self._finished * ((task.total or 0) - self._finished)
        left = max(0.0, expected - (elapsed - self._at))
        return Text(f"{self.heard_seconds / self._at:.1f} 倍实时  剩 {clock(to_ms(left))}")


class BarWatcher:
    """A progress bar for a terminal."""

    def __init__(self, out: Console) -> None:
        self.rate = Rate()
        self.progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), self.rate, console=out
        )
        self.task = self.progress.add_task("评分", total=None)

    def __enter__(self) -> "BarWatcher":
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def planned(self, jobs: int, done: int) -> None:
        self.progress.update(self.task, total=jobs)

    def scored(self, call: ScoredCall) -> None:
        self.rate.heard_seconds += call.recording.duration / 1000
        self.progress.advance(self.task)

    def quarantined(self, fault: Quarantined) -> None:
        self.progress.console.print(_fault_line(fault), style="yellow", markup=False)
        if fault.stage in ("decode", "prepare", "recognize", "judge"):
            self.progress.advance(self.task)

    def noticed(self, fault: str) -> None:
        self.progress.console.print(f"注意  {fault}", style="dim", markup=False)


class LineWatcher:
    """One plain line for each event, for logs and pipes."""

    def __init__(self, out: Console) -> None:
        self.out, self.total, self.finished = out, 0, 0

    def __enter__(self) -> "LineWatcher":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def planned(self, jobs: int, done: int) -> None:
        self.total = jobs
        self._say(f"要处理 {jobs} 通，已做过 {done} 通")

    def scored(self, call: ScoredCall) -> None:
        self.finished += 1
        about = call.recording
        self._say(f"{self.finished}/{self.total}  {about.name}  {clock(about.duration)}  {_result(call)}")

    def quarantined(self, fault: Quarantined) -> None:
        self._say(_fault_line(fault))

    def noticed(self, fault: str) -> None:
        self._say(f"注意  {fault}")

    def _say(self, line: str) -> None:
        self.out.print(line, markup=False, soft_wrap=True)


def progress_watcher() -> BarWatcher | LineWatcher:
    """A bar on a terminal, plain lines elsewhere."""
    out = console()
    return BarWatcher(out) if out.is_terminal else LineWatcher(out)


def _result(call: ScoredCall) -> str:
    card = call.scorecard
    return "没有适用的评分表" if card is None else f"已得 {card.total}，待定 {card.open_points}"


def _fault_line(fault: Quarantined) -> str:
    return f"隔离（{STAGES.get(fault.stage, fault.stage)}）  {fault.reason}"


def print_summary(summary: Summary, plan: NightPlan) -> None:
    """How the night ended, and where to go on."""
    out = console()
    if plan.dry_run:
        out.print(
            f"试运行：会处理 {summary.not_started} 通，已做过 {summary.already_done} 通，"
            f"不能用的 {len(summary.quarantined)} 个。什么都没有写。"
        )
        return
    out.print(
        f"完成：评分 {summary.scored} 通（录音 {clock(summary.heard)}），"
        f"已做过 {summary.already_done} 通，隔离 {len(summary.quarantined)} 个。"
    )
    if summary.quarantined:
        out.print("隔离的录音和原因：")
        for fault in summary.quarantined:
            out.print(f"  {fault.reason}", markup=False, soft_wrap=True)
        out.print("修好后再跑一次，只处理这些。")
