"""Search on the page: what is found, where it leads, for whom; and that nobody keeps what was looked for."""

import logging
import sys
from pathlib import Path

import pytest
from httpx import Response
from page_help import AT, HOSTILE, LOGINS, Browser, assert_harmless, links, shown, tags

from pipeline.account import Role
from pipeline.audit import AuditFilter
from pipeline.scorecard import Decision, Review
from pipeline.settings import Settings
from pipeline.storage.store import Store

sys.path.insert(0, str(Path(__file__).parents[1] / "workflows/tuning"))
from tuning_help import shipped_like

SEARCHERS = (Role.INSPECTOR, Role.SUPERVISOR, Role.QUALITY_OWNER)
WORDS = "不归我们管"
CALLS = {
    "c1": "坐席 1.0 您好。\n客户 3.0 我的快递呢？\n坐席 5.0 这个不归我们管，你自己想想办法。",
    "c2": "坐席 1.0 您好，不归我们管这样的话，我们绝对不说，不归我们管。",
    "c3": "坐席 1.0 您好。\n客户 3.0 是不是不归我们管？\n坐席 9.0 感谢您的来电。",
    "c4": "坐席 1.0 您好。\n坐席 3.0 这个不规我们管。\n坐席 9.0 感谢您的来电。",
    "c5": "坐席 1.0 您好。\n坐席 3.0 快递明天到。",
}


@pytest.fixture
def calls(store: Store, settings: Settings) -> None:
    """Agent 100 (甲班) speaks in c1, c3 and c5, agent 101 (乙班) in c2 and c4."""
    Path(settings.roster).write_text("agent_id,team\n100,甲班\n101,乙班\n", encoding="utf-8")
    shipped_like(Path(settings.roster).parent, CALLS)[1].close()


def found(browser: Browser, **asked: str) -> Response:
    return browser.post("/search", asked, page="/search")


def names(answer: Response) -> list[str]:
    """The calls of the results, in order."""
    return [name for name in shown(answer).split() if name in CALLS]


@pytest.mark.parametrize("role", Role)
def test_search_is_for_those_whom_the_policy_names(browser: Browser, calls: None, role: Role) -> None:
    expected = 200 if role in SEARCHERS else 403
    browser.log_in(role)
    assert browser.get("/search").status_code == expected
    assert browser.post("/search", {"text": WORDS}).status_code == expected


def test_words_are_found_marked_and_lead_to_their_second(browser: Browser, store: Store, calls: None) -> None:
    page = found(browser.log_in(Role.QUALITY_OWNER), text=WORDS)
    assert names(page) == ["c3", "c2", "c1"]
    c1 = store.find_call("c1").id
    assert f"/calls/{c1}" in links(page)
    assert [link for link in links(page) if link.startswith(f"/calls/{c1}?at=5")]
    assert page.text.count(f"<mark>{WORDS}</mark>") == 4


def test_by_sound_a_misheard_word_is_found_and_said_to_be_so(browser: Browser, calls: None) -> None:
    page = found(browser.log_in(Role.QUALITY_OWNER), text=WORDS, sound="1")
    assert names(page) == ["c4", "c3", "c2", "c1"]
    assert "<mark>不规我们管</mark>" in page.text
    assert "同音" in shown(page)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({"text": WORDS, "role": "customer"}, ["c3"]),
        ({"text": WORDS, "agent": "101"}, ["c2"]),
        ({"text": WORDS, "business": "快递"}, ["c3", "c1"]),
        ({"rule": "forbidden.shirking", "agent": "100"}, ["c1"]),
        ({"least": "15"}, ["c3"]),
        ({"most": "5", "agent": "100"}, ["c1"]),
        ({"text": WORDS, "since": "2099-01-01"}, []),
        ({"text": WORDS, "until": "1999-01-01"}, []),
        ({"text": "火星"}, []),
        ({"until": "9999-12-31", "text": "明天到"}, ["c5"]),
    ],
)
def test_every_filter_holds(
    browser: Browser, calls: None, asked: dict[str, str], expected: list[str]
) -> None:
    assert names(found(browser.log_in(Role.QUALITY_OWNER), **asked)) == expected


def test_supervisors_find_their_own_team_only(browser: Browser, calls: None) -> None:
    browser.log_in(Role.SUPERVISOR)
    assert names(found(browser, text=WORDS, sound="1")) == ["c3", "c1"]
    assert names(found(browser, text=WORDS, agent="101")) == []


def test_a_supervisor_without_a_team_finds_nothing_and_is_told_why(
    browser: Browser, store: Store, calls: None
) -> None:
    store.set_team(LOGINS[Role.SUPERVISOR], None)
    answer = browser.log_in(Role.SUPERVISOR).get("/search")
    assert answer.status_code == 422
    assert "还没有编入班组" in answer.text


