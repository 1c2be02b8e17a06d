"""What Chromium lets one hear after it sought a moment, held against the time axis of the transcript."""

import shutil
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.media.decode import decode, fingerprint
from pipeline.media.join import recording_of
from pipeline.settings import Settings
from pipeline.timeline import Recording
from pipeline.workflows.byte_range import byte_range
from pipeline.workflows.playback import playable

sys.path.insert(0, str(Path(__file__).parents[1] / "media"))
from sounds import ENCODINGS, bursts, write

CHROMIUM = shutil.which("chromium")
NAMES = ("alaw.wav", "pcm.wav", "plain.flac", "opus.ogg", "aac.m4a", "lame.mp3", "narrow.amr")
SECONDS = 90
WITHIN = 0.002
TRIES = 5
"""A busy machine drops sound now and then; a moment that is sought wrongly is wrong every time."""
CLICKS = (10.0, 80.0)
LISTEN = """
async ([name, at]) => {
  const context = new AudioContext({sampleRate: 48000});
  const audio = new Audio('/' + name);
  await new Promise((done, failed) => { audio.oncanplay = done; audio.onerror = failed; });
  const tap = context.createScriptProcessor(4096, 1, 1), heard = [];
  tap.onaudioprocess = event => heard.push(...event.inputBuffer.getChannelData(0));
  context.createMediaElementSource(audio).connect(tap);
  tap.connect(context.destination);
  audio.currentTime = at;
  await new Promise(done => { audio.onseeked = done; });
  await audio.play();
  await new Promise(done => { setTimeout(done, 1200); });
  await context.close();
  const first = heard.findIndex(value => value !== 0);
  return (heard.findIndex(value => Math.abs(value) > 0.1) - first) / 48000;
}
"""

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium is installed")


class Player(BaseHTTPRequestHandler):
    """Sends recordings by name in the pieces that are asked for."""

    protocol_version = "HTTP/1.1"
    recordings: dict[str, Recording]
    settings: Settings

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        recording = self.recordings.get(self.path[1:])
        if recording is None:
            self._send(200 if self.path == "/" else 404, b"<html></html>", {"Content-Type": "text/html"})
            return
        found = playable(recording, self.settings)
        data = found.path.read_bytes()
        piece = byte_range(self.headers.get("Range"), len(data))
        about = {"Content-Type": found.media_type, "Accept-Ranges": "bytes"}
        if piece.is_part:
            about["Content-Range"] = piece.content_range
        self._send(206 if piece.is_part else 200, data[piece.start : piece.end], about)

    def _send(self, status: int, body: bytes, about: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in (about | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            self.close_connection = True


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recording]:
    folder, made = tmp_path_factory.mktemp("in"), {}
    for name in NAMES:
        path = write(folder, name, bursts(SECONDS, CLICKS, ENCODINGS[name][3]))
        made[name] = recording_of(path, decode(path), fingerprint(path), None)
    return made


@pytest.fixture(scope="module")
def page(recordings: dict[str, Recording], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    settings = Settings(cache=str(tmp_path_factory.mktemp("cache")))
    handler = type("Handler", (Player,), {"recordings": recordings, "settings": settings})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, playwright.sync_playwright() as driver:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        flags = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required"]
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        opened = browser.new_page()
        opened.goto(f"http://127.0.0.1:{server.server_port}/")
        yield opened
        browser.close()
        server.shutdown()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seconds", [9.3, 79.611])
def test_a_browser_seeks_the_moment_of_the_transcript(
    page: Any, recordings: dict[str, Recording], name: str, seconds: float
) -> None:
    heard = decode(Path(recordings[name].path)).samples.channel(0)[round(seconds * 16_000) :]
    expected = np.flatnonzero(np.abs(heard) > 0.1)[0] / 16_000
    off = [abs(page.evaluate(LISTEN, [name, seconds]) - expected)]
    while off[-1] > WITHIN and len(off) < TRIES:
        off.append(abs(page.evaluate(LISTEN, [name, seconds]) - expected))
    assert min(off) <= WITHIN
