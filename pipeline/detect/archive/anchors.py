"""Which pairs of a part are looked up, and the lists that the scan reads behind each pair that is heard.

Of the pairs that a part is cut into some are left out: of n that are left one costs an n-th of the whole at
most. Those are taken that are seldom heard.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pipeline.detect.archive.classes import NEVER
from pipeline.detect.archive.parts import LONGEST
from pipeline.detect.archive.scan import AFTER, BEFORE, Counts, Ints

_LIMITS = np.array((0, 7, 15, 24, 33, 44, 66, 99, 264))
"""What anchors may cost: a few limits, so that parts share them."""
UNKNOWN = 0.2
"""Pairs that the sample does not show may be this share of all that is heard."""
_LOOKED_AT = (BEFORE, 3, AFTER, -2)
"""Where one more character of a part may stand, seen from its pair."""
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


class Heads(NamedTuple):
    """See `scan.Tables`."""

    pair_heads: Counts
    single_heads: Counts
    doors: Counts
    runs: Ints
    groups: Ints
    uses: Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Parts as rows of costs. `parts`, shape (parts, most characters): the row of each character, `lengths`
    and `limits` of the parts; `plain`: the plain number of each row's own character; `costs`, shape (rows,
    plain numbers): least cost of hearing each where the row's character was meant."""

    parts: Ints
    lengths: Ints
    limits: Ints
    plain: Ints
    costs: NDArray[np.uint8]


def heads(rows: Rows, pairs: NDArray[np.int64]) -> Heads:
    """The lists of the anchors that are seldom heard; `pairs`: how often each pair of syllables is."""
    chosen = np.concatenate([np.zeros((0, 3), np.int64), *_chosen(rows, pairs)])
    anchors, anchor_of = np.unique(_anchors(rows, chosen), axis=0, return_inverse=True)
    groups, runs, uses = _grouped(rows, chosen, anchor_of.ravel())
    cell, anchor = _cells(anchors, rows.costs)
    counts = np.bincount(groups[:, 0], minlength=len(anchors))
    firsts = np.cumsum(counts) - counts
    each = counts[anchor]
    group = np.repeat(firsts[anchor] - np.cumsum(each) + each, each) + np.arange(each.sum())
    listed = _listed(np.repeat(cell, each), groups[group, 1], rows.costs.shape[1])
    return Heads(*listed[:4], np.ascontiguousarray(runs[group[listed[4]]]), uses)


