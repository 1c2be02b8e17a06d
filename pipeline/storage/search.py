"""The part of `Store` that is looked through: calls newest first, and what was found in them."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, or_, select

from pipeline.storage import queries
from pipeline.storage.records import CallFilter
from pipeline.storage.tables import CompactRow, FindingRow, RecordingRow, ScorecardRow
from pipeline.storage.transactions import Transactions
from pipeline.timeline import Role, Span

ROWS_AT_A_TIME = 200
_COMPACT = (CompactRow.transcript_id, CompactRow.version, CompactRow.text)


class Position(NamedTuple):
    """Where a call stands among all: newest first, those without a time last, then by id, backwards."""

    started_at: datetime | None
    recording_id: str


class Candidate(NamedTuple):
    """A call to look through. `text` is that of its compact form."""

    started_at: datetime | None
    recording_id: str
    transcript_id: int
    text: bytes

    @property
    def position(self) -> Position:
        return Position(self.started_at, self.recording_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A present finding of the newest scoring of a call, as its row has it."""

    rule_id: str
    role: Role
    span: Span
    quote: str


class Search(Transactions):
    """Values in, values out."""

    def candidates(
        self, which: CallFilter, version: int, behind: Position | None = None
    ) -> Generator[Candidate]:
        """The calls behind a position that have a compact form of this version, streamed: close the iterator
        to stop early."""
        query = select(RecordingRow.started_at, RecordingRow.id, *_COMPACT)
        query = query.join(CompactRow, CompactRow.recording_id == RecordingRow.id)
        if _asks_scorecards(which):
            query = query.join(ScorecardRow, queries.is_newest())
        query = query.where(*queries.conditions(which), *_behind(behind))
        query = query.order_by(RecordingRow.started_at.desc().nulls_last(), RecordingRow.id.desc())
        with self._reading() as session:
            rows = session.execute(query.execution_options(yield_per=ROWS_AT_A_TIME))
            for started_at, recording_id, transcript_id, made_as, text in rows:
                if made_as == version:  # not asked of the database, which would begin with these and sort
                    yield Candidate(started_at, recording_id, transcript_id, text)

    def marked(self, recording_ids: Sequence[str], which: CallFilter) -> dict[str, list[Marked]]:
        """What the rules of the filter found in these calls, in order of time, by recording."""
        query = (
            select(RecordingRow.id, FindingRow)
            .join(ScorecardRow, queries.is_newest())
            .join(FindingRow, FindingRow.scorecard_id == ScorecardRow.id)
            .where(RecordingRow.id.in_(recording_ids), *queries.of_findings(which))
            .order_by(FindingRow.start_ms, FindingRow.id)
        )
        found: dict[str, list[Marked]] = {}
        with self._reading() as session:
            for recording_id, row in session.execute(query):
                found.setdefault(recording_id, []).append(_marked(row))
        return found


def _marked(row: FindingRow) -> Marked:
    span = Span(row.start_ms, row.end_ms)
    return Marked(rule_id=row.rule_id, role=Role(row.role), span=span, quote=row.quote)


def _asks_scorecards(which: CallFilter) -> bool:
    asked = (which.fatal, which.open_items, which.least_total, which.most_total)
    return any(value is not None for value in asked) or which.asks_findings


def _behind(position: Position | None) -> list[ColumnElement[bool]]:
    if position is None:
        return []
    at, has_no_time = RecordingRow.started_at, RecordingRow.started_at.is_(None)
    earlier = RecordingRow.id < position.recording_id
    if position.started_at is None:
        return [and_(has_no_time, earlier)]
    same = and_(at == position.started_at, earlier)
    return [or_(at < position.started_at, same, has_no_time)]
