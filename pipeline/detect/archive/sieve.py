"""Which rules may match where: thousands of wordings held against the text of many calls at once.

Two neighbouring syllables are looked up in one table. Each part that it names is held against the text around
them, class by class; where it fits, the whole wording is, with every edit that it may have. What is left is
nearly always a match, and nothing that matches is lost.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.detect.archive import classes
from pipeline.detect.archive.parts import LONGEST, SLOT, Clause, Part, Target
from pipeline.detect.archive.scan import Ints, Tables, scan
from pipeline.detect.pattern import LONGEST_SLOT

MOST_HITS = 1 << 16
"""Room for hits in the beginning; it grows where calls need more."""
SHARES = {0: 1, 7: 2, 15: 5, 24: 8, 33: 14, 44: 30, 66: 120, 99: 400, 264: 1500}
"""What anchors may cost: a few limits, so that parts share them; and how often pairs that are no more than
alike are heard within each in 240,000 characters."""
_SHARE_OF = [next(share for share in SHARES if share >= limit) for limit in range(max(SHARES) + 1)]
_TILINGS = [
    list(
        dict.fromkeys(
            tuple(a + (size % 2 and a >= skipped) for a in range(0, size - 1, 2))
            for skipped in range(0, size + 1, 2)
        )
    )
    for size in range(LONGEST + 1)
]
"""Ways to cut so many characters into pairs, one left over where they are odd."""


class Hits(NamedTuple):
    """Targets that may have been heard: the call, the stretch in it, its role, the target; all as numbers."""

    calls: Ints
    stretches: Ints
    roles: Ints
    targets: Ints


class Anchor(NamedTuple):
    """Two (or one) neighbouring characters of a part that cost at most `limit` together."""

    chars: str
    limit: int
    short: bool


def cells(anchor: Anchor) -> Ints:
    """The plain numbers, or pairs of them as `first * count + second`, that may be heard for an anchor."""
    first, cost = _within(anchor.chars[0], anchor)
    if len(anchor.chars) == 1:
        return first
    second, more = _within(anchor.chars[1], anchor)
    pairs = (first * classes.plain_count())[:, None] + second[None, :]
    return pairs[cost[:, None] + more[None, :] <= anchor.limit]


def _within(char: str, anchor: Anchor) -> tuple[Ints, Ints]:
    near, costs = classes.near(char, short=anchor.short)
    count = int(np.searchsorted(costs, anchor.limit, side="right"))
    return near[:count], costs[:count]


class Sieve:
    """Clauses ready to be looked for. `pairs`: how often each pair of syllables is heard, to choose rare
    anchors. `targets`: what the numbers in the hits stand for."""

    def __init__(self, clauses: Sequence[Clause], pairs: NDArray[np.int64]) -> None:
        merged: dict[Part, set[Target]] = {}
        for clause in clauses:
            for part, aims in clause.items():
                merged.setdefault(part, set()).update(aims)
        self.targets = sorted({target for aims in merged.values() for target in aims}, key=repr)
        self.tables = _tables(merged, self.targets, pairs)
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


def _tables(merged: Clause, targets: Sequence[Target], pairs: NDArray[np.int64]) -> Tables:
    parts, chosen = list(merged), _Chooser(pairs)
    rows = _Rows()
    anchors = [(a, i, at) for i, part in enumerate(parts) for a, at in chosen.anchors(part)]
    distinct = {anchor: i for i, anchor in enumerate(dict.fromkeys(anchor for anchor, _, _ in anchors))}
    pair_heads, single_heads, starts, listed = _heads(list(distinct))
    uses = [(distinct[anchor], *_beside(parts[part], at, rows), part, at) for anchor, part, at in anchors]
    firsts, groups, used = _grouped(uses, len(distinct))
    number = {target: i for i, target in enumerate(targets)}
    aims = [(i, number[target], 0) for i, part in enumerate(parts) for target in merged[part]]
    target_firsts, aimed = _lists(aims, len(parts))
    return Tables(
        class_of=classes.table(),
        plain=classes.plain(),
        light_bits=classes.light_table(),
        pair_heads=pair_heads,
        single_heads=single_heads,
        starts=starts,
        anchors=listed,
        firsts=firsts,
        groups=groups,
        uses=used,
        about=np.array([_about(part) for part in parts], np.int32).reshape(-1, 4),
        parts=rows.padded([[(char, part.short) for char in part.chars] for part in parts]),
        target_firsts=target_firsts,
        aims=np.ascontiguousarray(aimed[:, 0]),
        target_rows=rows.padded([[(char, target.short) for char in target.chars] for target in targets]),
        target_about=np.array(
            [(len(t.chars), t.limit, LONGEST_SLOT * t.chars.count(SLOT)) for t in targets], np.int32
        ).reshape(-1, 3),
        target_light=_light(targets),
        costs=rows.costs(),
        near=np.packbits(rows.costs() < classes.NEVER, axis=1, bitorder="little"),
        row_soft=rows.soft(),
    )


def _light(targets: Sequence[Target]) -> Ints:
    width = max((len(target.chars) for target in targets), default=1)
    found = np.zeros((len(targets), max(width, 1)), np.int32)
    for i, target in enumerate(targets):
        found[i, : len(target.light)] = target.light
    return found


class _Rows:
    """One row of costs for each character that parts and targets have; the first is a slot's."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bool], int] = {(SLOT, False): 0}

    def padded(self, texts: Sequence[Sequence[tuple[str, bool]]]) -> Ints:
        """The rows of each text's characters, side by side."""
        found = np.zeros((len(texts), max(map(len, texts), default=0) or 1), np.int32)
        for i, text in enumerate(texts):
            for k, (char, short) in enumerate(text):
                key = (char, short and char != SLOT)
                found[i, k] = self._known.setdefault(key, len(self._known))
        return found

    def row(self, char: str, *, short: bool) -> int:
        return self._known.setdefault((char, short), len(self._known))

    def costs(self) -> NDArray[np.uint8]:
        return np.stack([classes.costs(char, short=short) for char, short in self._known])

    def soft(self) -> Ints:
        """The light characters that may be heard for each row, as bits, and the least cost of that."""
        return np.array(
            [(_bits(classes.alike(c)), classes.softest(c, short=s)) for c, s in self._known], np.int32
        )


