"""What rules found in the archive, counted and listed: the newest scoring of each call."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Subquery, case, distinct, func, select
from sqlalchemy.orm import InstrumentedAttribute

from pipeline.findings import Outcome
from pipeline.storage import mapping
from pipeline.storage.queries import ROWS_AT_A_TIME
from pipeline.storage.tables import FindingRow, RecordingRow, ScorecardRow
from pipeline.storage.transactions import Transactions
from pipeline.timeline import Recording, Role, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Weeks:
    """Two times to compare, both half-open: `before` to `since`, and `since` to `until`."""

    before: datetime
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Calls in all, in the later and in the earlier of two times."""

    calls: int = 0
    lately: int = 0
    before: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleHits:
    """How often a rule found something, and in how many calls."""

    rule_id: str
    findings: int
    calls: Counted


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedFinding:
    """A present finding and its call."""

    recording: Recording
    finding_id: str
    role: Role
    span: Span
    confidence: float
    quote: str


class RuleStatistics(Transactions):
    """The part of `Store` that is about what rules found."""

    def rule_hits(self, weeks: Weeks) -> tuple[RuleHits, ...]:
        """Present findings by rule."""
        newest = _newest()
        call = FindingRow.scorecard_id
        query = (
            select(FindingRow.rule_id, func.count(), *_counted(weeks, call))
            .join(newest, newest.c.id == call)
            .join(RecordingRow, RecordingRow.id == newest.c.recording_id)
            .where(FindingRow.outcome == Outcome.PRESENT.value)
            .group_by(FindingRow.rule_id)
        )
        with self._reading() as session:
            return tuple(
                RuleHits(
                    rule_id=rule_id,
                    findings=findings,
                    calls=Counted(calls=calls, lately=lately, before=before),
                )
                for rule_id, findings, calls, lately, before in session.execute(query)
            )

    def scored_calls(self, weeks: Weeks) -> Counted:
        """How many calls there are to find something in."""
        newest = _newest()
        query = select(*_counted(weeks, newest.c.id)).join(
            RecordingRow, RecordingRow.id == newest.c.recording_id
        )
        with self._reading() as session:
            calls, lately, before = session.execute(query).one()
            return Counted(calls=calls, lately=lately, before=before)

    def rule_findings(self, rule_id: str) -> Iterator[PlacedFinding]:
        """What a rule found, the newest calls first, streamed: close the iterator to stop early."""
        newest = _newest()
        query = (
            select(FindingRow, RecordingRow)
            .join(newest, newest.c.id == FindingRow.scorecard_id)
            .join(RecordingRow, RecordingRow.id == newest.c.recording_id)
            .where(FindingRow.rule_id == rule_id, FindingRow.outcome == Outcome.PRESENT.value)
            .order_by(RecordingRow.started_at.is_(None), RecordingRow.started_at.desc(), RecordingRow.id)
            .order_by(FindingRow.start_ms)
        )
        with self._reading() as session:
            for row, recording in session.execute(query.execution_options(yield_per=ROWS_AT_A_TIME)):
                yield _placed(row, recording)

    def newest_scoring(self) -> int:
        """Grows with every scoring; 0: none yet."""
        with self._reading() as session:
            return session.scalar(select(func.max(ScorecardRow.id))) or 0


def _newest() -> Subquery:
    return (
        select(func.max(ScorecardRow.id).label("id"), ScorecardRow.recording_id)
        .group_by(ScorecardRow.recording_id)
        .subquery()
    )


def _counted(
    weeks: Weeks, call: ColumnElement[int] | InstrumentedAttribute[int]
) -> tuple[ColumnElement[int], ColumnElement[int], ColumnElement[int]]:
    started = RecordingRow.started_at
    lately = (started >= weeks.since) & (started < weeks.until)
    before = (started >= weeks.before) & (started < weeks.since)
    return (
        func.count(distinct(call)),
        func.count(distinct(case((lately, call)))),
        func.count(distinct(case((before, call)))),
    )


def _placed(row: FindingRow, recording: RecordingRow) -> PlacedFinding:
    return PlacedFinding(
        recording=mapping.recording_from_plain(mapping.unpack(recording.body)),
        finding_id=row.finding_id,
        role=Role(row.role),
        span=Span(row.start_ms, row.end_ms),
        confidence=row.confidence,
        quote=row.quote,
    )
