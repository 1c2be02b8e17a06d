"""Reports on the page: live, linked to the calls, cut to what the person may see."""

import re
import sys
from datetime import timedelta
from html import unescape
from io import BytesIO
from pathlib import Path
from threading import Event
from types import ModuleType
from urllib.parse import parse_qs, urlsplit

import pytest
from openpyxl import load_workbook
from page_help import HOSTILE, LOGINS, Browser, assert_harmless, links, shown, tags

from pipeline.account import Role
from pipeline.audit import AuditFilter
from pipeline.errors import UsageError
from pipeline.review.pages import reports
from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.workflows.report import desk as desks
from pipeline.workflows.report.compute import Order
from pipeline.workflows.report.desk import Desk, Progress
from pipeline.workflows.report.period import Asked
from pipeline.workflows.report.values import Kind

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests/workflows/report"))

from report_help import Made, put  # noqa: E402

READERS = (Role.INSPECTOR, Role.SUPERVISOR, Role.QUALITY_OWNER, Role.AUDITOR)
EXPORTERS = (Role.SUPERVISOR, Role.QUALITY_OWNER)
DATA = "甲班|乙班|服务评分表|开场|态度|问候语|问候|语气|泄露客户信息|不归我们管|推诿|您好"
"""Chinese of the calls and rules of these tests."""
MONTH = {"since": "2024-05-06", "until": "2024-05-12"}


