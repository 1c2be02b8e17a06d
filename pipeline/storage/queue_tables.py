"""The tables of the inspectors' work: the queue, drafts, rounds of calibration."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.storage.columns import Base, ByteText, Id, Moment, Points


class QueueRow(Base):
    """One row for each recording with a scorecard. Derived but for who holds it: `version` is the layout.

    `started_ms` counts from 1970, 0 where the start is not known; `rate` and `confidence` are thousandths;
    `asked` is how many inspectors the template wants, `done` how many handed the call in; `idle` is the state
    while nobody holds it; `plan_id` is the newest plan that drew it. Who was assigned by hand has no
    `claimed_until`.

    Every question reads the one index, which holds all that can be asked: 5 ms for 100,000 calls. With an
    index for each order SQLite would jump about in the table instead, which takes ten times as long.
    """

    __tablename__ = "queue"
    __table_args__ = (
        Index(
            "ix_queue_asked",
            *("state", "assigned_to", "template_id", "agent_id", "business", "complaint", "fatal"),
            *("acceptable", "released", "open_appeals", "started_ms", "name", "plan_id"),
            *("risk", "rate", "confidence", "recording_id"),
        ),
    )

    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id"), primary_key=True)
    version: Mapped[int]
    scorecard_id: Mapped[int] = mapped_column(ForeignKey("scorecards.id"))
    name: Mapped[str] = mapped_column(ByteText)
    started_ms: Mapped[int] = mapped_column(BigInteger)
    duration_ms: Mapped[int] = mapped_column(BigInteger)
    agent_id: Mapped[str | None] = mapped_column(Text)
    business: Mapped[str | None] = mapped_column(Text)
    direction: Mapped[str | None] = mapped_column(String(16))
    complaint: Mapped[bool]
    template_id: Mapped[str] = mapped_column(Text)
    template_title: Mapped[str] = mapped_column(Text)
    total: Mapped[Decimal] = mapped_column(Points)
    possible: Mapped[Decimal] = mapped_column(Points)
    lowest: Mapped[Decimal] = mapped_column(Points)
    highest: Mapped[Decimal] = mapped_column(Points)
    passed: Mapped[bool | None]
    rate: Mapped[int]
    open_items: Mapped[int]
    fatal: Mapped[bool]
    confidence: Mapped[int]
    acceptable: Mapped[bool]
    open_appeals: Mapped[int]
    asked: Mapped[int]
    done: Mapped[int]
    released: Mapped[bool]
    idle: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    assigned_to: Mapped[str | None] = mapped_column(Text)
    claimed_until: Mapped[datetime | None] = mapped_column(Moment, index=True)
    plan_id: Mapped[int | None] = mapped_column(ForeignKey("sample_plans.id"))
    risk: Mapped[int]


class DraftRow(Base):
    """What a person has marked and not handed in. `version` counts every change, undoing too; `step` is the
    one that holds, `last` the newest that can be done again; `seen` decisions were known, and the card."""

    __tablename__ = "drafts"

    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id"), primary_key=True)
    who: Mapped[str] = mapped_column(Text, primary_key=True)
    round_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    version: Mapped[int]
    step: Mapped[int]
    last: Mapped[int]
    seen: Mapped[int]
    scorecard_id: Mapped[int] = mapped_column(ForeignKey("scorecards.id"))
    at: Mapped[datetime] = mapped_column(Moment)


class DraftStepRow(Base):
    """Every earlier state of a draft, until it is handed in. `marks` is canonical JSON."""

    __tablename__ = "draft_steps"

    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id"), primary_key=True)
    who: Mapped[str] = mapped_column(Text, primary_key=True)
    round_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    step: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(Moment)
    marks: Mapped[str] = mapped_column(Text)


class RoundRow(Base):
    """A calibration round: several inspectors judge the same calls, each without seeing anything."""

    __tablename__ = "rounds"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    made_by: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)


class RoundCallRow(Base):
    """A call of a round, in the order of the round, and the scoring that its form is taken from."""

    __tablename__ = "round_calls"
    __table_args__ = (UniqueConstraint("round_id", "recording_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"))
    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id"))
    scorecard_id: Mapped[int] = mapped_column(ForeignKey("scorecards.id"))


class RoundInspectorRow(Base):
    """Who takes part in a round."""

    __tablename__ = "round_inspectors"

    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"), primary_key=True)
    who: Mapped[str] = mapped_column(Text, primary_key=True)


class RoundReviewRow(Base):
    """What inspectors decided in a round. It measures them and never counts on a card."""

    __tablename__ = "round_reviews"
    __table_args__ = (Index("ix_round_reviews_round_id_recording_id", "round_id", "recording_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    round_id: Mapped[int] = mapped_column(ForeignKey("rounds.id"))
    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id"))
    who: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Moment)
    decision: Mapped[str] = mapped_column(String(16))
    target: Mapped[str] = mapped_column(Text)
    value: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    template_id: Mapped[str] = mapped_column(Text)
