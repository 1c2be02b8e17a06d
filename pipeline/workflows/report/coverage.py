"""What people listened to, against the sampling plans."""

from dataclasses import dataclass, field

from pipeline.scoring.intervals import Share
from pipeline.storage.records import FactLine
from pipeline.storage.store import Store
from pipeline.workflows.report.values import Coverage, Period

MOST_WAITING = 10


@dataclass(slots=True)
class CoverageTally:
    plans: int
    drawn: frozenset[str]
    complaints: list[int] = field(default_factory=lambda: [0, 0])
    others: list[int] = field(default_factory=lambda: [0, 0])
    done: int = 0
    asked: int = 0
    waiting: list[str] = field(default_factory=list)

    def add(self, line: FactLine) -> None:
        listened = bool(line.reviewers)
        counted = self.complaints if line.is_complaint else self.others
        counted[0] += listened
        counted[1] += 1
        if line.recording_id in self.drawn:
            self.asked += 1
            self.done += listened
            if not listened and len(self.waiting) < MOST_WAITING:
                self.waiting.append(line.name)

    def coverage(self) -> Coverage:
        return Coverage(
            complaints=Share(right=self.complaints[0], n=self.complaints[1]),
            others=Share(right=self.others[0], n=self.others[1]),
            plans=self.plans,
            drawn=Share(right=self.done, n=self.asked),
            waiting=tuple(self.waiting),
        )


def drawn_in(store: Store, period: Period) -> CoverageTally:
    """The calls that plans of this time asked to be listened to."""
    plans = store.plans(period.since, period.until)
    drawn = frozenset(draw.recording_id for plan in plans for draw in store.draws(plan.id))
    return CoverageTally(plans=len(plans), drawn=drawn)
