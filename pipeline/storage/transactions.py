"""One engine, and transactions on it: what every part of the store works in."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Lock

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from pipeline.audit import AuditEntry
from pipeline.errors import StorageError
from pipeline.storage import sealing
from pipeline.storage.database import snapshots, translated
from pipeline.storage.line import Line
from pipeline.storage.sealing import AuditFiles

LOG = logging.getLogger("callscore.audit")


class Transactions:
    """Database errors inside are StorageError. Without `audit` decisions leave no trace, and what asks for
    an entry is refused whole."""

    def __init__(self, engine: Engine, audit: AuditFiles | None = None) -> None:
        self._engine = engine
        self._audit = audit
        self._line = Line()
        self._anchoring, self._anchored = Lock(), 0

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        """Everything that is read is of one moment, in every database."""
        with translated(self._engine.url), Session(snapshots(self._engine)) as session:
            yield session

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        """Committed at the end, or rolled back whole."""
        engine = self._engine.execution_options(write=True)
        with translated(self._engine.url):
            with self._turn(), Session(engine) as session, session.begin():
                yield session
            if line := session.info.pop("audited", 0):
                self._advance(line)

    def _turn(self) -> AbstractContextManager[None]:
        return self._line.turn() if self._engine.dialect.name == "sqlite" else nullcontext()

    def _record(self, session: Session, entries: Sequence[AuditEntry]) -> None:
        """Add entries to the audit log, with what this transaction writes or not at all. To be called last:
        others who write to the log wait from here on."""
        if entries:
            session.info["audited"] = sealing.append(session, self._audit, entries)

    def _trace(self, session: Session, *entries: AuditEntry) -> None:
        """Like `_record`, for what is also done where there is no audit log."""
        if self._audit is not None:
            self._record(session, entries)

    def _advance(self, line: int) -> None:
        """Bring the anchor up to a line: of several who wait here, the first does it for all. What was
        decided is kept by now, so that a fault stops nothing: the next entry makes up for it."""
        try:
            with self._anchoring:
                if self._audit is not None and line > self._anchored:
                    with self._writing() as session:
                        self._anchored = sealing.advance(session, self._audit)
        except StorageError as error:
            LOG.warning("the anchor of the audit log was not written: %s", error)
