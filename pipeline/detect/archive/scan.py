"""The inner loop of the sieve, compiled: tables and text in, places out."""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pipeline.detect.archive.classes import EDGE, SOFT
from pipeline.detect.archive.compact import HEAD_UNITS
from pipeline.detect.archive.parts import LONGEST

Ints = NDArray[np.int32]
EDIT = 100
AROUND = 4
"""A target is looked for within its length and so many characters of a part."""


class Tables(NamedTuple):
    """What the scan reads. A head is 0, or the number of a list of anchors, `starts[n]` to `starts[n + 1]`.
    The groups of an anchor lie between `firsts[a]` and `firsts[a + 1]`: a character beside it (where, and its
    row), and uses. A use is a part, and where the anchor stands in it. `near`: the costs as bits, for the
    first look."""

    class_of: NDArray[np.int16]
    plain: Ints
    light_bits: Ints
    pair_heads: Ints
    single_heads: Ints
    starts: Ints
    anchors: Ints
    firsts: Ints
    groups: Ints
    uses: Ints
    about: Ints
    parts: Ints
    target_firsts: Ints
    aims: Ints
    target_rows: Ints
    target_about: Ints
    target_light: Ints
    costs: NDArray[np.uint8]
    near: NDArray[np.uint8]
    row_soft: Ints


@njit(cache=True, boundscheck=False)
def scan(units: Any, ends: Any, tables: Any, found: Any) -> int:  # pragma: no cover  (compiled)
    """Fill `found` with (call, stretch, role, target); how many there are, with room for them or without."""
    longest, begin = LONGEST, 0
    for end in ends:
        longest, begin = max(longest, end - begin + LONGEST), end
    heard, soft = np.zeros(longest, np.int32), np.zeros(longest, np.int32)
    owner, plain = np.zeros(longest, np.int32), np.zeros(longest, np.int32)
    count, begin, seen = 0, 0, np.full(tables.target_about.shape[0], -1, np.int64)
    for call in range(ends.shape[0]):
        size = _lay_out(units, begin + HEAD_UNITS, ends[call], tables, heard, soft, owner, plain)
        count = _scan_call(call, size, tables, heard, soft, owner, plain, seen, found, count)
        begin = ends[call]
    return count


@njit(cache=True, boundscheck=False)
def _lay_out(
    units: Any, first: int, last: int, tables: Any, heard: Any, soft: Any, owner: Any, plain: Any
) -> int:  # pragma: no cover  (compiled)
    """The classes of a call without light ones; the light characters before each; its stretch
    and role."""
    size, lights, stretch = 0, 0, 0
    class_of, plain_of, light_bits = tables.class_of, tables.plain, tables.light_bits
    for i in range(first, last):
        unit = units[i]
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


@njit(cache=True, boundscheck=False)
def _scan_call(
    call: int,
    size: int,
    tables: Any,
    heard: Any,
    soft: Any,
    owner: Any,
    plain: Any,
    seen: Any,
    found: Any,
    count: int,
) -> int:  # pragma: no cover  (compiled)
    """Hold every part against the text that one of its anchors stands in."""
    pair_heads, single_heads = tables.pair_heads, tables.single_heads
    starts, anchors, firsts, groups, uses = (
        tables.starts,
        tables.anchors,
        tables.firsts,
        tables.groups,
        tables.uses,
    )
    rows, about, costs, near = tables.parts, tables.about, tables.costs, tables.near
    target_firsts, aims = tables.target_firsts, tables.aims
    width = single_heads.shape[0]
    singles = 2 if single_heads.any() else 1
    for step in range(singles * size):
        at = step >> (singles - 1)
        pair = singles == 1 or step & 1
        head = pair_heads[plain[at] * width + plain[at + 1]] if pair else single_heads[plain[at]]
        if head == 0:
            continue
        for i in range(starts[head], starts[head + 1]):
            for group in range(firsts[anchors[i]], firsts[anchors[i] + 1]):
                place = groups[group, 0]
                if place:
                    if at + place < 0:
                        continue
                    beside = heard[at + place]
                    if not near[groups[group, 1], beside >> 3] >> (beside & 7) & 1:
                        continue
                for use in range(groups[group, 2], groups[group, 3]):
                    part, start = uses[use, 0], at - uses[use, 1]
                    if start < 0:
                        continue
                    spent, limit = 0, about[part, 1]
                    for k in range(about[part, 0]):
                        spent += costs[rows[part, k], heard[start + k]]
                        if spent > limit:
                            break
                    if spent > limit:
                        continue
                    asked = about[part, 2]
                    if asked != 0 and (soft[start + about[part, 3]] & asked) == 0:
                        continue
                    for j in range(target_firsts[part], target_firsts[part + 1]):
                        target = aims[j]
                        where = (np.int64(call) << 32) + owner[start]
                        if seen[target] == where or not _heard_near(start, size, target, tables, heard, soft):
                            continue
                        seen[target] = where
                        if count < found.shape[0]:
                            found[count, 0], found[count, 1] = call, (owner[start] >> 3) - 1
                            found[count, 2], found[count, 3] = owner[start] & 7, target
                        count += 1
    return count


@njit(cache=True, boundscheck=False)
def _heard_near(
    start: int, size: int, target: int, tables: Any, heard: Any, soft: Any
) -> bool:  # pragma: no cover  (compiled)
    """Whether the whole target may have been heard around the place, with every edit that it may have."""
    length, limit = tables.target_about[target, 0], tables.target_about[target, 1]
    room = length + AROUND + tables.target_about[target, 2]
    first, last = start, start
    while first > 0 and heard[first - 1] != 0 and start - first < room:
        first -= 1
    while last < size and heard[last] != 0 and last - start < room:
        last += 1
    width = last - first + 1
    before, row = np.zeros(width, np.int32), np.zeros(width, np.int32)
    for k in range(length):
        number, least = tables.target_rows[target, k], limit + 1
        light, bits = tables.target_light[target, k], tables.row_soft[number, 0]
        for t in range(width):
            if number == 0:
                best = before[t] if t == 0 else min(before[t], row[t - 1])
            else:
                best = before[t] + (0 if light else EDIT)
                if bits & soft[first + t]:
                    best = min(best, before[t] + tables.row_soft[number, 1])
                if t:
                    cost = tables.costs[number, heard[first + t - 1]]
                    best = min(best, before[t - 1] + (EDIT if cost == 255 else cost), row[t - 1] + EDIT)
            row[t] = best
            least = min(least, best)
        if least > limit:
            return False
        before, row = row, before
    return True
