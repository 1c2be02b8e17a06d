"""A report as one value. Rates are floats in [0, 1], None where nothing was counted."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from pipeline.scoring.intervals import Share, wilson
from pipeline.scoring.means import Mean
from pipeline.units import Ms
from pipeline.workflows.report.told import Told


class Kind(StrEnum):
    DAY = "day"
    WEEK = "week"
    AGENT = "agent"
    TEAM = "team"
    RULE = "rule"

    @property
    def chinese(self) -> str:
        titles = {"day": "日报", "week": "周报", "agent": "坐席报表", "team": "班组报表", "rule": "规则报表"}
        return titles[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Local days, both included, and the moments that bound them (half-open)."""

    first: date
    last: date
    since: datetime
    until: datetime

    def __str__(self) -> str:
        return self.told

    @property
    def told(self) -> str:
        if self.first == self.last:
            return f"{self.first}"
        return Told("{first} 至 {last}", first=self.first, last=self.last)

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A call to listen to, and the place in it. `call` is its name, `recording` its id."""

    recording: str
    call: str
    agent: str
    at: Ms | None
    quote: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Ends:
    """Cards on either side of their pass mark; `undecided` ones can still end on both."""

    passed: int
    failed: int
    undecided: int

    def __iter__(self) -> Iterator[int]:
        return iter((self.passed, self.failed, self.undecided))


@dataclass(frozen=True, slots=True, kw_only=True)
class Passes:
    """Cards of one template against its pass mark."""

    template: str
    title: str
    pass_mark: float | None
    target: float | None
    ends: Ends

    @property
    def cards(self) -> int:
        return sum(self.ends)

    @property
    def range(self) -> tuple[float, float] | None:
        """The pass rate if every undecided card failed, and if every one passed."""
        if not self.cards:
            return None
        return self.ends.passed / self.cards, (self.cards - self.ends.failed) / self.cards

    @property
    def interval(self) -> tuple[float, float] | None:
        """What these cards say of all such calls (95 %), whatever becomes of the undecided ones."""
        if not self.cards:
            return None
        low, _ = wilson(self.ends.passed, self.cards)
        return low, wilson(self.cards - self.ends.failed, self.cards)[1]

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None while the undecided cards can still turn it."""
        if self.target is None or self.range is None:
            return None
        low, high = self.range
        return True if low >= self.target else False if high < self.target else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A section or an item over all its cards; on `open` of them something is not decided yet."""

    template: str
    section: str
    title: str
    cards: int
    rate: Mean
    full: Share
    open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """An item that lost points, a rule that found what must not be, or a cause that made cards void. `key`
    names it: `template/item`, the rule's id, or the title of the cause."""

    key: str
    title: str
    where: str
    severity: str
    calls: int
    share: Share
    points: float
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """One agent, team, business, or stretch of time. `rate` is of the decided points, call by call."""

    name: str
    calls: int
    scored: int
    reviewed: int
    ends: Ends
    rate: Mean
    lowest: Mean
    highest: Mean
    fatal: int
    forbidden: int
    duration: Mean
    hold: Mean
    silence: Mean
    pace: Mean

    def ranked(self, least: int) -> bool:
        return self.rate.n >= least


@dataclass(frozen=True, slots=True, kw_only=True)
class WeakItem:
    """An item that an agent loses, their own calls, and calls of anybody where it is well done."""

    title: str
    rate: Mean
    everyone: Mean
    lost: tuple[Example, ...]
    best: tuple[Example, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coaching:
    """An agent who needs coaching, and why."""

    agent: str
    why: str
    rate: Mean
    items: tuple[WeakItem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleLine:
    """One rule over the calls of the report. `judged` are the findings that a person called true or false."""

    id: str
    title: str
    label: str
    severity: str
    calls: Share
    findings: int
    cannot_tell: int
    judged: Share
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stayed:
    """An item that the rules had decided, where a person looked at it: how often the points stayed. `form` is
    the title of its template."""

    form: str
    title: str
    share: Share


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What people listened to, against what the standards and the stored plans ask for."""

    complaints: Share
    others: Share
    plans: int
    drawn: Share
    waiting: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    calls: int
    scored: int
    complaints: int
    reviewed: int
    acceptable: int
    fatal: int
    forbidden: int
    quarantined: int
    agents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that a report says; what its kind does not show is empty."""

    kind: Kind
    period: Period
    scope: tuple[str, ...]
    least: int
    volume: Volume
    whole: Group
    passes: tuple[Passes, ...]
    sections: tuple[Part, ...]
    distribution: tuple[int, ...]
    trend: tuple[Group, ...]
    groups: tuple[Group, ...]
    faults: tuple[Fault, ...]
    fatal: tuple[Fault, ...]
    forbidden: tuple[Fault, ...]
    coaching: tuple[Coaching, ...]
    rules: tuple[RuleLine, ...]
    stayed: tuple[Stayed, ...]
    coverage: Coverage

    def forms(self) -> Iterator[tuple[Passes, tuple[Part, ...]]]:
        """Each template with its sections."""
        for passes in self.passes:
            yield passes, tuple(part for part in self.sections if part.template == passes.template)

    @property
    def empty(self) -> bool:
        return not self.volume.calls


BINS = 10
"""Of the distribution: tenths of the score rate, 100 % in the last."""


def bin_of(rate: float) -> int:
    return min(BINS - 1, max(0, int(rate * BINS)))
