"""Rows -> values, inside a transaction that `Store` opened."""

from collections.abc import Callable, Generator
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, literal, select
from sqlalchemy.orm import Session

from pipeline.findings import Outcome
from pipeline.scorecard import Decision, Review
from pipeline.storage import mapping
from pipeline.storage.meaning import sentences_of
from pipeline.storage.records import (
    FORBIDDEN,
    CallFilter,
    CallSummary,
    Circumstances,
    DecidedFinding,
    Duplicate,
    Origin,
    ScoringLine,
    StoredCall,
)
from pipeline.storage.tables import (
    FindingRow,
    RecordingRow,
    ReviewRow,
    RulesetRow,
    ScorecardRow,
    TranscriptRow,
)
from pipeline.timeline import Recording, Span, Transcript

ROWS_AT_A_TIME = 200
CANDIDATES = 5
TRANSCRIPTS = 32
"""So many that were read last stay in memory: whoever works on a call asks for it again with every mark."""
PRESENT = literal(Outcome.PRESENT.value, literal_execute=True)
"""Written into the query, so that SQLite can tell that an index of present findings will do."""


def _recording(row: RecordingRow) -> Recording:
    return mapping.recording_from_plain(mapping.unpack(row.body))


def _recordings(session: Session, query: Select[RecordingRow]) -> tuple[Recording, ...]:
    return tuple(map(_recording, session.scalars(query.order_by(RecordingRow.id).limit(CANDIDATES))))


def named(session: Session, name: str) -> tuple[Recording, ...]:
    """Recordings with this call_id; where there are none, those whose id begins with it."""
    if not name:
        return ()
    by_call = _recordings(session, select(RecordingRow).where(RecordingRow.call_id == name))
    prefix = RecordingRow.id.startswith(name.lower(), autoescape=True)
    return by_call or _recordings(session, select(RecordingRow).where(prefix))


def similar(session: Session, name: str) -> tuple[Recording, ...]:
    """Recordings whose call_id holds the name."""
    return _recordings(
        session, select(RecordingRow).where(RecordingRow.call_id.icontains(name, autoescape=True))
    )


def newest_scorecard(session: Session, recording_id: str) -> int | None:
    return session.scalar(select(func.max(ScorecardRow.id)).where(ScorecardRow.recording_id == recording_id))


def summaries(session: Session, which: CallFilter) -> Generator[CallSummary]:
    """Streamed by start of call; calls without one come last, by id. With a limit only the last ones."""
    order = (RecordingRow.started_at.is_(None), RecordingRow.started_at, RecordingRow.id)
    query = select(RecordingRow, *_SUMMARY_COLUMNS).join(ScorecardRow, is_newest()).where(*conditions(which))
    if which.limit is not None:
        last = query.order_by(*(column.desc() for column in order)).limit(which.limit)
        yield from map(_to_summary, reversed(session.execute(last).all()))
        return
    query = query.order_by(*order).execution_options(yield_per=ROWS_AT_A_TIME)
    with session.execute(query) as rows:
        yield from map(_to_summary, rows)


def is_newest() -> ColumnElement[bool]:
    """The scorecard is the newest of the recording."""
    newest = select(func.max(ScorecardRow.id)).where(ScorecardRow.recording_id == RecordingRow.id)
    return ScorecardRow.id == newest.correlate(RecordingRow).scalar_subquery()


_SUMMARY_COLUMNS = (
    ScorecardRow.id.label("scorecard_id"),
    ScorecardRow.template_id,
    ScorecardRow.total,
    ScorecardRow.open_points,
    ScorecardRow.points_possible,
    ScorecardRow.open_items,
    ScorecardRow.forbidden,
    ScorecardRow.fatal,
    ScorecardRow.ruleset_digest,
    ScorecardRow.created_at.label("scored_at"),
    ScorecardRow.reason,
)


def _to_summary(row: Any) -> CallSummary:
    return CallSummary(recording=_recording(row.RecordingRow), **_summary(row._mapping))


def _summary(row: Any) -> dict[str, Any]:
    return {column.key: row[column.key] for column in _SUMMARY_COLUMNS}


def conditions(which: CallFilter) -> list[ColumnElement[bool]]:
    """Of recordings and their newest scorecards."""
    asked: list[tuple[Any, Callable[[Any], ColumnElement[bool]]]] = [
        (which.agent_id, RecordingRow.agent_id.__eq__),
        (which.agents, RecordingRow.agent_id.in_),
        (which.recordings, RecordingRow.id.in_),
        (which.business, RecordingRow.business.__eq__),
        (which.direction, RecordingRow.direction.__eq__),
        (which.is_complaint, RecordingRow.is_complaint.__eq__),
        (which.since, RecordingRow.started_at.__ge__),
        (which.until, RecordingRow.started_at.__lt__),
        (which.least_total, ScorecardRow.total.__ge__),
        (which.most_total, ScorecardRow.total.__le__),
        (which.fatal, ScorecardRow.fatal.__eq__),
        (which.open_items, (ScorecardRow.open_items > 0).__eq__),
    ]
    conditions = [condition(value) for value, condition in asked if value is not None]
    if which.label == FORBIDDEN:
        conditions.append(ScorecardRow.forbidden > 0)  # drafts do not count
    if which.asks_findings:
        found = exists().where(FindingRow.scorecard_id == ScorecardRow.id, *of_findings(which))
        conditions.append(found)
    return conditions


def of_findings(which: CallFilter) -> list[ColumnElement[bool]]:
    """Of present findings, what is asked of them."""
    asked = [
        (which.rule_id, FindingRow.rule_id == which.rule_id),
        (which.label, FindingRow.label == which.label),
        (which.category, FindingRow.category == which.category),
    ]
    conditions = [condition for value, condition in asked if value]
    return [FindingRow.outcome == PRESENT, *conditions]


