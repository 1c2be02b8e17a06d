"""The tables, typed. Bodies are compressed canonical JSON; the other columns are what queries ask for.

Transcripts, scorecards, findings, reviews and appeals are only ever added to. A change here needs a migration
under `migrations/versions`; a test holds the two against each other.
"""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint, text, true
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.storage.columns import Base, Id, Moment, Points


def _of_present(name: str, *columns: str) -> Index:
    """An index over present findings alone: one in four."""
    present = text("outcome = 'present'")
    return Index(name, *columns, sqlite_where=present, postgresql_where=present)


class RecordingRow(Base):
    """One file's bytes. A call_id may come with several recordings: `Store.duplicates` reports them."""

    __tablename__ = "recordings"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), unique=True)
    call_id: Mapped[str | None] = mapped_column(Text, index=True)
    path: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime | None] = mapped_column(Moment, index=True)
    duration_ms: Mapped[int] = mapped_column(BigInteger)
    agent_id: Mapped[str | None] = mapped_column(Text, index=True)
    business: Mapped[str | None] = mapped_column(Text)
    direction: Mapped[str | None] = mapped_column(String(16))
    is_complaint: Mapped[bool | None]
    body: Mapped[bytes] = mapped_column(LargeBinary)


class RulesetRow(Base):
    """Every rule set that ever scored a call, with the text of all its files."""

    __tablename__ = "rulesets"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    first_used_at: Mapped[datetime] = mapped_column(Moment)
    files: Mapped[bytes] = mapped_column(LargeBinary)


