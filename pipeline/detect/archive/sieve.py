"""Which rules may match where: thousands of wordings held against the text of many calls at once.

Two neighbouring syllables are looked up in one table. Each part that it names is held against the text around
them, class by class; where it fits, the whole wording is, with every edit that it may have. What is left is
nearly always a match, and nothing that matches is lost.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.detect.archive import classes
from pipeline.detect.archive.anchors import Rows, heads
from pipeline.detect.archive.compact import HEAD_UNITS
from pipeline.detect.archive.parts import SLOT, Clause, Part, Target
from pipeline.detect.archive.scan import Ints, Tables, scan
from pipeline.detect.pattern import LONGEST_SLOT

MOST_HITS = 1 << 16
"""Room for hits in the beginning; it grows where calls need more."""


class Hits(NamedTuple):
    """Targets that may have been heard: the call, the stretch in it, its role, the target; all as numbers."""

    calls: Ints
    stretches: Ints
    roles: Ints
    targets: Ints


class Sieve:
    """Tables ready to be looked into."""

    def __init__(self, tables: Tables) -> None:
        self.tables = tables
        self._room = MOST_HITS

    def scan(self, texts: Sequence[bytes]) -> Hits:
        """Where targets may have been heard in the texts of compact calls, by call; some more than once."""
        units = np.frombuffer(b"".join(texts), "<u2").astype(np.uint16, copy=False)
        ends = np.cumsum([len(text) // 2 for text in texts]).astype(np.int64)
        while True:
            found = np.empty((self._room, 4), np.int32)
            count = scan(units, ends, self.tables, found)
            if count <= self._room:
                return Hits(*found[:count].T)
            self._room = 2 * count


def frequencies(texts: Iterable[bytes]) -> NDArray[np.int64]:
    """How often each pair of syllables is heard in the texts of compact calls."""
    units = np.frombuffer(b"".join(text[2 * HEAD_UNITS :] for text in texts), "<u2")
    heard = classes.table()[units]
    plain = classes.plain()[heard[heard != classes.SOFT]]
    size = classes.plain_count()
    return np.bincount(plain[:-1] * size + plain[1:], minlength=size * size)


def laid_out(clauses: Iterable[Clause], pairs: NDArray[np.int64]) -> tuple[Tables, list[Target]]:
    """Clauses made ready to be looked for, and what the numbers of targets in the hits stand for. `pairs`:
    how often each pair of syllables is heard, to choose rare anchors."""
    merged: Clause = {}
    for clause in clauses:
        for part, aims in clause.items():
            merged.setdefault(part, set()).update(aims)
    targets = list(dict.fromkeys(target for aims in merged.values() for target in aims))
    return _tables(merged, targets, pairs), targets


def _tables(merged: Clause, targets: Sequence[Target], pairs: NDArray[np.int64]) -> Tables:
    parts, known = list(merged), _Rows()
    beside = (target for aimed in targets for need in aimed.needs for target in need.targets)
    listed = list(dict.fromkeys((*targets, *beside)))
    number = {target: i for i, target in enumerate(listed)}
    aims = [(i, number[target]) for i, part in enumerate(parts) for target in merged[part]]
    target_firsts, aimed = _lists(aims, len(parts))
    part_rows = known.padded(parts)
    target_rows = known.padded(listed)
    about = np.array([_about(part) for part in parts], np.int32).reshape(-1, 4)
    costs = known.costs()
    rows = Rows(
        parts=part_rows,
        lengths=about[:, 0],
        limits=about[:, 1],
        plain=known.plain(),
        costs=classes.by_plain(costs),
    )
    return Tables(
        class_of=classes.table(),
        plain=classes.plain(),
        light_bits=classes.light_table(),
        **heads(rows, pairs)._asdict(),
        about=about,
        parts=part_rows,
        target_firsts=target_firsts,
        aims=aimed,
        target_rows=target_rows,
        target_about=np.array(
            [(len(t.chars), t.limit, LONGEST_SLOT * t.chars.count(SLOT)) for t in listed], np.int32
        ).reshape(-1, 3),
        target_light=_padded([target.light for target in listed]),
        **_needs(targets, number)._asdict(),
        costs=costs,
        near=_near(costs),
        row_soft=known.soft(),
    )


class _Needs(NamedTuple):
    """See `Tables`."""

    target_needs: Ints
    needs: Ints
    needed: Ints


def _needs(targets: Sequence[Target], number: Mapping[Target, int]) -> _Needs:
    """The targets of a need stand there once."""
    needs = list(dict.fromkeys(need for target in targets for need in target.needs))
    ends = np.cumsum([0, *(len(need.targets) for need in needs)])
    span = {need: (ends[i], ends[i + 1]) for i, need in enumerate(needs)}
    spans = [span[need] for target in targets for need in target.needs]
    return _Needs(
        target_needs=np.cumsum([0, *(len(target.needs) for target in targets)]).astype(np.int32),
        needs=np.array(spans, np.int32).reshape(-1, 2),
        needed=np.array([number[target] for need in needs for target in need.targets], np.int32),
    )


def _near(costs: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """By class, the rows that it may be heard for, as bits; for the row of a slot everything may."""
    alike = (costs < classes.NEVER).T
    alike[:, 0] = True
    wide = np.pad(alike, ((0, 0), (0, -len(costs) % 64)))
    return np.ascontiguousarray(np.packbits(wide, axis=1, bitorder="little")).view("<u8").astype(np.uint64)


def _padded(rows: Sequence[Sequence[int]]) -> Ints:
    """Rows of different lengths side by side, zeros behind them."""
    sizes = np.array([len(row) for row in rows], np.int64)
    found = np.zeros((len(rows), max(1, sizes.max(initial=0))), np.int32)
    found[np.arange(found.shape[1]) < sizes[:, None]] = list(chain.from_iterable(rows))
    return found


class _Rows:
    """One row of costs for each character that parts and targets have; the first is a slot's."""

    def __init__(self) -> None:
        self._known: list[tuple[str, bool]] = [(SLOT, False)]
        self._tables = {False: {SLOT: 0}, True: {SLOT: 0}}

    def padded(self, texts: Sequence[Part | Target]) -> Ints:
        """The rows of each text's characters, side by side."""
        return _padded([self._row(text.chars, short=text.short) for text in texts])

    def _row(self, chars: str, *, short: bool) -> list[int]:
        table = self._tables[short]
        for char in chars:
            if char not in table:
                table[char] = len(self._known)
                self._known.append((char, short))
        return [table[char] for char in chars]

    def costs(self) -> NDArray[np.uint8]:
        return np.stack([classes.costs(char, short=short) for char, short in self._known])

    def plain(self) -> Ints:
        return np.array([classes.plain_of(char) for char, _ in self._known], np.int32)

    def soft(self) -> Ints:
        """The light characters that may be heard for each row, as bits, and the least cost of that."""
        return np.array(
            [(_bits(classes.alike(c)), classes.softest(c, short=s)) for c, s in self._known], np.int32
        )


@cache
def _bits(light: str) -> int:
    return int(classes.light_table()[[ord(char) for char in light]].sum()) if light else 0


def _about(part: Part) -> tuple[int, int, int, int]:
    """Length, limit, and the light characters asked for with their place."""
    return len(part.chars), min(part.limit, classes.NEVER - 1), _bits(part.soft), part.at


def _lists(entries: Sequence[tuple[int, int]], count: int) -> tuple[Ints, Ints]:
    """Entries by their first number: where the list of each of `count` begins, and the lists end to end."""
    rows = np.array(sorted(entries), np.int32).reshape(-1, 2)
    firsts = np.searchsorted(rows[:, 0], np.arange(count + 1)).astype(np.int32)
    return firsts, np.ascontiguousarray(rows[:, 1])
