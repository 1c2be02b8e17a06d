"""What nights leave in the store: who works on what, what could not be used, how each night went."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

MOST_TRIES = 3
"""After so many failed tries a recording waits for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantined:
    """A file or metadata row that could not be used. `stage` names where: probe, decode, metadata ...
    `tries` are those of this fault when it is given to the store, all of them when it comes out."""

    path: str
    stage: str
    reason: str
    sha256: str | None = None
    tries: int = 1
    at: datetime | None = None

    @property
    def is_poison(self) -> bool:
        """Whether it is not tried again by itself: it fails in a way that costs a night something."""
        return self.stage in COSTLY and self.tries >= MOST_TRIES


COSTLY = ("crash", "prepare", "recognize")
"""Stages that fail without saying what is wrong with the file. The others say it at once, and may do so
every night: a changed setting or rule mends them."""


OF_A_RECORDING = ("read", "decode", "crash", "prepare", "recognize", "judge")
"""Stages at which a recording was worked on. The others tell of a row, or of a folder."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """One run of the nightly job. `ended_at` None: still running, or killed; its claims are good until
    `lease_until`, as long as the process `owner` lives."""

    id: int
    folder: str
    started_at: datetime
    ended_at: datetime | None
    counts: Mapping[str, float]
    owner: str | None = None
    lease_until: datetime | None = None


class State(StrEnum):
    """How far the work on a recording is."""

    PENDING = "pending"
    CLAIMED = "claimed"
    DONE = "done"
    QUARANTINED = "quarantined"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Work that a night would like to do. `path` is absolute; the lower `priority`, the sooner."""

    key: str
    sha256: str
    path: str
    priority: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the work behind a key stands. `path` is the file that it was or is done with; `mine`: this night
    may do it now; `night` has claimed it."""

    state: State
    path: str
    tries: int = 0
    mine: bool = False
    stage: str | None = None
    night: int | None = None
