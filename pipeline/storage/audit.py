"""The audit log in the database: rows <-> values."""

from collections.abc import Iterator

from sqlalchemy import select

from pipeline.audit import Anchor, AuditEntry, AuditFilter, AuditLine
from pipeline.storage import sealing
from pipeline.storage.account_tables import AuditRow
from pipeline.storage.sealing import AuditFiles
from pipeline.storage.transactions import Transactions


class Audit(Transactions):
    """The part of `Store` that is about the audit log. Lines are only ever added."""

    @property
    def audit_files(self) -> AuditFiles | None:
        """Where key and anchor are; None: this store keeps no entries."""
        return self._audit

    def record(self, *entries: AuditEntry) -> None:
        """Keep entries about what needs no other writing: a playback, an export. Raises StorageError."""
        with self._writing() as session:
            self._record(session, entries)

    def audit_chain(self) -> Iterator[AuditLine]:
        """Every line in its order, streamed: close the iterator to stop early."""
        query = select(AuditRow).order_by(AuditRow.seq).execution_options(yield_per=1000)
        with self._reading() as session, session.scalars(query) as rows:
            yield from map(sealing.line_of, rows)

    def audit_lines(self, which: AuditFilter) -> tuple[AuditLine, ...]:
        """The lines asked for, newest first."""
        query = select(AuditRow).order_by(AuditRow.seq.desc()).limit(which.limit)
        if which.who is not None:
            query = query.where(AuditRow.who == which.who)
        if which.action is not None:
            below = AuditRow.action.startswith(f"{which.action}.", autoescape=True)
            query = query.where((AuditRow.action == which.action) | below)
        if which.object is not None:
            query = query.where(AuditRow.object.startswith(which.object, autoescape=True))
        if which.before is not None:
            query = query.where(AuditRow.seq < which.before)
        if which.since is not None:
            query = query.where(AuditRow.at >= which.since)
        with self._reading() as session:
            return tuple(map(sealing.line_of, session.scalars(query)))

    def renew_anchor(self, entry: AuditEntry) -> None:
        """Accept the log as it is: its newest line, which is this entry, becomes the anchor."""
        with self._writing() as session:
            self._record(session, (entry,))
            last = sealing.newest(session)
            if last is not None and self._audit is not None:
                self._audit.write_anchor(Anchor(seq=last.seq, mac=last.mac))
