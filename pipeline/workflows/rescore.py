"""Score a stored call again: the same transcript, perhaps other rules, perhaps the roles swapped."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from pipeline.ruleset import RuleSet
from pipeline.scorecard import Scorecard
from pipeline.storage.records import StoredCall
from pipeline.storage.store import Store
from pipeline.workflows.meaning import Understanding
from pipeline.workflows.process_call import judge

SWAPPED = "人工指定：坐席与客户互换"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescore:
    """What to score again and why. `name`: the call_id, or a unique prefix of the recording's id."""

    name: str
    swap_roles: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """How re-scoring everything went: calls, and those of which the points changed."""

    calls: int
    changed: int


def rescore_all(
    store: Store,
    ruleset: RuleSet,
    understanding: Understanding,
    *,
    at: datetime,
    reason: str = "",
    watch: Callable[[int], None] = lambda done: None,
) -> Changes:
    """Add a scorecard to every stored call, each the same to the byte as `rescore` would add. One call in
    memory; what was done before a break stays."""
    names = [summary.recording.id for summary in store.calls()]
    changed = 0
    for done, name in enumerate(names, start=1):
        before = store.latest(name)
        call, reviews = understanding.with_sentences(before.call), store.reviews(name)
        scored = judge(call, ruleset, understanding.settings, reviews=reviews)
        store.save_rescore(scored, at=at, reason=reason or "rescore all")
        changed += _points(before.scorecard) != _points(scored.scorecard)
        watch(done)
    return Changes(calls=len(names), changed=changed)


def _points(card: Scorecard | None) -> tuple[Decimal, Decimal] | None:
    return None if card is None else (card.total, card.open_points)


def rescore(
    order: Rescore, store: Store, ruleset: RuleSet, understanding: Understanding, *, at: datetime
) -> tuple[StoredCall, StoredCall]:
    """Add a scorecard; the scoring before and the one after. Nothing is overwritten. Raises NotFound."""
    before = store.latest(store.find_call(order.name).id)
    transcript = before.transcript.swapped(SWAPPED) if order.swap_roles else before.transcript
    call = understanding.with_sentences(replace(before.call, transcript=transcript))
    reviews = store.reviews(before.recording.id)
    scored = judge(call, ruleset, understanding.settings, reviews=reviews)
    reason = order.reason or ("swap roles" if order.swap_roles else "rescore")
    after = store.save_rescore(scored, at=at, reason=reason)
    return before, store.scoring(after)
