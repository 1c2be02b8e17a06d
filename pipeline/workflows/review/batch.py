"""Calls accepted in a batch, unheard: only cards that may be accepted as they are and that nobody touched."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.audit import AuditEntry
from pipeline.errors import CallscoreError
from pipeline.queue import HELD
from pipeline.scorecard import Decision
from pipeline.storage.queue_records import Refused, WhyNot
from pipeline.storage.store import Store
from pipeline.workflows.review.decide import Terms, review
from pipeline.workflows.review.marks import Marks
from pipeline.workflows.review.sheet import Sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Ids of the recordings that were accepted, and those that were left as they are."""

    accepted: tuple[str, ...]
    refused: tuple[Refused, ...]


Audit = Callable[[str], tuple[AuditEntry, ...]]
"""Recording id -> what the audit log says of its acceptance."""


def accept_batch(
    store: Store,
    recording_ids: Iterable[str],
    who: str,
    *,
    at: datetime,
    audit: Audit = lambda recording_id: (),
) -> Batch:
    """Accept every item that rules decided and hand the call in, each of these calls by itself. Items that
    only a person can judge stay open on the card."""
    accepted, refused = [], []
    usual = Terms(check=_check, reason=f"批量采信：{who}")
    for recording_id in dict.fromkeys(recording_ids):
        terms = replace(usual, audit=audit(recording_id))
        why = _accept(store, recording_id, who, terms, at)
        if why is None:
            accepted.append(recording_id)
        else:
            refused.append(why)
    return Batch(accepted=tuple(accepted), refused=tuple(refused))


def _accept(store: Store, recording_id: str, who: str, terms: Terms, at: datetime) -> Refused | None:
    line = store.queue_line(recording_id)
    if line is None:
        return Refused(recording_id=recording_id, why=WhyNot.UNKNOWN)
    if line.state in HELD and line.assigned_to != who:
        return Refused(recording_id=recording_id, why=WhyNot.HELD, told=line.assigned_to or "")
    marks = Marks(who=who, accept_all=True, done=True, partial=True, batch=True)
    try:
        review(store, recording_id, marks, at=at, terms=terms)
    except _NotAsItIs as error:
        return Refused(recording_id=recording_id, why=error.why)
    except CallscoreError as error:
        return Refused(recording_id=recording_id, why=WhyNot.REFUSED, told=error.message)
    return None


class _NotAsItIs(Exception):
    """The call is not as a batch needs it."""

    def __init__(self, why: WhyNot) -> None:
        super().__init__()
        self.why = why


def _check(now: Sheet) -> None:
    """At the moment of writing: the machine's card is sure enough, and nobody decided anything about it."""
    if any(one.decision is not Decision.NOTE for one in now.everything):
        raise _NotAsItIs(WhyNot.TOUCHED)
    if not now.machine.acceptable:
        raise _NotAsItIs(WhyNot.UNSURE)
