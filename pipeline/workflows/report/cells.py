"""What stands in a table of a report. Every renderer shows a cell in its own way, from the same value."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pipeline.units import Ms, clock
from pipeline.workflows.report.values import Example


@dataclass(frozen=True, slots=True)
class Percent:
    """A rate in [0, 1]."""

    value: float | None


@dataclass(frozen=True, slots=True)
class Number:
    """A figure with so many decimals."""

    value: float | None
    decimals: int = 1


@dataclass(frozen=True, slots=True)
class Time:
    """A length or a place in a recording."""

    ms: Ms | float | None


@dataclass(frozen=True, slots=True)
class Examples:
    """Calls to listen to."""

    found: tuple[Example, ...]


class Of(StrEnum):
    """What a name names: somebody, a rule, a stretch of time, or calls: all of them, those that lost points
    on an item or were void for a cause, those of the queue that are so."""

    AGENT = "agent"
    TEAM = "team"
    RULE = "rule"
    HITS = "hits"
    DAY = "day"
    WEEK = "week"
    ITEM = "item"
    CAUSE = "cause"
    CALLS = "calls"


@dataclass(frozen=True, slots=True)
class Named:
    """A name or a figure that leads on to what it is about."""

    shown: str | int
    of: Of
    key: str


Cell = str | int | Percent | Number | Time | Examples | Named | None
NOTHING = "—"


def text(cell: Cell) -> str:
    """The cell as people read it."""
    match cell:
        case None | Percent(None) | Number(None) | Time(None):
            return NOTHING
        case Percent(float() | int() as value):
            return f"{value * 100:.1f} %"
        case Number(float() | int() as value, decimals):
            return f"{value:,.{decimals}f}"
        case Time(float() | int() as ms):
            return clock(round(ms))
        case int() as count:
            return f"{count:,}"
        case Named(shown):
            return text(shown)
        case Examples(found):
            return "；".join(map(example, found))
        case _:
            return str(cell)


def example(found: Example) -> str:
    """`d04 01:02.3 “不归我们管”`: the call, the place in it, what was heard there."""
    place = "" if found.at is None else f" {clock(found.at)}"
    said = f" “{found.quote}”" if found.quote else ""
    return f"{found.call}{place}{said}"


def between(interval: tuple[float, float] | None) -> str:
    """An interval of rates: `81.0–88.9 %`."""
    if interval is None:
        return NOTHING
    low, high = (min(1.0, max(0.0, bound)) * 100 for bound in interval)
    return f"{low:.1f}–{high:.1f} %"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """`figure`: aligned to the right. `wide`: folds first where the page is narrow."""

    title: str
    figure: bool = False
    wide: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`plot` names the picture that shows the same, where there is one."""

    title: str
    headings: tuple[Heading, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    plot: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Sentences under a heading."""

    title: str
    lines: tuple[str, ...]


Block = Table | Lines


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A whole report, laid out."""

    title: str
    subtitle: str
    blocks: tuple[Block, ...]


def headings(*titles: str, figures: Sequence[str] = (), wide: Sequence[str] = ()) -> tuple[Heading, ...]:
    """Headings by title; `figures` and `wide` name some of them."""
    return tuple(Heading(title=title, figure=title in figures, wide=title in wide) for title in titles)
