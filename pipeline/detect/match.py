"""Finding a pattern in a call's words by how they sound.

`reach` rules out nearly every place; the few left are weighed here, as an edit distance whose costs come
from `sound` and from how sure recognition was of each character. A match never begins with a character
of another sound, on either side of a gap.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from pipeline.detect import reach, slots
from pipeline.detect.alignment import Step, as_meant, detail, how, trail
from pipeline.detect.costs import (
    CUT_COST,
    GAP_CHAR_COST,
    GAP_STOP_COST,
    LEAST_EDIT,
    LOOSE,
    RAN_ON_FACTOR,
    ROUNDING,
    SKIPS,
    budget,
    difference,
    forgiven,
    inserted,
    missing,
    prefix_limit,
)
from pipeline.detect.heard import Heard
from pipeline.detect.pattern import SLOT_WORTH, Char, Gap, Pattern, Slot
from pipeline.detect.sound import FORBIDDEN, LIGHT, NEGATIONS, UNRELATED, char_cost
from pipeline.detect.wordings import MOST_EDITS, Piece, Route, Wording, routes
from pipeline.findings import How


class Fit(StrEnum):
    """How words are held against a pattern."""

    SOUND = "sound"  # by sound, with a budget for edits
    TEXT = "text"  # the same characters; light particles may come or go, and so many edits
    EXACT = "exact"  # the same characters, nothing between them


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A place where a pattern fits. `start` and `end` are positions in `Heard`, `length` the characters
    that the budget was granted for, `spare` the edits granted beside it, `phrase` the wording that fits."""

    start: int
    end: int
    cost: float
    length: int
    how: How
    phrase: str
    detail: str
    confidence: float
    spare: int = 0

    @property
    def fits(self) -> bool:
        return self.slack >= -ROUNDING

    @property
    def slack(self) -> float:
        return budget(self.length) + self.spare * LEAST_EDIT - self.cost


class Path(NamedTuple):
    """An alignment so far: its cost in all and since the last gap, unrelated characters, and its steps."""

    cost: float
    piece: float
    edits: int
    start: int
    steps: Step | None


class Point(NamedTuple):
    """A character of a wording: whether it opens or closes it, whether a pause may come before it, and
    whether the wording is so short that one other sound is more than its budget; what the wording may cost,
    and from where the rest of it can be matched, see `reach.onward`."""

    char: str
    light: bool
    opens: bool
    closes: bool
    paused: bool
    short: bool
    limit: float
    ahead: reach.Levels

    def onward(self, path: Path) -> int:
        """The positions behind the character from which the path can still reach the end."""
        edits = int((self.limit - path.piece) / LEAST_EDIT + ROUNDING)
        return self.ahead[min(edits, len(self.ahead) - 1)]


