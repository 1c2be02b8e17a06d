"""The part of the store that hands out work: the queue asked, claimed, assigned."""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import CompoundSelect, Integer, Select, exists, func, literal, or_, select, union_all
from sqlalchemy.orm import Session

from pipeline.errors import StorageError
from pipeline.queue import CLAIMABLE, HELD, WorkState, progress
from pipeline.scorecard import PARTLY, Decision
from pipeline.storage import queries, queue_query, queue_rows
from pipeline.storage.account_tables import UserRow
from pipeline.storage.mapping import column_text
from pipeline.storage.queue_records import (
    PageOf,
    PlanProgress,
    QueueFilter,
    QueueLine,
    QueuePage,
    Refused,
    Sort,
    Whose,
    WhyNot,
)
from pipeline.storage.queue_tables import QueueRow
from pipeline.storage.tables import ReviewRow, SampleDrawRow, SamplePlanRow
from pipeline.storage.transactions import Transactions

LOG = logging.getLogger("callscore.storage")
CLOSED = (WorkState.APPEAL, WorkState.RELEASED)
"""What nobody can take any more."""


class Queue(Transactions):
    """Values in, values out; every method is one transaction. `until` is when a claim ends by itself."""

    def make_queue(self, count: int, asked: Callable[[str, str], int]) -> int:
        """Put at most `count` calls into the queue that were scored before there was one; how many.
        `asked` tells how many inspectors a template of a rule set (digest, id) wants."""
        with self._writing() as session:
            found = queue_rows.without(session, count)
            for scorecard_id, digest, template_id in found:
                queue_rows.make(session, scorecard_id, asked(digest, template_id))
            return len(found)

    def queue(self, which: QueueFilter, page: PageOf, *, at: datetime) -> QueuePage:
        """One page of the calls that the filter finds, with counts. Claims that are over are ended first,
        where the database can be written to."""
        try:
            self._end_claims(at)
        except StorageError as error:
            LOG.warning("claims that are over were not ended: %s", error)
        with self._reading() as session:
            return queue_query.page(session, which, page)

    def queue_line(self, recording_id: str) -> QueueLine | None:
        """One call of the queue; None: it has no scorecard."""
        with self._reading() as session:
            return _line(session, recording_id)

    def claim_next(
        self, who: str, which: QueueFilter, *, at: datetime, until: datetime, sort: Sort = Sort.RISK
    ) -> QueueLine | None:
        """Give `who` the first call that the filter finds and nobody holds; None: there is none. Never one
        that they answered themselves or have handed in, and never one to two people."""
        self._end_claims(at)
        with self._writing() as session:
            found = session.scalar(_next(who, which, sort))
            if found is None:
                return None
            row = queue_rows.locked(session, found)
            if row is None or row.assigned_to is not None:
                return None
            _give(session, row, who, until)
            return _line(session, found)

    def claim(self, recording_id: str, who: str, *, at: datetime, until: datetime) -> QueueLine | Refused:
        """Give `who` this call, or more time for it. One that was assigned by hand has no end."""
        self._end_claims(at)
        with self._writing() as session:
            refused = take(session, recording_id, who, at=at, until=until)
            line = None if refused else _line(session, recording_id)
            return line or refused or Refused(recording_id=recording_id, why=WhyNot.UNKNOWN)

    def give_back(self, recording_id: str, who: str) -> bool:
        """`who` lets a call go; a draft stays theirs. False: they did not hold it."""
        with self._writing() as session:
            row = queue_rows.locked(session, recording_id)
            if row is None or row.assigned_to != who or row.state not in HELD:
                return False
            _give(session, row, None, None)
            return True

    def assign(
        self, pairs: Sequence[tuple[str, str]], *, at: datetime, force: bool = False
    ) -> tuple[Refused, ...]:
        """Give calls (recording id, person) to people until they hand them in; those that could not be given.
        `force`: also what somebody else holds."""
        self._end_claims(at)
        refused = []
        with self._writing() as session:
            for recording_id, who in sorted(pairs):
                row = queue_rows.locked(session, recording_id)
                why = _why_not(session, row, recording_id, who, force=force)
                if why is not None:
                    refused.append(why)
                elif row is not None:
                    _give(session, row, who, None)
        return tuple(refused)

    def queue_templates(self) -> tuple[tuple[str, str], ...]:
        """Ids and titles of the forms that calls of the queue are scored on, by id."""
        query = select(QueueRow.template_id, func.max(QueueRow.template_title)).group_by(QueueRow.template_id)
        with self._reading() as session:
            return tuple(sorted((name, title) for name, title in session.execute(query)))

    def loads(self) -> Mapping[str, int]:
        """How many calls each person holds."""
        query = select(QueueRow.assigned_to, func.count()).where(
            QueueRow.state.in_([state.value for state in HELD])
        )
        with self._reading() as session:
            found = session.execute(query.group_by(QueueRow.assigned_to)).all()
        return {who: count for who, count in found if who is not None}

    def calls_of(self, who: str) -> frozenset[str]:
        """The calls that somebody holds or has decided about, by recording; without those about which the
        second of two inspectors is to decide without knowing of the first."""
        decided = exists().where(ReviewRow.recording_id == QueueRow.recording_id, ReviewRow.who == who)
        mine = or_(QueueRow.assigned_to == who, decided)
        query = select(QueueRow.recording_id).where(mine, ~queue_query.SECRET)
        with self._reading() as session:
            return frozenset(session.scalars(query))

    def plan_progress(self, most: int = 5) -> tuple[PlanProgress, ...]:
        """How far the work on the kept samples is, newest first, so many at most."""
        newest = select(SamplePlanRow).order_by(SamplePlanRow.id.desc()).limit(most)
        with self._reading() as session:
            plans = session.scalars(newest).all()
            counts: dict[int, Counter[str]] = {plan.id: Counter() for plan in plans}
            for query in (_drawn_last(counts), _drawn_again(counts)):
                for plan, drawn, begun, released in session.execute(query):
                    counts[plan] += Counter(drawn=drawn, begun=begun, released=released)
            return tuple(_progress(plan, counts[plan.id]) for plan in plans)

    def _end_claims(self, at: datetime) -> None:
        """Only where there is something to write."""
        over = select(QueueRow.recording_id).where(QueueRow.claimed_until <= at).limit(1)
        with self._reading() as session:
            if session.scalar(over) is None:
                return
        with self._writing() as session:
            queue_rows.end_claims(session, at)


