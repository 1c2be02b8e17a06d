"""One call: waveform, transcript and scorecard; marks that are kept as a draft, undone, handed in."""

from typing import Any

from starlette.responses import RedirectResponse, Response

from pipeline.errors import CallscoreError
from pipeline.media.values import time_zone
from pipeline.review import call_view as view
from pipeline.review.desk import Desk, desk, marked
from pipeline.review.page import Page
from pipeline.review.pages.queue import claimed_next
from pipeline.review.render import page_of
from pipeline.review.site import Visit
from pipeline.review.things import call_thing
from pipeline.storage.queue_records import Conflict, PageOf, QueueFilter, Seen, Whose
from pipeline.timeline import Recording
from pipeline.units import clock
from pipeline.workflows.accounts.policy import Action, may
from pipeline.workflows.card_document import doubts
from pipeline.workflows.dispute.correct import Signed, Wording, correct_words, swap_roles
from pipeline.workflows.playback import peaks_of
from pipeline.workflows.rescore import Scorer
from pipeline.workflows.review.drafts import Handing, Meanwhile, submit

POINTS_A_CHANNEL = 2_400
"""Of the waveform: about two for each pixel of a wide screen."""
HEIGHT, HEIGHT_MONO = 44, 60
DIRECTIONS = {"inbound": "呼入", "outbound": "呼出"}
REASONS = (
    "听错了字",
    "角色认反了",
    "前后文不是这个意思",
    "规则没有听到，实际说了",
    "程度较轻",
    "程度较重",
    "特殊情况，按规定不扣",
)
"""Offered where a reason is asked for; anything else may be written."""


def call(visit: Visit) -> Response:
    """The whole page."""
    now = desk(visit)
    stored, recording = now.found.stored, now.recording
    rules = dict(stored.rules)
    return page_of(
        visit,
        "call.html",
        **card_values(visit, now),
        data=drawn(visit, now),
        rows=view.rows(stored.transcript, shown_findings(now), rules),
        facts=facts(visit, recording),
        tags=tags(now),
        may_correct=may(visit.who, Action.CALL_CORRECT, call_thing(visit)),
        addable=view.addable(now.found),
        next_call=next_call(visit, recording.id),
    )


def mark(visit: Visit) -> Response:
    """One mark more; the card as it is with it."""
    conflict = marked(desk(visit), visit)
    return card(visit, conflict=conflict)


def undo(visit: Visit) -> Response:
    """One mark less, or (`by` 1) the one that was undone again."""
    now = desk(visit)
    by = 1 if visit.form.text("by") == "1" else -1
    stepped = visit.store.step_draft(now.key, by, version=visit.form.number("version", 0) or 0, at=visit.now)
    return card(visit, conflict=stepped if isinstance(stepped, Conflict) else None)


def hand_in(visit: Visit) -> Response:
    """Hand the draft in; on to the next call. What was decided meanwhile is shown first."""
    now = desk(visit)
    version = visit.form.number("version", 0) or 0
    handing = Handing(
        key=now.key, version=version, partial=bool(visit.form.text("partial")), seen=seen(visit)
    )
    result = submit(visit.store, handing, at=visit.now)
    if isinstance(result, Conflict):
        return card(visit, conflict=result)
    if isinstance(result, Meanwhile):
        return card(visit, meanwhile=result)
    return Response(status_code=204, headers={"HX-Redirect": following(visit, now.recording.id)})


def following(visit: Visit, recording_id: str) -> str:
    """Where the person goes after a call: to the next one, which is claimed if they have none, or home."""
    if visit.form.text("then") != "next":
        return "/queue"
    found = next_call(visit, recording_id)
    if not found and (claimed := claimed_next(visit)):
        found = claimed.recording_id
    return f"/calls/{found}" if found else "/queue?empty=yes"


def correct(visit: Visit) -> Response:
    """Words that were heard wrongly, put right: the call is scored anew, everything from before is kept."""
    name = visit.params["call"]
    wording = Wording(
        at=visit.form.number("start", 0) or 0,
        heard=visit.form.text("text"),
        said=visit.form.text("corrected"),
    )
    scorer = Scorer.in_force(visit.store, visit.site.settings, at=visit.now)
    correct_words(name, wording, scorer, signed(visit))
    return RedirectResponse(f"/calls/{name}?at={wording.at}", status_code=303)


def swap(visit: Visit) -> Response:
    """Agent and customer the other way round."""
    name = visit.params["call"]
    scorer = Scorer.in_force(visit.store, visit.site.settings, at=visit.now)
    swap_roles(name, scorer, signed(visit))
    return RedirectResponse(f"/calls/{name}", status_code=303)


def signed(visit: Visit) -> Signed:
    return Signed(who=visit.who.login, at=visit.now, reason=visit.form.text("reason"))


def card(visit: Visit, conflict: Conflict | None = None, meanwhile: Meanwhile | None = None) -> Response:
    """The card alone, with what stands in the way of the last change."""
    return page_of(visit, "card.html", **card_values(visit, desk(visit), conflict, meanwhile))


