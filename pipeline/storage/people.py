"""What people decide: reviews and appeals. Append-only, and told in the audit log where the store has one.

Decisions on one call are written one after the other (the recording's row is locked meanwhile), so that the
scorings of a call and its reviews have one order: a scoring counts the first `reviews` of them.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from pipeline.appeal import Appeal, AppealEvent, Ruling, Step
from pipeline.audit import AuditEntry
from pipeline.errors import NotFound
from pipeline.scorecard import Review
from pipeline.storage import drafts, queries, queue_rows, trail, writing
from pipeline.storage.mapping import column_text
from pipeline.storage.queue_records import DraftKey
from pipeline.storage.records import DecidedFinding, Reviewed
from pipeline.storage.tables import AppealEventRow, AppealRow, ReviewRow, ScorecardRow
from pipeline.storage.transactions import Transactions

NAMED_ONE_BY_ONE = 100
"""Of more appeals than these all events are read at once."""


class People(Transactions):
    """The part of `Store` that is about reviews and appeals."""

    def add_review(self, review: Review) -> None:
        """Keep a decision. Raises NotFound for a recording that was never stored."""
        with self._writing() as session:
            writing.lock(session, review.recording_id)
            session.add(_review_row(review))
            queue_rows.refresh(session, review.recording_id)
            self._trace(session, *trail.of_reviews((review,)))

    def save_reviewed(
        self, reviewed: Reviewed, *, at: datetime, audit: Sequence[AuditEntry] = ()
    ) -> int | None:
        """Keep decisions, the scorecard that they make and the answer to an appeal, all or nothing. The audit
        log tells of each by itself; `audit` is what else is to be told.

        The id of the newest scorecard; None: the call or the appeal changed since it was read, and nothing
        is kept. Raises NotFound for a recording that was never stored.
        """
        recording_id = reviewed.scored.recording.id
        with self._writing() as session:
            newest, known = reviewed.basis, reviewed.scored.reviews - len(reviewed.reviews)
            if not writing.is_newest(session, recording_id, newest, known):
                return None
            if reviewed.appeal is not None and not _is_next(session, reviewed.appeal):
                return None
            session.add_all(_review_row(review) for review in reviewed.reviews)
            if any(review.decision.scores for review in reviewed.reviews):
                transcript_id = session.scalar(
                    select(ScorecardRow.transcript_id).where(ScorecardRow.id == newest)
                )
                newest = writing.add_scoring(
                    session, reviewed.scored, transcript_id=transcript_id or 0, at=at, reason=reviewed.reason
                )
            told: tuple[AuditEntry, ...] = ()
            if reviewed.appeal is not None:
                _add_event(session, reviewed.appeal, newest)
                told = (trail.of_appeal(reviewed.appeal, reviewed.appeal.id),)
            if reviewed.draft_of:
                drafts.drop(session, DraftKey(recording_id=recording_id, who=reviewed.draft_of))
            queue_rows.refresh(session, recording_id)
            self._trace(session, *trail.of_reviews(reviewed.reviews), *told)
            self._record(session, audit)
        return newest

    def reviews(self, recording_id: str) -> tuple[Review, ...]:
        """All decisions about a call, oldest first."""
        with self._reading() as session:
            return queries.reviews(session, recording_id)

    def reviewed(self) -> Mapping[str, tuple[Review, ...]]:
        """All decisions by recording, each call's oldest first."""
        found: dict[str, list[Review]] = {}
        with self._reading() as session:
            for row in session.scalars(select(ReviewRow).order_by(ReviewRow.recording_id, ReviewRow.id)):
                found.setdefault(row.recording_id, []).append(queries.review_of(row))
        return {recording_id: tuple(reviews) for recording_id, reviews in found.items()}

    def decided_findings(self) -> tuple[DecidedFinding, ...]:
        """The newest decision about each finding that was called true or false, by recording and place."""
        with self._reading() as session:
            return queries.decided_findings(session)

    def add_appeal(self, appeal: Appeal, *, earlier: int, by: str = "") -> int | None:
        """Keep a new appeal; its id. `earlier`: how many there were about this item when it was made; None:
        there are more by now, and nothing is kept. `by` is who the audit log names. Raises NotFound for a
        recording that was never stored."""
        with self._writing() as session:
            writing.lock(session, appeal.recording_id)
            same = (AppealRow.recording_id == appeal.recording_id, AppealRow.item == appeal.item)
            if session.scalar(select(func.count()).select_from(AppealRow).where(*same)) != earlier:
                return None
            row = AppealRow(
                recording_id=appeal.recording_id,
                template_id=appeal.template_id,
                item=appeal.item,
                title=appeal.title,
                days=appeal.days,
            )
            session.add(row)
            session.flush()
            session.add(_event_row(row.id, 0, appeal.last, appeal.last.scorecard_id))
            queue_rows.refresh(session, appeal.recording_id)
            self._trace(session, trail.of_appeal(appeal, row.id, by))
            return row.id

    def add_appeal_event(self, appeal: Appeal, *, by: str = "") -> bool:
        """Keep the last event of a stored appeal; `by` is who the audit log names. False: it had more events
        already, and nothing is kept."""
        with self._writing() as session:
            writing.lock(session, appeal.recording_id)
            if not _is_next(session, appeal):
                return False
            _add_event(session, appeal, appeal.last.scorecard_id)
            queue_rows.refresh(session, appeal.recording_id)
            self._trace(session, trail.of_appeal(appeal, appeal.id, by))
        return True

    def appeals(self, recording_id: str | None = None) -> tuple[Appeal, ...]:
        """All appeals, or those about one call, the first raised first."""
        with self._reading() as session:
            query = select(AppealRow).order_by(AppealRow.id)
            if recording_id is not None:
                query = query.where(AppealRow.recording_id == recording_id)
            return _appeals(session, session.scalars(query).all())

    def appeal(self, appeal_id: int) -> Appeal:
        """One appeal. Raises NotFound."""
        with self._reading() as session:
            row = session.get(AppealRow, appeal_id)
            if row is None:
                raise NotFound(f"没有申诉 {appeal_id}", hint="callscore appeal list --all 列出全部申诉")
            return _appeals(session, [row])[0]


