"""What the audit log says of decisions: ids, levels and points, never a reason, a note or what was said."""

from collections.abc import Iterable
from datetime import datetime

from pipeline.appeal import Appeal
from pipeline.audit import AuditEntry
from pipeline.scorecard import Decision, Review
from pipeline.storage.records import Correction

WITH_VALUE = (Decision.ACCEPT, Decision.OVERRIDE)
"""Decisions of which the value is a level or points."""


def of_reviews(reviews: Iterable[Review]) -> tuple[AuditEntry, ...]:
    return tuple(map(_of_review, reviews))


def of_appeal(appeal: Appeal, appeal_id: int, by: str = "") -> AuditEntry:
    """The last step of an appeal. `by`: who took it, where the appeal itself names an agent's number."""
    said = appeal.last
    return AuditEntry(
        at=said.at,
        who=by or said.who,
        action=f"appeal.{said.step.value}",
        object=f"appeal:{appeal_id}",
        detail={
            "call": appeal.recording_id,
            "template": appeal.template_id,
            "item": appeal.item,
            "agent": appeal.agent,
            "ruling": said.ruling.value if said.ruling else None,
        },
    )


def of_correction(correction: Correction, scorecard_id: int) -> AuditEntry:
    return AuditEntry(
        at=correction.at,
        who=correction.who,
        action="call.correct",
        object=f"call:{correction.recording_id}",
        detail={
            "subject": correction.subject.value,
            "changes": len(correction.changes),
            "scorecard": scorecard_id,
        },
    )


def of_round(step: str, round_id: int, who: str, at: datetime, **detail: str | int | None) -> AuditEntry:
    """A calibration round is made, judged in or closed."""
    return AuditEntry(at=at, who=who, action=f"round.{step}", object=f"round:{round_id}", detail=detail)


def _of_review(review: Review) -> AuditEntry:
    return AuditEntry(
        at=review.at,
        who=review.who,
        action=f"review.{review.decision.value}",
        object=f"call:{review.recording_id}",
        detail={
            "template": review.template_id,
            "target": review.target,
            "value": review.value if review.decision in WITH_VALUE else None,
            "saw_machine": review.saw_machine,
            "saw_others": review.saw_others,
            "appeal": review.appeal_id,
        },
    )
