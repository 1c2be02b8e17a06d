"""One call: waveform, transcript and scorecard; marks that are kept as a draft, undone, handed in."""

from typing import Any

from starlette.responses import RedirectResponse, Response

from pipeline.errors import CallscoreError
from pipeline.media.values import time_zone
from pipeline.queue import HELD, progress
from pipeline.review import call_view as view
from pipeline.review import transcript_view
from pipeline.review.desk import Desk, again, check_may_mark, desk, handed_in, marked
from pipeline.review.jobs import Job
from pipeline.review.page import Page, posted
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
from pipeline.workflows.playback import peaks_of, playable
from pipeline.workflows.rescore import Scorer
from pipeline.workflows.review.drafts import Meanwhile
from pipeline.workflows.review.rounds import done_by

POINTS_A_CHANNEL = 2_400
"""Of the waveform: about two for each pixel of a wide screen."""
HEIGHT, HEIGHT_MONO = 44, 60
PARTS = ("mark", "undo", "submit", "audio", "history", "others")
"""What the page of a call asks for below its own address."""
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
    thing = call_thing(visit)
    make_ready(visit, now.recording)
    return page_of(
        visit,
        "call.html",
        **page_values(visit, now)
        | {
            "may_correct": not now.round_id and may(visit.who, Action.CALL_CORRECT, thing),
            "may_export": not (now.round_id or now.blind) and may(visit.who, Action.EXPORT, thing),
            "may_trace": not now.round_id,
            "next_page": next_page(visit, now),
        },
    )


def make_ready(visit: Visit, recording: Recording) -> None:
    """What will be played next is made meanwhile."""
    job = Job(owner=visit.who.login, key=f"sound {recording.id}")
    visit.site.sounds.start(job, lambda watch: playable(recording, visit.site.settings))


def page_values(visit: Visit, now: Desk) -> dict[str, Any]:
    """What the templates of player, transcript and card show, for somebody who may only look."""
    stored = now.shown.stored
    return card_values(visit, now) | {
        "data": drawn(visit, now),
        "rows": transcript_view.rows(stored.transcript, stored.findings, stored.rules),
        "facts": facts(visit, now.recording),
        "tags": tags(now),
        "addable": () if now.blind else view.addable(now.found),
        "may_correct": False,
        "may_export": False,
        "may_trace": False,
        "next_page": "",
    }


def mark(visit: Visit) -> Response:
    """One mark more; the card as it is with it."""
    now = desk(visit)
    conflict = marked(now, visit)
    return card(visit, again(now, visit), conflict)


def undo(visit: Visit) -> Response:
    """One mark less, or (`by` 1) the one that was undone again."""
    now = desk(visit)
    check_may_mark(now)
    by = 1 if visit.form.text("by") == "1" else -1
    stepped = visit.store.step_draft(now.key, by, version=visit.form.number("version", 0) or 0, at=visit.now)
    return card(visit, again(now, visit), stepped if isinstance(stepped, Conflict) else None)


def hand_in(visit: Visit) -> Response:
    """Hand the draft in; on to the next call. What was decided meanwhile is shown first."""
    now = desk(visit)
    result = handed_in(now, visit, seen(visit))
    if isinstance(result, Conflict):
        return card(visit, desk(visit), result)
    if isinstance(result, Meanwhile):
        return card(visit, desk(visit), meanwhile=result)
    return Response(status_code=204, headers={"HX-Redirect": following(visit, now)})


def following(visit: Visit, now: Desk) -> str:
    """Where the person goes after a call: to the next one, which is claimed if they have none, or home."""
    found = next_page(visit, now)
    if now.round_id:
        return found or f"/rounds/{now.round_id}"
    if visit.form.text("then") != "next":
        return "/queue"
    if not found and (claimed := claimed_next(visit)):
        found = f"/calls/{claimed.recording_id}"
    return found or "/queue?empty=yes"


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


def card(
    visit: Visit, now: Desk, conflict: Conflict | None = None, meanwhile: Meanwhile | None = None
) -> Response:
    """The card alone, with what stands in the way of the last change."""
    return page_of(visit, "card.html", **card_values(visit, now, conflict, meanwhile))


def card_values(
    visit: Visit, now: Desk, conflict: Conflict | None = None, meanwhile: Meanwhile | None = None
) -> dict[str, Any]:
    """What the template of the card shows."""
    shown = now.shown
    items = view.shown_items(shown, now.card, now.marks)
    return {
        "recording": now.recording,
        "card": now.card,
        "blind": now.blind,
        "is_final": now.is_final,
        "round_id": now.round_id,
        "sections": tuple(view.sections(now.card, items)),
        "fatals": () if now.blind else view.shown_fatals(shown, now.card, now.marks),
        "blind_fatals": view.blind_fatals(shown, now.marks) if now.blind else (),
        "contests": {},
        "others": view.others(shown, items, now.marks),
        "left": view.left(now.card),
        "doubts": () if now.blind else tuple(doubts(now.card)),
        "faults": now.faults,
        "version": now.version,
        "undo": now.draft.undo if now.draft else 0,
        "redo": now.draft.redo if now.draft else 0,
        "note": now.marks.note,
        "holder": now.holder,
        "mine": now.is_mine,
        "may_mark": now.may_mark,
        "urls": {name: f"{now.base}/{name}" for name in PARTS},
        "reasons": REASONS,
        "conflict": conflict,
        "meanwhile": meanwhile,
    }


