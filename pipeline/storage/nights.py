"""The part of `Store` that nights use: claims, quarantine, how each night went."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from pipeline.errors import NotFound
from pipeline.storage import claims, mapping
from pipeline.storage.claims import IsGone
from pipeline.storage.night_records import Night, Quarantined, Standing, State, Wanted
from pipeline.storage.night_tables import NightRow, QuarantineRow, WorkRow
from pipeline.storage.tables import RecordingRow
from pipeline.storage.transactions import Transactions
from pipeline.storage.turns import Turn, take_turn


def nobody_is_gone(owner: str) -> bool:
    """Where nobody knows of the processes of others only the lease counts."""
    return False


class Nights(Transactions):
    """Claims are taken in groups: each is one transaction."""

    # one night

    def start_night(
        self, folder: str, *, at: datetime, owner: str | None = None, until: datetime | None = None
    ) -> int:
        """Note that a night begins; its id. Its claims are good until `until`, or a later `beat`."""
        with self._writing() as session:
            row = NightRow(
                folder=mapping.column_text(folder),
                started_at=at,
                ended_at=None,
                counts="{}",
                owner=owner,
                lease_until=until,
            )
            session.add(row)
            session.flush()
            return row.id

    def beat(self, night_id: int, counts: Mapping[str, float], *, until: datetime) -> None:
        """The night goes on, and so do its claims."""
        with self._writing() as session:
            night = _night(session, night_id)
            night.lease_until, night.counts = until, _text(counts)

    def end_night(self, night_id: int, counts: Mapping[str, float], *, at: datetime) -> None:
        """Note how a night ended: scored, already done, quarantined ... What it had claimed is free again."""
        with self._writing() as session:
            night = _night(session, night_id)
            night.ended_at, night.counts = at, _text(counts)
            claims.give_back(session, night_id)

    def nights(self) -> tuple[Night, ...]:
        """All nights, newest first."""
        with self._reading() as session:
            return tuple(map(_to_night, session.scalars(select(NightRow).order_by(NightRow.id.desc()))))

    # claims

    def standings(self, wanted: Sequence[Wanted]) -> dict[str, Standing]:
        """How work stands, by key; what was never worked on is left out. Claims nothing."""
        with self._reading() as session:
            return claims.standings(session, wanted)

    def claim_work(
        self,
        wanted: Sequence[Wanted],
        night_id: int,
        *,
        at: datetime,
        is_gone: IsGone = nobody_is_gone,
        again: bool = False,
    ) -> dict[str, Standing]:
        """Claim what nobody else works on; how each piece of work stands, by key. What is all done already
        costs no writing. `again`: it was asked before, and whether it was done is not known."""
        found = self.standings(wanted)
        if all(one.key in found and found[one.key].state is State.DONE for one in wanted):
            return found
        with self._writing() as session:
            by = claims.Claim(night_id=night_id, at=at, is_gone=is_gone, again=again)
            return claims.claim(session, wanted, by)

    def claimed_elsewhere(self, night_id: int, *, at: datetime, is_gone: IsGone = nobody_is_gone) -> bool:
        """Whether other nights that are alive hold claims."""
        with self._reading() as session:
            holders = select(WorkRow.night_id).where(WorkRow.state == State.CLAIMED.value).distinct()
            nights = select(NightRow).where(NightRow.id.in_(holders), NightRow.id != night_id)
            return any(claims.is_alive(night, at, is_gone) for night in session.scalars(nights))

    def give_back_work(self, night_id: int) -> None:
        """What a night claimed and did not do is free for others."""
        with self._writing() as session:
            claims.give_back(session, night_id)

    def paths_below(self, folder: str) -> Iterator[str]:
        """The paths of stored recordings that begin with `folder`, which ends with a slash; streamed."""
        query = select(RecordingRow.path).where(RecordingRow.path.startswith(folder, autoescape=True))
        query = query.execution_options(yield_per=1000)
        with self._reading() as session, session.scalars(query) as paths:
            yield from paths

    # what went wrong

    def quarantine(self, fault: Quarantined, *, at: datetime, work: Wanted | None = None) -> bool:
        """Keep a file or row that could not be used, and that the `work` on it failed; a second time counts
        a try more. False: a person released this fault, nothing is kept."""
        with self._writing() as session:
            return _quarantine(session, fault, at, work)

    def is_released(self, fault: Quarantined) -> bool:
        """Whether a person released this fault: it would not be kept."""
        with self._reading() as session:
            return _is_released(_unresolved(session, fault.path), fault)

    def quarantined(self) -> tuple[Quarantined, ...]:
        """What is still unusable, by path."""
        with self._reading() as session:
            rows = session.scalars(select(QuarantineRow).where(*OPEN).order_by(QuarantineRow.id))
            return tuple(sorted(map(_to_quarantined, rows), key=lambda fault: fault.path))

    def retry(self, paths: Sequence[str], *, at: datetime) -> int:
        """What is in quarantine at these paths is tried anew; how many there were."""
        return self._put_aside(paths, State.PENDING, at)

    def release(self, paths: Sequence[str], *, at: datetime) -> int:
        """What is in quarantine at these paths is neither tried nor told again; how many there were."""
        return self._put_aside(paths, State.SKIPPED, at)

    def _put_aside(self, paths: Sequence[str], state: State, at: datetime) -> int:
        known = [mapping.column_text(path) for path in paths]
        with self._writing() as session:
            take_turn(session.connection(), Turn.QUARANTINE)
            rows = session.scalars(select(QuarantineRow).where(QuarantineRow.path.in_(known), *OPEN)).all()
            for row in rows:
                if state is State.PENDING:
                    row.resolved_at = at
                else:
                    row.released_at = at
                if row.sha256:
                    claims.put_aside(session, row.sha256, state, at)
            return len(rows)


OPEN = (QuarantineRow.resolved_at.is_(None), QuarantineRow.released_at.is_(None))


def _quarantine(session: Session, fault: Quarantined, at: datetime, work: Wanted | None) -> bool:
    """One open row a path: a second fault at the same path replaces the first and counts a try."""
    take_turn(session.connection(), Turn.QUARANTINE)
    row = _unresolved(session, fault.path)
    if _is_released(row, fault):
        return False
    if row is None or row.released_at is not None:
        row = QuarantineRow(path=mapping.column_text(fault.path), tries=0, resolved_at=None)
        session.add(row)
    row.sha256, row.stage, row.at = fault.sha256, fault.stage, at
    row.reason, row.tries = mapping.column_text(fault.reason), row.tries + fault.tries
    if work is not None:
        claims.fail(session, work, fault, at)
    return True


def _unresolved(session: Session, path: str) -> QuarantineRow | None:
    """The last fault at a path, if it is still one."""
    here = (QuarantineRow.path == mapping.column_text(path), QuarantineRow.resolved_at.is_(None))
    return session.scalar(select(QuarantineRow).where(*here).order_by(QuarantineRow.id.desc()).limit(1))


def _is_released(row: QuarantineRow | None, fault: Quarantined) -> bool:
    if row is None or row.released_at is None:
        return False
    return (row.stage, row.sha256) == (fault.stage, fault.sha256)


def _night(session: Session, night_id: int) -> NightRow:
    row = session.get(NightRow, night_id)
    if row is None:
        raise NotFound(f"没有这一夜：{night_id}")
    return row


def _text(counts: Mapping[str, float]) -> str:
    return mapping.canonical(dict(counts)).decode()


def _to_quarantined(row: QuarantineRow) -> Quarantined:
    return Quarantined(
        path=row.path, stage=row.stage, reason=row.reason, sha256=row.sha256, tries=row.tries, at=row.at
    )


def _to_night(row: NightRow) -> Night:
    return Night(
        id=row.id,
        folder=row.folder,
        started_at=row.started_at,
        ended_at=row.ended_at,
        counts=json.loads(row.counts),
        owner=row.owner,
        lease_until=row.lease_until,
    )
