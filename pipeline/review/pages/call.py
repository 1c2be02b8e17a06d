"""One call: waveform, transcript and scorecard."""

from types import SimpleNamespace
from typing import Any

from starlette.responses import Response

from pipeline.errors import CallscoreError
from pipeline.review import call_view as view
from pipeline.review.page import Page
from pipeline.review.render import page_of
from pipeline.review.site import Visit
from pipeline.timeline import Recording
from pipeline.units import clock
from pipeline.workflows.accounts.policy import Action, Thing
from pipeline.workflows.card_document import doubts
from pipeline.workflows.playback import peaks_of
from pipeline.workflows.review.sheet import Sheet, sheet

POINTS_A_CHANNEL = 2_400
"""Of the waveform: about two for each pixel of a wide screen."""
HEIGHT, HEIGHT_MONO = 44, 60
DIRECTIONS = {"inbound": "呼入", "outbound": "呼出"}


def call(visit: Visit) -> Response:
    found = sheet(visit.store, visit.params["call"], visit.who.login)
    stored = found.stored
    recording = stored.recording
    items = view.shown_items(found, found.card, found.template, blind=False)
    return page_of(
        visit,
        "call.html",
        recording=recording,
        tags=(),
        facts=facts(visit, recording),
        data=drawn(visit, found),
        rows=view.rows(stored.transcript, stored.findings, dict(stored.rules)),
        may_review=True,
        may_correct=True,
        next_call="",
        card=found.card,
        blind=False,
        may_mark=True,
        draft=SimpleNamespace(version=1, can_undo=False, note=""),
        doubts=tuple(doubts(found.card)),
        mark_url="/x",
        undo_url="/x",
        submit_url="/x",
        sections=tuple(view.sections(found.card, items)),
        others=(),
        left=found.left(),
        reasons=(),
        addable=(),
    )


def facts(visit: Visit, recording: Recording) -> tuple[tuple[str, str], ...]:
    """What is known about the call, in the order of the page; nothing that is not known."""
    from pipeline.media.values import time_zone

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


def drawn(visit: Visit, found: Sheet) -> dict[str, Any]:
    """What the scripts of the page need: the waveform and what lies over it."""
    stored = found.stored
    recording = stored.recording
    roles = view.channel_roles(stored.transcript, recording.channels)
    peaks = waveform(visit, recording, len(roles))
    return {
        "duration": recording.duration,
        "height": HEIGHT if len(peaks) > 1 else HEIGHT_MONO,
        "channels": [
            {"role": role.value, "title": role.chinese, "peaks": view.encoded(channel)}
            for role, channel in zip(roles, peaks, strict=False)
        ],
        "regions": view.regions(stored, stored.findings),
        "quiet": view.quiet(stored.transcript),
        "heard": "",
    }


def waveform(visit: Visit, recording: Recording, channels: int) -> tuple[bytes, ...]:
    """The peaks of each channel; flat where the recording cannot be read any more."""
    try:
        return peaks_of(visit.store, recording).at_most(POINTS_A_CHANNEL).channels
    except CallscoreError:
        return tuple(bytes(2) for _ in range(channels))


PAGES = (
    Page(
        path="/calls/{call}",
        answer=call,
        action=Action.CALL_VIEW,
        thing=lambda v: Thing(assigned=frozenset({v.who.login})),
    ),
)
