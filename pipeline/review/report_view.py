"""A laid-out report as the page shows it: every figure that leads on is a link."""

from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import quote, urlencode

from pipeline.review.words import Words
from pipeline.units import Ms, clock
from pipeline.workflows.report.cells import Cell, Examples, Named, Of, text
from pipeline.workflows.report.compute import Order
from pipeline.workflows.report.tally import NOBODY
from pipeline.workflows.report.told import Told
from pipeline.workflows.report.values import Example, Kind, Period

Listen = Callable[[str], bool]
"""Whether the person may open the call of a recording."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A part of a cell: `href` empty: it leads nowhere. `quote` is what was said there."""

    shown: str
    href: str = ""
    quote: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leads:
    """Where the cells of one report lead. `queue`, `rules`: whether the person may open those pages. Of calls
    that they may not open nothing is shown but how many there are."""

    order: Order
    period: Period
    may_listen: Listen
    words: Words
    queue: bool
    rules: bool

    def pieces(self, cell: Cell) -> tuple[Piece, ...]:
        """A cell, piece by piece."""
        match cell:
            case Examples(found):
                return tuple(self._examples(found))
            case Named(shown, of, key):
                return (Piece(shown=self._text(shown), href=self.href(of, key)),)
            case _:
                return (Piece(shown=self._text(cell)),)

    def _text(self, cell: Cell) -> str:
        return self.words(cell) if isinstance(cell, Told) else text(cell)

    def _examples(self, found: Sequence[Example]) -> Iterator[Piece]:
        shown = [one for one in found if self.may_listen(one.recording)]
        yield from map(self.example, shown)
        if kept := len(found) - len(shown):
            yield Piece(shown=self.words("另有 {count} 通，不归您看", count=kept))

    def example(self, found: Example) -> Piece:
        """A call that the person may open, with the place in it."""
        place = "" if found.at is None else f" {clock(found.at)}"
        return Piece(shown=f"{found.call}{place}", href=call_at(found.recording, found.at), quote=found.quote)

    def href(self, of: Of, key: str) -> str:
        """Where a name leads; empty: nowhere."""
        match of:
            case Of.AGENT:
                return "" if key == NOBODY else self._report(kind=Kind.AGENT.value, agent=key, **self._days)
            case Of.TEAM:
                return self._report(kind=Kind.AGENT.value, team=key, **self._days)
            case Of.DAY | Of.WEEK:
                return self._report(kind=of.value, date=key)
            case Of.RULE:
                return f"/rules/{quote(key, safe='')}" if self.rules else ""
            case Of.CALLS:
                return f"/queue?{urlencode(self._queue(key))}" if self._is_queue else ""
            case Of.HITS | Of.ITEM | Of.CAUSE:
                return f"/reports/calls?{urlencode({'of': of.value, 'key': key, **asked(self.order)})}"

    @property
    def _is_queue(self) -> bool:
        """The queue has no filter for a team: only who is held to theirs finds the same calls there."""
        return self.queue and (self.order.team is None or self.order.agents is not None)

    @property
    def _days(self) -> dict[str, str]:
        return {"since": self.period.first.isoformat(), "until": self.period.last.isoformat()}

    def _report(self, **changed: str) -> str:
        kept = {
            name: value for name, value in asked(self.order).items() if name in ("agent", "team", "business")
        }
        return f"/reports?{urlencode({**kept, **changed})}"

    def _queue(self, key: str) -> dict[str, str]:
        order = self.order
        held = {"agent": order.agent, "business": order.business}
        asks = {key: "yes"} if key else {}
        return self._days | {name: value for name, value in held.items() if value} | asks


def call_at(recording: str, at: Ms | None) -> str:
    """The page of a call, at a place in it."""
    return f"/calls/{quote(recording, safe='')}" + ("" if at is None else f"?at={at}")


def asked(order: Order) -> dict[str, str]:
    """An order as the fields of an address."""
    days: Mapping[str, date | None] = {
        "date": order.asked.day,
        "since": order.asked.since,
        "until": order.asked.until,
    }
    words = {"kind": order.kind.value, "agent": order.agent, "team": order.team, "business": order.business}
    return dict(_filled(words)) | {name: day.isoformat() for name, day in days.items() if day}


def _filled(words: Mapping[str, str | None]) -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in words.items() if value)


def picture(svg: str) -> str:
    """A plot as an address of itself: inside a picture no policy of the page is broken by its styles."""
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
