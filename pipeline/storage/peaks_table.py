"""Waveforms of recordings: rows <-> values."""

import zlib

from sqlalchemy import ForeignKey, LargeBinary
from sqlalchemy.orm import Mapped, Session, mapped_column

from pipeline.samples import Peaks
from pipeline.storage.columns import Base
from pipeline.storage.meaning import put_once
from pipeline.storage.transactions import Transactions


class PeaksRow(Base):
    """The waveform of a recording, its channels end to end, compressed. Derived: it can be made anew."""

    __tablename__ = "peaks"

    recording_id: Mapped[str] = mapped_column(ForeignKey("recordings.id"), primary_key=True)
    step_ms: Mapped[int]
    channels: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary)


class Waveforms(Transactions):
    """The part of `Store` that is about waveforms."""

    def peaks(self, recording_id: str) -> Peaks | None:
        """The waveform of a recording; None: not made yet."""
        with self._reading() as session:
            row = session.get(PeaksRow, recording_id)
            return None if row is None else _peaks(row)

    def keep_peaks(self, recording_id: str, peaks: Peaks) -> None:
        """Keep the waveform of a stored recording; one that is there stays."""
        with self._writing() as session:
            put_peaks(session, recording_id, peaks)


def put_peaks(session: Session, recording_id: str, peaks: Peaks) -> None:
    values = {"recording_id": recording_id, "step_ms": peaks.step, "channels": len(peaks.channels)}
    put_once(session, PeaksRow, values | {"body": zlib.compress(b"".join(peaks.channels))})


def _peaks(row: PeaksRow) -> Peaks:
    plain = zlib.decompress(row.body)
    size = len(plain) // max(row.channels, 1)
    return Peaks(
        step=row.step_ms, channels=tuple(plain[n * size : (n + 1) * size] for n in range(row.channels))
    )
