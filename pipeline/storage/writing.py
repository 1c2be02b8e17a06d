"""Values -> rows, inside a transaction that `Store` opened."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from pipeline.errors import NotFound
from pipeline.facts import facts_of
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Status
from pipeline.storage import facts, mapping, queries, queue_rows
from pipeline.storage.archive import put_compact
from pipeline.storage.meaning import put_ruleset, put_sentences
from pipeline.storage.records import (
    FORBIDDEN,
    Circumstances,
    Origin,
    Reheard,
    Rescored,
    RuleFacts,
    ScoredCall,
)
from pipeline.storage.tables import (
    FindingRow,
    RecordingRow,
    ReviewRow,
    ScorecardRow,
    TranscriptRow,
)
from pipeline.timeline import Recording


def check(scored: ScoredCall) -> None:
    """Raises ValueError: the store would give back something else."""
    if mapping.storable(scored.transcript) != scored.transcript:
        raise ValueError("score and save mapping.storable(transcript), not the transcript as heard")
    card = scored.scorecard
    if card is not None and (card.recording_id, card.ruleset_digest) != (
        scored.recording.id,
        scored.ruleset.digest,
    ):
        raise ValueError("the scorecard belongs to another recording or rule set")


def lock(session: Session, recording_id: str) -> None:
    """Nobody else writes about the recording until the transaction ends. Raises NotFound."""
    if queue_rows.lock_recording(session, recording_id) is None:
        raise NotFound(f"{recording_id}：数据库里没有这个录音")


def is_newest(session: Session, recording_id: str, basis: int, reviews: int) -> bool:
    """Whether nothing came since a call was read: its newest scorecard is still `basis`, and there are as
    many decisions about it. Locks the recording. Raises NotFound."""
    lock(session, recording_id)
    query = select(func.count()).select_from(ReviewRow).where(ReviewRow.recording_id == recording_id)
    return (queries.newest_scorecard(session, recording_id), session.scalar(query)) == (basis, reviews)


def put_recording(session: Session, recording: Recording) -> None:
    """Add a recording, or bring what is known about it up to date. Scorings that did not keep what was known
    keep it now, before it is gone."""
    known = session.get(RecordingRow, recording.id)
    if known is not None:
        _keep_for_old_scorings(session, recording.id, known.body)
    session.merge(
        RecordingRow(
            id=recording.id,
            sha256=recording.sha256,
            call_id=recording.call_id,
            path=mapping.column_text(recording.path),
            started_at=recording.started_at,
            duration_ms=recording.duration,
            agent_id=recording.agent_id,
            business=recording.business,
            direction=recording.direction,
            is_complaint=recording.is_complaint,
            body=mapping.pack(mapping.recording_to_plain(recording)),
        )
    )
    session.flush()
    queue_rows.refresh(session, recording.id)


def _keep_for_old_scorings(session: Session, recording_id: str, body: bytes) -> None:
    kept = Circumstances(
        recording=mapping.recording_from_plain(mapping.unpack(body)), settings={}, encoder=None, program=""
    )
    old = (ScorecardRow.recording_id == recording_id, ScorecardRow.circumstances.is_(None))
    values = {"circumstances": mapping.pack(mapping.circumstances_to_plain(kept))}
    session.execute(
        update(ScorecardRow).where(*old).values(values).execution_options(synchronize_session=False)
    )


def newest_transcript(session: Session, recording_id: str) -> TranscriptRow | None:
    query = select(TranscriptRow).where(TranscriptRow.recording_id == recording_id)
    return session.scalar(query.order_by(TranscriptRow.id.desc()).limit(1))


def add_transcript(
    session: Session, scored: ScoredCall, *, key: str | None, origin: Origin, at: datetime
) -> int:
    """A new transcript row; its id."""
    plain = mapping.transcript_to_plain(scored.transcript)
    provenance = scored.transcript.provenance
    row = TranscriptRow(
        recording_id=scored.recording.id,
        work_key=key,
        pipeline=provenance.pipeline,
        model=provenance.model,
        model_sha256=provenance.model_sha256,
        settings_digest=provenance.settings_digest,
        origin=origin.value,
        created_at=at,
        body_sha256=mapping.digest(plain),
        body=mapping.pack(plain),
    )
    session.add(row)
    session.flush()
    put_compact(session, scored.recording.id, row.id, scored.compact)
    return row.id


def add_hearing(session: Session, scored: ScoredCall, key: str, again: Reheard | None, at: datetime) -> int:
    """The transcript of a night, and the one with what people had put right; the id of the scored one."""
    if again is None or again.transcript == scored.transcript:
        return add_transcript(session, scored, key=key, origin=Origin.HEARD, at=at)
    heard = replace(scored, transcript=again.transcript, compact=None)
    add_transcript(session, heard, key=key, origin=Origin.HEARD, at=at)
    return add_transcript(session, scored, key=None, origin=again.origin, at=at)


def transcript_of(session: Session, rescored: Rescored, at: datetime) -> int:
    """The newest transcript where the scored one is the same, else a new row; its id. Raises NotFound."""
    scored = rescored.scored
    newest = newest_transcript(session, scored.recording.id)
    if newest is None:
        raise NotFound(f"{scored.recording.id}：数据库里没有这个录音")
    if newest.body_sha256 == mapping.digest(mapping.transcript_to_plain(scored.transcript)):
        return newest.id
    return add_transcript(session, scored, key=None, origin=rescored.origin, at=at)


def add_scoring(
    session: Session, scored: ScoredCall, *, transcript_id: int, at: datetime, reason: str
) -> int:
    """A scorecard row with its findings, and the rule set if this is its first use; the scorecard's id."""
    put_ruleset(session, scored.ruleset, at)
    rules = mapping.rule_facts(scored.ruleset, scored.findings)
    if scored.sentences is not None:
        put_sentences(session, transcript_id, scored.sentences)
    row = _scorecard_row(scored, rules, transcript_id)
    row.circumstances = _circumstances(session, scored, transcript_id)
    row.created_at, row.reason = at, reason
    session.add(row)
    session.flush()
    found = [_finding_values(finding, rules[finding.rule_id], row.id) for finding in scored.findings]
    if found:
        session.execute(insert(FindingRow), found)
    facts.put(session, row.id, facts_of(scored.transcript, scored.findings, rules, scored.scorecard))
    queue_rows.scored(session, scored, row.id)
    return row.id


