"""What rules found in the archive, counted and listed: the newest scoring of each call."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, Subquery, func, select

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
class Hits:
    """What all rules found, in `calls`."""

    calls: Counted
    rules: tuple[RuleHits, ...]


LATELY, BEFORE, OTHERWISE, FINDINGS = range(4)
"""Places of a tally: calls that began in the later time, in the earlier, in neither; and findings."""
Tally = list[int]


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

    def rule_hits(self, weeks: Weeks) -> Hits:
        """Present findings by rule. Joined here: databases take twice as long over it."""
        with self._reading() as session:
            calls = {
                scorecard_id: _when(started_at, weeks)
                for scorecard_id, started_at in session.execute(_newest_calls())
            }
            tallies: dict[str, Tally] = {}
            for rule_id, scorecard_id, findings in session.execute(_found()):
                if scorecard_id in calls:
                    tally = tallies.setdefault(rule_id, [0, 0, 0, 0])
                    tally[FINDINGS] += findings
                    tally[calls[scorecard_id]] += 1
        every = [list(calls.values()).count(when) for when in (LATELY, BEFORE, OTHERWISE)]
        rules = tuple(_hits(rule_id, tally) for rule_id, tally in tallies.items())
        return Hits(calls=_counted(every), rules=rules)

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
        query = query.execution_options(yield_per=ROWS_AT_A_TIME)
        with self._reading() as session, session.execute(query) as rows:
            for row, recording in rows:
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


def _newest_calls() -> Select[int, datetime | None]:
    """The newest scorecard of each call, and when the call began."""
    newest = _newest()
    return select(newest.c.id, RecordingRow.started_at).join(
        RecordingRow, RecordingRow.id == newest.c.recording_id
    )


def _found() -> Select[str, int, int]:
    """How many findings of each rule each scorecard has, in the order of the index."""
    columns = FindingRow.rule_id, FindingRow.scorecard_id
    present = FindingRow.outcome == Outcome.PRESENT.value
    return select(*columns, func.count()).where(present).group_by(*columns)


def _when(started_at: datetime | None, weeks: Weeks) -> int:
    if started_at is None or not weeks.before <= started_at < weeks.until:
        return OTHERWISE
    return LATELY if started_at >= weeks.since else BEFORE


def _hits(rule_id: str, tally: Tally) -> RuleHits:
    return RuleHits(rule_id=rule_id, findings=tally[FINDINGS], calls=_counted(tally))


def _counted(tally: Tally) -> Counted:
    lately, before = tally[LATELY], tally[BEFORE]
    return Counted(calls=lately + before + tally[OTHERWISE], lately=lately, before=before)


def _placed(row: FindingRow, recording: RecordingRow) -> PlacedFinding:
    return PlacedFinding(
        recording=mapping.recording_from_plain(mapping.unpack(recording.body)),
        finding_id=row.finding_id,
        role=Role(row.role),
        span=Span(row.start_ms, row.end_ms),
        confidence=row.confidence,
        quote=row.quote,
    )
