"""A house moved to PostgreSQL shows the same pages, and takes the same decisions."""

import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from databases import Databases
from httpx import Response
from page_help import Browser, Desk, shown

from pipeline.account import Role
from pipeline.settings import Settings
from pipeline.storage.copying import copy
from pipeline.storage.store import Store
from pipeline.workflows.audit import open_store

PAGES = {
    Role.SUPERVISOR: (
        "/queue",
        "/queue?sort=score&complaint=no",
        "/queue?text=d1&acceptable=no",
        "/appeals",
        "/rounds",
        "/reports?kind=agent&since=2024-01-01&until=2027-01-01",
        "/reports?kind=rule&since=2024-01-01&until=2027-01-01",
        "/search",
    ),
    Role.INSPECTOR: ("/queue", "/calls/{call}", "/calls/{call}/history"),
    Role.QUALITY_OWNER: ("/rules", "/rules/forbidden.shirking", "/reports?kind=week&date=2024-05-06"),
    Role.ADMIN: ("/users", "/users/wangmin"),
    Role.AGENT: ("/cards",),
}


@pytest.fixture
def moved(
    scored: Path, store: Store, settings: Settings, postgresql: Databases, tmp_path: Path
) -> Iterator[Browser]:
    """The same house in another database; what lies beside the database is copied."""
    key = Path(settings.audit_key)
    for path in key.parent.glob("audit.*"):
        shutil.copy(path, tmp_path / path.name)
    with postgresql.empty() as url:
        copy(settings.database, url, lambda table, rows: None)
        there = settings.model_copy(update={"database": url, "audit_key": str(tmp_path / key.name)})
        with open_store(there) as opened:
            yield Browser(store=opened, settings=there)


def bare(answer: Response) -> str:
    """A page without what is another one each time."""
    assert answer.status_code == 200, shown(answer)
    secret = re.compile(r'nonce="[^"]*"|[0-9a-f]{64}|&#34;[\w-]{24}&#34;')
    return secret.sub("", answer.text)


def page(browser: Browser, path: str) -> str:
    """As it is when nothing is being made for it any more."""
    place = path.format(call=browser.store.find_call("d11").id)
    for _ in range(300):
        found = bare(browser.get(place))
        if "/reports/progress" not in found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"{place} is never ready")


def test_every_role_sees_the_same_in_both_databases(browser: Browser, moved: Browser) -> None:
    for one in (browser, moved):
        Desk(one, "d11").claim()
    for role, paths in PAGES.items():
        browser.log_in(role)
        moved.log_in(role)
        for path in paths:
            assert page(moved, path) == page(browser, path), path


def test_what_is_searched_is_found_in_both_databases(browser: Browser, moved: Browser) -> None:
    found = []
    for one in (browser, moved):
        one.log_in(Role.QUALITY_OWNER)
        for how in ("sound", "text"):
            found.append(bare(one.post("/search", {"text": "您好", "how": how}, page="/search")))
    assert found[:2] == found[2:]
    assert "/calls/" in found[0]


def test_a_call_is_claimed_marked_and_handed_in_on_postgresql(moved: Browser) -> None:
    desk = Desk(moved, "d11").claim()
    assert desk.mark("note", "", "听过").status_code == 200
    assert desk.send("undo").status_code == 200
    assert desk.mark("note", "", "又听过").status_code == 200
    assert desk.send("submit", partial="yes").status_code in (200, 204, 303)
    reviews = moved.store.reviews(desk.id)
    assert {review.who for review in reviews} == {"wangmin"}
    assert "又听过" in {review.value for review in reviews}
