"""Rule sets, what they were taught, and vectors: rows <-> values. What is kept first stays."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache

from sqlalchemy import inspect, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from pipeline.meaning import Meaning
from pipeline.ruleset import RuleSet
from pipeline.storage import mapping
from pipeline.storage.columns import Base
from pipeline.storage.tables import MeaningRow, RulesetRow, SentencesRow
from pipeline.vectors import Rows, Sentences


def put_sentences(session: Session, transcript_id: int, sentences: Sentences) -> None:
    """Keep the vectors of a transcript, unless the same encoder's are there."""
    values = {"transcript_id": transcript_id, "encoder": sentences.encoder, "body": sentences.packed()}
    put_once(session, SentencesRow, values)


def sentences_of(session: Session, transcript_id: int, encoder: str | None = None) -> Sentences | None:
    """The vectors of a transcript that this model made; `encoder` None: those that were made last."""
    query = select(SentencesRow).where(SentencesRow.transcript_id == transcript_id)
    if encoder is not None:
        query = query.where(SentencesRow.encoder == encoder)
    row = session.scalar(query.order_by(SentencesRow.id.desc()).limit(1))
    return None if row is None else Sentences.unpacked(row.encoder, row.body)


def sentences_by(session: Session, transcript_ids: Sequence[int], encoder: str) -> dict[int, Sentences]:
    """The vectors that an encoder made, by transcript; without those that have none."""
    query = select(SentencesRow).where(
        SentencesRow.transcript_id.in_(transcript_ids), SentencesRow.encoder == encoder
    )
    return {row.transcript_id: Sentences.unpacked(encoder, row.body) for row in session.scalars(query)}


def rows_by(session: Session, transcript_ids: Sequence[int], encoder: str) -> dict[int, Rows]:
    """As `sentences_by`, laid out for many calls at once."""
    query = select(SentencesRow.transcript_id, SentencesRow.body).where(
        SentencesRow.transcript_id.in_(transcript_ids), SentencesRow.encoder == encoder
    )
    return {number: Rows.unpacked(body) for number, body in session.execute(query)}


def put_ruleset(session: Session, ruleset: RuleSet, at: datetime) -> None:
    """Keep a rule set and what it was taught, if this is its first use."""
    known = select(RulesetRow.digest).where(RulesetRow.digest == ruleset.digest)
    if session.scalar(known) is None:
        files = mapping.pack(dict(ruleset.files))
        put_once(session, RulesetRow, {"digest": ruleset.digest, "first_used_at": at, "files": files})
    taught = ruleset.meaning
    if taught and not _is_taught(session, ruleset.digest, taught.encoder):
        body = taught.packed()
        values = {"ruleset_digest": ruleset.digest, "encoder": taught.encoder, "body": body}
        put_once(session, MeaningRow, values)


def _is_taught(session: Session, ruleset_digest: str, encoder: str) -> bool:
    query = select(MeaningRow.encoder).where(MeaningRow.ruleset_digest == ruleset_digest)
    return session.scalar(query.where(MeaningRow.encoder == encoder)) is not None


def meaning_of(session: Session, ruleset_digest: str, encoder: str | None) -> Meaning | None:
    """What a rule set was taught when it first scored; `encoder` None: with any model."""
    query = select(MeaningRow).where(MeaningRow.ruleset_digest == ruleset_digest)
    if encoder is not None:
        query = query.where(MeaningRow.encoder == encoder)
    row = session.scalar(query.order_by(MeaningRow.encoder).limit(1))
    return None if row is None else _unpacked(row.body)


@lru_cache(maxsize=8)
def _unpacked(body: bytes) -> Meaning:
    return Meaning.unpacked(body)


def put_once(session: Session, table: type[Base], values: Mapping[str, object]) -> None:
    """Two processes may meet the same new thing at the same moment: the second insert does nothing."""
    session.execute(_insert(session)(table).values(values).on_conflict_do_nothing())


def put_over(session: Session, table: type[Base], values: Mapping[str, object]) -> None:
    """In place of what is there under the same primary key, whoever put it there and when."""
    key = [column.name for column in inspect(table).primary_key]
    insert = _insert(session)(table).values(values)
    session.execute(insert.on_conflict_do_update(index_elements=key, set_=dict(values)))


def _insert(session: Session) -> Callable[[type[Base]], postgresql.Insert | sqlite.Insert]:
    return postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