def take(session: Session, recording_id: str, who: str, *, at: datetime, until: datetime) -> Refused | None:
    """Give somebody a call inside a transaction, or more time for it; why they cannot have it."""
    queue_rows.end_claims(session, at, recording_id)
    row = queue_rows.locked(session, recording_id)
    refused = _why_not(session, row, recording_id, who)
    if refused is None and row is not None and (row.assigned_to is None or row.claimed_until is not None):
        _give(session, row, who, until)
    return refused


def _line(session: Session, recording_id: str) -> QueueLine | None:
    query = select(*queue_query.COLUMNS).where(QueueRow.recording_id == recording_id)
    row = session.execute(query).one_or_none()
    return None if row is None else queue_query.line_of(row)


def _next(who: str, which: QueueFilter, sort: Sort) -> Select[str]:
    """The first call for `who`, locked; what others are just being given is passed over."""
    states = [state for state in which.states or CLAIMABLE if state not in (*HELD, *CLOSED)]
    handed_in = exists().where(
        ReviewRow.recording_id == QueueRow.recording_id,
        ReviewRow.who == who,
        ReviewRow.decision == Decision.DONE.value,
        ReviewRow.value != PARTLY,
    )
    query = select(QueueRow.recording_id).where(
        *queue_query.conditions(replace(which, whose=Whose.UNASSIGNED)),
        QueueRow.state.in_([state.value for state in states]),
        or_(QueueRow.agent_id.is_(None), QueueRow.agent_id.not_in(_numbers(who))),
        or_(QueueRow.state == WorkState.NEW.value, ~handed_in),
    )
    return query.order_by(*queue_query.order(sort)).limit(1).with_for_update(skip_locked=True)


def _numbers(who: str) -> CompoundSelect[str]:
    """The numbers that somebody has in the recordings: that of their account; the name itself where nobody
    has accounts."""
    return union_all(
        select(literal(who)),
        select(UserRow.agent_id).where(UserRow.login == who, UserRow.agent_id.is_not(None)),
    )


def _give(session: Session, row: QueueRow, who: str | None, until: datetime | None) -> None:
    row.assigned_to = None if who is None else column_text(who)
    row.claimed_until = until
    queue_rows.set_state(session, row)
    session.flush()


def _why_not(
    session: Session, row: QueueRow | None, recording_id: str, who: str, *, force: bool = False
) -> Refused | None:
    """Why this person cannot have the call; None: they can."""
    why, told = None, ""
    if row is None:
        why = WhyNot.UNKNOWN
    elif row.agent_id is not None and row.agent_id in session.scalars(_numbers(who)).all():
        why = WhyNot.OWN_CALL
    elif row.idle in CLOSED:
        why = WhyNot.CLOSED
    elif who in progress(queries.reviews(session, recording_id)).full:
        why = WhyNot.DONE_BY_THEM
    elif row.assigned_to not in (None, who) and not force:
        why, told = WhyNot.HELD, row.assigned_to or ""
    return None if why is None else Refused(recording_id=recording_id, why=why, told=told)


_SUMS = (
    func.count(),
    func.sum((QueueRow.state != WorkState.NEW.value).cast(Integer)),
    func.sum(QueueRow.released.cast(Integer)),
)


def _drawn_last(plans: Iterable[int]) -> Select[Any]:
    """Of the calls that no newer plan drew: all of it stands in the index of the queue."""
    found = select(QueueRow.plan_id, *_SUMS).where(QueueRow.plan_id.in_(plans))
    return found.group_by(QueueRow.plan_id)


def _drawn_again(plans: Collection[int]) -> Select[Any]:
    """Of the calls that a newer plan drew, too."""
    older = sorted(plans)[:-1]
    found = select(SampleDrawRow.plan_id, *_SUMS).join(
        QueueRow, QueueRow.recording_id == SampleDrawRow.recording_id
    )
    found = found.where(SampleDrawRow.plan_id.in_(older), QueueRow.plan_id > SampleDrawRow.plan_id)
    return found.group_by(SampleDrawRow.plan_id)


def _progress(plan: SamplePlanRow, counts: Mapping[str, int]) -> PlanProgress:
    return PlanProgress(
        plan_id=plan.id,
        made_at=plan.made_at,
        since=plan.since,
        until=plan.until,
        drawn=counts["drawn"],
        begun=counts["begun"],
        released=counts["released"],
    )
