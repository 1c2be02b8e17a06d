"""What of each compact text some rules look at: the rest is neither scanned nor masked."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.detect.archive.compact import CLOSING, HEAD, HEAD_UNITS, ROLES, role_confidence
from pipeline.detect.scene import counted
from pipeline.ruleset import Rule, Window
from pipeline.timeline import Role


class View(NamedTuple):
    """Whose turns a rule looks at (None: anybody's), and the first or last of these only."""

    role: Role | None
    first: int | None
    last: int | None

    @classmethod
    def of(cls, rule: Rule) -> "View":
        return cls(rule.role, rule.window.first_turns, rule.window.last_turns)

    def stretches(self, roles: Sequence[Role]) -> frozenset[int]:
        """Numbers of the stretches that are looked at; `roles`: whose each one is."""
        own = [n for n, spoken in enumerate(roles) if self.role in (None, spoken)]
        return frozenset(counted(own, Window(first_turns=self.first, last_turns=self.last)))


EVERYTHING = View(None, None, None)


class Excerpts:
    """`texts`: the compact texts without the stretches that none of the rules looks at; where roles are not
    known, rules look at everything."""

    def __init__(self, texts: Iterable[bytes], rules: Iterable[Rule], threshold: float) -> None:
        self._views = {View.of(rule) for rule in rules}
        self._seen: dict[tuple[int, View], frozenset[int]] = {}
        self._roles: list[Sequence[Role]] = []
        self._numbers: list[Sequence[int]] = []
        self.known: list[bool] = []
        self.texts: list[bytes] = []
        for text in texts:
            self.known.append(role_confidence(text) >= threshold)
            self._add(text)

    def _add(self, text: bytes) -> None:
        units = np.frombuffer(text, "<u2")[HEAD_UNITS:-1]
        opens = np.flatnonzero(units < CLOSING)
        self._roles.append([ROLES[role] for role in units[opens].tolist()])
        if EVERYTHING in self._views or not self.known[-1]:
            self._numbers.append(range(len(opens)))
            self.texts.append(text)
            return
        kept = sorted({n for view in self._views for n in view.stretches(self._roles[-1])})
        self._numbers.append(kept)
        self.texts.append(text[: HEAD.size] + _only(units, opens, kept) + text[-2:])

    def number(self, call: int, stretch: int) -> int:
        """What the call calls a stretch of its excerpt."""
        return self._numbers[call][stretch]

    def looks(self, rule: Rule, call: int, number: int) -> bool:
        """Whether the rule looks at a stretch of the call."""
        if not self.known[call]:
            return True
        key = call, View.of(rule)
        if key not in self._seen:
            self._seen[key] = key[1].stretches(self._roles[call])
        return number in self._seen[key]

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


def _only(units: NDArray[np.uint16], opens: NDArray[np.int64], kept: Sequence[int]) -> bytes:
    ends = np.append(opens[1:], len(units))
    return b"".join(units[first:last].tobytes() for first, last in zip(opens[kept], ends[kept], strict=True))
