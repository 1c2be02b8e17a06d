"""What of each compact text some rules look at: the rest is neither scanned nor masked."""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.detect.archive.compact import CLOSING, HEAD_UNITS, ROLES, role_confidence
from pipeline.ruleset import Rule
from pipeline.timeline import Role

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


class Spoken(NamedTuple):
    """The stretches of some calls, in order: the call of each, and the number of its role in ROLES; and the
    number of the first stretch of each call, with the number behind the last stretch of all."""

    calls: Ints
    roles: NDArray[np.integer[Any]]
    firsts: Ints


class View(NamedTuple):
    """Whose turns a rule looks at (None: anybody's), and the first or last of these only."""

    role: Role | None
    first: int | None
    last: int | None

    @classmethod
    def of(cls, rule: Rule) -> "View":
        return cls(rule.role, rule.window.first_turns, rule.window.last_turns)

    def stretches(self, roles: Sequence[Role]) -> frozenset[int]:
        """Numbers of the stretches of one call that are looked at; `roles`: whose each one is."""
        spoken = np.array([ROLES.index(role) for role in roles], np.int64)
        firsts = np.array([0, len(spoken)])
        looked = self.looked(Spoken(np.zeros(len(spoken), np.int64), spoken, firsts))
        return frozenset(np.flatnonzero(looked).tolist())

    def looked(self, spoken: Spoken) -> Flags:
        """Of each stretch, whether it is looked at."""
        own = np.ones(len(spoken.roles), bool)
        if self.role is not None:
            own = spoken.roles == ROLES.index(self.role)
        counted = np.concatenate(([0], np.cumsum(own)))
        before, after = counted[spoken.firsts[:-1]], counted[spoken.firsts[1:]]
        if self.first is not None:
            own = own & (counted[1:] - before[spoken.calls] <= self.first)
        if self.last is not None:
            own = own & (after[spoken.calls] - counted[:-1] <= self.last)
        return own


EVERYTHING = View(None, None, None)


class Excerpts:
    """`texts`: the compact texts without the stretches that none of the rules looks at; where roles are not
    known, rules look at everything. All calls at once: a loop over them costs more than the scan."""

    def __init__(self, texts: Sequence[bytes], rules: Iterable[Rule], threshold: float) -> None:
        self.known = [role_confidence(text) >= threshold for text in texts]
        units = np.frombuffer(b"".join(texts), "<u2")
        ends = np.cumsum([len(text) // 2 for text in texts], dtype=np.int64)
        inside = _inside(len(units), ends)
        opening = inside & (units < CLOSING)
        self._spoken = _spoken(units, np.flatnonzero(opening), ends)
        self._unsure = ~np.array(self.known, bool)[self._spoken.calls]
        self._seen: dict[View, Flags] = {}
        kept = self._kept({View.of(rule) for rule in rules})
        self._numbers = np.flatnonzero(kept)
        self._kept_firsts = np.searchsorted(self._numbers, self._spoken.firsts)
        self.texts = list(texts)
        if not kept.all():
            stays = ~inside | np.append(kept, True)[np.cumsum(opening) - 1]
            self.texts = _parts(units[stays], np.cumsum(stays)[ends - 1])

    def _kept(self, views: Iterable[View]) -> Flags:
        """Of each stretch, whether any view looks at it."""
        if EVERYTHING in views:
            return np.ones(len(self._spoken.calls), bool)
        kept: Flags = np.logical_or.reduce([self._unsure, *map(self._looked, views)])
        return kept

    def _looked(self, view: View) -> Flags:
        if view not in self._seen:
            self._seen[view] = self._unsure | view.looked(self._spoken)
        return self._seen[view]

    def number(self, call: int, stretch: int) -> int:
        """What the call calls a stretch of its excerpt."""
        return int(self._numbers[self._kept_firsts[call] + stretch] - self._spoken.firsts[call])

    def looks(self, rule: Rule, call: int, number: int) -> bool:
        """Whether the rule looks at a stretch of the call."""
        return bool(self._looked(View.of(rule))[self._spoken.firsts[call] + number])

    def batches(self, calls: Iterable[int], size: int) -> Iterable[list[int]]:
        """Calls with so many bytes of text together, one at least."""
        batch: list[int] = []
        left = size
        for call in calls:
            if batch and len(self.texts[call]) > left:
                yield batch
                batch, left = [], size
            batch.append(call)
            left -= len(self.texts[call])
        if batch:
            yield batch


def _inside(size: int, ends: Ints) -> Flags:
    """Of each code unit of some compact texts, whether it is in a stretch: heads and last units are not."""
    inside = np.ones(size, bool)
    begins = np.concatenate(([0], ends[:-1]))
    inside[(begins[:, None] + np.arange(HEAD_UNITS)).ravel()] = False
    inside[ends - 1] = False
    return inside


def _spoken(units: NDArray[np.uint16], opens: Ints, ends: Ints) -> Spoken:
    calls = np.searchsorted(ends, opens, "right")
    return Spoken(calls, units[opens], np.searchsorted(calls, np.arange(len(ends) + 1)))


def _parts(units: NDArray[np.uint16], ends: Ints) -> list[bytes]:
    whole = units.tobytes()
    return [whole[2 * first : 2 * last] for first, last in pairwise([0, *ends.tolist()])]
