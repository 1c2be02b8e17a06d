"""Claims: which night works on what, inside a transaction that the store opened.

The unique key of a transcript decides that work is done. A claim only keeps two nights from doing the same
work at the same time; one that is lost costs time, never a result.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from pipeline.storage import mapping
from pipeline.storage.meaning import put_once
from pipeline.storage.night_records import COSTLY, MOST_TRIES, Quarantined, Standing, State, Wanted
from pipeline.storage.night_tables import NightRow, QuarantineRow, WorkRow
from pipeline.storage.tables import RecordingRow, TranscriptRow
from pipeline.storage.turns import Turn, take_turn
from pipeline.timeline import Recording

IsGone = Callable[[str], bool]
"""Whether the process of that name is known to be gone; False also where nobody can know."""


def standings(session: Session, wanted: Sequence[Wanted]) -> dict[str, Standing]:
    """How work stands, by key, without claiming any; what was never worked on is left out."""
    keys = [one.key for one in wanted]
    done = _done(session, keys)
    rows = session.scalars(select(WorkRow).where(WorkRow.key.in_(keys)))
    found = {row.key: _standing(row) for row in rows if row.key not in done}
    return found | {key: Standing(state=State.DONE, path=path) for key, path in done.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Which night claims, and when. `again`: it asks once more, since the answer to this claim was lost with
    the connection."""

    night_id: int
    at: datetime
    is_gone: IsGone
    again: bool = False


def claim(session: Session, wanted: Sequence[Wanted], by: Claim) -> dict[str, Standing]:
    """How each piece of work stands, by key; those that are `mine` belong to the night from now on."""
    done = _done(session, [one.key for one in wanted])
    found = {key: Standing(state=State.DONE, path=path) for key, path in done.items()}
    left = sorted((one for one in wanted if one.key not in done), key=lambda one: one.key)
    for one in left:
        put_once(session, WorkRow, _values(one, State.PENDING, by.at))
        row = session.get_one(WorkRow, one.key, with_for_update=True)
        if row.state == State.DONE and one.key not in found:  # perhaps only since this transaction asked
            kept = _done(session, [one.key])
            found |= {key: Standing(state=State.DONE, path=path) for key, path in kept.items()}
        if one.key not in found and (_is_made(row, one, by) or _is_free(session, row, by)):
            row.state, row.night_id, row.at = State.CLAIMED.value, by.night_id, by.at
            row.path, row.priority = mapping.column_text(one.path), one.priority
            found[one.key] = _standing(row, mine=True)
        elif one.key not in found:
            found[one.key] = _standing(row)
    return found


def _is_made(row: WorkRow, one: Wanted, by: Claim) -> bool:
    """Whether the claim was made when it was asked for first."""
    made = (row.state, row.night_id, row.at, row.path)
    return by.again and made == (State.CLAIMED, by.night_id, by.at, mapping.column_text(one.path))


def _is_free(session: Session, row: WorkRow, by: Claim) -> bool:
    if row.state == State.CLAIMED:
        ours = row.night_id == by.night_id  # and under way
        return not ours and not is_alive(session.get(NightRow, row.night_id), by.at, by.is_gone)
    if row.state == State.QUARANTINED:
        return row.tries < MOST_TRIES or row.stage not in COSTLY
    return row.state in (State.PENDING, State.DONE)  # done, but its transcript is gone: a copied database


def is_alive(night: NightRow | None, at: datetime, is_gone: IsGone) -> bool:
    """Whether a night's claims are good."""
    if night is None or night.ended_at is not None or not night.owner or is_gone(night.owner):
        return False
    return night.lease_until is not None and night.lease_until > at


def _done(session: Session, keys: Sequence[str]) -> dict[str, str]:
    """The path of the recording for each key that is done."""
    query = (
        select(TranscriptRow.work_key, RecordingRow.path)
        .join(RecordingRow, RecordingRow.id == TranscriptRow.recording_id)
        .where(TranscriptRow.work_key.in_(keys))
    )
    return {key: path for key, path in session.execute(query) if key is not None}


def _values(one: Wanted, state: State, at: datetime) -> dict[str, object]:
    return {
        "key": one.key,
        "sha256": one.sha256,
        "path": mapping.column_text(one.path),
        "state": state.value,
        "tries": 0,
        "priority": one.priority,
        "at": at,
    }


def _standing(row: WorkRow, *, mine: bool = False) -> Standing:
    return Standing(
        state=State(row.state), path=row.path, tries=row.tries, mine=mine, stage=row.stage, night=row.night_id
    )


def finish(session: Session, one: Wanted, at: datetime) -> None:
    """Work that is kept in this transaction is done."""
    put_once(session, WorkRow, _values(one, State.DONE, at))
    done: Mapping[str, object] = {
        "state": State.DONE.value,
        "night_id": None,
        "path": mapping.column_text(one.path),
        "stage": None,
        "reason": None,
        "at": at,
    }
    _set(session, WorkRow.key == one.key, done)


def fail(session: Session, one: Wanted, fault: Quarantined, at: datetime) -> int:
    """Work that failed; how often it did by now."""
    put_once(session, WorkRow, _values(one, State.QUARANTINED, at))
    row = session.get_one(WorkRow, one.key, with_for_update=True)
    row.state, row.night_id, row.at = State.QUARANTINED.value, None, at
    row.tries += fault.tries
    row.stage, row.reason = fault.stage, mapping.column_text(fault.reason)
    return row.tries


def give_back(session: Session, night_id: int) -> None:
    """What a night claimed and did not do is free again. Locked in the order in which work is claimed."""
    mine = select(WorkRow.key).where(WorkRow.night_id == night_id).order_by(WorkRow.key)
    session.scalars(mine.with_for_update()).all()
    _set(session, WorkRow.night_id == night_id, {"state": State.PENDING.value, "night_id": None})


def resolve(session: Session, recording: Recording, at: datetime) -> None:
    """A recording that was scored is no longer in quarantine."""
    same = or_(
        QuarantineRow.sha256 == recording.sha256,
        QuarantineRow.path == mapping.column_text(recording.path),
    )
    which = (same, QuarantineRow.resolved_at.is_(None))
    if session.scalar(select(QuarantineRow.id).where(*which).limit(1)) is None:
        return
    take_turn(session.connection(), Turn.QUARANTINE)
    query = update(QuarantineRow).where(*which).values(resolved_at=at)
    session.execute(query.execution_options(synchronize_session=False))


def put_aside(session: Session, sha256: str, state: State, at: datetime) -> None:
    """Quarantined work is tried anew (pending) or never again (skipped), with every model."""
    which = (WorkRow.sha256 == sha256, WorkRow.state == State.QUARANTINED.value)
    values: dict[str, object] = {"state": state.value, "tries": 0, "at": at}
    query = update(WorkRow).where(*which).values(values)
    session.execute(query.execution_options(synchronize_session=False))


def _set(session: Session, which: object, values: Mapping[str, object]) -> None:
    query = update(WorkRow).where(which).values(dict(values))  # type: ignore[arg-type]
    session.execute(query.execution_options(synchronize_session=False))