def stored_call(session: Session, scorecard_id: int) -> StoredCall | None:
    query = (
        select(ScorecardRow, TranscriptRow, RecordingRow)
        .join(TranscriptRow, TranscriptRow.id == ScorecardRow.transcript_id)
        .join(RecordingRow, RecordingRow.id == ScorecardRow.recording_id)
        .where(ScorecardRow.id == scorecard_id)
    )
    row = session.execute(query).one_or_none()
    return None if row is None else _stored(session, *row)


def _stored(
    session: Session, card: ScorecardRow, heard: TranscriptRow, recording: RecordingRow
) -> StoredCall:
    findings, rules, scorecard = mapping.scoring_from_plain(mapping.unpack(card.body))
    kept = _circumstances(card)
    return StoredCall(
        scorecard_id=card.id,
        recording=_recording(recording),
        transcript=_transcript_of(heard.body),
        origin=Origin(heard.origin),
        findings=findings,
        rules=rules,
        scorecard=scorecard,
        ruleset_digest=card.ruleset_digest,
        scored_at=card.created_at,
        reason=card.reason,
        body_sha256=card.body_sha256,
        sentences=sentences_of(session, heard.id, kept.encoder if kept else None),
        circumstances=kept,
        reviews=card.reviews,
    )


def _circumstances(card: ScorecardRow) -> Circumstances | None:
    if card.circumstances is None:
        return None
    return mapping.from_plain(Circumstances, mapping.unpack(card.circumstances))


def scoring_body(session: Session, scorecard_id: int) -> Any:
    """Findings and scorecard as they were written, in JSON types; None for an unknown id."""
    body = session.scalar(select(ScorecardRow.body).where(ScorecardRow.id == scorecard_id))
    return None if body is None else mapping.unpack(body)


@lru_cache(maxsize=TRANSCRIPTS)
def _transcript_of(body: bytes) -> Transcript:
    return mapping.transcript_from_plain(mapping.unpack(body))


def history(session: Session, recording_id: str) -> tuple[ScoringLine, ...]:
    query = (
        select(ScorecardRow, TranscriptRow.origin)
        .join(TranscriptRow, TranscriptRow.id == ScorecardRow.transcript_id)
        .where(ScorecardRow.recording_id == recording_id)
        .order_by(ScorecardRow.id)
    )
    return tuple(_line(card, origin) for card, origin in session.execute(query))


def _line(card: ScorecardRow, origin: str) -> ScoringLine:
    return ScoringLine(
        scorecard_id=card.id,
        scored_at=card.created_at,
        reason=card.reason,
        origin=Origin(origin),
        template_id=card.template_id,
        template_version=card.template_version,
        ruleset_digest=card.ruleset_digest,
        total=card.total,
        reviews=card.reviews,
        body_sha256=card.body_sha256,
    )


def duplicates(session: Session) -> tuple[Duplicate, ...]:
    doubled = select(RecordingRow.call_id).group_by(RecordingRow.call_id).having(func.count() > 1)
    query = (
        select(RecordingRow.call_id, RecordingRow.id)
        .where(RecordingRow.call_id.in_(doubled))
        .order_by(RecordingRow.id)
    )
    ids: dict[str, list[str]] = {}
    for call_id, recording_id in session.execute(query):
        ids.setdefault(call_id or "", []).append(recording_id)
    return tuple(Duplicate(call_id=name, recording_ids=tuple(found)) for name, found in sorted(ids.items()))


def review_of(row: ReviewRow) -> Review:
    return Review(
        recording_id=row.recording_id,
        who=row.who,
        at=row.at,
        decision=Decision(row.decision),
        target=row.target,
        value=row.value,
        reason=row.reason,
        template_id=row.template_id,
        saw_machine=row.saw_machine,
        saw_others=row.saw_others,
        appeal_id=row.appeal_id,
    )


def reviews(session: Session, recording_id: str) -> tuple[Review, ...]:
    """All decisions about a call, oldest first."""
    query = select(ReviewRow).where(ReviewRow.recording_id == recording_id).order_by(ReviewRow.id)
    return tuple(map(review_of, session.scalars(query)))


def decided_findings(session: Session) -> tuple[DecidedFinding, ...]:
    """The newest decision about each finding of any scoring, by recording and place."""
    first = (
        select(func.min(FindingRow.id))
        .where(FindingRow.finding_id == ReviewRow.target)
        .correlate(ReviewRow)
        .scalar_subquery()
    )
    query = (
        select(ReviewRow, FindingRow)
        .join(FindingRow, FindingRow.id == first)
        .where(ReviewRow.decision.in_((Decision.FINDING_TRUE.value, Decision.FINDING_FALSE.value)))
        .order_by(ReviewRow.at, ReviewRow.id)
    )
    newest = {
        (review.recording_id, review.target): _decided(review, finding)
        for review, finding in session.execute(query)
    }
    return tuple(sorted(newest.values(), key=lambda d: (d.review.recording_id, d.rule_id, d.span)))


def _decided(review: ReviewRow, finding: FindingRow) -> DecidedFinding:
    return DecidedFinding(
        review=review_of(review),
        rule_id=finding.rule_id,
        outcome=Outcome(finding.outcome),
        span=Span(finding.start_ms, finding.end_ms),
        quote=finding.quote,
    )


def ruleset_digests(session: Session, prefix: str) -> tuple[str, ...]:
    """Digests of the rule sets that begin with `prefix`, the first used first."""
    query = select(RulesetRow.digest).where(RulesetRow.digest.startswith(prefix, autoescape=True))
    return tuple(session.scalars(query.order_by(RulesetRow.first_used_at, RulesetRow.digest)))