def card_values(
    visit: Visit, now: Desk, conflict: Conflict | None = None, meanwhile: Meanwhile | None = None
) -> dict[str, Any]:
    """What the template of the card shows."""
    found = now.found
    items = view.shown_items(found, now.card, now.marks, blind=now.blind)
    base = f"/calls/{now.recording.id}"
    return {
        "recording": now.recording,
        "card": now.card,
        "blind": now.blind,
        "sections": tuple(view.sections(now.card, items)),
        "fatals": () if now.blind else view.shown_fatals(found, now.card, now.marks),
        "others": view.others(found, items),
        "left": view.left(now.card),
        "doubts": () if now.blind else tuple(doubts(now.card)),
        "faults": now.faults,
        "version": now.version,
        "undo": now.draft.undo if now.draft else 0,
        "redo": now.draft.redo if now.draft else 0,
        "note": now.marks.note,
        "holder": now.holder,
        "mine": now.is_mine,
        "may_mark": may(visit.who, Action.CALL_REVIEW, call_thing(visit)),
        "urls": {name: f"{base}/{name}" for name in ("mark", "undo", "submit", "claim")},
        "reasons": REASONS,
        "conflict": conflict,
        "meanwhile": meanwhile,
    }


def shown_findings(now: Desk) -> tuple[Any, ...]:
    """The findings that the person may see: blind, none that the machine made."""
    return () if now.blind else now.found.stored.findings


def facts(visit: Visit, recording: Recording) -> tuple[tuple[str, str], ...]:
    """What is known about the call, in the order of the page; nothing that is not known."""
    zone = time_zone(visit.site.settings.time_zone)
    start = recording.started_at.astimezone(zone).strftime("%m-%d %H:%M") if recording.started_at else ""
    known = (
        ("", DIRECTIONS.get(recording.direction or "", "")),
        ("业务", recording.business or ""),
        ("坐席", recording.agent_id or ""),
        ("时间", start),
        ("时长", clock(recording.duration)),
    )
    return tuple((title, value) for title, value in known if value)


def tags(now: Desk) -> tuple[tuple[str, str], ...]:
    """What must be known at first sight: text and tone."""
    found = []
    if now.recording.is_complaint:
        found.append(("投诉", "bad"))
    if not now.blind and now.found.machine.acceptable:
        found.append(("可直接采信", "good"))
    if now.found.stored.transcript.roles.confidence < view.SURE_OF_ROLES:
        found.append(("角色没把握", "open"))
    return tuple(found)


def drawn(visit: Visit, now: Desk) -> dict[str, Any]:
    """What the scripts of the page need: the waveform and what lies over it."""
    stored, recording = now.found.stored, now.recording
    roles = view.channel_roles(stored.transcript, recording.channels)
    peaks = waveform(visit, recording, len(roles))
    return {
        "duration": recording.duration,
        "height": HEIGHT if len(peaks) > 1 else HEIGHT_MONO,
        "channels": [
            {"role": role.value, "title": role.chinese, "peaks": view.encoded(channel)}
            for role, channel in zip(roles, peaks, strict=False)
        ],
        "regions": view.regions(stored, shown_findings(now)),
        "quiet": view.quiet(stored.transcript),
    }


def waveform(visit: Visit, recording: Recording, channels: int) -> tuple[bytes, ...]:
    """The peaks of each channel; flat where the recording cannot be read any more."""
    try:
        return peaks_of(visit.store, recording).at_most(POINTS_A_CHANNEL).channels
    except CallscoreError:
        return tuple(bytes(2) for _ in range(channels))


def next_call(visit: Visit, recording_id: str) -> str:
    """The riskiest other call that the person has; "": there is none."""
    mine = QueueFilter(whose=Whose.MINE, who=visit.who.login)
    page = visit.store.queue(mine, PageOf(size=2), at=visit.now)
    return next((line.recording_id for line in page.lines if line.recording_id != recording_id), "")


def seen(visit: Visit) -> Seen | None:
    """What the person says to know by now; None: nothing new."""
    reviews, scorecard = visit.form.number("seen_reviews"), visit.form.number("seen_scorecard")
    if reviews is None or scorecard is None:
        return None
    return Seen(reviews=reviews, scorecard_id=scorecard)


PAGES = (
    Page(path="/calls/{call}", answer=call, action=Action.CALL_VIEW, thing=call_thing),
    Page(path="/calls/{call}/mark", method="POST", answer=mark, action=Action.CALL_REVIEW, thing=call_thing),
    Page(path="/calls/{call}/undo", method="POST", answer=undo, action=Action.CALL_REVIEW, thing=call_thing),
    Page(
        path="/calls/{call}/submit",
        method="POST",
        answer=hand_in,
        action=Action.CALL_REVIEW,
        thing=call_thing,
    ),
    Page(
        path="/calls/{call}/words",
        method="POST",
        answer=correct,
        action=Action.CALL_CORRECT,
        thing=call_thing,
    ),
    Page(
        path="/calls/{call}/roles", method="POST", answer=swap, action=Action.CALL_CORRECT, thing=call_thing
    ),
)
