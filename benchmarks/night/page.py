"""What a part of the benchmark found, and the page made of all of them."""

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

IDLE = 0.5
"""Load of a machine that does nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """What was asked for, and what was found. `least`: the limit is the least that will do, else the most."""

    what: str
    found: float
    limit: float
    least: bool = False
    unit: str = ""

    @property
    def met(self) -> bool:
        return self.found >= self.limit if self.least else self.found <= self.limit

    def row(self) -> str:
        asked = f"{'≥' if self.least else '≤'} {self.limit:g}{self.unit}"
        return f"| {self.what} | {self._told()}{self.unit} | {asked} | {'是' if self.met else '**否**'} |"

    def _told(self) -> str:
        """With more digits where fewer would hide whether it was met."""
        plain = f"{self.found:.2f}"
        return plain if (float(plain) == self.limit) <= self.met else f"{self.found:.4f}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One section of the page."""

    title: str
    lines: Sequence[str]
    bars: Sequence[Bar] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How the parts were run: `command` to run them again, load `before` and `after` them (their own
    work is in the second), `seconds` in all."""

    command: str
    before: float
    after: float
    seconds: float


def page(parts: Iterable[Part], run: Run) -> list[str]:
    """Lines of Markdown."""
    parts = list(parts)
    head = (
        "# 一夜有多快（由 `make bench-night` 生成，请勿手改）",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}，`{run.command}`；{_machine()}，",
        f"开始时负载 {run.before:.1f}，结束时 {run.after:.1f}{_busy(run)}，共 {run.seconds / 60:.1f} 分钟。",
        "",
        "“处理器”：这一夜的所有进程用掉的处理器秒数，机器上有别的任务时比钟点可靠。要对比的在同一次运行里轮流做。",
        "",
        "| 量什么 | 结果 | 要求 | 达到 |",
        "|---|---:|---:|---|",
        *(bar.row() for part in parts for bar in part.bars),
    )
    sections = (line for part in parts for line in ("", f"## {part.title}", "", *part.lines))
    return [*head, *sections]


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """The first column is text, the others are numbers."""
    marks = ["---", *("---:" for _ in head[1:])]
    return [f"| {' | '.join(map(str, cells))} |" for cells in (head, marks, *rows)]


def _machine() -> str:
    return (
        f"{platform.system()} {platform.machine()}，{os.cpu_count()} 核，Python {platform.python_version()}"
    )


def _busy(run: Run) -> str:
    own = (os.cpu_count() or 1) + 1
    return "（**机器不空闲，钟点不可信**）" if run.before > IDLE or run.after > own else ""
