"""The queue asked: filters, counts, pages. Rows -> values, inside a transaction that `Store` opened.

Every question reads one index of the queue that holds all that can be asked, so that no filter is slow:
`benchmarks/inspection_queue.py` measures it. Pages go by key and never by number.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from pipeline.queue import WorkState
from pipeline.storage.queue_records import Key, PageOf, QueueFilter, QueueLine, QueuePage, Sort, Whose
from pipeline.storage.queue_tables import QueueRow
from pipeline.storage.tables import SampleDrawRow

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LAST_CHARACTER = "\U0010ffff"
SORTS: dict[Sort, tuple[InstrumentedAttribute[int], bool]] = {
    Sort.RISK: (QueueRow.risk, True),
    Sort.NEWEST: (QueueRow.started_ms, True),
    Sort.SCORE: (QueueRow.rate, False),
    Sort.CONFIDENCE: (QueueRow.confidence, False),
}
"""What is sorted by, and whether the highest comes first."""

SECRET = (QueueRow.done > 0) & (QueueRow.asked > 1) & ~QueueRow.released
"""Calls of which the figures are not for the second of two inspectors: see `QueueLine.secret`. No question
about figures finds them."""

NEVER_SECRET = (WorkState.NEW.value, WorkState.RELEASED.value)
"""States in which the index says all: the row itself need not be read."""

_PLAIN = tuple(name for name in QueueLine.__dataclass_fields__ if name not in ("started_at", "state"))
COLUMNS = (*(getattr(QueueRow, name) for name in _PLAIN), QueueRow.started_ms, QueueRow.state)


def page(session: Session, which: QueueFilter, asked: PageOf) -> QueuePage:
    """One page of the calls that the filter finds, and how many there are in each state."""
    found = session.execute(_rows(which, asked)).all()
    lines = tuple(map(line_of, found[: asked.size]))
    after = None
    if len(found) > asked.size and lines:
        last = found[asked.size - 1]
        after = Key(value=last._mapping[SORTS[asked.sort][0].key], recording_id=last.recording_id)
    counts = _counts(session, which)
    total = sum(counts[state] for state in which.states or WorkState)
    return QueuePage(lines=lines, counts=counts, total=total, after=after)


def _rows(which: QueueFilter, asked: PageOf) -> Select[Any]:
    """One row more than the page holds. The ids come out of the index alone."""
    wanted = conditions(which), states_of(which), _behind(asked)
    ids = select(QueueRow.recording_id).where(*(one for conditions in wanted for one in conditions))
    found = ids.order_by(*order(asked.sort)).limit(asked.size + 1).subquery()
    query = select(*COLUMNS).join(found, found.c.recording_id == QueueRow.recording_id)
    return query.order_by(*order(asked.sort))


def line_of(row: Any) -> QueueLine:
    """A row of `COLUMNS`."""
    values = row._mapping
    started = EPOCH + timedelta(milliseconds=row.started_ms) if row.started_ms else None
    return QueueLine(
        **{name: values[name] for name in _PLAIN}, started_at=started, state=WorkState(row.state)
    )


def order(sort: Sort) -> tuple[ColumnElement[Any], ...]:
    column, highest_first = SORTS[sort]
    if highest_first:
        return column.desc(), QueueRow.recording_id.desc()
    return column.asc(), QueueRow.recording_id.asc()


def _behind(asked: PageOf) -> Iterator[ColumnElement[bool]]:
    if asked.after is None:
        return
    column, highest_first = SORTS[asked.sort]
    place = tuple_(column, QueueRow.recording_id)
    end = (asked.after.value, asked.after.recording_id)
    yield place < end if highest_first else place > end


def _counts(session: Session, which: QueueFilter) -> dict[WorkState, int]:
    query = select(QueueRow.state, func.count()).where(*conditions(which)).group_by(QueueRow.state)
    found = {state: count for state, count in session.execute(query)}  # noqa: C416  (rows are no pairs)
    return {state: found.get(state.value, 0) for state in WorkState}


def states_of(which: QueueFilter) -> Iterator[ColumnElement[bool]]:
    if which.states:
        yield QueueRow.state.in_([state.value for state in which.states])


def conditions(which: QueueFilter) -> Iterator[ColumnElement[bool]]:
    """What the filter asks, but for the states."""
    if which.whose is Whose.MINE:
        yield QueueRow.assigned_to == which.who
    if which.whose is Whose.UNASSIGNED:
        yield QueueRow.assigned_to.is_(None)
    asked: list[tuple[object, ColumnElement[bool]]] = [
        (which.template, QueueRow.template_id == which.template),
        (which.business, QueueRow.business == which.business),
        (which.complaint, QueueRow.complaint.is_(which.complaint)),
        (which.fatal, QueueRow.fatal.is_(which.fatal)),
        (which.acceptable, QueueRow.acceptable.is_(which.acceptable)),
        (which.released, QueueRow.released.is_(which.released)),
        (which.appeal, (QueueRow.open_appeals > 0).is_(which.appeal)),
    ]
    yield from (condition for value, condition in asked if value is not None)
    if which.fatal is not None or which.acceptable is not None:
        yield or_(QueueRow.state.in_(NEVER_SECRET), ~SECRET)
    if which.agents is not None:
        yield QueueRow.agent_id.in_(which.agents)
    if which.plan is not None:
        yield _drawn_by(which.plan)
    yield from _when(which)
    if which.text:
        yield QueueRow.name >= which.text
        yield QueueRow.name < which.text + LAST_CHARACTER


def _drawn_by(plan_id: int) -> ColumnElement[bool]:
    """Only what a newer plan drew too is looked up."""
    drawn = select(SampleDrawRow.recording_id).where(SampleDrawRow.plan_id == plan_id)
    return or_(
        QueueRow.plan_id == plan_id,
        and_(QueueRow.plan_id > plan_id, QueueRow.recording_id.in_(drawn)),
    )


def _when(which: QueueFilter) -> Iterator[ColumnElement[bool]]:
    if which.since is not None:
        yield QueueRow.started_ms >= milliseconds(which.since)
    if which.until is not None:
        yield QueueRow.started_ms < milliseconds(which.until)
        yield QueueRow.started_ms > 0


def milliseconds(moment: datetime | None) -> int:
    """Since 1970; 0 for a moment that is not known."""
    return 0 if moment is None else (moment - EPOCH) // timedelta(milliseconds=1)