def test_inspectors_find_what_they_hold_or_decided_about(browser: Browser, store: Store, calls: None) -> None:
    browser.log_in(Role.INSPECTOR)
    page = found(browser, text=WORDS)
    assert names(page) == []
    assert "只找您领过、评过的通话" in shown(page)
    recording = store.find_call("c2").id
    store.add_review(
        Review(
            recording_id=recording,
            who=LOGINS[Role.INSPECTOR],
            at=AT,
            decision=Decision.NOTE,
            target="",
            value="",
            reason="听过",
        )
    )
    assert names(found(browser, text=WORDS)) == ["c2"]


def test_pages_follow_each_other_without_a_gap(
    browser: Browser, calls: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.review.pages.search.PAGE", 2)
    browser.log_in(Role.QUALITY_OWNER)
    seen: list[str] = []
    after = ""
    for _ in range(2):
        page = found(browser, text=WORDS, sound="1", after=after)
        seen += names(page)
        after = next((tag["data-after"] or "" for tag in tags(page, "button") if tag.get("data-after")), "")
    assert seen == ["c4", "c3", "c2", "c1"]
    assert after == ""


def test_what_is_not_looked_through_yet_can_be(
    browser: Browser, calls: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.review.pages.search.MOST_LOOKED_THROUGH", 2)
    page = found(browser.log_in(Role.QUALITY_OWNER), text="我的快递")
    assert "还没翻完，接着翻" in shown(page)
    assert "翻了 2 通" in shown(page)


def test_a_part_of_the_page_is_only_the_results(browser: Browser, calls: None) -> None:
    browser.log_in(Role.QUALITY_OWNER)
    token = tags(browser.get("/search"), "meta")[2]["content"] or ""
    headers = {"hx-request": "true", "origin": "https://testserver", "x-csrf-token": token}
    part = browser.client.post("/search", data={"text": WORDS}, headers=headers)
    assert "<html" not in part.text
    assert names(part) == ["c3", "c2", "c1"]
    fault = browser.client.post("/search", data={"text": "("}, headers=headers)
    assert (fault.status_code, "看不懂" in fault.text) == (200, True)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"text": "长" * 61}, "最多 60 个"),
        ({"text": "((("}, "看不懂"),
        ({"least": "很多"}, "得分应为数"),
        ({"least": "NaN"}, "得分应为数"),
        ({"since": "昨天"}, "应为日期"),
        ({"after": "x"}, "列不出它后面的通话"),
    ],
)
def test_a_mistake_is_told_and_what_was_typed_stays(
    browser: Browser, calls: None, asked: dict[str, str], told: str
) -> None:
    page = found(browser.log_in(Role.QUALITY_OWNER), **asked)
    assert page.status_code == 422
    assert told in shown(page)
    assert tags(page, "form")


def test_what_is_looked_for_is_in_no_address_no_log_and_no_audit_line(
    browser: Browser, store: Store, calls: None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    browser.log_in(Role.QUALITY_OWNER)
    for asked in ({"text": WORDS}, {"text": "((("}, {"text": WORDS, "after": "x"}):
        answer = found(browser, **asked)
        assert not [link for link in links(answer) if WORDS in link]
    logged = [record for record in caplog.records if not record.name.startswith("sqlalchemy")]
    assert not [record for record in logged if WORDS in record.getMessage()]
    assert not [line for line in store.audit_lines(AuditFilter()) if WORDS in line.detail + line.object]
    (form,) = [tag for tag in tags(browser.get("/search"), "form") if tag.get("id") == "search"]
    assert form["method"] == "post"


@pytest.mark.parametrize("bad", HOSTILE)
def test_what_is_looked_for_runs_nowhere(browser: Browser, calls: None, bad: str) -> None:
    browser.log_in(Role.QUALITY_OWNER)
    names_of_fields = (
        "text",
        "role",
        "agent",
        "business",
        "rule",
        "least",
        "most",
        "since",
        "until",
        "after",
    )
    for name in names_of_fields:
        assert_harmless(found(browser, **{name: bad}))


def test_what_was_said_runs_nowhere(browser: Browser, settings: Settings) -> None:
    said = "坐席 1.0 您好<script>alert(1)</script>再见<img src=x onerror=alert(1)>。"
    shipped_like(Path(settings.roster).parent, {"<svg onload=alert(1)>": said})[1].close()
    page = found(browser.log_in(Role.QUALITY_OWNER), text="您好")
    assert "&lt;script&gt;" in page.text
    assert_harmless(page)


def test_the_page_in_english(browser: Browser, calls: None) -> None:
    browser.log_in(Role.QUALITY_OWNER)
    browser.client.cookies.set("callscore-language", "en")
    assert "Words to look for" in shown(browser.get("/search"))
    assert "3 calls, newest first" in shown(found(browser, text=WORDS))