def facts(visit: Visit, recording: Recording) -> tuple[tuple[str, str], ...]:
    """What is known about the call, in the order of the page; nothing that is not known."""
    zone = time_zone(visit.site.settings.time_zone)
    start = recording.started_at.astimezone(zone).strftime("%m-%d %H:%M") if recording.started_at else ""
    known = (
        ("", visit.words(DIRECTIONS.get(recording.direction or "", ""))),
        ("业务", recording.business or ""),
        ("坐席", recording.agent_id or ""),
        ("时间", start),
        ("时长", clock(recording.duration)),
    )
    return tuple((title, value) for title, value in known if value)


PENDING = ("公布后又重评过，新的评分还没有核对", "open")


def tags(now: Desk) -> tuple[tuple[str, str], ...]:
    """What must be known at first sight: text and tone."""
    found = [PENDING] if now.found.pending else []
    if now.recording.is_complaint:
        found.append(("投诉", "bad"))
    if now.shown.machine.acceptable:
        found.append(("可直接采信", "good"))
    if progress(now.shown.reviews).final:
        found.append(("已复核定案", "good"))
    if now.found.stored.transcript.roles.confidence < transcript_view.SURE_OF_ROLES:
        found.append(("角色没把握", "open"))
    return tuple(found)


def drawn(visit: Visit, now: Desk) -> dict[str, Any]:
    """What the scripts of the page need: the waveform and what lies over it."""
    stored, recording = now.shown.stored, now.recording
    roles = transcript_view.channel_roles(stored.transcript, recording.channels)
    peaks = waveform(visit, recording, len(roles))
    return {
        "duration": recording.duration,
        "height": HEIGHT if len(peaks) > 1 else HEIGHT_MONO,
        "channels": [
            {"role": role.value, "title": role.chinese, "peaks": transcript_view.encoded(channel)}
            for role, channel in zip(roles, peaks, strict=False)
        ],
        "regions": [
            region | {"title": visit.words(str(region["title"]))}
            for region in transcript_view.regions(stored, stored.findings)
        ],
        "quiet": transcript_view.quiet(stored.transcript),
    }


def waveform(visit: Visit, recording: Recording, channels: int) -> tuple[bytes, ...]:
    """The peaks of each channel; flat where the recording cannot be read any more."""
    try:
        return peaks_of(visit.store, recording).at_most(POINTS_A_CHANNEL).channels
    except CallscoreError:
        return tuple(bytes(2) for _ in range(channels))


def next_call(visit: Visit, recording_id: str) -> str:
    """The riskiest other call that the person has still to hand in; "": there is none."""
    mine = QueueFilter(whose=Whose.MINE, who=visit.who.login, states=HELD)
    page = visit.store.queue(mine, PageOf(size=2), at=visit.now)
    return next((line.recording_id for line in page.lines if line.recording_id != recording_id), "")


def next_page(visit: Visit, now: Desk) -> str:
    """The address of what comes after this call: another of the round, or of the queue; "": nothing."""
    if not now.round_id:
        following = next_call(visit, now.recording.id)
        return f"/calls/{following}" if following else ""
    reviews = visit.store.round_reviews(now.round_id)
    calls = (name for name, _ in visit.store.round(now.round_id).calls if name != now.recording.id)
    left = (name for name in calls if name not in done_by(reviews, visit.who.login))
    return next((f"/rounds/{now.round_id}/calls/{name}" for name in left), "")


def seen(visit: Visit) -> Seen | None:
    """What the person says to know by now; None: nothing new."""
    reviews, scorecard = visit.form.number("seen_reviews"), visit.form.number("seen_scorecard")
    if reviews is None or scorecard is None:
        return None
    return Seen(reviews=reviews, scorecard_id=scorecard)


def others(visit: Visit) -> Response:
    """The findings that no item of the form names: hundreds in a long call, asked for when wanted."""
    return page_of(visit, "others.html", **card_values(visit, desk(visit)))


PAGES = (
    Page(path="/calls/{call}/others", answer=others, action=Action.CALL_VIEW, thing=call_thing),
    Page(path="/calls/{call}", answer=call, action=Action.CALL_VIEW, thing=call_thing),
    posted("/calls/{call}/mark", mark, Action.CALL_REVIEW, call_thing),
    posted("/calls/{call}/undo", undo, Action.CALL_REVIEW, call_thing),
    posted("/calls/{call}/submit", hand_in, Action.CALL_REVIEW, call_thing),
    posted("/calls/{call}/words", correct, Action.CALL_CORRECT, call_thing),
    posted("/calls/{call}/roles", swap, Action.CALL_CORRECT, call_thing),
)
