"""How fast a night goes, and how long it still takes."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.units import Ms


@dataclass(slots=True, kw_only=True)
class Pace:
    """`passed` needed no work, `finished` did; `total` None: not counted yet."""

    total: int | None = None
    passed: int = 0
    finished: int = 0
    heard: Ms = 0

    @classmethod
    def of(cls, counts: Mapping[str, float]) -> "Pace":
        """As a night's counts in the store have it."""
        finished = int(counts.get("scored", 0) + counts.get("failed", 0))
        waiting = ("already_done", "poison", "skipped", "elsewhere")
        total = counts.get("total")
        return cls(
            total=None if total is None else int(total),
            passed=int(sum(counts.get(name, 0) for name in waiting)),
            finished=finished,
            heard=int(counts.get("heard_ms", 0)),
        )

    def realtime(self, seconds: float) -> float:
        """Seconds of recordings for each second of work."""
        return self.heard / 1000 / seconds if seconds > 0 else 0.0

    def per_hour(self, seconds: float) -> float:
        """Recordings."""
        return self.finished / seconds * 3600 if seconds > 0 else 0.0

    def left(self, seconds: float) -> float | None:
        """Seconds to go, if the rest is like what was done; None: nobody knows yet."""
        if self.total is None or not self.finished:
            return None
        return seconds / self.finished * max(0, self.total - self.passed - self.finished)
