"""An inspector's morning in a real browser, on the demo calls."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from chromium import Person, chromium, needs_chromium, serving
from playwright.sync_api import Browser, Page, expect

from pipeline.scorecard import Decision
from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.workflows.review.decide import review
from pipeline.workflows.review.marks import Marks
from pipeline.workflows.review.sheet import sheet

pytestmark = [needs_chromium, pytest.mark.usefixtures("scored")]
Enter = Callable[[str], Person]


@pytest.fixture(scope="module")
def opened() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def enter(opened: Browser, store: Store, settings: Settings) -> Iterator[Enter]:
    """Log somebody in; at the end nobody's browser may have complained."""
    people: list[Person] = []
    with serving(store, settings) as address:

        def come(login: str) -> Person:
            people.append(Person(opened, address, login))
            return people[-1]

        yield come
        for person in people:
            person.leave()


def now(page: Page) -> float:
    return float(page.evaluate("document.getElementById('audio').currentTime"))


def plays(page: Page) -> bool:
    return not page.evaluate("document.getElementById('audio').paused")


def until(holds: Callable[[], bool], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def drawn(page: Page) -> None:
    expect(page.locator("body[data-drawn=yes]")).to_be_attached()


def test_a_whole_morning(enter: Enter, store: Store) -> None:
    inspector = enter("wangmin")
    page = inspector.page
    expect(page).to_have_url(re.compile("/queue$"))
    expect(page.locator("tbody tr").first).to_contain_text("d11")
    page.keyboard.press("g")
    drawn(page)
    expect(page.locator("h1")).to_have_text("d11")
    assert inspector.accessibility() == []

    # one key to the decisive second: it plays the words that the item rests on
    page.keyboard.press("j")
    expect(page.locator("details.item[open]")).to_have_count(1)
    place = page.locator("details.item[open] [data-listen]").first
    start = int(place.get_attribute("data-s") or 0) / 1000
    page.keyboard.press("l")
    until(lambda: plays(page) and now(page) > start - 0.6)
    assert now(page) < start + 3
    page.keyboard.press(" ")
    until(lambda: not plays(page))

    # a click on a word seeks there, and the word is the current one
    word = page.locator(".turn .w").nth(40)
    word.click()
    assert now(page) == pytest.approx(int(word.get_attribute("data-s") or 0) / 1000, abs=0.05)
    expect(word).to_have_class(re.compile("now"))

    # accept, override with a reason, undo, do it again
    page.locator("#item-standard_greeting summary").click()
    page.locator("#item-standard_greeting [data-do=accept]").click()
    expect(page.locator("#item-standard_greeting .who")).to_contain_text("wangmin")
    page.locator("#item-asks_name summary").click()
    before = page.locator(".score").inner_text()
    page.keyboard.press("1")
    page.keyboard.press("e")
    page.keyboard.type("问了，规则没有听到")
    page.locator("#item-asks_name [data-level]").first.click()
    expect(page.locator("#item-asks_name .override")).to_be_visible()
    after = page.locator(".score").inner_text()
    assert after != before
    page.locator("#item-asks_name summary").focus()
    page.keyboard.press("u")
    expect(page.locator("#item-asks_name .override")).to_have_count(0)
    assert page.locator(".score").inner_text() == before
    page.locator("[aria-label=重做]").click()
    expect(page.locator("#item-asks_name .override")).to_be_visible()
    page.locator("#submit").click()
    page.wait_for_url(re.compile("/(queue|calls/(?!1a5934))"))
    recording = store.find_call("d11").id
    assert [r.decision for r in store.reviews(recording)][-1] is Decision.DONE

    owner = enter("qowner")
    owner.go("/rules/try?phrase=保证一定")
    owner.go("/reports")
    owner.page.wait_for_selector("table", timeout=30_000)
    assert owner.accessibility() == []
    owner.go("/search").locator("[type=search]").fill("肯定没问题")
    owner.page.keyboard.press("Enter")
    owner.page.wait_for_selector("main q, main mark", timeout=60_000)
    expect(owner.page.locator("main")).to_contain_text("d11")


def test_no_key_fires_while_an_input_method_composes(enter: Enter) -> None:
    person = enter("wangmin")
    person.page.keyboard.press("g")
    drawn(person.page)
    person.page.keyboard.press("j")
    key = "new KeyboardEvent('keydown', {key: '?', isComposing: true, bubbles: true})"
    person.page.evaluate(f"document.activeElement.dispatchEvent({key})")
    expect(person.page.locator("dialog[open]")).to_have_count(0)
    person.page.keyboard.press("?")
    expect(person.page.locator("#keys[open]")).to_be_visible()


def test_a_key_can_be_changed_and_all_keys_switched_off(enter: Enter) -> None:
    person = enter("wangmin")
    page = person.page
    page.keyboard.press("?")
    row = page.locator("#keys-list tr", has_text="下一通")
    row.locator("button").click()
    page.keyboard.press("x")
    expect(row.locator("button")).to_have_text("x")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    expect(page).to_have_url(re.compile("/queue$"))
    page.keyboard.press("x")
    page.wait_for_url(re.compile("/calls/"))
    drawn(page)
    page.keyboard.press("?")
    page.locator("#keys-on").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    expect(page.locator("details.item[open]")).to_have_count(0)


def test_english_is_there_for_those_who_want_it(enter: Enter) -> None:
    person = enter("wangmin")
    person.go("/me").locator("button[value=en]").click()
    person.go("/queue")
    expect(person.page.locator("h1")).to_contain_text("Queue")


@pytest.mark.parametrize("login", ["wangmin", "zhaozg", "qowner", "boss", "auditor"])
def test_every_page_of_the_menu_is_accessible_and_without_complaint(enter: Enter, login: str) -> None:
    person = enter(login)
    links = "links => links.map(link => link.getAttribute('href'))"
    for path in person.page.locator("header nav a").evaluate_all(links):
        person.go(path)
        person.page.wait_for_load_state("networkidle")
        assert person.accessibility() == []


def test_an_agent_appeals_and_the_supervisor_decides(enter: Enter, store: Store) -> None:
    recording = replace(store.find_call("d11"), agent_id="1001")
    store.update_recording(recording)
    whole(store, recording.id)

    agent = enter("a1001")
    page = agent.page
    expect(page).to_have_url(re.compile("/cards$"))
    page.locator("tbody a").first.click()
    drawn(page)
    assert agent.accessibility() == []
    page.locator("#item-asks_name summary").click()
    page.locator("#item-asks_name [name=reason]").fill("00:12 我问了怎么称呼")
    page.locator("#item-asks_name .contest button").click()
    page.wait_for_load_state()

    supervisor = enter("zhaozg")
    page = supervisor.go("/appeals")
    page.locator("tbody a").first.click()
    drawn(page)
    expect(page.locator("main")).to_contain_text("我问了怎么称呼")
    assert supervisor.accessibility() == []
    page.locator("[name=ruling][value=value]").check()
    page.locator("select[name=value]").select_option(index=1)
    page.locator(".decide [name=reason]").fill("听了录音，确实问了")
    page.locator(".decide button.primary").click()
    page.wait_for_load_state()
    expect(page.locator(".thread")).to_contain_text("确实问了")

    agent.go("/appeals")
    agent.page.locator("tbody a").first.click()
    expect(agent.page.locator("main")).to_contain_text("听了录音，确实问了")
    card = store.latest(recording.id).scorecard
    assert card is not None
    assert next(item for item in card.items if item.id == "asks_name").points


def whole(store: Store, recording_id: str) -> None:
    """Hand the call in with every item decided, so that the agent may see the card."""
    before = sheet(store, recording_id, "wangmin")
    printed = {item.id: item for item in before.template.items}
    values = tuple((item.id, printed[item.id].levels[0].title) for item in before.left())
    marks = Marks(who="wangmin", values=values, accept_all=True, done=True, reason="听过")
    review(store, recording_id, marks, at=datetime.now(UTC))
