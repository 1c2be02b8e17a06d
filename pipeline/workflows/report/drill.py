"""Behind a figure of a report: the calls that it counts, newest first."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from pipeline.errors import UsageError
from pipeline.storage.records import FactLine
from pipeline.storage.store import Store
from pipeline.workflows.report import tally
from pipeline.workflows.report.cells import Of
from pipeline.workflows.report.compute import (
    READ_AT_A_TIME,
    Order,
    Surroundings,
    Watch,
    fatal_causes,
    lines_asked,
    period_asked,
)
from pipeline.workflows.report.values import Example, Period

MOST_CALLS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedCall:
    """One of the calls, with the place in it that counts."""

    started_at: datetime | None
    place: Example


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """`total` calls count, `calls` are the newest of them. `title` is that of the item, rule or cause; empty
    where there is no such call."""

    title: str
    period: Period
    total: int
    calls: tuple[CountedCall, ...]


Place = tuple[str, Example]
"""The title of what counts, and where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure of the report of an order: calls in which the rule `key` found something, that lost points on
    the item, or that the cause made void; `key` as in the report."""

    of: Of
    key: str
    order: Order


def calls_counted(
    figure: Figure, store: Store, around: Surroundings, watch: Watch = lambda read: None
) -> Counted:
    """The calls behind a figure. `watch` is told how many calls were read. Raises UsageError and NotFound, as
    a report."""
    if figure.of not in PLACES:
        raise UsageError(f"没有“{figure.of}”这种明细", hint="从报表里的数点进来")
    period = period_asked(figure.order, store, around.zone)
    newest: deque[CountedCall] = deque(maxlen=MOST_CALLS)
    title, total = "", 0
    for read, line in enumerate(lines_asked(figure.order, store, around, period), start=1):
        for name, place in PLACES[figure.of](line, figure.key):
            title, total = name, total + 1
            newest.append(CountedCall(started_at=line.started_at, place=place))
        if read % READ_AT_A_TIME == 0:
            watch(read)
    return Counted(title=title, period=period, total=total, calls=tuple(reversed(newest)))


def _hits(line: FactLine, rule: str) -> Iterator[Place]:
    for hit in line.facts.hits:
        if hit.rule == rule and hit.times:
            yield hit.title, tally.place(hit.at, hit.quote, line)


def _lost(line: FactLine, key: str) -> Iterator[Place]:
    card = line.facts.card
    for item in line.facts.items:
        if card is not None and f"{card.template}/{item.id}" == key and item.lost:
            yield item.title, tally.example(item, line)


def _void(line: FactLine, title: str) -> Iterator[Place]:
    for cause in fatal_causes(line):
        if cause.title == title:
            yield title, tally.place(cause.at, cause.quote, line)


PLACES: dict[Of, Callable[[FactLine, str], Iterator[Place]]] = {
    Of.HITS: _hits,
    Of.ITEM: _lost,
    Of.CAUSE: _void,
}
