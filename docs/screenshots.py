"""The pictures of the pages in docs/images: the demo calls in Chromium at 1366×768. `make screenshots`."""

import io
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parent.parent
IMAGES = ROOT / "docs" / "images"
sys.path.insert(0, str(ROOT / "tests" / "review"))

import demo  # noqa: E402
from served import served  # noqa: E402

from pipeline.account import Role  # noqa: E402
from pipeline.settings import Settings  # noqa: E402
from pipeline.storage.store import Store  # noqa: E402
from pipeline.template import Item  # noqa: E402
from pipeline.workflows.accounts.passwords import new_password  # noqa: E402
from pipeline.workflows.accounts.users import Application, By, add_user  # noqa: E402
from pipeline.workflows.audit import open_store  # noqa: E402
from pipeline.workflows.review.appeals import Answer, Plea, answer_appeal, raise_appeal  # noqa: E402
from pipeline.workflows.review.decide import review  # noqa: E402
from pipeline.workflows.review.marks import Marks  # noqa: E402
from pipeline.workflows.review.rounds import NewRound, judge_in_round, new_round, round_sheet  # noqa: E402
from pipeline.workflows.review.sheet import sheet  # noqa: E402

SCREEN = {"width": 1366, "height": 768}
COLOURS = 128
LARGEST = 120_000
ARGUMENTS = ["--no-sandbox", "--lang=zh-CN", "--autoplay-policy=no-user-gesture-required", "--mute-audio"]
ENVIRONMENT: dict[str, str | float | bool] = dict(os.environ) | {"LANGUAGE": "zh_CN", "LANG": "zh_CN.UTF-8"}
TEAM = "甲班"
REPORT = "/reports?kind=agent&since=2024-05-01&until=2024-05-31"
ROSTER = f"agent_id,team,since\n1050,{TEAM},2025-03-01\n1063,{TEAM},2025-03-01\n"
PEOPLE = {
    "zhijian": Role.INSPECTOR,
    "fuping": Role.INSPECTOR,
    "zhuguan": Role.SUPERVISOR,
    "zhiliang": Role.QUALITY_OWNER,
    "guanli": Role.ADMIN,
    "shenji": Role.AUDITOR,
    "zuoxi": Role.AGENT,
}
AGENT = "1050"
RELEASED, JUDGED = "d07", ("d05", "d07m", "d11")
"""The call whose card the agent sees, and those of the calibration round."""


@dataclass(frozen=True, kw_only=True)
class Shot:
    """A picture: who sees it, where, and what they do there first."""

    name: str
    who: str
    path: str
    first: Callable[[Page], object] = lambda page: None


def _claimed(page: Page) -> None:
    page.keyboard.press("g")
    _drawn(page)


def _drawn(page: Page) -> None:
    page.wait_for_selector("body[data-drawn=yes]", state="attached")
    page.wait_for_timeout(600)


def _item(page: Page) -> None:
    """The item about a forbidden phrase, overridden, with the words that it rests on."""
    _drawn(page)
    page.locator("#item-standard_greeting summary").click()
    page.locator("#item-standard_greeting .mark [name=reason]").fill("报了工号，规则没有听到")
    page.locator("#item-standard_greeting [data-level]").first.click()
    page.wait_for_selector("#item-standard_greeting .who.mine", state="attached")
    page.locator(".turn .w").nth(30).click()


def _keys(page: Page) -> None:
    page.keyboard.press("?")


def _searched(page: Page) -> None:
    page.locator("[type=search]").fill("请问")
    page.keyboard.press("Enter")
    page.wait_for_selector("mark", timeout=60_000)


def _quiet(page: Page) -> None:
    """Until what is fetched afterwards is there: cases, checks, recent findings."""
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(4_000)


def _checked(page: Page) -> None:
    page.wait_for_selector("[data-checked]", timeout=120_000)


def _tried(page: Page) -> None:
    page.locator("main form button").last.click()
    page.wait_for_selector(".trial .figures", timeout=60_000)


def _reported(page: Page) -> None:
    page.wait_for_selector("main table, main .empty, main .notice", timeout=60_000)


SHOTS = (
    Shot(name="queue", who="zhijian", path="/queue"),
    Shot(name="call", who="zhijian", path="/queue", first=_claimed),
    Shot(name="item", who="zhijian", path="/calls/d11", first=_item),
    Shot(name="keys", who="zhijian", path="/queue", first=_keys),
    Shot(name="search", who="zhiliang", path="/search", first=_searched),
    Shot(name="assign", who="zhiliang", path="/queue"),
    Shot(name="rules", who="zhiliang", path="/rules"),
    Shot(name="rule", who="zhiliang", path="/rules/forbidden.over_authority_promise", first=_quiet),
    Shot(name="edit", who="zhiliang", path="/rules/forbidden.over_authority_promise/draft", first=_checked),
    Shot(name="try", who="zhiliang", path="/rules/try?phrase=请问&role=agent", first=_tried),
    Shot(name="reports", who="zhuguan", path=REPORT, first=_reported),
    Shot(name="appeals", who="zhuguan", path="/appeals?state=all"),
    Shot(name="appeal", who="zhuguan", path="/appeals/1", first=_drawn),
    Shot(name="rounds", who="zhiliang", path="/rounds"),
    Shot(name="round", who="zhiliang", path="/rounds/1"),
    Shot(name="rule_new", who="zhiliang", path="/rules/new"),
    Shot(name="users", who="guanli", path="/users"),
    Shot(name="audit", who="shenji", path="/audit"),
    Shot(name="help", who="zhijian", path="/help"),
    Shot(name="cards", who="zuoxi", path="/cards"),
    Shot(name="card", who="zuoxi", path=f"/cards/{RELEASED}", first=_drawn),
)


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        roster, password = Path(folder) / "roster.csv", new_password()
        roster.write_text(ROSTER, encoding="utf-8")
        settings = Settings(database=f"sqlite:///{folder}/page.db", roster=str(roster))
        with open_store(settings, create=True) as store:
            fill(store, settings, password)
        with served(settings) as address:
            _save("login", _login(browser, address))
            for who in PEOPLE:
                for shot, picture in taken(browser, address, who, password):
                    _save(shot.name, picture)