def _review_row(review: Review) -> ReviewRow:
    return ReviewRow(
        recording_id=review.recording_id,
        who=column_text(review.who),
        at=review.at,
        decision=review.decision.value,
        target=column_text(review.target),
        value=column_text(review.value),
        reason=column_text(review.reason),
        template_id=review.template_id,
        saw_machine=review.saw_machine,
        saw_others=review.saw_others,
        appeal_id=review.appeal_id,
    )


def _is_next(session: Session, appeal: Appeal) -> bool:
    """Whether the appeal's last event is the only one that is not stored yet."""
    query = select(func.count()).select_from(AppealEventRow).where(AppealEventRow.appeal_id == appeal.id)
    return session.scalar(query) == len(appeal.events) - 1


def _add_event(session: Session, appeal: Appeal, scorecard_id: int | None) -> None:
    session.add(_event_row(appeal.id, len(appeal.events) - 1, appeal.last, scorecard_id))


def _event_row(appeal_id: int, number: int, event: AppealEvent, scorecard_id: int | None) -> AppealEventRow:
    return AppealEventRow(
        appeal_id=appeal_id,
        number=number,
        step=event.step.value,
        who=column_text(event.who),
        at=event.at,
        reason=column_text(event.reason),
        until=event.until,
        ruling=event.ruling.value if event.ruling else None,
        scorecard_id=scorecard_id,
    )


def _appeals(session: Session, rows: Iterable[AppealRow]) -> tuple[Appeal, ...]:
    rows = list(rows)
    events: dict[int, list[AppealEvent]] = {row.id: [] for row in rows}
    if not events:
        return ()
    query = select(AppealEventRow).order_by(AppealEventRow.appeal_id, AppealEventRow.number)
    if len(events) <= NAMED_ONE_BY_ONE:
        query = query.where(AppealEventRow.appeal_id.in_(events))
    for found in session.scalars(query):
        if found.appeal_id in events:
            events[found.appeal_id].append(_event(found))
    return tuple(
        Appeal(
            id=row.id,
            recording_id=row.recording_id,
            template_id=row.template_id,
            item=row.item,
            title=row.title,
            days=row.days,
            events=tuple(events[row.id]),
        )
        for row in rows
    )


def _event(row: AppealEventRow) -> AppealEvent:
    return AppealEvent(
        step=Step(row.step),
        who=row.who,
        at=row.at,
        reason=row.reason,
        until=row.until,
        ruling=Ruling(row.ruling) if row.ruling else None,
        scorecard_id=row.scorecard_id,
    )
