"""The part of `Store` that is looked through: calls newest first, and what was found in them."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from pipeline.errors import NotFound
from pipeline.storage import queries
from pipeline.storage.records import CallFilter
from pipeline.storage.tables import CompactRow, FindingRow, RecordingRow, ScorecardRow
from pipeline.storage.transactions import Transactions
from pipeline.timeline import Role, Span

ROWS_AT_A_TIME = 200


class Candidate(NamedTuple):
    """A call to look through. `text` is that of its compact form."""

    recording_id: str
    transcript_id: int
    text: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """A present finding of the newest scoring of a call, as its row has it."""

    rule_id: str
    role: Role
    span: Span
    quote: str


class Search(Transactions):
    """Values in, values out."""

    def candidates(self, which: CallFilter, version: int, behind: str | None = None) -> Generator[Candidate]:
        """The calls that have a compact form of this version, newest first, those without a time last;
        `behind`: only those that come behind this one. Streamed: close the iterator to stop early. Raises
        NotFound."""
        query = select(RecordingRow.id, CompactRow.transcript_id, CompactRow.version, CompactRow.text)
        query = query.join(CompactRow, CompactRow.recording_id == RecordingRow.id)
        if _asks_scorecards(which):
            query = query.join(ScorecardRow, queries.is_newest())
        query = query.order_by(RecordingRow.started_at.desc().nulls_last(), RecordingRow.id.desc())
        with self._reading() as session:
            query = query.where(*queries.conditions(which), *_behind(session, behind))
            with session.execute(query.execution_options(yield_per=ROWS_AT_A_TIME)) as rows:
                for recording_id, transcript_id, made_as, text in rows:
                    if made_as == version:  # not asked of the database, which would begin with these and sort
                        yield Candidate(recording_id, transcript_id, text)

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


def _behind(session: Session, recording_id: str | None) -> list[ColumnElement[bool]]:
    if recording_id is None:
        return []
    row = session.execute(
        select(RecordingRow.started_at).where(RecordingRow.id == recording_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"没有录音 {recording_id}，列不出它后面的通话", hint="从第一页重新找")
    at, has_no_time = RecordingRow.started_at, RecordingRow.started_at.is_(None)
    further = RecordingRow.id < recording_id
    if row.started_at is None:
        return [and_(has_no_time, further)]
    return [or_(at < row.started_at, and_(at == row.started_at, further), has_no_time)]