def fill(store: Store, settings: Settings, password: str) -> None:
    """The demo calls, users of every role, a released card with two appeals, and a round that is over."""
    demo.fill(store, settings)
    now = datetime.now(UTC)
    for login, role in PEOPLE.items():
        asked = Application(
            login=login,
            role=role,
            password=password,
            team=TEAM if role in (Role.SUPERVISOR, Role.AGENT) else "",
            agent_id=AGENT if role is Role.AGENT else "",
        )
        add_user(asked, store, By(who="cli:screenshots", at=now))
    _appeal(store, settings, _release(store, now), now)
    _calibrate(store, now)


def _release(store: Store, at: datetime) -> tuple[str, ...]:
    """Everything decided, two items badly; which."""
    found = sheet(store, RELEASED, "fuping")
    levelled = [item for item in found.template.items if len(item.levels) > 1]
    left = {item.id for item in found.left()}
    best = {item.id: item.levels[0].title for item in levelled if item.id in left}
    worst = {item.id: item.levels[-1].title for item in levelled[:2]}
    reasons = tuple((name, "开头说得含糊") for name in worst)
    values = tuple((best | worst).items())
    made = Marks(who="fuping", values=values, reasons=reasons, accept_all=True, partial=True, done=True)
    review(store, RELEASED, replace(made, final=True), at=at)
    return tuple(worst)


def _appeal(store: Store, settings: Settings, items: Sequence[str], at: datetime) -> None:
    """One appeal is answered, one waits."""
    for item, reason in zip(items, ("00:01.2 说了，声音小", "问了两遍，请再听"), strict=False):
        plea = Plea(call=RELEASED, item=item, who=AGENT, reason=reason, by="zuoxi")
        raise_appeal(plea, store, settings, at=at)
    answer = Answer(who="zhuguan", reason="听了两遍，没有说全")
    answer_appeal(1, answer, store, settings, at=at + timedelta(seconds=1))


def _calibrate(store: Store, at: datetime) -> None:
    """Two inspectors who mostly agree."""
    new = NewRound(title="十一月校准", made_by="zhiliang", calls=JUDGED, inspectors=("zhijian", "fuping"))
    made = new_round(store, new, at=at)
    for number, (call, _) in enumerate(made.calls):
        for who in made.inspectors:
            items = round_sheet(store, made.id, call, who).template.items
            values = tuple(
                (item.id, _judged(item, (place + number) % 5 == 0 and who == "fuping"))
                for place, item in enumerate(items)
            )
            judge_in_round(store, made.id, call, Marks(who=who, values=values, done=True), at=at)
    store.close_round(made.id, "zhiliang", at=at)


def _judged(item: Item, strictly: bool) -> str:
    if item.levels:
        return item.levels[1 if strictly and len(item.levels) > 1 else 0].title
    return str(item.points - 1 if strictly else item.points)


@contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS, env=ENVIRONMENT
        )
        yield browser
        browser.close()


def _login(browser: Browser, address: str) -> bytes:
    page = browser.new_page(viewport=SCREEN, locale="zh-CN")
    page.goto(f"{address}/login")
    return page.screenshot()


def taken(browser: Browser, address: str, who: str, password: str) -> Iterator[tuple[Shot, bytes]]:
    """Every picture that this person sees, in order: one may build on the one before."""
    page = browser.new_context(viewport=SCREEN, locale="zh-CN").new_page()
    page.goto(f"{address}/login")
    page.fill("[name=login]", who)
    page.fill("[name=password]", password)
    page.click("button.primary")
    page.wait_for_url(lambda url: "/login" not in url)
    for shot in SHOTS:
        if shot.who == who:
            page.goto(address + shot.path)
            page.wait_for_load_state()
            shot.first(page)
            page.wait_for_timeout(300)
            yield shot, page.screenshot()


def _save(name: str, picture: bytes) -> None:
    """With a palette: a screen has few colours."""
    path = IMAGES / f"{name}.png"
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    palette = image.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    palette.save(path, optimize=True)
    size = path.stat().st_size
    if size > LARGEST:
        raise SystemExit(f"{path}: {size} bytes, expected at most {LARGEST}")
    print(f"{path.relative_to(ROOT)} {size // 1000} kB")


if __name__ == "__main__":
    main()
