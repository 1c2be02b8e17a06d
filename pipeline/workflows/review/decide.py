"""An inspector's decisions about one call: kept, and scored by the same path as everything."""

from datetime import datetime

from pipeline.errors import UsageError
from pipeline.storage.store import Store
from pipeline.workflows.review.marks import Marks, reviews_of
from pipeline.workflows.review.sheet import Sheet, reviewed, sheet, sheet_of
from pipeline.workflows.tries import until_kept


def review(store: Store, name: str, marks: Marks, *, at: datetime) -> tuple[Sheet, Sheet]:
    """Keep decisions and add the scorecard that they make: the sheet before, and the sheet after.

    Raises NotFound, and UsageError for what the form does not allow; then nothing is kept.
    """
    if not marks.who.strip():
        raise UsageError("谁在复核？", hint="用 --who 署名，或设环境变量 CALLSCORE_REVIEWER")

    def attempt() -> Sheet | None:
        before = sheet(store, name, marks.who)
        moment = before.moment(at)
        decided = reviewed(before, reviews_of(marks, before, moment), f"复核：{marks.who}")
        return before if store.save_reviewed(decided, at=moment) is not None else None

    before = until_kept(attempt, name)
    recording_id = before.stored.recording.id
    stored, reviews = store.latest(recording_id), store.reviews(recording_id)
    return before, sheet_of(stored, reviews, before.ruleset, marks.who)