@pytest.fixture(autouse=True)
def _patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is no reason to show how far it is."""
    monkeypatch.setattr("pipeline.review.pages.reports.SECONDS", 60.0)


@pytest.fixture
def calls(store: Store) -> tuple[Made, ...]:
    """Seven calls of two teams; 1001 and 1002 are 甲班, 1003 is 乙班."""
    made = tuple(
        Made(
            number=n,
            agent=f"100{1 + n % 3}",
            day=n % 7,
            greeting=0 if n % 2 else 10,
            forbidden=n in (1, 2),
            fatal=n == 4,
        )
        for n in range(7)
    )
    put(store, *made)
    return made


@pytest.mark.parametrize("role", Role)
def test_reports_are_for_those_whom_the_policy_names(browser: Browser, calls: object, role: Role) -> None:
    expected = 200 if role in READERS else 403
    browser.log_in(role)
    for path in ("/reports", "/reports/progress"):
        assert browser.get(path).status_code == expected
    counted = browser.get("/reports/calls", kind="agent", of="hits", key="forbidden.shirking", **MONTH)
    assert counted.status_code == expected


@pytest.mark.parametrize("role", Role)
def test_files_are_for_those_who_may_export(browser: Browser, calls: object, role: Role) -> None:
    answer = browser.log_in(role).get("/reports/file/xlsx", kind="agent", **MONTH)
    assert answer.status_code == (200 if role in EXPORTERS else 403)
    if role in READERS:
        offered = [link for link in links(browser.get("/reports")) if "/reports/file/" in link]
        assert bool(offered) is (role in EXPORTERS)


def test_nobody_reads_a_report_without_a_login(browser: Browser) -> None:
    assert browser.get("/reports").headers["location"].startswith("/login")


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_of_report_shows_its_days_and_tables(browser: Browser, calls: object, kind: Kind) -> None:
    page = browser.log_in(Role.QUALITY_OWNER).get("/reports", kind=kind.value)
    assert page.status_code == 200
    assert kind.chinese in shown(page)
    assert "概况" in shown(page)
    assert_harmless(page)


def test_plots_are_pictures_with_a_name(browser: Browser, calls: object) -> None:
    page = browser.log_in(Role.AUDITOR).get("/reports", kind="agent", **MONTH)
    pictures = tags(page, "img")
    assert {picture["alt"] for picture in pictures} >= {"得分率分布的图，数字见表", "走势的图，数字见表"}
    assert all((picture["src"] or "").startswith("data:image/svg+xml;base64,") for picture in pictures)
    assert not tags(page, "svg")


def test_every_figure_leads_on(browser: Browser, calls: tuple[Made, ...]) -> None:
    page = browser.log_in(Role.QUALITY_OWNER).get("/reports", kind="agent", **MONTH)
    found = links(page)
    assert f"/calls/{calls[2].recording.id}?at=1400" in found
    assert "/rules/forbidden.shirking" in found
    agents = [parse_qs(urlsplit(link).query) for link in found if "kind=agent&agent" in _sorted(link)]
    assert {"1001", "1002", "1003"} == {query["agent"][0] for query in agents}
    queue = [parse_qs(urlsplit(link).query) for link in found if link.startswith("/queue?")]
    assert {"since": ["2024-05-06"], "until": ["2024-05-12"], "fatal": ["yes"]} in queue
    assert [link for link in found if link.startswith("/reports?") and "date=2024-05-07" in link]


def _sorted(link: str) -> str:
    query = parse_qs(urlsplit(link).query)
    return "&".join(f"{name}={query[name][0]}" for name in ("kind", "agent") if name in query)


@pytest.mark.parametrize(
    ("of", "key", "places"),
    [
        ("hits", "forbidden.shirking", (2, 1)),
        ("item", "form/greeting", (5, 3, 1)),
        ("cause", "泄露客户信息", (4,)),
    ],
)
def test_behind_a_figure_stand_its_calls_newest_first(
    browser: Browser, calls: tuple[Made, ...], of: str, key: str, places: tuple[int, ...]
) -> None:
    page = browser.log_in(Role.QUALITY_OWNER).get("/reports/calls", kind="agent", of=of, key=key, **MONTH)
    found = [urlsplit(link).path for link in links(page) if link.startswith("/calls/")]
    assert found == [f"/calls/{calls[n].recording.id}" for n in places]
    assert f"共 {len(places)} 通" in shown(page)


def test_the_links_of_a_report_lead_to_as_many_calls_as_it_says(browser: Browser, calls: object) -> None:
    page = browser.log_in(Role.QUALITY_OWNER).get("/reports", kind="agent", **MONTH)
    for link in links(page):
        if link.startswith("/reports/calls"):
            answer = browser.client.get(link)
            assert answer.status_code == 200
            assert "没有这样的通话" not in shown(answer)


def test_supervisors_see_their_own_team_only(browser: Browser, calls: tuple[Made, ...]) -> None:
    page = browser.log_in(Role.SUPERVISOR).get("/reports", kind="agent", team="乙班", **MONTH)
    assert "班组 甲班" in shown(page)
    assert "1003" not in shown(page)
    hits = browser.get(
        "/reports/calls", kind="agent", of="hits", key="forbidden.shirking", team="乙班", **MONTH
    )
    assert [urlsplit(link).path for link in links(hits) if "/calls/" in link and "at=" in link] == [
        f"/calls/{calls[1].recording.id}"
    ]
    book = load_workbook(
        BytesIO(browser.get("/reports/file/xlsx", kind="agent", team="乙班", **MONTH).content)
    )
    assert [cell.value for cell in book["各坐席"]["B"][3:5]] == ["1001", "1002"]


def test_a_supervisor_without_a_team_sees_nothing_and_is_told_why(
    browser: Browser, store: Store, calls: object
) -> None:
    store.set_team(LOGINS[Role.SUPERVISOR], None)
    for path in ("/reports", "/reports/calls?of=hits&key=x", "/reports/file/html"):
        answer = browser.log_in(Role.SUPERVISOR).get(path)
        assert answer.status_code == 422
        assert "还没有编入班组" in answer.text


def test_inspectors_see_of_calls_that_are_not_theirs_how_many_there_are_and_nothing_else(
    browser: Browser, calls: tuple[Made, ...]
) -> None:
    mine = calls[1].recording.id
    browser.store.claim(mine, LOGINS[Role.INSPECTOR], at=browser.at, until=browser.at + timedelta(days=1))
    browser.log_in(Role.INSPECTOR)
    hits = {"of": "hits", "key": "forbidden.shirking"}
    for page in (
        browser.get("/reports", kind="agent", **MONTH),
        browser.get("/reports/calls", kind="agent", **hits, **MONTH),
    ):
        opened = {urlsplit(link).path for link in links(page) if link.startswith("/calls/")}
        assert opened == {f"/calls/{mine}"}
        assert "c1 00:01.4" in shown(page)
        assert "c2 00:01.4" not in shown(page)
        assert "另有 1 通，不归您看" in shown(page)


def test_an_inspector_who_has_none_of_the_calls_reads_nothing_that_was_said(
    browser: Browser, calls: object
) -> None:
    browser.log_in(Role.INSPECTOR)
    for path, asked in (("/reports", {}), ("/reports/calls", {"of": "hits", "key": "forbidden.shirking"})):
        page = browser.get(path, kind="agent", **asked, **MONTH)
        assert not tags(page, "q")
        assert not [link for link in links(page) if link.startswith("/calls/")]


def test_auditors_get_no_link_to_the_queue(browser: Browser, calls: object) -> None:
    page = browser.log_in(Role.AUDITOR).get("/reports", kind="agent", **MONTH)
    assert not [link for link in links(page) if link.startswith("/queue")]


@pytest.mark.parametrize("ending", ["xlsx", "html"])
def test_who_took_a_report_away_is_in_the_audit_log(
    browser: Browser, store: Store, calls: object, ending: str
) -> None:
    answer = browser.log_in(Role.SUPERVISOR).get(
        f"/reports/file/{ending}", kind="agent", agent="1001", **MONTH
    )
    assert answer.headers["content-disposition"].startswith("attachment;")
    (line,) = store.audit_lines(AuditFilter(action="export"))
    assert (line.who, line.action, line.object) == (LOGINS[Role.SUPERVISOR], "export.report", "report:agent")
    assert '"agent":"1001"' in line.detail.replace(" ", "")
    assert "不归我们管" not in line.detail


def test_there_are_no_other_files(browser: Browser, calls: object) -> None:
    assert browser.log_in(Role.QUALITY_OWNER).get("/reports/file/pdf").status_code == 404


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"kind": "day", "date": "昨天"}, "应为日期"),
        ({"kind": "agent", "since": "2024-05-09", "until": "2024-05-06"}, "结束早于开始"),
        ({"least": "很多"}, "应为整数"),
    ],
)
def test_a_mistake_is_told_on_the_page_itself(
    browser: Browser, calls: object, asked: dict[str, str], told: str
) -> None:
    page = browser.log_in(Role.QUALITY_OWNER).get("/reports", **asked)
    assert page.status_code == 422
    assert told in shown(page)
    assert tags(page, "form")


def test_a_house_without_calls_is_told_so(browser: Browser) -> None:
    page = browser.log_in(Role.QUALITY_OWNER).get("/reports")
    assert page.status_code == 200
    assert "还没有评过分" in shown(page)


def test_days_without_calls_say_so_and_nothing_else(browser: Browser, calls: object) -> None:
    page = browser.log_in(Role.QUALITY_OWNER).get("/reports", kind="day", date="2020-01-01")
    assert "这段时间没有符合条件的通话" in shown(page)
    assert not tags(page, "table")[1:]  # the keys


def test_what_was_said_typed_or_recorded_runs_nowhere(browser: Browser, store: Store) -> None:
    put(
        store,
        *(
            Made(number=n, agent=bad, quote=bad, forbidden=True, greeting=0, business=bad)
            for n, bad in enumerate(HOSTILE)
        ),
    )
    browser.log_in(Role.QUALITY_OWNER)
    page = browser.get("/reports", kind="agent")
    assert all(bad in shown(page) for bad in HOSTILE)
    assert_harmless(page)
    for bad in HOSTILE:
        for path in ("/reports", "/reports/calls"):
            answer = browser.get(
                path, kind="agent", agent=bad, business=bad, of="hits", key="forbidden.shirking"
            )
            assert answer.status_code == 200
            assert_harmless(answer)


def test_the_page_in_english(browser: Browser, calls: object) -> None:
    browser.log_in(Role.QUALITY_OWNER)
    browser.client.cookies.set("callscore-language", "en")
    page = browser.get("/reports", kind="day")
    assert "Daily report" in shown(page)
    assert "看报表" not in page.text


@pytest.mark.parametrize("kind", Kind)
def test_every_label_of_a_report_is_english_where_the_page_is(
    browser: Browser, calls: tuple[Made, ...], kind: Kind
) -> None:
    browser.log_in(Role.QUALITY_OWNER)
    browser.client.cookies.set("callscore-language", "en")
    said = shown(browser.get("/reports", kind=kind.value))
    assert re.findall("[\u4e00-\u9fff]+", re.sub(DATA, "", said)) == []


# how far it is


def held(monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str) -> Event:
    """What is to be set before this function goes on."""
    go_on, made = Event(), getattr(module, name)

    def slow(*asked: object) -> object:
        go_on.wait(60)
        return made(*asked)

    monkeypatch.setattr(module, name, slow)
    return go_on


def test_a_report_that_takes_long_shows_how_far_it_is_and_opens_by_itself(
    browser: Browser, calls: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.review.pages.reports.SECONDS", 0.0)
    go_on = held(monkeypatch, desks, "report")
    page = browser.log_in(Role.QUALITY_OWNER).get("/reports")
    assert "正在算这份报表" in shown(page)
    assert tags(page, "progress")
    part = browser.client.get("/reports/progress", headers={"hx-request": "true"})
    assert "正在算这份报表" in part.text
    assert "<html" not in part.text
    go_on.set()
    _wait_for(browser)
    assert "概况" in shown(browser.get("/reports"))


def test_the_calls_behind_a_figure_come_when_they_are_counted(
    browser: Browser, calls: tuple[Made, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.review.pages.reports.SECONDS", 0.0)
    go_on = held(monkeypatch, reports, "calls_counted")
    asked = {"kind": "agent", "of": "hits", "key": "forbidden.shirking", **MONTH}
    page = browser.log_in(Role.QUALITY_OWNER).get("/reports/calls", **asked)
    assert "正在算这份报表" in shown(page)
    (path,) = [tag["hx-get"] or "" for tag in tags(page, "div") if tag.get("id") == "progress"]
    part = browser.client.get(unescape(path), headers={"hx-request": "true"})
    assert "正在算这份报表" in part.text
    assert "<html" not in part.text
    go_on.set()
    place = _wait_for(browser, unescape(path))
    assert "共 2 通" in shown(browser.client.get(place))
    assert "共 2 通" in shown(browser.get("/reports/calls", **asked))


def _wait_for(browser: Browser, path: str = "/reports/progress") -> str:
    """Where it leads to; "": to the same page."""
    for _ in range(600):
        answer = browser.client.get(path, headers={"hx-request": "true"})
        if answer.headers.get("hx-refresh") == "true":
            return ""
        if "hx-redirect" in answer.headers:
            return answer.headers["hx-redirect"]
        Event().wait(0.05)
    raise AssertionError("the report never came")


def test_facts_of_old_scorings_are_made_first(store: Store, settings: Settings, calls: object) -> None:
    with store._writing() as session:
        session.connection().exec_driver_sql("DELETE FROM facts")
    assert store.facts_missing() == len(calls)  # type: ignore[arg-type]
    made = Desk().ask(Order(kind=Kind.WEEK, asked=Asked()), store, settings, seconds=60)
    assert not isinstance(made, Progress)
    assert made.volume.calls == 7
    assert store.facts_missing() == 0


def test_what_goes_wrong_in_the_background_is_told_to_who_asked(store: Store, settings: Settings) -> None:
    order = Order(kind=Kind.TEAM, asked=Asked())
    with pytest.raises(UsageError, match="没有坐席名册"):
        Desk().ask(order, store, settings.model_copy(update={"roster": ""}), seconds=60)


def test_a_report_that_nobody_came_for_is_not_shown_later(
    store: Store, settings: Settings, calls: object
) -> None:
    now = [0.0]
    desk = Desk(clock=lambda: now[0])
    order = Order(kind=Kind.DAY, asked=Asked())
    assert isinstance(desk.ask(order, store, settings, seconds=0), Progress)
    while desk.progress(order) is not None:
        Event().wait(0.02)
    put(store, Made(number=99, agent="1001", day=6))
    now[0] = 61.0
    made = desk.ask(order, store, settings, seconds=60)
    assert not isinstance(made, Progress)
    assert made.volume.calls == 2


def test_not_more_reports_are_made_at_once_than_the_machine_bears(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on = Event()
    monkeypatch.setattr(desks, "surroundings", lambda settings: go_on.wait(60))
    desk = Desk()
    orders = [Order(kind=Kind.AGENT, asked=Asked(), agent=str(n)) for n in range(desks.MOST_JOBS + 1)]
    for order in orders[:-1]:
        desk.ask(order, store, settings, seconds=0)
    with pytest.raises(UsageError, match="正在算"):
        desk.ask(orders[-1], store, settings, seconds=0)
    go_on.set()