def _chosen(rows: Rows, pairs: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Part, place in it, share of its limit; by length of the parts."""
    near = np.argsort(rows.costs, axis=1, kind="stable").astype(np.int32)
    heard = (pairs / max(1, pairs.sum()) + UNKNOWN / len(pairs)).astype(np.float32)
    for size in np.unique(rows.lengths).tolist():
        which = np.flatnonzero(rows.lengths == size)
        if size == 1:
            yield np.column_stack((which, np.zeros_like(which), rows.limits[which]))
            continue
        yield from _rarest(rows, which, near, heard)


def _rarest(
    rows: Rows, which: NDArray[np.int64], near: Ints, heard: NDArray[np.float32]
) -> Iterator[NDArray[np.int64]]:
    """Of every way to cut parts of one length the one that is heard least."""
    size, limits = int(rows.lengths[which[0]]), rows.limits[which]
    shares = [_share(limits // count) for count in range(1, size // 2 + 1)]
    rates = [_rates(rows, which, share, near, heard) for share in shares]
    ways = [(np.array(cut), count) for cut in _TILINGS[size] for count in range(1, len(cut) + 1)]
    spent = [np.sort(rates[count - 1][:, cut], axis=1)[:, :count].sum(axis=1) for cut, count in ways]
    best = np.argmin(spent, axis=0)
    for number, (cut, count) in enumerate(ways):
        mine = np.flatnonzero(best == number)
        rarest = np.argsort(rates[count - 1][np.ix_(mine, cut)], axis=1, kind="stable")
        share = np.repeat(_LIMITS[shares[count - 1][mine]], count)
        yield np.column_stack((np.repeat(which[mine], count), cut[rarest[:, :count]].ravel(), share))


def _rates(
    rows: Rows, which: NDArray[np.int64], share: NDArray[np.int64], near: Ints, heard: NDArray[np.float32]
) -> NDArray[np.float32]:
    """How often something is heard that each pair of each part may be heard for, by part and place."""
    chars, count = rows.parts[which, : rows.lengths[which[0]]].astype(np.int64), len(rows.costs)
    keys = ((chars[:, :-1] * count + chars[:, 1:]) * len(_LIMITS) + share[:, None]).ravel()
    known, where = np.unique(keys, return_inverse=True)
    pair, limit = np.divmod(known, len(_LIMITS))
    anchors = np.column_stack((*np.divmod(pair, count), _LIMITS[limit]))
    found = np.asarray(_rates_of(anchors, near, rows.costs, heard), np.float32)
    rates: NDArray[np.float32] = found[where.reshape(which.size, -1)]
    return rates


@njit(cache=True, nogil=True)
def _rates_of(anchors: Any, near: Any, costs: Any, heard: Any) -> Any:  # pragma: no cover  (compiled)
    """How often something is heard that each anchor of two may be heard for."""
    found, width = np.zeros(anchors.shape[0], np.float64), costs.shape[1]
    for a in range(anchors.shape[0]):
        first, second, limit = anchors[a]
        for one in near[first]:
            spent = np.int64(costs[first, one])
            if spent > limit or spent == NEVER:
                break
            for other in near[second]:
                more = np.int64(costs[second, other])
                if spent + more > limit or more == NEVER:
                    break
                found[a] += heard[one * width + other]
    return found


def _share(limits: Ints) -> NDArray[np.int64]:
    return np.searchsorted(_LIMITS, limits)


def _anchors(rows: Rows, chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """First row, second row (-1: a part of one character), limit."""
    part, at, share = chosen.T
    second = rows.parts[part, np.minimum(at + 1, rows.parts.shape[1] - 1)]
    return np.column_stack((rows.parts[part, at], np.where(rows.lengths[part] == 1, -1, second), share))


def _grouped(
    rows: Rows, chosen: NDArray[np.int64], anchor: NDArray[np.int64]
) -> tuple[NDArray[np.int64], Ints, Ints]:
    """The groups: anchor and door; the first and last use of each; the uses."""
    part, at, _ = chosen.T
    last = rows.lengths[part]
    beside = np.where(at + AFTER < last, AFTER, np.where(at + BEFORE >= 0, BEFORE, 0))
    key = np.where(beside == 0, 0, 2 * _row_at(rows, part, at + beside) + (beside == BEFORE))
    looked = np.zeros_like(at)
    for place in reversed(_LOOKED_AT):
        inside = (at + place >= 0) & (at + place < last) & (beside != place)
        looked = np.where(inside, place, looked)
    more = np.where(looked == 0, 0, _row_at(rows, part, at + looked))
    order = np.lexsort((at, part, key, anchor))
    groups, begins = np.unique(np.column_stack((anchor, key))[order], axis=0, return_index=True)
    runs = np.column_stack((begins, np.append(begins, len(order))[1:])).astype(np.int32)
    return groups, runs, np.column_stack((part, at, looked, more))[order].astype(np.int32)


def _row_at(rows: Rows, part: NDArray[np.int64], place: NDArray[np.int64]) -> Ints:
    return rows.parts[part, np.clip(place, 0, rows.parts.shape[1] - 1)]


def _listed(
    cell: NDArray[np.int64], key: NDArray[np.int64], width: int
) -> tuple[Counts, Counts, Counts, Ints, NDArray[np.int64]]:
    """Heads by pair and by class, the doors, their runs, and the order of the entries in these."""
    order = np.argsort(cell * (key.max(initial=0) + 1) + key)
    cell, key = cell[order], key[order]
    opens = np.append(True, (cell[1:] != cell[:-1]) | (key[1:] != key[:-1]))[: len(cell)]
    begins = np.flatnonzero(opens)
    cells, firsts, counts = np.unique(cell[begins], return_index=True, return_counts=True)
    at = 1 + firsts + np.arange(len(cells))
    places = np.arange(len(begins)) + np.repeat(np.arange(len(cells)), counts) + 2
    doors = np.zeros(len(begins) + len(cells) + 1, np.uint32)
    doors[at], doors[places] = counts, key[begins]
    runs = np.zeros(len(doors) + 1, np.int32)
    runs[places], runs[places + 1] = begins, np.append(begins, len(cell))[1:]
    heads = np.zeros(width * width + width, np.uint32)
    heads[cells] = at
    return heads[: width * width], heads[width * width :], doors, runs, order


def _cells(
    anchors: NDArray[np.int64], costs: NDArray[np.uint8]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The plain numbers, or pairs of them, that may be heard for each anchor, and the anchor."""
    near = np.argsort(costs, axis=1, kind="stable").astype(np.int32)
    size = _cells_of(anchors, near, costs, np.zeros((0, 2), np.int64))
    found = np.empty((size, 2), np.int64)
    _cells_of(anchors, near, costs, found)
    return found[:, 0], found[:, 1]


@njit(cache=True, nogil=True)
def _cells_of(anchors: Any, near: Any, costs: Any, found: Any) -> int:  # pragma: no cover  (compiled)
    """Fill `found` with cell and anchor, where it has room; how many there are."""
    count, width = 0, costs.shape[1]
    for a in range(anchors.shape[0]):
        first, second, limit = anchors[a]
        for one in near[first]:
            spent = np.int64(costs[first, one])
            if spent > limit or spent == NEVER:
                break
            if second < 0:
                if count < found.shape[0]:
                    found[count, 0], found[count, 1] = width * width + one, a
                count += 1
                continue
            for other in near[second]:
                more = np.int64(costs[second, other])
                if spent + more > limit or more == NEVER:
                    break
                if count < found.shape[0]:
                    found[count, 0], found[count, 1] = one * width + other, a
                count += 1
    return count
