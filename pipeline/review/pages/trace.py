"""Where a call's card comes from: its history, and the case file to take along."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from hashlib import sha256

from starlette.responses import Response

from pipeline.audit import AuditEntry
from pipeline.errors import NotFound, UsageError
from pipeline.review.desk import desk
from pipeline.review.page import Page
from pipeline.review.render import page_of
from pipeline.review.site import Visit
from pipeline.review.things import call_thing
from pipeline.storage.store import Store
from pipeline.workflows.accounts.policy import Action
from pipeline.workflows.dispute.history import history as history_of
from pipeline.workflows.dispute.replay import rules_by_digest
from pipeline.workflows.evidence.bundle import bundle
from pipeline.workflows.evidence.case import CaseFile, Order, case_of
from pipeline.workflows.evidence.paper import paper
from pipeline.workflows.review.seen import Viewer


def history(visit: Visit) -> Response:
    """Everything that happened to the call and that this person may see; blind, without a score."""
    now = desk(visit)
    recording_id = now.recording.id
    seen = Viewer(visit.store, visit.who.login).seen(visit.store.latest(recording_id))
    events = history_of(visit.store, recording_id, seen)
    if now.blind:
        events = tuple(replace(event, points="") for event in events)
    return page_of(visit, "history.html", events=events, hidden=now.blind)


def evidence(visit: Visit) -> Response:
    """The case file. Raises NotFound for another kind of file, UsageError: it may not be seen."""
    kind = visit.params["kind"]
    if kind not in FILES:
        raise NotFound("没有这样的案卷", hint="zip 或 pdf")
    media_type, body_of = FILES[kind]
    now = desk(visit)
    if now.found.hidden:
        raise UsageError("案卷含有别人的决定，交卷之前不能看", hint="先交卷")
    order = Order(stored=visit.store.latest(now.recording.id), made_at=visit.now, audio=None)
    case = case_of(order, visit.store, rules_by_digest(visit.store), visit.site.settings)
    body = body_of(case, visit.store)
    visit.store.record(_taken(visit, now.recording.id, kind, body))
    name = f"{now.recording.id}.{kind}"
    return Response(
        body, media_type=media_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _taken(visit: Visit, recording_id: str, kind: str, body: bytes) -> AuditEntry:
    return AuditEntry(
        at=visit.now,
        who=visit.who.login,
        action="export.evidence",
        object=f"call:{recording_id}",
        detail={"format": kind, "sha256": sha256(body).hexdigest()},
    )


def _printed(case: CaseFile, store: Store) -> bytes:
    return paper(case)


FILES: Mapping[str, tuple[str, Callable[[CaseFile, Store], bytes]]] = {
    "pdf": ("application/pdf", _printed),
    "zip": ("application/zip", bundle),
}

PAGES = (
    Page(path="/calls/{call}/history", answer=history, action=Action.CALL_VIEW, thing=call_thing),
    Page(path="/calls/{call}/evidence/{kind}", answer=evidence, action=Action.EXPORT, thing=call_thing),
)
