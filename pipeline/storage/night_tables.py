"""The tables of nights: each run, who works on what, what could not be used."""

from datetime import datetime

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from pipeline.storage.columns import Base, Id, Moment


class QuarantineRow(Base):
    """What could not be used, until it can: `resolved_at` is set when the recording is scored, `released_at`
    when a person decided that it is not to be tried or told again."""

    __tablename__ = "quarantine"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    path: Mapped[str] = mapped_column(Text, index=True)
    sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    stage: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    tries: Mapped[int]
    at: Mapped[datetime] = mapped_column(Moment)
    resolved_at: Mapped[datetime | None] = mapped_column(Moment)
    released_at: Mapped[datetime | None] = mapped_column(Moment)


class NightRow(Base):
    """Runs of the nightly job. `counts` is canonical JSON, brought up to date while it runs; the claims of
    `owner` are good until `lease_until`."""

    __tablename__ = "nights"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    folder: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    counts: Mapped[str] = mapped_column(Text)
    owner: Mapped[str | None] = mapped_column(Text)
    lease_until: Mapped[datetime | None] = mapped_column(Moment)


class WorkRow(Base):
    """The work on one recording with one model and its settings, by the key of finished work. `night_id` has
    claimed it. That it is done says the transcript with the same key."""

    __tablename__ = "work"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    path: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16))
    night_id: Mapped[int | None] = mapped_column(ForeignKey("nights.id"), index=True)
    tries: Mapped[int]
    priority: Mapped[int]
    stage: Mapped[str | None] = mapped_column(Text)
    reason: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(Moment)
