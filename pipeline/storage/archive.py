"""Compact calls and sweeps: rows <-> values, inside a transaction that `Store` opened."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, insert, select
from sqlalchemy.orm import Session

from pipeline.errors import NotFound
from pipeline.findings import Finding
from pipeline.storage import mapping
from pipeline.storage.records import CompactCall, CompactForm, SweepLine, SweptFinding
from pipeline.storage.tables import CompactRow, RecordingRow, SweepRow, SweptRow, TranscriptRow
from pipeline.timeline import Recording, Transcript


def put_compact(session: Session, recording_id: str, transcript_id: int, form: CompactForm | None) -> None:
    """Keep the compact form of a recording's newest transcript; None: not made yet. An older one goes."""
    session.execute(delete(CompactRow).where(CompactRow.recording_id == recording_id))
    if form is None:
        return
    row = {"transcript_id": transcript_id, "recording_id": recording_id, "version": form.version}
    session.execute(insert(CompactRow), [row | {"text": form.text, "detail": form.detail}])


def texts(session: Session, version: int, after: int, count: int) -> list[tuple[int, bytes]]:
    """Transcript id and text of the next `count` compact calls behind a transcript id."""
    query = select(CompactRow.transcript_id, CompactRow.text).where(
        CompactRow.transcript_id > after, CompactRow.version == version
    )
    rows = session.execute(query.order_by(CompactRow.transcript_id).limit(count))
    return [(transcript_id, text) for transcript_id, text in rows]


def numbers_behind(session: Session, version: int, after: int, count: int) -> list[int]:
    """Transcript ids of the next `count` compact calls behind one."""
    query = select(CompactRow.transcript_id).where(
        CompactRow.transcript_id > after, CompactRow.version == version
    )
    return list(session.scalars(query.order_by(CompactRow.transcript_id).limit(count)))


def heads(session: Session, version: int, size: int) -> list[tuple[str, bytes]]:
    """Recording id and the first bytes of the text of every compact call."""
    query = select(CompactRow.recording_id, func.substr(CompactRow.text, 1, size))
    rows = session.execute(query.where(CompactRow.version == version).order_by(CompactRow.transcript_id))
    return [(recording_id, bytes(head)) for recording_id, head in rows]


def compact_calls(session: Session, transcript_ids: Sequence[int]) -> list[CompactCall]:
    """The compact calls of these transcripts, by transcript id."""
    query = (
        select(CompactRow, RecordingRow.body)
        .join(RecordingRow, RecordingRow.id == CompactRow.recording_id)
        .where(CompactRow.transcript_id.in_(transcript_ids))
        .order_by(CompactRow.transcript_id)
    )
    return [
        CompactCall(
            transcript_id=row.transcript_id,
            recording=mapping.recording_from_plain(mapping.unpack(body)),
            form=CompactForm(version=row.version, text=row.text, detail=row.detail),
        )
        for row, body in session.execute(query)
    ]


def numbers(session: Session, version: int) -> dict[str, int]:
    """The newest transcript of each recording that has a compact form of this version."""
    query = select(CompactRow.recording_id, CompactRow.transcript_id).where(CompactRow.version == version)
    return {name: number for name, number in session.execute(query)}  # noqa: C416  (rows are no pairs to mypy)


def without_compact(session: Session, version: int, count: int) -> list[tuple[int, Recording, Transcript]]:
    """The newest transcripts that have no compact form of this version, `count` of them at most."""
    if _all_made(session, version):
        return []
    query = (
        select(TranscriptRow, RecordingRow)
        .join(RecordingRow, RecordingRow.id == TranscriptRow.recording_id)
        .outerjoin(CompactRow, _is_made(version))
        .where(TranscriptRow.id.in_(_newest()), CompactRow.transcript_id.is_(None))
        .order_by(TranscriptRow.id)
        .limit(count)
    )
    return [_transcript(heard, recording) for heard, recording in session.execute(query)]


def transcripts(session: Session, transcript_ids: Sequence[int]) -> list[tuple[int, Recording, Transcript]]:
    """Whole calls by transcript id."""
    query = (
        select(TranscriptRow, RecordingRow)
        .join(RecordingRow, RecordingRow.id == TranscriptRow.recording_id)
        .where(TranscriptRow.id.in_(transcript_ids))
        .order_by(TranscriptRow.id)
    )
    return [_transcript(heard, recording) for heard, recording in session.execute(query)]


def _all_made(session: Session, version: int) -> bool:
    """Every recording has one compact form at most, that of its newest transcript."""
    made = select(func.count()).select_from(CompactRow).where(CompactRow.version == version)
    return session.scalar(made) == session.scalar(select(func.count()).select_from(RecordingRow))


def _is_made(version: int) -> ColumnElement[bool]:
    return (CompactRow.transcript_id == TranscriptRow.id) & (CompactRow.version == version)


def _newest() -> ColumnElement[int]:
    newest: ColumnElement[int] = (
        select(func.max(TranscriptRow.id)).group_by(TranscriptRow.recording_id).scalar_subquery()
    )
    return newest


def newest_of(session: Session, recording_id: str) -> int | None:
    """The id of a recording's newest transcript."""
    return session.scalar(
        select(func.max(TranscriptRow.id)).where(TranscriptRow.recording_id == recording_id)
    )


def _transcript(heard: TranscriptRow, recording: RecordingRow) -> tuple[int, Recording, Transcript]:
    about = mapping.recording_from_plain(mapping.unpack(recording.body))
    return heard.id, about, mapping.transcript_from_plain(mapping.unpack(heard.body))


def start_sweep(session: Session, ruleset_digest: str, at: datetime) -> int:
    row = SweepRow(ruleset_digest=ruleset_digest, started_at=at, ended_at=None, calls=0, findings=0)
    session.add(row)
    session.flush()
    return row.id


def end_sweep(session: Session, sweep_id: int, calls: int, at: datetime) -> None:
    row = session.get(SweepRow, sweep_id)
    if row is None:
        raise NotFound(f"没有整库重评 {sweep_id}")
    counted = select(func.count()).select_from(SweptRow).where(SweptRow.sweep_id == sweep_id)
    row.ended_at, row.calls, row.findings = at, calls, session.scalar(counted) or 0


def add_swept(session: Session, sweep_id: int, findings: Iterable[Finding]) -> None:
    rows = [_swept(sweep_id, finding) for finding in findings]
    if rows:
        session.execute(insert(SweptRow), rows)


def _swept(sweep_id: int, finding: Finding) -> dict[str, object]:
    return {
        "sweep_id": sweep_id,
        "recording_id": finding.recording_id,
        "finding_id": finding.id,
        "rule_id": finding.rule_id,
        "outcome": finding.outcome.value,
        "role": finding.role.value,
        "start_ms": finding.span.start,
        "end_ms": finding.span.end,
        "confidence": finding.confidence,
        "quote": mapping.column_text(finding.evidence[0].quote if finding.evidence else ""),
    }


def swept(session: Session, sweep_id: int) -> tuple[SweptFinding, ...]:
    query = select(SweptRow).where(SweptRow.sweep_id == sweep_id).order_by(SweptRow.id)
    names = SweptFinding.__dataclass_fields__
    return tuple(SweptFinding(**{n: getattr(row, n) for n in names}) for row in session.scalars(query))


def sweeps(session: Session) -> tuple[SweepLine, ...]:
    query = select(SweepRow).order_by(SweepRow.id.desc())
    names = SweepLine.__dataclass_fields__
    return tuple(SweepLine(**{n: getattr(row, n) for n in names}) for row in session.scalars(query))
