"""Rows of the queue kept up to date: in the transaction of whatever changes a call."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session

from pipeline.appeal import Step
from pipeline.queue import (
    HELD,
    LAYOUT,
    THOUSAND,
    CardSums,
    WorkState,
    idle_state,
    keeps_back,
    progress,
    released,
    reviews_asked,
    risk,
    risk_untold,
    state,
    sums_of,
)
from pipeline.scorecard import Review, Scorecard
from pipeline.storage import mapping, queries
from pipeline.storage.queue_query import milliseconds
from pipeline.storage.queue_tables import DraftRow, QueueRow
from pipeline.storage.records import ScoredCall
from pipeline.storage.tables import (
    AppealEventRow,
    AppealRow,
    RecordingRow,
    SampleDrawRow,
    ScorecardRow,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCard:
    """The newest card of a recording, and how many inspectors its template wants."""

    scorecard_id: int
    sums: CardSums
    asked: int


def scored(session: Session, call: ScoredCall, scorecard_id: int) -> None:
    """The recording has a new card. Without one it leaves the queue."""
    recording = lock_recording(session, call.recording.id)
    card = call.scorecard
    if recording is None or card is None:
        _leave(session, call.recording.id)
        return
    template = call.ruleset.template(card.template_id)
    asked = reviews_asked(template.reviews if template else None)
    _write(session, recording, NewCard(scorecard_id=scorecard_id, sums=sums_of(card), asked=asked))


def refresh(session: Session, recording_id: str) -> None:
    """Bring the row of a recording up to date with its metadata, reviews, appeals and drafts. One that was
    never in the queue stays out until `make` finds it."""
    recording = lock_recording(session, recording_id)
    if recording is not None and session.get(QueueRow, recording_id) is not None:
        _write(session, recording, None)


def make(session: Session, scorecard_id: int, asked: int) -> None:
    """The row of a card that was stored before there was a queue."""
    row = session.get_one(ScorecardRow, scorecard_id)
    recording, card = lock_recording(session, row.recording_id), stored_card(row)
    if recording is not None and card is not None:
        made = NewCard(scorecard_id=scorecard_id, sums=sums_of(card), asked=asked)
        _write(session, recording, made)


def stored_card(row: ScorecardRow) -> Scorecard | None:
    _, _, card = mapping.scoring_from_plain(mapping.unpack(row.body) | {"findings": []})
    return card


def lock_recording(session: Session, recording_id: str) -> RecordingRow | None:
    """The recording, which nobody else changes until the transaction ends; rows that point at it can be
    written, else two who write about it could wait for each other."""
    return session.get(RecordingRow, recording_id, with_for_update={"key_share": True})


def locked(session: Session, recording_id: str) -> QueueRow | None:
    """The row as it is now, which nobody else changes until the transaction ends."""
    return session.get(QueueRow, recording_id, with_for_update=True, populate_existing=True)


def _leave(session: Session, recording_id: str) -> None:
    row = locked(session, recording_id)
    if row is not None:
        session.delete(row)
        session.flush()


def _write(session: Session, recording: RecordingRow, new: NewCard | None) -> None:
    """Everything is asked before the row is written; a new one is not whole until the end."""
    session.flush()
    with session.no_autoflush:
        row = locked(session, recording.id)
        if row is None:
            row = QueueRow(recording_id=recording.id, assigned_to=None, claimed_until=None)
            session.add(row)
        _fill(session, row, recording, new)
    session.flush()


def _fill(session: Session, row: QueueRow, recording: RecordingRow, new: NewCard | None) -> None:
    sums = new.sums if new else _sums(session, row)
    if new is not None:
        row.version, row.scorecard_id, row.asked = LAYOUT, new.scorecard_id, new.asked
    for field in fields(CardSums):
        setattr(row, field.name, getattr(sums, field.name))
    _describe(row, recording)
    row.plan_id = _newest_plan(session, recording.id)
    row.open_appeals = _open_appeals(session, recording.id)
    _stand(session, row, sums, queries.reviews(session, recording.id))


def _describe(row: QueueRow, recording: RecordingRow) -> None:
    row.name = mapping.column_text(recording.call_id or recording.id)
    row.started_ms, row.duration_ms = milliseconds(recording.started_at), recording.duration_ms
    row.agent_id, row.business = recording.agent_id, recording.business
    row.direction, row.complaint = recording.direction, recording.is_complaint is True


def _stand(session: Session, row: QueueRow, sums: CardSums, reviews: Sequence[Review]) -> None:
    """Where the call stands now. What was released stays so, whatever a later form asks for. Who handed it in
    no longer holds it, but stays named on what is released."""
    made = progress(reviews)
    row.done, row.released = len(made.done), bool(row.released) or released(reviews, row.asked)
    if row.assigned_to in made.done or row.released:
        row.claimed_until = None
        row.assigned_to = row.assigned_to if row.released else None
    row.idle = idle_state(made, released=row.released, appealed=row.open_appeals > 0).value
    _rank(row, sums)
    set_state(session, row)


def _rank(row: QueueRow, sums: CardSums) -> None:
    """What the row is sorted by. Figures that are kept back do not show in its place either."""
    flags = {"appealed": row.open_appeals > 0, "complaint": row.complaint}
    if keeps_back(row.done, row.asked, row.released):
        row.rate, row.confidence, row.risk = THOUSAND, THOUSAND, risk_untold(**flags)
    else:
        row.risk = risk(sums, **flags)


def set_state(session: Session, row: QueueRow) -> None:
    """The state that follows from where the call stands and who holds it."""
    held = row.assigned_to is not None
    drafted = held and has_draft(session, row.recording_id, row.assigned_to or "")
    row.state = state(WorkState(row.idle), held=held, drafted=drafted).value


def has_draft(session: Session, recording_id: str, who: str) -> bool:
    return session.get(DraftRow, (recording_id, who, 0)) is not None


def _sums(session: Session, row: QueueRow) -> CardSums:
    """Of the newest card: what the row says, unless it kept something back."""
    if keeps_back(row.done, row.asked, row.released):
        card = stored_card(session.get_one(ScorecardRow, row.scorecard_id))
        if card is not None:
            return sums_of(card)
    return CardSums(**{field.name: getattr(row, field.name) for field in fields(CardSums)})


def _newest_plan(session: Session, recording_id: str) -> int | None:
    query = select(func.max(SampleDrawRow.plan_id)).where(SampleDrawRow.recording_id == recording_id)
    return session.scalar(query)


def _open_appeals(session: Session, recording_id: str) -> int:
    """Appeals that wait for an answer."""
    query = (
        select(AppealEventRow.step)
        .join(AppealRow, AppealRow.id == AppealEventRow.appeal_id)
        .where(AppealRow.recording_id == recording_id, AppealEventRow.number == _last_number())
    )
    return sum(step != Step.ANSWERED for step in session.scalars(query))


def _last_number() -> object:
    later = AppealEventRow.__table__.alias()
    query = select(func.max(later.c.number)).where(later.c.appeal_id == AppealEventRow.appeal_id)
    return query.correlate(AppealEventRow).scalar_subquery()


def drawn(session: Session, plan_id: int, recording_ids: Sequence[str]) -> None:
    """A new plan drew these calls."""
    ordered = sorted(recording_ids)
    for first in range(0, len(ordered), AT_A_TIME):
        some = ordered[first : first + AT_A_TIME]
        _lock_in_order(session, QueueRow.recording_id.in_(some))
        query = update(QueueRow).where(QueueRow.recording_id.in_(some)).values(plan_id=plan_id)
        session.execute(query.execution_options(synchronize_session=False))


AT_A_TIME = 500
"""Ids in one statement."""


def end_claims(session: Session, at: datetime, recording_id: str | None = None) -> None:
    """Calls whose time is up, or this one if it is, are nobody's again."""
    over = [QueueRow.claimed_until <= at, QueueRow.state.in_([one.value for one in HELD])]
    if recording_id is not None:
        over.append(QueueRow.recording_id == recording_id)
    _lock_in_order(session, *over)
    values = {"assigned_to": None, "claimed_until": None, "state": QueueRow.idle}
    query = update(QueueRow).where(*over).values(values).execution_options(synchronize_session=False)
    session.execute(query)


def _lock_in_order(session: Session, *which: ColumnElement[bool]) -> None:
    """Everybody who needs several rows takes them in this order, so that no two wait for each other."""
    query = select(QueueRow.recording_id).where(*which).order_by(QueueRow.recording_id)
    session.scalars(query.with_for_update()).all()


def without(session: Session, count: int) -> list[tuple[int, str, str]]:
    """Newest scorings that should be in the queue and are not, or are in another layout, `count` at most:
    id, rule set, template."""
    newest = select(func.max(ScorecardRow.id)).group_by(ScorecardRow.recording_id).scalar_subquery()
    query = (
        select(ScorecardRow.id, ScorecardRow.ruleset_digest, ScorecardRow.template_id)
        .outerjoin(
            QueueRow,
            (QueueRow.recording_id == ScorecardRow.recording_id) & (QueueRow.version == LAYOUT),
        )
        .where(
            ScorecardRow.id.in_(newest),
            ScorecardRow.template_id.is_not(None),
            QueueRow.recording_id.is_(None),
        )
        .order_by(ScorecardRow.id)
        .limit(count)
    )
    return [(number, digest, template or "") for number, digest, template in session.execute(query)]
