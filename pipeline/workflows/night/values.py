"""What a night works on, with, and how it went."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pipeline.ruleset import RuleSet
from pipeline.settings import Settings
from pipeline.storage.night_records import Quarantined
from pipeline.storage.records import ScoredCall
from pipeline.storage.store import Store
from pipeline.timeline import Call, Provenance
from pipeline.units import Ms
from pipeline.workflows.night.hearing import Opened, Recipe, VectorsOf
from pipeline.workflows.night.job import Prepare
from pipeline.workflows.night.workers import local

if TYPE_CHECKING:
    from pipeline.speech.listen import Listener


@dataclass(frozen=True, slots=True, kw_only=True)
class NightPlan:
    """What to work on. `metadata` None: `metadata.csv` in the folder, if there is one. `budget_seconds` None:
    until all is done. A file that was changed less than `settled_seconds` ago may still be written to.
    `known` are marks of files that need not be looked at again; with it a recording without a row in the
    metadata waits for one."""

    folder: Path
    metadata: Path | None = None
    since: datetime | None = None
    limit: int | None = None
    dry_run: bool = False
    budget_seconds: float | None = None
    settled_seconds: float = 0.0
    known: set[int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NightTools:
    """Everything with a state, passed in. `listener`, `prepare` and `vectors` are the `recipe` for whoever
    hears, `ruleset` is asked for and `hearing` opened only where there is work; `provenance` is what
    transcripts carry; `understand` adds the vectors of a call's sentences where they are missing; `ticks` are
    seconds that never go back."""

    store: Store
    listener: "Callable[[Settings], Listener]"
    prepare: Callable[[], Prepare]
    provenance: Provenance
    ruleset: Callable[[], RuleSet]
    settings: Settings
    clock: Callable[[], datetime]
    understand: Callable[[Call], Call] = lambda call: call
    vectors: Callable[[Settings], VectorsOf] | None = None
    ticks: Callable[[], float] = time.monotonic
    hearing: Opened = local

    @property
    def recipe(self) -> Recipe:
        return Recipe(
            settings=self.settings, prepare=self.prepare, listener=self.listener, vectors=self.vectors
        )


class Watcher(Protocol):
    """Hears how the night goes on."""

    def started(self, night: int) -> None:
        """The night has a number. Not called on a dry run."""

    def counted(self, recordings: int) -> None:
        """So many recordings lie in the folder; known some time after the start."""

    def passed(self, recordings: int) -> None:
        """So many more need no work."""

    def scored(self, call: ScoredCall) -> None: ...
    def quarantined(self, fault: Quarantined) -> None: ...
    def noticed(self, fault: str) -> None: ...


@dataclass(slots=True, kw_only=True)
class Summary:
    """How a night ended. `heard` is the length of the recordings that were scored; `seen` counts recordings
    looked at: each is in one of the other counts. `total` lie in the folder, once they are counted. `pending`
    waits for another night, `elsewhere` is in the hands of another one, `skipped` is not to be heard,
    `poison` failed too often and was not tried. `notices` are the first of those that were given."""

    night: int | None = None
    total: int | None = None
    seen: int = 0
    scored: int = 0
    already_done: int = 0
    failed: int = 0
    poison: int = 0
    skipped: int = 0
    elsewhere: int = 0
    pending: int = 0
    heard: Ms = 0
    seconds: float = 0.0
    out_of_time: bool = False
    quarantined: list[Quarantined] = field(default_factory=list)
    noticed: int = 0
    notices: list[str] = field(default_factory=list)

    def counts(self) -> dict[str, float]:
        """For the store; `quarantined` are faults, of recordings and of rows."""
        names = ("seen", "scored", "already_done", "failed", "poison", "skipped", "elsewhere", "pending")
        counts: dict[str, float] = {name: getattr(self, name) for name in names}
        if self.total is not None:
            counts["total"] = self.total
        return counts | {
            "quarantined": len(self.quarantined),
            "notices": self.noticed,
            "heard_ms": self.heard,
            "seconds": round(self.seconds, 1),
        }