def _bits(light: str) -> int:
    return int(classes.light_table()[[ord(char) for char in light]].sum()) if light else 0


def _beside(part: Part, at: int, rows: "_Rows") -> tuple[int, int]:
    """A character next to an anchor: its place as seen from the anchor, and its row; place 0: none is."""
    place = 2 if at + 2 < len(part.chars) else -1 if at else 0
    return place, rows.row(part.chars[at + place], short=part.short) if place else 0


def _grouped(uses: Sequence[tuple[int, int, int, int, int]], anchors: int) -> tuple[Ints, Ints, Ints]:
    """Where the groups of each anchor begin; the groups: place, row, first and last use; the uses."""
    rows = np.array(sorted(uses), np.int32).reshape(-1, 5)
    heads, begins = np.unique(rows[:, :3], axis=0, return_index=True)
    firsts = np.searchsorted(heads[:, 0], np.arange(anchors + 1)).astype(np.int32)
    ends = np.append(begins[1:], len(rows))
    groups = np.column_stack((heads[:, 1:], begins, ends)).astype(np.int32)
    return firsts, np.ascontiguousarray(groups), np.ascontiguousarray(rows[:, 3:])


def _about(part: Part) -> tuple[int, int, int, int]:
    """Length, limit, and the light characters asked for with their place."""
    return len(part.chars), min(part.limit, classes.NEVER - 1), _bits(part.soft), part.at


def _heads(anchors: Sequence[Anchor]) -> tuple[Ints, Ints, Ints, Ints]:
    """Heads by pair and by class, starts of the lists, and the anchors in them."""
    size = classes.plain_count()
    found = [cells(anchor) + (size**2 if len(anchor.chars) == 1 else 0) for anchor in anchors]
    flat = np.concatenate([np.zeros(0, np.int32), *found])
    which = np.repeat(np.arange(len(found), dtype=np.int32), [len(f) for f in found])
    counts = np.bincount(flat, minlength=size**2 + size)
    heard = np.flatnonzero(counts)
    heads = np.zeros(len(counts), np.int32)
    heads[heard] = np.arange(1, len(heard) + 1)
    starts = np.concatenate(([0, 0], np.cumsum(counts[heard]))).astype(np.int32)
    return heads[: size**2], heads[size**2 :], starts, which[np.argsort(flat, kind="stable")]


def _lists(entries: Sequence[tuple[int, int, int]], count: int) -> tuple[Ints, Ints]:
    """Entries by their first number: where the list of each of `count` begins, and the lists end to end."""
    rows = np.array(sorted(entries), np.int32).reshape(-1, 3)
    firsts = np.searchsorted(rows[:, 0], np.arange(count + 1)).astype(np.int32)
    return firsts, np.ascontiguousarray(rows[:, 1:])


class _Chooser:
    """Chooses anchors that are seldom heard."""

    def __init__(self, pairs: NDArray[np.int64]) -> None:
        self._pairs, self._chance = pairs, pairs.sum() / 240_000

    def anchors(self, part: Part) -> list[tuple[Anchor, int]]:
        """Pairs of neighbours, none in two of them, some left out: of n that are left one costs an n-th of
        the whole at most."""
        size = len(part.chars)
        if size == 1:
            return [(Anchor(part.chars, part.limit, part.short), 0)]
        rates = [self._heard(*part.chars[at : at + 2]) for at in range(size - 1)]
        _, share, offsets = min(self._choices(part.limit, rates))
        return [(Anchor(part.chars[at : at + 2], share, part.short), at) for at in offsets]

    def _choices(self, limit: int, rates: list[int]) -> Iterator[tuple[float, int, list[int]]]:
        """How often the pairs may be heard, what each may cost, and where they are."""
        size = len(rates) + 1
        for pairs in _TILINGS[size]:
            rated = sorted((rates[at], at) for at in pairs)
            spent = 0
            for count, (rate, _) in enumerate(rated, start=1):
                spent += rate
                share = _SHARE_OF[limit // count]
                yield spent + count * SHARES[share] * self._chance, share, [at for _, at in rated[:count]]

    def _heard(self, first: str, second: str) -> int:
        return int(self._pairs[classes.plain_of(first) * classes.plain_count() + classes.plain_of(second)])
