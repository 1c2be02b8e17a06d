"""A real browser at a real server: what it complains about fails the test."""

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from page_help import PASSWORD
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from pipeline.review.app import create_app
from pipeline.review.site import Site
from pipeline.settings import Settings
from pipeline.storage.store import Store

CHROMIUM = next((path for name in ("chromium", "chromium-browser") if (path := shutil.which(name))), None)
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium here: apt-get install chromium, then these tests run"
)
SMALL_SCREEN = {"width": 1366, "height": 768}
SERIOUS = ("serious", "critical")


@contextmanager
def serving(store: Store, settings: Settings) -> Iterator[str]:
    """The address of the application on a free port of this machine."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    site = Site(store=store, settings=settings, clock=lambda: datetime.now(UTC))
    server = uvicorn.Server(
        uvicorn.Config(create_app(site), host="127.0.0.1", port=port, log_level="error", lifespan="off")
    )
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as play:
        arguments = ["--no-sandbox", "--autoplay-policy=no-user-gesture-required", "--mute-audio"]
        opened = play.chromium.launch(executable_path=CHROMIUM, args=arguments)
        try:
            yield opened
        finally:
            opened.close()


@dataclass
class Person:
    """Somebody at the page, and everything that the browser complained about meanwhile."""

    browser: Browser
    address: str
    login: str
    complaints: list[str] = field(default_factory=list)
    context: BrowserContext = field(init=False)
    page: Page = field(init=False)

    def __post_init__(self) -> None:
        self.context = self.browser.new_context(viewport=SMALL_SCREEN, locale="zh-CN")  # type: ignore[arg-type]
        self.page = self.context.new_page()
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(f"script: {error}"))
        self.page.on("response", self._answered)
        self.page.goto(f"{self.address}/login")
        self.page.fill("[name=login]", self.login)
        self.page.fill("[name=password]", PASSWORD)
        self.page.click("button.primary")
        self.page.wait_for_load_state()

    def _said(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            where = f"{message.location.get('url')}:{message.location.get('lineNumber')}"
            self.complaints.append(f"{self.page.url}: {message.text} ({where})")

    def _answered(self, response: Any) -> None:
        if response.status >= 500:
            self.complaints.append(f"{response.url}: {response.status}")

    def go(self, path: str) -> Page:
        self.page.goto(self.address + path)
        return self.page

    def accessibility(self) -> list[str]:
        """Serious faults that axe finds on the page. What axe itself does there is not the page's."""
        known = list(self.complaints)
        found = Axe().run(self.page).response["violations"]
        self.complaints[:] = known
        serious = (fault for fault in found if fault["impact"] in SERIOUS)
        return [f"{self.page.url} {fault['id']}: {fault['nodes'][0]['html'][:160]}" for fault in serious]

    def leave(self) -> None:
        self.context.close()
        assert not self.complaints, "\n".join(self.complaints)
