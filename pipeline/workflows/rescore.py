"""Score a stored call again: the same transcript, perhaps other rules, perhaps the roles swapped."""

from dataclasses import dataclass
from datetime import datetime

from pipeline.ruleset import RuleSet
from pipeline.settings import Settings
from pipeline.storage.records import StoredCall
from pipeline.storage.store import Store
from pipeline.workflows.process_call import judge

SWAPPED = "人工指定：坐席与客户互换"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescore:
    """What to score again and why. `name`: the call_id, or a unique prefix of the recording's id."""

    name: str
    swap_roles: bool = False
    reason: str = ""


def rescore(
    order: Rescore, store: Store, ruleset: RuleSet, settings: Settings, *, at: datetime
) -> tuple[StoredCall, StoredCall]:
    """Add a scorecard; the scoring before and the one after. Nothing is overwritten. Raises NotFound."""
    before = store.latest(store.find_call(order.name).id)
    transcript = before.transcript.swapped(SWAPPED) if order.swap_roles else before.transcript
    scored = judge(before.recording, transcript, ruleset, settings)
    reason = order.reason or ("swap roles" if order.swap_roles else "rescore")
    after = store.save_rescore(scored, at=at, reason=reason)
    return before, store.scoring(after)
