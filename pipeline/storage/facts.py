"""Facts about scorings: rows <-> values, inside a transaction that `Store` opened."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from pipeline.facts import VERSION, CallFacts, CardFact, FatalFact, HitFact, ItemFact, SectionFact, TalkFact
from pipeline.scorecard import Decision
from pipeline.storage import mapping
from pipeline.storage.meaning import put_over
from pipeline.storage.night_tables import QuarantineRow
from pipeline.storage.records import FactFilter, FactLine
from pipeline.storage.tables import FactsRow, RecordingRow, ReviewRow, ScorecardRow

ROWS_AT_A_TIME = 500
LOOKS = (
    Decision.ACCEPT,
    Decision.OVERRIDE,
    Decision.FINDING_TRUE,
    Decision.FINDING_FALSE,
    Decision.FINDING_ADDED,
)
"""Decisions that show that somebody listened."""


def put(session: Session, scorecard_id: int, facts: CallFacts) -> None:
    body = mapping.pack(to_plain(facts))
    put_over(session, FactsRow, {"scorecard_id": scorecard_id, "version": VERSION, "body": body})


def to_plain(facts: CallFacts) -> Any:
    sections = facts.sections
    return {
        "card": facts.card,
        "sections": sections,
        "items": facts.items,
        "hits": facts.hits,
        "talk": facts.talk,
    }


def from_plain(plain: Any) -> CallFacts:
    card = plain["card"]
    return CallFacts(
        card=None if card is None else CardFact._make((*card[:-1], tuple(map(FatalFact._make, card[-1])))),
        sections=tuple(map(SectionFact._make, plain["sections"])),
        items=tuple(map(ItemFact._make, plain["items"])),
        hits=tuple(map(HitFact._make, plain["hits"])),
        talk=TalkFact._make(plain["talk"]),
    )


def lines(session: Session, which: FactFilter) -> Iterator[FactLine]:
    """The newest scoring of each call with its facts, by start of call, streamed."""
    query = (
        select(*_COLUMNS, FactsRow.body)
        .join(FactsRow, FactsRow.scorecard_id == _newest())
        .where(*_conditions(which))
        .order_by(RecordingRow.started_at.is_(None), RecordingRow.started_at, RecordingRow.id)
    )
    with session.execute(query.execution_options(yield_per=ROWS_AT_A_TIME)) as result:
        for rows in result.partitions(ROWS_AT_A_TIME):
            yield from _lines(session, rows)


_COLUMNS = (
    RecordingRow.id.label("recording_id"),
    RecordingRow.call_id,
    RecordingRow.started_at,
    RecordingRow.duration_ms,
    RecordingRow.agent_id,
    RecordingRow.business,
    RecordingRow.direction,
    RecordingRow.is_complaint,
)


def _conditions(which: FactFilter) -> Iterator[ColumnElement[bool]]:
    if which.since is not None:
        yield RecordingRow.started_at >= which.since
    if which.until is not None:
        yield RecordingRow.started_at < which.until
    if which.agent_id is not None:
        yield RecordingRow.agent_id == which.agent_id
    if which.business is not None:
        yield RecordingRow.business == which.business


def _newest() -> Any:
    return (
        select(func.max(ScorecardRow.id))
        .where(ScorecardRow.recording_id == RecordingRow.id)
        .correlate(RecordingRow)
        .scalar_subquery()
    )


def _lines(session: Session, rows: Sequence[Any]) -> Iterator[FactLine]:
    reviewers = _reviewers(session, [row.recording_id for row in rows])
    machine = _machine(session, list(reviewers))
    for row in rows:
        yield FactLine(
            **{column.key: row._mapping[column.key] for column in _COLUMNS},
            reviewers=reviewers.get(row.recording_id, ()),
            facts=from_plain(mapping.unpack(row.body)),
            machine=machine.get(row.recording_id),
        )


def _reviewers(session: Session, ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Who listened to which of these recordings."""
    query = (
        select(ReviewRow.recording_id, ReviewRow.who)
        .where(ReviewRow.recording_id.in_(ids), ReviewRow.decision.in_([look.value for look in LOOKS]))
        .distinct()
    )
    ordered = sorted((recording, who) for recording, who in session.execute(query))
    grouped = groupby(ordered, key=lambda row: row[0])
    return {recording: tuple(who for _, who in rows) for recording, rows in grouped}


def _machine(session: Session, ids: Sequence[str]) -> dict[str, CallFacts]:
    """The newest facts of these recordings in which nobody but the rules decided."""
    query = (
        select(ScorecardRow.recording_id, FactsRow.body)
        .join(FactsRow, FactsRow.scorecard_id == ScorecardRow.id)
        .where(ScorecardRow.recording_id.in_(ids))
        .order_by(ScorecardRow.id)
    )
    read = ((recording, from_plain(mapping.unpack(body))) for recording, body in session.execute(query))
    return {recording: facts for recording, facts in read if not facts.reviewed}


def without(session: Session, count: int) -> tuple[int, ...]:
    """Scorings whose facts were never made, or in another layout; `count` at most."""
    query = _without(select(ScorecardRow.id)).order_by(ScorecardRow.id).limit(count)
    return tuple(session.scalars(query))


def missing(session: Session) -> int:
    """How many scorings have no facts of this layout."""
    return session.scalar(_without(select(func.count(ScorecardRow.id)))) or 0


def _without(query: Select[int]) -> Select[int]:
    made = (FactsRow.scorecard_id == ScorecardRow.id) & (FactsRow.version == VERSION)
    return query.select_from(ScorecardRow).outerjoin(FactsRow, made).where(FactsRow.scorecard_id.is_(None))


def span(session: Session) -> tuple[datetime, datetime] | None:
    """Start of the first and of the last call; None where no call has one."""
    first, last = session.execute(
        select(func.min(RecordingRow.started_at), func.max(RecordingRow.started_at))
    ).one()
    return None if first is None or last is None else (first, last)


def quarantined(session: Session, since: datetime, until: datetime) -> int:
    """Recordings that were put aside in a time and still are."""
    query = select(func.count()).where(
        QuarantineRow.at >= since, QuarantineRow.at < until, QuarantineRow.resolved_at.is_(None)
    )
    return session.scalar(query) or 0
