"""An inspector's decisions about one call: kept, and scored by the same path as everything."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from pipeline.audit import AuditEntry
from pipeline.errors import UsageError
from pipeline.storage.store import Store
from pipeline.workflows.review.marks import Marks, reviews_of
from pipeline.workflows.review.sheet import Sheet, reviewed, sheet, sheet_of
from pipeline.workflows.tries import until_kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On what terms decisions are kept: `check` is shown the call as it is at that moment and may raise;
    `draft_of`: whose draft about the call ends with them; `reason` of the scoring; `audit` goes to the audit
    log beside what it says of them anyway."""

    check: Callable[[Sheet], None] = lambda sheet: None
    draft_of: str = ""
    reason: str = ""
    audit: tuple[AuditEntry, ...] = ()


USUAL = Terms()


def review(
    store: Store, name: str, marks: Marks, *, at: datetime, terms: Terms = USUAL
) -> tuple[Sheet, Sheet]:
    """Keep decisions and add the scorecard that they make: the sheet before, and the sheet after.

    Raises NotFound, and UsageError for what the form does not allow; then nothing is kept.
    """
    if not marks.who.strip():
        raise UsageError("谁在复核？", hint="用 --who 署名，或设环境变量 CALLSCORE_REVIEWER")

    def attempt() -> Sheet | None:
        before = sheet(store, name, marks.who)
        terms.check(before)
        moment = before.moment(at)
        made, reason = reviews_of(marks, before, moment), terms.reason or f"复核：{marks.who}"
        decided = reviewed(before, made, reason, terms.draft_of)
        return before if store.save_reviewed(decided, at=moment, audit=terms.audit) is not None else None

    before = until_kept(attempt, name)
    recording_id = before.stored.recording.id
    stored, reviews = store.latest(recording_id), store.reviews(recording_id)
    return before, sheet_of(stored, reviews, before.ruleset, marks.who, released=before.released)
