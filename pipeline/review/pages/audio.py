"""The sound of a call, by byte ranges; the path comes from the database, never from the address."""

import logging
from collections.abc import Iterator
from pathlib import Path

from starlette.responses import Response, StreamingResponse

from pipeline.audit import AuditEntry
from pipeline.errors import CallscoreError, NotFound
from pipeline.review.page import Page
from pipeline.review.site import Visit
from pipeline.review.things import call_named, call_thing
from pipeline.timeline import Recording
from pipeline.workflows.accounts.policy import Action
from pipeline.workflows.byte_range import ByteRange, byte_range
from pipeline.workflows.playback import PlayableFile, playable

LOG = logging.getLogger("callscore.review")

CHUNK = 256 * 1024
ASKS_AGAIN = "private, no-cache"
"""A browser may keep the sound, and asks before it plays it: somebody else may sit there by then."""


def audio(visit: Visit) -> Response:
    """The whole file, or the part that the browser asks for (206), or that there is no such part (416)."""
    recording = call_named(visit, visit.params["call"])
    file = _playable(visit, recording)
    etag = f'"{file.tag}"'
    told = {"Accept-Ranges": "bytes", "ETag": etag, "Cache-Control": ASKS_AGAIN, "Vary": "Cookie"}
    if visit.headers.get("if-none-match") == etag:
        _record(visit, recording.id, anew=False)
        return Response(status_code=304, headers=told)
    asked = visit.headers.get("range") if visit.headers.get("if-range", etag) == etag else None
    part = byte_range(asked, file.path.stat().st_size)
    _record(visit, recording.id, anew=part.start == 0)
    if part.is_outside:
        return Response(status_code=416, headers=told | {"Content-Range": part.content_range})
    if part.is_part:
        told["Content-Range"] = part.content_range
    told["Content-Length"] = str(len(part))
    return StreamingResponse(
        _bytes(file.path, part),
        status_code=206 if part.is_part else 200,
        media_type=file.media_type,
        headers=told,
    )


def _playable(visit: Visit, recording: Recording) -> PlayableFile:
    """Raises NotFound, which does not tell where files lie: the log does, and `callscore doctor`."""
    try:
        return playable(recording, visit.site.settings)
    except CallscoreError as error:
        LOG.error("call %s cannot be played: %s", recording.id, error.message)
        raise NotFound(
            "这通电话的录音现在听不了：文件不在原处，或被改过、读不出",
            hint=f"把通话编号 {recording.id} 告诉管理员",
        ) from error


def _record(visit: Visit, recording_id: str, *, anew: bool) -> None:
    """Who listened to what: each beginning of the file that a browser asks for, and whoever begins further on
    or plays what their browser kept."""
    if not visit.site.heard.begins(visit.who.login, recording_id, visit.now, anew=anew):
        return
    entry = AuditEntry(at=visit.now, who=visit.who.login, action="call.play", object=f"call:{recording_id}")
    visit.store.record(entry)


def _bytes(path: Path, part: ByteRange) -> Iterator[bytes]:
    left = len(part)
    with path.open("rb") as file:
        file.seek(part.start)
        while left > 0 and (chunk := file.read(min(CHUNK, left))):
            left -= len(chunk)
            yield chunk


PAGES = (Page(path="/calls/{call}/audio", answer=audio, action=Action.CALL_PLAY, thing=call_thing),)