Row = dict[int, Path]
"""The cheapest path to each position."""
States = dict[int, Row]
"""Rows by the number of characters matched so far."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matcher:
    """Searches one call. `phrases`: spans that the `{phrase}` slot may stand for."""

    heard: Heard
    fit: Fit = Fit.SOUND
    max_edits: int | None = None
    phrases: tuple[tuple[int, int], ...] = ()

    @property
    def cap(self) -> int:
        """The most unrelated characters that a match may have."""
        if self.fit is Fit.SOUND:
            return MOST_EDITS if self.max_edits is None else self.max_edits
        return self.spare

    @property
    def spare(self) -> int:
        """Edits that a match of the text may have, however short it is."""
        return self.max_edits or 0 if self.fit is Fit.TEXT else 0

    def search(self, pattern: Pattern, starts: int) -> tuple[Match, ...]:
        """Every place whose cost is within LOOSE times the budget, the best for each end, by position.

        Bit `i` of `starts` lets a match begin at character `i`.
        """
        best: dict[int, Match] = {}
        for route in routes(pattern, self.cap, self.spare):
            for made in self._along(pattern, route, starts & self.heard.words):
                if made.end not in best or made.slack > best[made.end].slack:
                    best[made.end] = made
        return tuple(sorted(best.values(), key=lambda m: (m.start, m.end)))

    def ends(self, pattern: Pattern, starts: int) -> int:
        """Positions where something that `search` finds may end: none is missed."""
        found = 0
        for route in routes(pattern, self.cap, self.spare):
            first = starts & self.heard.words
            found |= reach.route_ends(self.heard, route, first, self.phrases)
        return found

    def _along(self, pattern: Pattern, route: Route, starts: int) -> Iterator[Match]:
        ends = reach.route_ends(self.heard, route, starts, self.phrases)
        for first, last in _clusters(ends, pattern.most + SKIPS * 4):
            opening = max(0, first - pattern.most - SKIPS * 4)
            near = starts >> opening & ((1 << (last - opening)) - 1)
            row = {opening + i: Path(0.0, 0.0, 0, opening + i, None) for i in reversed(list(_bits(near)))}
            for length, ended in self._align(route, {0: row}).items():
                for end, path in ended.items():
                    made = self._finish(pattern, length, end, path)
                    if made:
                        yield made

    def _align(self, route: Route, states: States) -> States:
        for part in route:
            final, reached = part is route[-1], dict[int, Row]()
            for length, row in states.items():
                if isinstance(part, Gap):
                    _merge(reached.setdefault(length, {}), self._gap(part, row))
                    continue
                for wording, ended in self._piece(part, row):
                    if final and wording.ends_in_pause:
                        ended = {at: path for at, path in ended.items() if self.heard.pauses >> at & 1}
                    _merge(reached.setdefault(length + wording.letters, {}), ended)
            states = reached
        return states

    def _piece(self, piece: Piece, row: Row) -> Iterator[tuple[Wording, Row]]:
        starts = 0
        for position in row:
            starts |= 1 << position
        starts = reach.openings(self.heard, piece, starts, self.phrases)
        if not starts:
            return
        row = {position: path for position, path in row.items() if starts >> position & 1}
        for wording in reach.wordings(self.heard, piece, starts, self.phrases):
            yield wording, self._wording(wording, row)

    def _wording(self, wording: Wording, row: Row) -> Row:
        length, paused, onward = 0, True, reach.onward(self.heard, wording)
        for i, atom in enumerate(wording.atoms):
            if isinstance(atom, Slot):
                open_ = {at: path for at, path in row.items() if onward[i][-1] >> at & 1}
                row = _kept(self._slots(atom, open_, last=i == wording.last), wording.limit)
                length += SLOT_WORTH[atom.name]
            elif isinstance(atom, Char):
                at = Point(
                    atom.char,
                    atom.light,
                    not length,
                    closes=i == wording.last,
                    paused=paused,
                    short=wording.short,
                    limit=wording.limit,
                    ahead=onward[i + 1],
                )
                length += 1
                row = self._chars(at, row, min(wording.limit, prefix_limit(length) + self.spare))
            paused = not isinstance(atom, Char | Slot)
        return row

    def _slots(self, slot: Slot, row: Row, *, last: bool) -> Iterator[tuple[int, Path]]:
        for at, path in row.items():
            yield from self._slot(slot, at, path, last=last)

    def _chars(self, point: Point, row: Row, limit: float) -> Row:
        """The row behind a character: the paths within the limit."""
        made: Row = {}
        for at, path in row.items():
            onward = point.onward(path) >> at
            if onward & 1 and self._may_miss(point, path):
                for position, longer in self._missing(point, at, path):
                    if longer.piece <= limit:
                        _keep(made, position, longer)
            if onward > 1:
                self._char(point, (at, path), onward >> 1, (made, limit))
        return made

    def _may_miss(self, point: Point, path: Path) -> bool:
        """The first characters of a match may be swallowed, the last one and those beside a gap not; nor may
        the first one where there is a gap: see `reach.openings`."""
        if point.light:
            return True
        return not point.closes and (not point.opens or path.steps is None)

    def _char(self, point: Point, reached: tuple[int, Path], onward: int, into: tuple[Row, float]) -> None:
        """The character heard at once, or behind one or two that the pattern does not have. `onward`: bit `i`
        says whether the path leads on from behind position `at + i`."""
        (at, path), (made, limit) = reached, into
        marks, breaks, sounds = self.heard.marks, self.heard.breaks, self.fit is Fit.SOUND
        opens = point.opens or at == path.start
        for position in range(at, at + SKIPS + 1):
            mark = marks[position]
            if mark.stretch < 0:
                return
            if sounds and breaks[position] and not point.paused and path.start != position:
                path = _longer(path, breaks[position])
            if onward & 1:
                base = char_cost(point.char, mark.char) if sounds else self._base(point.char, mark.char)
                if self._may_be(point, base, opens=opens):
                    cost = difference(base, mark.probability) if base and sounds else base
                    if point.short and not path.cost:
                        cost = forgiven(base, cost, mark.probability)
                    if path.piece + cost <= limit:
                        step = Step(path.steps, point.char, position, base)
                        _keep(made, position + 1, _longer(path, cost, base >= UNRELATED, step))
            onward >>= 1
            if opens or not onward or self.fit is Fit.EXACT:
                return
            path = self._extra(position, path)
            if path.piece > limit:
                return

    def _base(self, meant: str, heard: str) -> float:
        """How far apart two characters are. By text any other one is unrelated, and a negation is no edit."""
        base = char_cost(meant, heard)
        if not base or self.fit is Fit.SOUND:
            return base
        return FORBIDDEN if base == FORBIDDEN or {meant, heard} & NEGATIONS else UNRELATED

    def _may_be(self, point: Point, base: float, *, opens: bool) -> bool:
        if self.fit is not Fit.SOUND and not self.spare:
            return not base
        return base < UNRELATED or not (opens or point.closes)

    def _extra(self, position: int, path: Path) -> Path:
        """A character was said (or invented) that the pattern does not have."""
        mark = self.heard.marks[position]
        light = mark.char in LIGHT
        cost = inserted(mark.char, mark.probability) if light or self.fit is Fit.SOUND else FORBIDDEN
        if self.spare and not light and mark.char not in NEGATIONS:
            cost = UNRELATED
        return _longer(path, cost, not light, Step(path.steps, "", position, cost))

    def _missing(self, point: Point, at: int, path: Path) -> Iterator[tuple[int, Path]]:
        if self.fit is Fit.SOUND or (self.fit is Fit.TEXT and (point.light or self.spare)):
            cost = missing(point.char, light=point.light)
            yield at, _longer(path, cost, not point.light, Step(path.steps, point.char, -1, cost))

    def _slot(self, slot: Slot, at: int, path: Path, *, last: bool) -> Iterator[tuple[int, Path]]:
        for end, cost in self._filled(slots.Place(slot, path.steps is None, last), at):
            if not cost or self.fit is Fit.SOUND:
                yield end, _longer(path, cost, False, Step(path.steps, f"{{{slot.name}}}", end - 1, 0.0))

    def _filled(self, place: slots.Place, at: int) -> Iterable[tuple[int, float]]:
        if place.slot.name == "phrase":
            return [(end, 0.0) for start, end in self.phrases if start == at]
        return slots.ends(self.heard, at, place)

    def _gap(self, gap: Gap, row: Row) -> Row:
        reached: Row = {}
        for start, path in row.items():
            crossed = 0
            for at in range(start, start + gap.most + 1):
                crossed += self.heard.soft_stops >> at & 1
                if self.heard.stops >> at & 1 or crossed > 1:
                    break
                cost = path.cost + GAP_CHAR_COST * (at - start) + GAP_STOP_COST * crossed
                _keep(reached, at, path._replace(cost=cost, piece=0.0))
        return reached

    def _finish(self, pattern: Pattern, length: int, end: int, path: Path) -> Match | None:
        steps = trail(path.steps)
        if path.start >= end or (self.max_edits is not None and path.edits > self.max_edits):
            return None
        allowed = budget(length) + self.spare * LEAST_EDIT
        most = LOOSE * budget(length) + self.spare * LEAST_EDIT + ROUNDING
        cost = path.cost + self._ran_on(path, steps)
        if cost <= most:
            cost += self._cuts(path.start, end, steps)
        if cost > most:
            return None
        return Match(
            start=path.start,
            end=end,
            cost=round(cost, 4),
            length=length,
            how=how(steps),
            phrase=as_meant(self.heard, path.start, steps),
            detail=detail(self.heard, steps),
            spare=self.spare,
            confidence=self._confidence(cost, allowed, path.start, end),
        )

    def _cuts(self, start: int, end: int, steps: tuple[Step, ...]) -> float:
        """A match that begins or ends inside a word of the text as heard costs more."""
        if self.fit is not Fit.SOUND:
            return 0.0
        edges = [start] if not steps[0].meant.startswith("{") else []
        edges += [end] if not steps[-1].meant.startswith("{") else []
        return CUT_COST * sum(not self.heard.is_word_edge(edge) for edge in edges)

    def _ran_on(self, path: Path, steps: tuple[Step, ...]) -> float:
        """Other characters on both sides of a pause are hardly the phrase: running on costs more then."""
        positions = [step.position for step in steps if step.position > path.start]
        if self.fit is not Fit.SOUND or not any(step.cost for step in steps):
            return 0.0
        return RAN_ON_FACTOR * sum(self.heard.breaks[at] for at in positions)

    def _confidence(self, cost: float, allowed: float, start: int, end: int) -> float:
        share = cost / allowed if allowed else float(cost > 0)
        likeness = 1.0 - 0.45 * share if share <= 1 + ROUNDING else 0.4 / share
        return round(likeness * (0.7 + 0.3 * self.heard.probability(start, end)), 4)


def _longer(path: Path, cost: float, edit: bool = False, steps: Step | None = None) -> Path:
    return Path(path.cost + cost, path.piece + cost, path.edits + edit, path.start, steps or path.steps)


def _keep(row: Row, position: int, path: Path) -> None:
    known = row.get(position)
    if known is None or path.cost < known.cost:
        row[position] = path


def _kept(moves: Iterable[tuple[int, Path]], limit: float) -> Row:
    row: Row = {}
    for position, path in moves:
        if path.piece <= limit:
            _keep(row, position, path)
    return row


def _merge(into: Row, row: Row) -> None:
    for position, path in row.items():
        _keep(into, position, path)


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def _clusters(ends: int, apart: int) -> Iterator[tuple[int, int]]:
    """First and last of each run of set bits that lie at most `apart` from each other."""
    first = last = -1
    for at in _bits(ends):
        if first >= 0 and at - last > apart:
            yield first, last
            first = -1
        first, last = (at if first < 0 else first), at
    if first >= 0:
        yield first, last
