"""The part of the store that keeps calibration rounds. What is decided in one measures inspectors and never
counts on a card."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from pipeline.errors import NotFound
from pipeline.scorecard import Decision, Review
from pipeline.storage import drafts, trail
from pipeline.storage.mapping import column_text
from pipeline.storage.queue_records import DraftKey, Round
from pipeline.storage.queue_rows import lock_recording
from pipeline.storage.queue_tables import RoundCallRow, RoundInspectorRow, RoundReviewRow, RoundRow
from pipeline.storage.transactions import Transactions


class Rounds(Transactions):
    """Values in, values out; every method is one transaction."""

    def add_round(self, new: Round) -> int:
        """Keep a round; its id. That of `new` and its end do not count."""
        with self._writing() as session:
            row = RoundRow(
                title=column_text(new.title), made_by=column_text(new.made_by), made_at=new.made_at
            )
            session.add(row)
            session.flush()
            session.add_all(
                RoundCallRow(round_id=row.id, recording_id=recording_id, scorecard_id=scorecard_id)
                for recording_id, scorecard_id in new.calls
            )
            session.add_all(RoundInspectorRow(round_id=row.id, who=column_text(w)) for w in new.inspectors)
            told = {"calls": len(new.calls), "inspectors": len(new.inspectors)}
            self._trace(session, trail.of_round("made", row.id, new.made_by, new.made_at, **told))
            return row.id

    def rounds(self) -> tuple[Round, ...]:
        """All rounds, newest first."""
        with self._reading() as session:
            rows = session.scalars(select(RoundRow).order_by(RoundRow.id.desc())).all()
            return tuple(_round(session, row) for row in rows)

    def round(self, round_id: int) -> Round:
        """One round. Raises NotFound."""
        with self._reading() as session:
            return _round(session, _row(session, round_id))

    def close_round(self, round_id: int, who: str = "", *, at: datetime) -> Round:
        """Nothing more is decided in it; closing twice changes nothing. Raises NotFound."""
        with self._writing() as session:
            row = _row(session, round_id, lock=True)
            if row.closed_at is None:
                row.closed_at = at
                session.flush()
                self._trace(session, trail.of_round("closed", round_id, who, at))
            return _round(session, row)

    def add_round_reviews(self, round_id: int, reviews: Sequence[Review], *, known: int) -> bool:
        """Keep what one inspector decided about one call in a round, and end their draft. `known`: how many
        such decisions there were; False: there are others by now, or the round is closed, and nothing is
        kept."""
        first = reviews[0]
        with self._writing() as session:
            lock_recording(session, first.recording_id)
            query = _of(round_id).where(
                RoundReviewRow.recording_id == first.recording_id,
                RoundReviewRow.who == column_text(first.who),
            )
            counted = session.scalar(select(func.count()).select_from(query.subquery()))
            if counted != known or _row(session, round_id, lock=True).closed_at is not None:
                return False
            session.add_all(_review_row(round_id, review) for review in reviews)
            drafts.drop(session, DraftKey(recording_id=first.recording_id, who=first.who, round_id=round_id))
            call = first.recording_id
            self._trace(session, trail.of_round("judged", round_id, first.who, first.at, call=call))
        return True

    def round_reviews(self, round_id: int) -> tuple[Review, ...]:
        """Everything decided in a round, oldest first."""
        with self._reading() as session:
            return tuple(map(_review, session.scalars(_of(round_id))))


def _of(round_id: int) -> Select[RoundReviewRow]:
    return select(RoundReviewRow).where(RoundReviewRow.round_id == round_id).order_by(RoundReviewRow.id)


def _row(session: Session, round_id: int, *, lock: bool = False) -> RoundRow:
    row = session.get(RoundRow, round_id, with_for_update=lock or None)
    if row is None:
        raise NotFound(f"没有校准 {round_id}", hint="callscore round show 列出全部校准")
    return row


def _round(session: Session, row: RoundRow) -> Round:
    calls = select(RoundCallRow).where(RoundCallRow.round_id == row.id).order_by(RoundCallRow.id)
    people = select(RoundInspectorRow.who).where(RoundInspectorRow.round_id == row.id)
    return Round(
        id=row.id,
        title=row.title,
        made_by=row.made_by,
        made_at=row.made_at,
        closed_at=row.closed_at,
        calls=tuple((call.recording_id, call.scorecard_id) for call in session.scalars(calls)),
        inspectors=tuple(sorted(session.scalars(people))),
    )


def _review_row(round_id: int, review: Review) -> RoundReviewRow:
    return RoundReviewRow(
        round_id=round_id,
        recording_id=review.recording_id,
        who=column_text(review.who),
        at=review.at,
        decision=review.decision.value,
        target=column_text(review.target),
        value=column_text(review.value),
        reason=column_text(review.reason),
        template_id=review.template_id,
    )


def _review(row: RoundReviewRow) -> Review:
    return Review(
        recording_id=row.recording_id,
        who=row.who,
        at=row.at,
        decision=Decision(row.decision),
        target=row.target,
        value=row.value,
        reason=row.reason,
        template_id=row.template_id,
        saw_machine=False,
        saw_others=False,
    )