def _scorecard_row(scored: ScoredCall, rules: Mapping[str, RuleFacts], transcript_id: int) -> ScorecardRow:
    plain = mapping.scoring_to_plain(scored.findings, rules, scored.scorecard)
    card = scored.scorecard
    return ScorecardRow(
        recording_id=scored.recording.id,
        transcript_id=transcript_id,
        ruleset_digest=scored.ruleset.digest,
        template_id=card.template_id if card else None,
        template_version=card.template_version if card else None,
        total=card.total if card else None,
        open_points=card.open_points if card else None,
        points_possible=card.points_possible if card else None,
        open_items=card.open_items if card else 0,
        forbidden=sum(_is_forbidden(finding, rules) for finding in scored.findings),
        fatal=card.fatal if card else False,
        reviews=scored.reviews,
        body_sha256=mapping.digest(plain),
        body=mapping.pack(plain),
    )


def _circumstances(session: Session, scored: ScoredCall, transcript_id: int) -> bytes | None:
    """Those of the scoring; one that brings no settings has the findings of an earlier one, and its."""
    if scored.settings:
        return mapping.pack(mapping.circumstances_to_plain(mapping.circumstances_of(scored)))
    same = (
        ScorecardRow.transcript_id == transcript_id,
        ScorecardRow.ruleset_digest == scored.ruleset.digest,
    )
    query = select(ScorecardRow.circumstances).where(*same).order_by(ScorecardRow.id.desc()).limit(1)
    return session.scalar(query)


def _is_forbidden(finding: Finding, rules: Mapping[str, RuleFacts]) -> bool:
    """Drafts are shown and never count."""
    rule = rules[finding.rule_id]
    return finding.outcome is Outcome.PRESENT and rule.label == FORBIDDEN and rule.status is Status.ACTIVE


def _finding_values(finding: Finding, rule: RuleFacts, scorecard_id: int) -> dict[str, object]:
    """A row of the table of findings: hundreds in a long call, so that they are no objects."""
    quote = finding.evidence[0].quote if finding.evidence else ""
    return {
        "scorecard_id": scorecard_id,
        "finding_id": finding.id,
        "rule_id": finding.rule_id,
        "label": rule.label,
        "category": rule.category,
        "outcome": finding.outcome.value,
        "role": finding.role.value,
        "start_ms": finding.span.start,
        "end_ms": finding.span.end,
        "confidence": finding.confidence,
        "quote": mapping.column_text(quote),
    }
