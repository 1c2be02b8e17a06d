"""What `nightly` and `watch` have in common: the tools, the watchers, the files that a night leaves."""

import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import typer

from pipeline.cli.files import check_folder
from pipeline.cli.night_progress import progress_watcher
from pipeline.cli.render import console
from pipeline.errors import StorageError, UsageError
from pipeline.media.values import moment, time_zone
from pipeline.settings import Settings
from pipeline.speech.provenance import provenance_of
from pipeline.storage.database import beside
from pipeline.storage.store import Store
from pipeline.units import clock
from pipeline.workflows.night.hearing import Opened, VectorsOf, kept_open
from pipeline.workflows.night.preparing import Preparing
from pipeline.workflows.night.telling import Log, Together, report
from pipeline.workflows.night.values import NightPlan, NightTools, Summary, Watcher
from pipeline.workflows.night.workers import local

if TYPE_CHECKING:
    from pipeline.ruleset import RuleSet
    from pipeline.speech.listen import Listener
    from pipeline.workflows.meaning import Understanding

EXIT_STOPPED = 130
_LENGTH = re.compile(r"(?:(\d+(?:\.\d+)?)h)?(?:(\d+(?:\.\d+)?)m)?(?:(\d+(?:\.\d+)?)s)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A night under way, and what is to be written at its end."""

    tools: NightTools
    watcher: Watcher
    log: Log | None

    def tell(self, summary: Summary, plan: NightPlan, target: Path | None) -> None:
        """Write the log's last line and the report; say where it is."""
        if self.log:
            self.log.ended(summary)
        if plan.dry_run:
            return
        path = target or self._report_path(summary)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(path.name + ".part")
            part.write_text(report(summary, plan, self.tools.clock()), encoding="utf-8")
            part.replace(path)
        except OSError as error:
            raise UsageError(f"{path}：报告写不进去（{error.strerror}）") from error
        console().print(f"报告：{path}", markup=False, soft_wrap=True)

    def _report_path(self, summary: Summary) -> Path:
        return beside(self.tools.settings.database, ".nights") / f"{summary.night or 0:06}.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Where `--ray` says that recordings are heard. Ray is loaded only there."""

    address: str
    folder: Path

    def opened(self, notice: Callable[[str], None]) -> Opened:
        from pipeline.workflows.night.cluster.hearing import OnCluster

        return OnCluster(address=self.address, folder=self.folder, notice=notice)


@contextmanager
def running(settings: Settings, cluster: Cluster | None = None) -> Iterator[Run]:
    """The store open, a bar or lines on the terminal, SIGTERM like Ctrl-C: what is done is kept, what was
    claimed is given back. Recordings are heard here, or on a cluster."""
    if settings.log:
        check_folder(Path(settings.log))
    understanding = cache(lambda: _understanding(settings))
    with (
        Store.open(settings.database) as store,
        progress_watcher() as shown,
        _interruptible(),
        kept_open(_opened(cluster, shown.noticed)) as hearing,
    ):
        tools = NightTools(
            store=store,
            prepare=Preparing(settings),
            listener=_listener,
            vectors=_vectors,
            hearing=hearing,
            provenance=provenance_of(settings),
            ruleset=cache(lambda: _rules(store, understanding())),
            settings=settings,
            clock=lambda: datetime.now(UTC),
            understand=lambda call: understanding().with_sentences(call),
        )
        log = Log(Path(settings.log), tools.clock) if settings.log else None
        with log.lines() if log else nullcontext():
            yield Run(tools=tools, watcher=Together([shown, *([log] if log else [])]), log=log)


def _opened(cluster: Cluster | None, notice: Callable[[str], None]) -> Opened:
    return cluster.opened(notice) if cluster else partial(local, notice=notice)


def _listener(settings: Settings) -> "Listener":
    """What needs much code is loaded where there is work: here, in a process that recognizes, and below."""
    from pipeline.speech.listen import Listener

    return Listener.open(settings)


def _vectors(settings: Settings) -> VectorsOf:
    return _understanding(settings).sentences


def _understanding(settings: Settings) -> "Understanding":
    from pipeline.workflows.meaning import Understanding

    return Understanding(settings)


def _rules(store: Store, understanding: "Understanding") -> "RuleSet":
    from pipeline.workflows.rules import rules_in_force

    return rules_in_force(store, understanding, at=datetime.now(UTC))


@contextmanager
def _interruptible() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    except KeyboardInterrupt:
        console().print("已中断。做完的都已存好，再跑一次接着做剩下的。")
        raise typer.Exit(EXIT_STOPPED) from None
    except StorageError:
        console().print("数据库用不了，停在这里。做完的都已存好，修好后再跑一次接着做剩下的。")
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def a_moment(text: str | None, settings: Settings) -> datetime | None:
    """Raises UsageError."""
    if text is None:
        return None
    try:
        return moment(text, zone=time_zone(settings.time_zone))
    except ValueError as error:
        raise UsageError(f"--since：发现“{text}”，应为{error}", hint="例：--since 2024-05-06") from error


def a_length(text: str | None, option: str) -> float | None:
    """Seconds of `6h`, `90m`, `1h30m`, `45s`. Raises UsageError."""
    if text is None:
        return None
    found = _LENGTH.fullmatch(text.strip().lower())
    if not found or not any(found.groups()):
        raise UsageError(f"{option}：发现“{text}”，应为一段时间", hint=f"例：{option} 6h、{option} 1h30m")
    hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return hours * 3600 + minutes * 60 + seconds


def print_summary(summary: Summary, plan: NightPlan) -> None:
    """How the night ended, and where to go on."""
    out = console()
    if plan.dry_run:
        out.print(
            f"试运行：会处理 {summary.pending} 通，已做过 {summary.already_done} 通，"
            f"不能用的 {len(summary.quarantined)} 个。什么都没有写。"
        )
        return
    out.print(
        f"完成：评分 {summary.scored} 通（录音 {clock(summary.heard)}），"
        f"已做过 {summary.already_done} 通，隔离 {len(summary.quarantined)} 个{_others(summary)}。"
    )
    if summary.out_of_time:
        out.print("时间到了，停在这里；没做的下次接着做。")
    if summary.quarantined:
        out.print("隔离的录音和原因：")
        for fault in summary.quarantined:
            out.print(f"  {fault.reason}", markup=False, soft_wrap=True)
        out.print("修好后再跑一次，只处理这些。")


def _others(summary: Summary) -> str:
    named = (
        (summary.poison, "屡次失败不再试"),
        (summary.skipped, "不用评"),
        (summary.elsewhere, "另一夜正在做"),
        (summary.pending, "留待下次"),
    )
    return "".join(f"，{what} {count} 个" for count, what in named if count)
