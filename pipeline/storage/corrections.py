"""What people put right, and what scorings and transcripts depended on: rows <-> values."""

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.errors import NotFound
from pipeline.storage import mapping, queries
from pipeline.storage.meaning import put_once
from pipeline.storage.records import Change, Correction, Origin, Subject
from pipeline.storage.tables import CorrectionRow, ListeningRow, TranscriptRow
from pipeline.storage.transactions import Transactions
from pipeline.timeline import Transcript


class Corrections(Transactions):
    """The part of `Store` that is about disputes."""

    def scoring_body(self, scorecard_id: int) -> Any:
        """Findings and scorecard of a scoring as they were written, in JSON types. Raises NotFound."""
        with self._reading() as session:
            body = queries.scoring_body(session, scorecard_id)
        if body is None:
            raise NotFound(f"没有评分表 {scorecard_id}")
        return body

    def corrections(self, recording_id: str) -> tuple[Correction, ...]:
        """What people put right in a call, oldest first."""
        with self._reading() as session:
            return _corrections(session, recording_id)

    def heard(self, recording_id: str) -> Transcript:
        """The newest transcript of a recording as the model made it. Raises NotFound."""
        with self._reading() as session:
            found = _heard(session, recording_id)
        if found is None:
            raise NotFound(f"{recording_id}：数据库里没有这个录音")
        return found

    def keep_listening(self, digest: str, settings: Mapping[str, Any]) -> None:
        """Keep what a digest of settings stands for, so that a recording can be heard again that way."""
        with self._writing() as session:
            _put_listening(session, digest, settings)

    def listening(self, digest: str) -> dict[str, Any] | None:
        """The settings behind a digest; None: they were not kept."""
        with self._reading() as session:
            return _listening(session, digest)


def add_correction(session: Session, correction: Correction, scorecard_id: int) -> None:
    """Keep a correction with the scoring that it led to."""
    changes = mapping.canonical([mapping.to_plain(change) for change in correction.changes]).decode()
    session.add(
        CorrectionRow(
            recording_id=correction.recording_id,
            scorecard_id=scorecard_id,
            subject=correction.subject.value,
            changes=mapping.column_text(changes),
            who=mapping.column_text(correction.who),
            at=correction.at,
            reason=mapping.column_text(correction.reason),
        )
    )


def _corrections(session: Session, recording_id: str) -> tuple[Correction, ...]:
    """All corrections of a call, oldest first."""
    query = select(CorrectionRow).where(CorrectionRow.recording_id == recording_id)
    return tuple(map(_correction, session.scalars(query.order_by(CorrectionRow.id))))


def _correction(row: CorrectionRow) -> Correction:
    return Correction(
        recording_id=row.recording_id,
        subject=Subject(row.subject),
        changes=tuple(mapping.from_plain(Change, change) for change in json.loads(row.changes)),
        who=row.who,
        at=row.at,
        reason=row.reason,
        scorecard_id=row.scorecard_id,
    )


def _put_listening(session: Session, digest: str, settings: Mapping[str, Any]) -> None:
    """Keep what a digest of settings stands for."""
    text = mapping.canonical(dict(settings)).decode()
    put_once(session, ListeningRow, {"settings_digest": digest, "settings": text})


def _listening(session: Session, digest: str) -> dict[str, Any] | None:
    """The settings behind a digest; None: they were not kept."""
    row = session.get(ListeningRow, digest)
    return None if row is None else dict(json.loads(row.settings))


def _heard(session: Session, recording_id: str) -> Transcript | None:
    """The newest transcript that a model made, untouched by people."""
    query = select(TranscriptRow).where(
        TranscriptRow.recording_id == recording_id, TranscriptRow.origin == Origin.HEARD.value
    )
    row = session.scalar(query.order_by(TranscriptRow.id.desc()).limit(1))
    return None if row is None else mapping.transcript_from_plain(mapping.unpack(row.body))
