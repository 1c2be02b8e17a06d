"""Score stored calls again: as known now, under the rules in force or others."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from pipeline.ruleset import RuleSet
from pipeline.scorecard import Scorecard
from pipeline.settings import Settings
from pipeline.storage.records import ScoredCall
from pipeline.storage.store import Store
from pipeline.timeline import Call
from pipeline.workflows.meaning import Understanding
from pipeline.workflows.process_call import BY_RULE, Choice, judge
from pipeline.workflows.rules import rules_in_force


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """How re-scoring everything went: calls, and those of which the points changed."""

    calls: int
    changed: int


def rescore_all(
    scorer: Scorer, *, at: datetime, reason: str = "", watch: Callable[[int], None] = lambda done: None
) -> Changes:
    """Add a scorecard to every stored call. One call in memory; what was done before a break stays."""
    store = scorer.store
    names = [summary.recording.id for summary in store.calls()]
    changed = 0
    for done, name in enumerate(names, start=1):
        before = store.latest(name)
        scored = scorer.scored(before.call)
        store.save_rescore(scored, at=at, reason=reason or "rescore all")
        changed += _points(before.scorecard) != _points(scored.scorecard)
        watch(done)
    return Changes(calls=len(names), changed=changed)


def _points(card: Scorecard | None) -> tuple[Decimal, Decimal] | None:
    return None if card is None else (card.total, card.open_points)
