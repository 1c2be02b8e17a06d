"""How a night shows on a terminal and in a log of lines."""

import logging
import time
from contextlib import ExitStack

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.text import Text

from pipeline.cli.render import console
from pipeline.storage.night_records import OF_A_RECORDING, Quarantined
from pipeline.storage.records import ScoredCall
from pipeline.units import clock, to_ms
from pipeline.workflows.night.pace import Pace
from pipeline.workflows.night.telling import logged_by

STAGES = {
    "list": "列目录",
    "metadata": "话单",
    "read": "读文件",
    "decode": "解码",
    "crash": "解码进程",
    "prepare": "预处理",
    "recognize": "识别",
    "judge": "评分",
}


class _Rate(ProgressColumn):
    """As of the last call that was finished."""

    def __init__(self, watcher: "_Watcher") -> None:
        super().__init__()
        self._watcher = watcher

    def render(self, task: Task) -> Text:
        return Text(self._watcher.rate())


class _Watcher:
    """What both ways of showing count."""

    def __init__(self, out: Console) -> None:
        self.out, self.pace, self._began = out, Pace(), time.monotonic()
        self._at = self._began

    def rate(self) -> str:
        """Seconds of audio a second of work, and the time left."""
        seconds = self._at - self._began
        if not self.pace.finished:
            return ""
        left = self.pace.left(seconds)
        told = f"{self.pace.realtime(seconds):.1f} 倍实时"
        if left is None:
            return told
        return f"{told}  剩 {clock(to_ms(max(0.0, left - (time.monotonic() - self._at))))}"

    def started(self, night: int) -> None:
        """Said at the end."""

    def counted(self, recordings: int) -> None:
        self.pace.total = recordings

    def passed(self, recordings: int) -> None:
        self.pace.passed += recordings

    def scored(self, call: ScoredCall) -> None:
        self.pace.heard += call.recording.duration
        self._finished()

    def quarantined(self, fault: Quarantined) -> None:
        if fault.stage in OF_A_RECORDING:
            self._finished()

    def _finished(self) -> None:
        self.pace.finished += 1
        self._at = time.monotonic()


class BarWatcher(_Watcher):
    """A progress bar for a terminal."""

    def __init__(self, out: Console) -> None:
        super().__init__(out)
        self.progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(self), console=out
        )
        self._unseen = ExitStack()
        self.task = self.progress.add_task("评分", total=None)

    def __enter__(self) -> "BarWatcher":
        self._unseen.enter_context(logged_by(logging.NullHandler()))  # people are told in Chinese
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()
        self._unseen.close()

    def counted(self, recordings: int) -> None:
        super().counted(recordings)
        self.progress.update(self.task, total=recordings)

    def passed(self, recordings: int) -> None:
        super().passed(recordings)
        self.progress.advance(self.task, recordings)

    def quarantined(self, fault: Quarantined) -> None:
        super().quarantined(fault)
        self.progress.console.print(fault_line(fault), style="yellow", markup=False)

    def noticed(self, fault: str) -> None:
        self.progress.console.print(f"注意  {fault}", style="dim", markup=False)

    def _finished(self) -> None:
        super()._finished()
        self.progress.advance(self.task)


class LineWatcher(_Watcher):
    """One plain line for each event, for logs and pipes."""

    def __enter__(self) -> "LineWatcher":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def scored(self, call: ScoredCall) -> None:
        super().scored(call)
        about, pace = call.recording, self.pace
        total = "?" if pace.total is None else pace.total
        told = (
            f"{pace.passed + pace.finished}/{total}  {about.name}  {clock(about.duration)}  {_result(call)}"
        )
        self._say(f"{told}  {self.rate()}")

    def quarantined(self, fault: Quarantined) -> None:
        super().quarantined(fault)
        self._say(fault_line(fault))

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


def fault_line(fault: Quarantined) -> str:
    return f"隔离（{STAGES.get(fault.stage, fault.stage)}）  {fault.reason}"
