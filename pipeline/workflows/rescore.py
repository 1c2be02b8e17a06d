"""Score stored calls again: as known now, under the rules in force or others."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from pipeline.ruleset import RuleSet
from pipeline.scorecard import Scorecard
from pipeline.settings import Settings
from pipeline.storage.records import Rescored, ScoredCall, StoredCall
from pipeline.storage.store import Store
from pipeline.timeline import Call
from pipeline.workflows.meaning import Understanding
from pipeline.workflows.process_call import BY_RULE, Choice, judge
from pipeline.workflows.rules import rules_in_force
from pipeline.workflows.tries import until_kept

Made = Callable[[StoredCall], Rescored]
"""What a scoring of a call becomes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """Where calls are kept and what they are scored with now."""

    store: Store
    ruleset: RuleSet
    understanding: Understanding

    @classmethod
    def in_force(cls, store: Store, settings: Settings, *, at: datetime) -> "Scorer":
        """With the rules that the settings name. Raises RuleError."""
        understanding = Understanding(settings)
        ruleset = rules_in_force(store, understanding, at=at)
        return cls(store=store, ruleset=ruleset, understanding=understanding)

    @property
    def settings(self) -> Settings:
        return self.understanding.settings

    def scored(self, call: Call, choice: Choice = BY_RULE) -> ScoredCall:
        """The call as the rules and all that people decided score it now. Writes nothing."""
        call = self.understanding.with_sentences(call)
        return judge(call, self.ruleset, self.settings, choice, self.store.reviews(call.recording.id))

    def add(self, recording_id: str, made: Made, *, at: datetime) -> "Added":
        """Add a scorecard to a known call; made again where a decision or another scoring came in between.
        Raises NotFound, StorageError."""

        def attempt() -> Added | None:
            before = self.store.latest(recording_id)
            rescored = made(before)
            card = self.store.save_rescore(rescored, at=at)
            return None if card is None else Added(before=before, scored=rescored.scored, scorecard_id=card)

        return until_kept(attempt, recording_id)

    def again(self, choice: Choice, reason: str) -> Made:
        """The call as it is, scored once more."""
        return lambda before: Rescored(
            scored=self.scored(before.call, choice), basis=before.scorecard_id, reason=reason
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """A scoring that was added, and the one before it."""

    before: StoredCall
    scored: ScoredCall
    scorecard_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """How re-scoring everything went: calls, and those of which the points changed."""

    calls: int
    changed: int


def rescore_all(
    scorer: Scorer, *, at: datetime, reason: str = "", watch: Callable[[], None] = lambda: None
) -> Changes:
    """Add a scorecard to every stored call. One call in memory; what was done before a break stays."""
    names = [summary.recording.id for summary in scorer.store.calls()]
    made = scorer.again(BY_RULE, reason or "rescore all")
    changed = 0
    for name in names:
        added = scorer.add(name, made, at=at)
        changed += _points(added.before.scorecard) != _points(added.scored.scorecard)
        watch()
    return Changes(calls=len(names), changed=changed)


def _points(card: Scorecard | None) -> tuple[Decimal, Decimal] | None:
    return None if card is None else (card.total, card.open_points)
