"""One engine, and transactions on it: what every part of the store works in."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from pipeline.audit import AuditEntry
from pipeline.errors import StorageError
from pipeline.storage import sealing
from pipeline.storage.database import snapshots, translated
from pipeline.storage.sealing import AuditFiles

LOG = logging.getLogger("callscore.audit")


class Transactions:
    """Database errors inside are StorageError. Without `audit` decisions leave no trace, and what asks for
    an entry is refused whole."""

    def __init__(self, engine: Engine, audit: AuditFiles | None = None) -> None:
        self._engine = engine
        self._audit = audit

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        """Everything that is read is of one moment, in every database."""
        with translated(self._engine.url), Session(snapshots(self._engine)) as session:
            yield session

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        """Committed at the end, or rolled back whole."""
        engine = self._engine.execution_options(write=True)
        with translated(self._engine.url), Session(engine) as session:
            with session.begin():
                yield session
            if session.info.pop("audited", False):
                self._advance()

    def _record(self, session: Session, entries: Sequence[AuditEntry]) -> None:
        """Add entries to the audit log, with what this transaction writes or not at all. To be called last:
        others who write to the log wait from here on."""
        if entries:
            sealing.append(session, self._audit, entries)
            session.info["audited"] = True

    def _trace(self, session: Session, *entries: AuditEntry) -> None:
        """Like `_record`, for what is also done where there is no audit log."""
        if self._audit is not None:
            self._record(session, entries)

    def _advance(self) -> None:
        """What was decided is kept by now, so that a fault here stops nothing: the anchor is brought up to
        date by the next entry."""
        try:
            with self._writing() as session:
                if self._audit is not None:
                    sealing.advance(session, self._audit)
        except StorageError as error:
            LOG.warning("the anchor of the audit log was not written: %s", error)
