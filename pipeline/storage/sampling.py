"""Plans of inspection samples: rows <-> values, inside a transaction that `Store` opened."""

import json
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from pipeline.storage import mapping, queue_rows
from pipeline.storage.records import KeptDraw, KeptPlan
from pipeline.storage.tables import RecordingRow, SampleDrawRow, SamplePlanRow


def put(session: Session, plan: KeptPlan, draws: Sequence[KeptDraw], at: datetime) -> int:
    """Keep a plan and what it drew; its id."""
    row = SamplePlanRow(
        made_at=at,
        since=plan.since,
        until=plan.until,
        seed=plan.seed,
        calls=plan.calls,
        options=mapping.canonical(dict(plan.options)).decode(),
    )
    session.add(row)
    session.flush()
    kept = [{"plan_id": row.id, "recording_id": d.recording_id, "why": d.why} for d in draws]
    if kept:
        session.execute(insert(SampleDrawRow), kept)
        queue_rows.drawn(session, row.id, [draw.recording_id for draw in draws])
    return row.id


def plans(session: Session, since: datetime, until: datetime) -> tuple[KeptPlan, ...]:
    """The plans that have to do with a time, oldest first."""
    query = select(SamplePlanRow).where(SamplePlanRow.since < until, SamplePlanRow.until > since)
    return tuple(map(_plan, session.scalars(query.order_by(SamplePlanRow.id))))


def _plan(row: SamplePlanRow) -> KeptPlan:
    return KeptPlan(
        id=row.id,
        made_at=row.made_at,
        since=row.since,
        until=row.until,
        seed=row.seed,
        calls=row.calls,
        options=json.loads(row.options),
    )


def draws(session: Session, plan_id: int) -> tuple[KeptDraw, ...]:
    query = select(SampleDrawRow).where(SampleDrawRow.plan_id == plan_id).order_by(SampleDrawRow.id)
    return tuple(KeptDraw(recording_id=row.recording_id, why=row.why) for row in session.scalars(query))


def drawn_paths(session: Session) -> frozenset[str]:
    drawn = select(SampleDrawRow.recording_id)
    return frozenset(session.scalars(select(RecordingRow.path).where(RecordingRow.id.in_(drawn))))
