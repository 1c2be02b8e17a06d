"""The audit log: who did what, newest first, and whether it is still as it was written. Read-only."""

import json
from datetime import UTC, datetime, time
from urllib.parse import urlencode

from starlette.responses import Response

from pipeline.audit import AuditFilter, AuditLine
from pipeline.errors import UsageError
from pipeline.media.values import time_zone
from pipeline.review.page import Page, one
from pipeline.review.render import page_of
from pipeline.review.site import Visit
from pipeline.workflows.accounts.policy import Action
from pipeline.workflows.audit import verify
from pipeline.workflows.report.period import a_date

LINES = 100
ASKED = ("who", "action", "since", "object")


def audit(visit: Visit) -> Response:
    """A page of the log; a line more is read, to know whether there is another page."""
    try:
        which, fault = _which(visit), None
    except UsageError as error:
        which, fault = AuditFilter(limit=LINES + 1), error
    found = () if fault else visit.store.audit_lines(which)
    asked = {name: visit.query.text(name) for name in ASKED if visit.query.text(name)}
    older = urlencode(asked | {"before": str(found[LINES - 1].seq)}) if len(found) > LINES else ""
    answer = page_of(
        visit,
        "audit.html",
        lines=found[:LINES],
        older=older,
        first=urlencode(asked),
        paged=which.before is not None,
        asked=asked,
        detail=_detail,
        fault=fault,
    )
    answer.status_code = 422 if fault else 200
    return answer


def look(visit: Visit) -> Response:
    """What a look at the whole log finds."""
    return page_of(visit, "audit_verified.html", verified=verify(visit.store))


def _detail(line: AuditLine) -> dict[str, object]:
    """What a line says beside who, what and to which object; as it stands where it is no JSON any more."""
    try:
        found = json.loads(line.detail or "{}")
    except ValueError:
        return {"?": line.detail}
    return found if isinstance(found, dict) else {"?": line.detail}


def _which(visit: Visit) -> AuditFilter:
    text = visit.query.text
    day = a_date(text("since"), visit.words("从"))
    zone = time_zone(visit.site.settings.time_zone)
    return AuditFilter(
        who=text("who") or None,
        action=text("action").removesuffix(".") or None,
        object=text("object") or None,
        since=datetime.combine(day, time(), zone).astimezone(UTC) if day else None,
        before=visit.query.number("before"),
        limit=LINES + 1,
    )


PAGES = (
    Page(path="/audit", answer=audit, action=Action.AUDIT_VIEW, thing=one),
    Page(path="/audit/verified", answer=look, action=Action.AUDIT_VIEW, thing=one),
)
