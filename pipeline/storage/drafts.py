"""The part of the store that keeps drafts: what a person has marked and not handed in, with every step of it.

A draft belongs to one person. Whoever saves over a version that is not the newest is refused, so that two
windows of one person cannot undo each other.
"""

from datetime import datetime

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.orm import Session

from pipeline.storage import queue_rows
from pipeline.storage.mapping import column_text
from pipeline.storage.queue import take
from pipeline.storage.queue_records import Conflict, Draft, DraftKey, NextStep, Seen
from pipeline.storage.queue_tables import DraftRow, DraftStepRow
from pipeline.storage.transactions import Transactions


class Drafts(Transactions):
    """Values in, values out; every method is one transaction. `version` 0: there is no draft yet."""

    def draft(self, key: DraftKey) -> Draft | None:
        """The draft as it holds; None: there is none."""
        with self._reading() as session:
            row = session.get(DraftRow, _primary(key))
            return None if row is None else _draft(session, row)

    def drafts(self, recording_id: str) -> tuple[Draft, ...]:
        """Everybody's drafts about a call, outside rounds, by person."""
        query = select(DraftRow).where(DraftRow.recording_id == recording_id, DraftRow.round_id == 0)
        with self._reading() as session:
            rows = sorted(session.scalars(query), key=lambda row: row.who)
            return tuple(_draft(session, row) for row in rows)

    def save_draft(self, step: NextStep, *, at: datetime, until: datetime | None = None) -> Draft | Conflict:
        """Keep the next step; what was undone is gone. `until`: claim the call, too, where its author may
        have it, or prolong their claim. Conflict: another version is the newest, and nothing is kept."""
        key = step.key
        with self._writing() as session:
            row = _locked(session, key)
            if (row.version if row else 0) != step.version:
                return _conflict(row, at)
            if row is None:
                row = DraftRow(**_names(key), version=0, step=0, last=0)
            session.execute(delete(DraftStepRow).where(*_steps(key), DraftStepRow.step > row.step))
            row.version, row.step, row.at = row.version + 1, row.step + 1, at
            row.last, row.seen, row.scorecard_id = row.step, step.seen.reviews, step.seen.scorecard_id
            session.add(row)
            session.add(DraftStepRow(**_names(key), step=row.step, at=at, marks=step.marks))
            session.flush()
            _show(session, key)
            if until is not None:
                take(session, key.recording_id, key.who, at=at, until=until)
            return _draft(session, row)

    def step_draft(self, key: DraftKey, by: int, *, version: int, at: datetime) -> Draft | Conflict:
        """Undo (-1) or do again (+1). At either end nothing changes; before its first step it is empty."""
        with self._writing() as session:
            row = _locked(session, key)
            if row is None or row.version != version:
                return _conflict(row, at)
            step = min(max(row.step + by, 0), row.last)
            if step != row.step:
                row.step, row.version, row.at = step, row.version + 1, at
                session.flush()
            return _draft(session, row)

    def drop_draft(self, key: DraftKey) -> bool:
        """Throw a draft away with all its steps. False: there was none."""
        with self._writing() as session:
            return drop(session, key)


def drop(session: Session, key: DraftKey) -> bool:
    """Inside a transaction that `Store` opened."""
    row = _locked(session, key)
    if row is None:
        return False
    session.execute(delete(DraftStepRow).where(*_steps(key)))
    session.delete(row)
    session.flush()
    _show(session, key)
    return True


def _show(session: Session, key: DraftKey) -> None:
    """The queue tells claimed calls with a draft from those without."""
    row = queue_rows.locked(session, key.recording_id)
    if row is not None and not key.round_id:
        queue_rows.set_state(session, row)
        session.flush()


def _locked(session: Session, key: DraftKey) -> DraftRow | None:
    """The recording is locked as well, so that two first drafts come one after the other."""
    queue_rows.lock_recording(session, key.recording_id)
    return session.get(DraftRow, _primary(key), with_for_update=True)


def _names(key: DraftKey) -> dict[str, str | int]:
    return {"recording_id": key.recording_id, "who": column_text(key.who), "round_id": key.round_id}


def _primary(key: DraftKey) -> tuple[str, str, int]:
    return key.recording_id, column_text(key.who), key.round_id


def _steps(key: DraftKey) -> list[ColumnElement[bool]]:
    return [getattr(DraftStepRow, name) == value for name, value in _names(key).items()]


def _conflict(row: DraftRow | None, at: datetime) -> Conflict:
    if row is None:
        return Conflict(who="", at=at, version=0)
    return Conflict(who=row.who, at=row.at, version=row.version)


def _draft(session: Session, row: DraftRow) -> Draft:
    key = DraftKey(recording_id=row.recording_id, who=row.who, round_id=row.round_id)
    step = session.get(DraftStepRow, (*_primary(key), row.step))
    return Draft(
        key=key,
        marks=step.marks if step else "",
        version=row.version,
        seen=Seen(reviews=row.seen, scorecard_id=row.scorecard_id),
        at=row.at,
        undo=row.step,
        redo=row.last - row.step,
    )
