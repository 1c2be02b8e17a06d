"""The inner loop of the sieve, compiled: tables and text in, places out."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pipeline.detect.archive.classes import EDGE, SOFT
from pipeline.detect.archive.compact import HEAD_UNITS
from pipeline.detect.archive.parts import LONGEST

Ints = NDArray[np.int32]
Counts = NDArray[np.uint32]
EDIT = 100
AROUND = 4
"""A target is looked for within its length and so many characters of a part."""
AFTER, BEFORE = 2, -1
"""Where a character beside a pair stands, seen from the first of the pair."""


class Tables(NamedTuple):
    """What the scan reads. Heads are by pair, and by class for parts of one character: 0, or where in `doors`
    a list begins: how many there are, and the doors. A door is twice a row, one more if a character of that
    row is heard before the pair and not after it. `runs[d]` to `runs[d + 1]` are the entries of `groups` for
    the door at `d`: the first and last of some uses. A use is a part, where the pair stands in it, and one
    more character to look at: where it is seen from the pair, and its row. `near`: by class, the rows that it
    may be heard for, as bits. Each of the needs `target_needs[t]` to `target_needs[t + 1]` must be met: a
    need is the first and last of some targets in `needed`."""

    class_of: NDArray[np.int16]
    plain: Ints
    light_bits: Ints
    pair_heads: Counts
    single_heads: Counts
    doors: Counts
    runs: Ints
    groups: Ints
    uses: Ints
    about: Ints
    parts: Ints
    target_firsts: Ints
    aims: Ints
    target_rows: Ints
    target_about: Ints
    target_light: Ints
    target_needs: Ints
    needs: Ints
    needed: Ints
    costs: NDArray[np.uint8]
    near: NDArray[np.uint64]
    row_soft: Ints


class _Laid(NamedTuple):
    """A call laid out: classes without light ones, the light characters before each, its stretch and role,
    its plain number; the places where a list of doors begins, with the list; and two rows to work in."""

    heard: Any
    soft: Any
    owner: Any
    plain: Any
    places: Any
    lists: Any
    above: Any
    below: Any


class _Hits(NamedTuple):
    """What was found: rows of call, stretch, role, target; where each target was seen last; how many rows."""

    found: Any
    seen: Any
    count: Any


@njit(cache=True, boundscheck=False, nogil=True)
def scan(units: Any, ends: Any, tables: Any, found: Any) -> int:  # pragma: no cover  (compiled)
    """Fill `found` with (call, stretch, role, target); how many there are, with room for them or without."""
    longest, begin = 0, 0
    for end in ends:
        longest, begin = max(longest, end - begin), end
    laid = _room(longest + LONGEST)
    hits = _Hits(found, np.full(tables.target_about.shape[0], -1, np.int64), np.zeros(1, np.int64))
    singles, begin = tables.single_heads.any(), 0
    for call in range(ends.shape[0]):
        size = _lay_out(units[begin + HEAD_UNITS : ends[call]], tables, laid)
        _hold(call, _pairs(size, tables, laid), size, tables, laid, hits)
        if singles:
            _hold(call, _singles(size, tables, laid), size, tables, laid, hits)
        begin = ends[call]
    return int(hits.count[0])


@njit(cache=True, boundscheck=False, nogil=True)
def _room(size: int) -> Any:  # pragma: no cover  (compiled)
    return _Laid(
        np.zeros(size, np.int32),
        np.zeros(size, np.int32),
        np.zeros(size, np.int32),
        np.zeros(size, np.int32),
        np.zeros(size, np.int32),
        np.zeros(size, np.uint32),
        np.zeros(size, np.int32),
        np.zeros(size, np.int32),
    )


@njit(cache=True, boundscheck=False, nogil=True)
def _lay_out(units: Any, tables: Any, laid: Any) -> int:  # pragma: no cover  (compiled)
    """Fill `laid` with a call; how many characters and edges it has."""
    heard, soft, owner, plain = laid.heard, laid.soft, laid.owner, laid.plain
    size, lights, stretch = 0, 0, 0
    class_of, plain_of, light_bits = tables.class_of, tables.plain, tables.light_bits
    for unit in units:
        number = class_of[unit]
        if number == SOFT:
            lights |= light_bits[unit]
            continue
        if number == EDGE:
            stretch = (stretch & ~7) + 8 | unit
        heard[size], soft[size], owner[size] = number, lights, stretch
        plain[size] = plain_of[number]
        size, lights = size + 1, 0
    heard[size : size + LONGEST] = 0
    plain[size : size + LONGEST] = 0
    return size


@njit(cache=True, boundscheck=False, nogil=True)
def _pairs(size: int, tables: Any, laid: Any) -> int:  # pragma: no cover  (compiled)
    """Note the places of the pairs that some part has; how many there are. The first place is an edge."""
    plain, places, lists, heads = laid.plain, laid.places, laid.lists, tables.pair_heads
    width, count = tables.single_heads.shape[0], 0
    for at in range(1, size):
        head = heads[plain[at] * width + plain[at + 1]]
        places[count], lists[count] = at, head
        count += head != 0
    return count


@njit(cache=True, boundscheck=False, nogil=True)
def _singles(size: int, tables: Any, laid: Any) -> int:  # pragma: no cover  (compiled)
    """As `_pairs`, for the parts of one character."""
    plain, places, lists, heads = laid.plain, laid.places, laid.lists, tables.single_heads
    count = 0
    for at in range(1, size):
        head = heads[plain[at]]
        places[count], lists[count] = at, head
        count += head != 0
    return count


@njit(cache=True, boundscheck=False, nogil=True)
def _hold(
    call: int, count: int, size: int, tables: Any, laid: Any, hits: Any
) -> None:  # pragma: no cover  (compiled)
    """Hold the parts behind the doors of the places that were noted against the text. Each step rules out
    nearly all that is left: the character beside the pair, one more, all of them. One body: a call costs
    more than what it would do."""
    heard, places, lists, near, costs = laid.heard, laid.places, laid.lists, tables.near, tables.costs
    doors, runs, groups, uses = tables.doors, tables.runs, tables.groups, tables.uses
    about, rows = tables.about, tables.parts
    for i in range(count):
        at, head = places[i], lists[i]
        before, after = near[heard[at + BEFORE]], near[heard[at + AFTER]]
        for door in range(head + np.uint32(1), head + np.uint32(1) + doors[head]):
            row = doors[door] >> np.uint32(1)
            bits = before[row >> np.uint32(6)] if doors[door] & 1 else after[row >> np.uint32(6)]
            if not bits >> np.uint64(row & np.uint32(63)) & np.uint64(1):
                continue
            for run in range(runs[door], runs[door + 1]):
                for use in range(groups[run, 0], groups[run, 1]):
                    more, start, part = uses[use, 3], at - uses[use, 1], uses[use, 0]
                    if not near[heard[at + uses[use, 2]], more >> 6] >> np.uint64(more & 63) & np.uint64(1):
                        continue
                    left = about[part, 1] if start >= 0 else -1
                    for k in range(about[part, 0] if start >= 0 else 0):
                        left -= costs[rows[part, k], heard[start + k]]
                        if left < 0:
                            break
                    if left >= 0:
                        _aim(call, start, part, size, tables, laid, hits)


@njit(cache=True, boundscheck=False, nogil=True)
def _aim(
    call: int, start: int, part: int, size: int, tables: Any, laid: Any, hits: Any
) -> None:  # pragma: no cover  (compiled)
    """Look for the targets of a part where it was heard, once in each stretch."""
    owner, asked = laid.owner[start], tables.about[part, 2]
    if asked != 0 and (laid.soft[start + tables.about[part, 3]] & asked) == 0:
        return
    where = (np.int64(call) << 32) + owner
    for j in range(tables.target_firsts[part], tables.target_firsts[part + 1]):
        target, count = tables.aims[j], hits.count[0]
        if hits.seen[target] == where:
            continue
        room = tables.target_about[target, 0] + tables.target_about[target, 2] + AROUND
        if not _heard_within(room, start, size, target, tables, laid):
            continue
        hits.seen[target] = where
        if not _meets(start, size, target, tables, laid):
            continue
        if count < hits.found.shape[0]:
            hits.found[count, 0], hits.found[count, 1] = call, (owner >> 3) - 1
            hits.found[count, 2], hits.found[count, 3] = owner & 7, target
        hits.count[0] = count + 1


@njit(cache=True, boundscheck=False, nogil=True)
def _meets(
    start: int, size: int, target: int, tables: Any, laid: Any
) -> bool:  # pragma: no cover  (compiled)
    """Whether everything that a target needs may have been heard in the stretch."""
    for need in range(tables.target_needs[target], tables.target_needs[target + 1]):
        for i in range(tables.needs[need, 0], tables.needs[need, 1]):
            if _heard_within(size, start, size, tables.needed[i], tables, laid):
                break
        else:
            return False
    return True


@njit(cache=True, boundscheck=False, nogil=True)
def _heard_within(
    room: int, start: int, size: int, target: int, tables: Any, laid: Any
) -> bool:  # pragma: no cover  (compiled)
    """Whether the whole target may have been heard in the stretch, no further than `room` from the place,
    with every edit that it may have."""
    heard, soft, before, row = laid.heard, laid.soft, laid.above, laid.below
    costs, row_soft = tables.costs, tables.row_soft
    rows, lights = tables.target_rows[target], tables.target_light[target]
    length, limit = tables.target_about[target, 0], tables.target_about[target, 1]
    first, last = start, start
    while first > 0 and heard[first - 1] != 0 and start - first < room:
        first -= 1
    while last < size and heard[last] != 0 and last - start < room:
        last += 1
    before[: last - first + 1] = 0
    for k in range(length):
        number, least = rows[k], limit + 1
        skipped, bits, softest = 0 if lights[k] else EDIT, row_soft[number, 0], row_soft[number, 1]
        for t in range(last - first + 1):
            if number == 0:
                best = before[t] if t == 0 else min(before[t], row[t - 1])
            else:
                best = before[t] + (min(skipped, softest) if bits & soft[first + t] else skipped)
                if t:
                    cost = costs[number, heard[first + t - 1]]
                    best = min(best, before[t - 1] + (EDIT if cost == 255 else cost), row[t - 1] + EDIT)
            row[t] = best
            least = min(least, best)
        if least > limit:
            return False
        before, row = row, before
    return True
