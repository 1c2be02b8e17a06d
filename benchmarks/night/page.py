"""What a part of the benchmark found, and the page made of all of them, each as it was last measured."""

import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

DISTURBED = 0.05
"""Of the machine's processor time, used by others: then the clock tells little."""

BARS = ("| 量什么 | 结果 | 要求 | 达到 |", "|---|---:|---:|---|")


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
    """What one part found."""

    title: str
    lines: Sequence[str]
    bars: Sequence[Bar] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How a part was run: `command` to run it again, `seconds` in all, `others` the share of the machine's
    processor time that other programs used meanwhile."""

    command: str
    seconds: float
    others: float


def section(part: Part, run: Run) -> str:
    """A part in Markdown, below its heading."""
    disturbed = "（**机器不空闲，钟点不可信**）" if run.others > DISTURBED else ""
    told = (
        f"{datetime.now(UTC):%Y-%m-%d}，`{run.command}`；{_machine()}；"
        f"{run.seconds / 60:.1f} 分钟，别的程序占处理器 {run.others:.0%}{disturbed}。"
    )
    bars = ("", *BARS, *(bar.row() for bar in part.bars)) if part.bars else ()
    return "\n".join((told, *bars, "", *part.lines))


def page(sections: Mapping[str, str]) -> str:
    """The whole page of sections by their headings, with all bars at its head."""
    rows = (line for text in sections.values() for line in _rows(text))
    head = (
        "# 一夜有多快（由 `make bench-night` 生成，请勿手改）",
        "",
        "“处理器”：这一夜的所有进程用掉的处理器秒数，机器上有别的任务时比钟点可靠。要对比的在同一次运行里做。",
        "每一节写着什么时候、怎么量的。",
        "",
        *BARS,
        *rows,
    )
    told = (f"## {title}\n\n{text}" for title, text in sections.items())
    return "\n\n".join(("\n".join(head), *told)) + "\n"


def sections_of(text: str) -> dict[str, str]:
    """The sections of a page by their headings."""
    _, *told = text.split("\n## ")
    parts = (one.partition("\n") for one in told)
    return {title: body.strip("\n") for title, _, body in parts}


def _rows(text: str) -> list[str]:
    """The bars of a section, as they are written in it."""
    _, found, rest = text.partition("\n".join(BARS))
    return [line for line in rest.partition("\n\n")[0].splitlines() if line] if found else []


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """The first column is text, the others are numbers."""
    marks = ["---", *("---:" for _ in head[1:])]
    return [f"| {' | '.join(map(str, cells))} |" for cells in (head, marks, *rows)]


def _machine() -> str:
    return (
        f"{platform.system()} {platform.machine()}，{os.cpu_count()} 核，Python {platform.python_version()}"
    )