class TranscriptRow(Base):
    """`work_key` decides that a recording is done; it is null for transcripts that were not heard."""

    __tablename__ = "transcripts"
    __table_args__ = (Index("ix_transcripts_recording_id_id", "recording_id", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id"))
    work_key: Mapped[str | None] = mapped_column(String(64), unique=True)
    pipeline: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(Text)
    model_sha256: Mapped[str] = mapped_column(Text)
    settings_digest: Mapped[str] = mapped_column(Text)
    origin: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(Moment)
    body_sha256: Mapped[str] = mapped_column(String(64))
    body: Mapped[bytes] = mapped_column(LargeBinary)


class CompactRow(Base):
    """The newest transcript of a recording, laid out for scanning. Derived: it can be made anew."""

    __tablename__ = "compact_calls"
    __table_args__ = (Index("ix_compact_calls_version_transcript_id", "version", "transcript_id"),)

    transcript_id: Mapped[int] = mapped_column(
        Id, ForeignKey("transcripts.id"), primary_key=True, autoincrement=False
    )
    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id"), unique=True)
    version: Mapped[int]
    text: Mapped[bytes] = mapped_column(LargeBinary)
    detail: Mapped[bytes] = mapped_column(LargeBinary)


class SweepRow(Base):
    """Runs of a rule set over all stored calls."""

    __tablename__ = "sweeps"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    ruleset_digest: Mapped[str] = mapped_column(ForeignKey("rulesets.digest"))
    started_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    calls: Mapped[int]
    findings: Mapped[int]


class SweptRow(Base):
    """What a sweep found; everything else in the calls that it went over is an absence."""

    __tablename__ = "swept_findings"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    sweep_id: Mapped[int] = mapped_column(ForeignKey("sweeps.id"), index=True)
    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id"))
    finding_id: Mapped[str] = mapped_column(String(16))
    rule_id: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(String(16))
    role: Mapped[str] = mapped_column(String(16))
    start_ms: Mapped[int] = mapped_column(BigInteger)
    end_ms: Mapped[int] = mapped_column(BigInteger)
    confidence: Mapped[float]
    quote: Mapped[str] = mapped_column(Text)


class SentencesRow(Base):
    """Vectors of a transcript's sentences, for each model that made some."""

    __tablename__ = "sentences"
    __table_args__ = (UniqueConstraint("transcript_id", "encoder"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    transcript_id: Mapped[int] = mapped_column(ForeignKey("transcripts.id"))
    encoder: Mapped[str] = mapped_column(Text)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class MeaningRow(Base):
    """What the examples of a rule set taught when it first scored, so that a replay weighs the same."""

    __tablename__ = "meanings"

    ruleset_digest: Mapped[str] = mapped_column(ForeignKey("rulesets.digest"), primary_key=True)
    encoder: Mapped[str] = mapped_column(Text, primary_key=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class ScorecardRow(Base):
    """One scoring: findings and scorecard together. Without a template the points are null, without
    `circumstances` it was made before schema 0006."""

    __tablename__ = "scorecards"
    __table_args__ = (Index("ix_scorecards_recording_id_id", "recording_id", "id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id"))
    transcript_id: Mapped[int] = mapped_column(ForeignKey("transcripts.id"))
    ruleset_digest: Mapped[str] = mapped_column(ForeignKey("rulesets.digest"))
    template_id: Mapped[str | None] = mapped_column(Text)
    template_version: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(Moment)
    reason: Mapped[str] = mapped_column(Text)
    total: Mapped[Decimal | None] = mapped_column(Points)
    open_points: Mapped[Decimal | None] = mapped_column(Points)
    points_possible: Mapped[Decimal | None] = mapped_column(Points)
    open_items: Mapped[int]
    forbidden: Mapped[int]
    fatal: Mapped[bool]
    reviews: Mapped[int] = mapped_column(server_default="0")
    body_sha256: Mapped[str] = mapped_column(String(64))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    circumstances: Mapped[bytes | None] = mapped_column(LargeBinary)


class CorrectionRow(Base):
    """What people put right in transcripts and metadata. `changes` is canonical JSON."""

    __tablename__ = "corrections"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id"), index=True)
    scorecard_id: Mapped[int] = mapped_column(ForeignKey("scorecards.id"))
    subject: Mapped[str] = mapped_column(String(16))
    changes: Mapped[str] = mapped_column(Text)
    who: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Moment)
    reason: Mapped[str] = mapped_column(Text)


class ListeningRow(Base):
    """The settings that transcripts were made with, by the digest that the transcripts carry."""

    __tablename__ = "listenings"

    settings_digest: Mapped[str] = mapped_column(Text, primary_key=True)
    settings: Mapped[str] = mapped_column(Text)


class FindingRow(Base):
    """Findings again, as rows to ask about; the body of the scorecard is what counts."""

    __tablename__ = "findings"
    __table_args__ = (
        Index("ix_findings_label_category", "label", "category"),
        _of_present("ix_findings_present_rule", "rule_id", "scorecard_id"),
        _of_present("ix_findings_present_label", "label", "scorecard_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    scorecard_id: Mapped[int] = mapped_column(ForeignKey("scorecards.id"), index=True)
    finding_id: Mapped[str] = mapped_column(String(16), index=True)
    rule_id: Mapped[str] = mapped_column(Text)
    label: Mapped[str] = mapped_column(Text)
    category: Mapped[str | None] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(String(16))
    role: Mapped[str] = mapped_column(String(16))
    start_ms: Mapped[int] = mapped_column(BigInteger)
    end_ms: Mapped[int] = mapped_column(BigInteger)
    confidence: Mapped[float]
    quote: Mapped[str] = mapped_column(Text)


class FactsRow(Base):
    """What statistics need of a scoring. Derived: it can be made anew from the scorecard and transcript."""

    __tablename__ = "facts"

    scorecard_id: Mapped[int] = mapped_column(
        Id, ForeignKey("scorecards.id"), primary_key=True, autoincrement=False
    )
    version: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary)


class SamplePlanRow(Base):
    """An inspection sample as it was asked for. `options` is canonical JSON; `calls` were there to draw."""

    __tablename__ = "sample_plans"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    made_at: Mapped[datetime] = mapped_column(Moment)
    since: Mapped[datetime] = mapped_column(Moment)
    until: Mapped[datetime] = mapped_column(Moment)
    seed: Mapped[int] = mapped_column(BigInteger)
    calls: Mapped[int]
    options: Mapped[str] = mapped_column(Text)


class SampleDrawRow(Base):
    """A call that a plan drew, and why."""

    __tablename__ = "sample_draws"
    __table_args__ = (UniqueConstraint("plan_id", "recording_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    plan_id: Mapped[int] = mapped_column(ForeignKey("sample_plans.id"))
    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id"), index=True)
    why: Mapped[str] = mapped_column(Text)


class ReviewRow(Base):
    """What inspectors decided. Of decisions from before schema 0004 nobody knows what was seen: all was."""

    __tablename__ = "reviews"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id"), index=True)
    who: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Moment)
    decision: Mapped[str] = mapped_column(String(16))
    target: Mapped[str] = mapped_column(Text)
    value: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    template_id: Mapped[str] = mapped_column(Text, server_default="")
    saw_machine: Mapped[bool] = mapped_column(server_default=true())
    saw_others: Mapped[bool] = mapped_column(server_default=true())
    appeal_id: Mapped[int | None] = mapped_column(ForeignKey("appeals.id"))


class AppealRow(Base):
    """What an agent appealed against; what happened is in its events."""

    __tablename__ = "appeals"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id"), index=True)
    template_id: Mapped[str] = mapped_column(Text)
    item: Mapped[str] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    days: Mapped[int]


class AppealEventRow(Base):
    """The steps of an appeal, counted from 0: two of one number cannot be."""

    __tablename__ = "appeal_events"
    __table_args__ = (UniqueConstraint("appeal_id", "number"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    appeal_id: Mapped[int] = mapped_column(ForeignKey("appeals.id"))
    number: Mapped[int]
    step: Mapped[str] = mapped_column(String(16))
    who: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Moment)
    reason: Mapped[str] = mapped_column(Text)
    until: Mapped[datetime | None] = mapped_column(Moment)
    ruling: Mapped[str | None] = mapped_column(String(16))
    scorecard_id: Mapped[int | None] = mapped_column(ForeignKey("scorecards.id"))
