"""One call: waveform, transcript and scorecard."""

from starlette.responses import Response

from pipeline.review.page import Page
from pipeline.review.render import page_of
from pipeline.review.site import Visit
from pipeline.review import call_view as view
from pipeline.workflows.accounts.policy import Action, Thing
from pipeline.workflows.review.sheet import sheet
from pipeline.findings import Outcome
from pipeline.workflows.card_document import doubts
import types

POINTS_A_CHANNEL = 2_400
HEIGHT, HEIGHT_MONO = 44, 60


def call(visit: Visit) -> Response:
    found = sheet(visit.store, visit.params["call"], visit.who.login)
    stored = found.stored
    recording = stored.recording
    import os
    roles = view.channel_roles(stored.transcript, recording.channels)
    peaks = [bytes(int(120 + 100 * __import__('math').sin(i / 7 + c)) & 255 for i in range(2400)) for c in range(len(roles))]
    rules = dict(stored.rules)
    data = {
        "duration": recording.duration, "height": HEIGHT if len(roles) > 1 else HEIGHT_MONO,
        "channels": [{"role": r.value, "title": r.chinese, "peaks": view.encoded(p)} for r, p in zip(roles, peaks)],
        "regions": view.regions(stored, stored.findings), "quiet": view.quiet(stored.transcript), "heard": "",
    }
    items = view.shown_items(found, found.card, found.template, blind=False)
    return page_of(visit, "call.html", recording=recording, tags=(), facts=(("坐席", recording.agent_id), ("业务", recording.business)),
        data=data, rows=view.rows(stored.transcript, stored.findings, rules), may_review=True, may_correct=True, next_call="",
        card=found.card, blind=False, may_mark=True, draft=types.SimpleNamespace(version=1, can_undo=False, note=""), doubts=tuple(doubts(found.card)),
        mark_url="/x", undo_url="/x", submit_url="/x", sections=tuple(view.sections(found.card, items)), others=(), left=found.left(), reasons=(), addable=())


PAGES = (Page(path="/calls/{call}", answer=call, action=Action.CALL_VIEW, thing=lambda v: Thing(assigned=frozenset({v.who.login}))),)
