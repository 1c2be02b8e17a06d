"""A call of half an hour and more than 4,000 words on a small screen."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Person, chromium, needs_chromium, serving
from long_call import add_long_call
from playwright.sync_api import Page, expect

from pipeline.settings import Settings
from pipeline.storage.store import Store

pytestmark = needs_chromium
OVERLAPS = """() => {
  const boxes = [...document.querySelectorAll(
    ".call-head, #wave, .controls, .split > .pane, .pane > header, .pane > .body, .pane > footer, .score"
  )].map((one) => [one, one.getBoundingClientRect()]);
  const found = [];
  for (const [a, x] of boxes) for (const [b, y] of boxes) {
    if (a === b || a.contains(b) || b.contains(a)) continue;
    const wide = Math.min(x.right, y.right) - Math.max(x.left, y.left);
    const high = Math.min(x.bottom, y.bottom) - Math.max(x.top, y.top);
    if (wide > 1 && high > 1) found.push(`${a.className} over ${b.className}`);
  }
  return found;
}"""
OUTSIDE = """() => [...document.querySelectorAll("button, input, select, a, h1, h2, summary")]
  .filter((one) => one.checkVisibility() && !one.closest(".body, .skip, dialog"))
  .map((one) => [one, one.getBoundingClientRect()])
  .filter(([one, box]) => box.right > innerWidth || box.bottom > innerHeight)
  .map(([one]) => one.outerHTML.slice(0, 120))"""


@pytest.fixture
def page(store: Store, settings: Settings, tmp_path: Path) -> Iterator[Page]:
    """The call, open before the quality owner; nothing that the browser complains about."""
    call = add_long_call(store, settings, tmp_path)
    with chromium() as browser, serving(store, settings) as address:
        person = Person(browser, address, "qowner")
        opened = person.go(f"/calls/{call}")
        expect(opened.locator("body[data-drawn=yes]")).to_be_attached()
        yield opened
        person.leave()


def test_a_long_call_fits_a_small_screen_and_is_played_where_one_clicks(page: Page) -> None:
    assert page.locator(".turn .w").count() > 4000
    sizes = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    assert page.evaluate(sizes) == [1366, 768]
    assert page.evaluate(OVERLAPS) == []
    assert page.evaluate(OUTSIDE) == []

    page.keyboard.press("j")
    expect(page.locator(".item[open] > summary")).to_be_focused()

    word = page.locator(".turn .w").nth(4000)
    word.scroll_into_view_if_needed()
    word.click()
    at = page.evaluate("document.getElementById('audio').currentTime")
    assert at * 1000 == pytest.approx(int(word.get_attribute("data-s") or 0), abs=50)
    assert at > 1200

    page.keyboard.press(" ")
    expect(page.locator("#play")).to_have_attribute("aria-pressed", "true", timeout=30_000)
    expect(page.locator(".turn.now")).to_be_attached(timeout=30_000)
    page.keyboard.press(" ")
    assert page.evaluate(OVERLAPS) == []
