"""What somebody tries who should not get in, or not that far."""

import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from httpx import Response
from page_help import HERE, Browser, shown, token_of

from pipeline.account import Role
from pipeline.audit import AuditFilter
from pipeline.errors import StorageError
from pipeline.review.app import PAGES
from pipeline.review.pages.login import is_own
from pipeline.storage.queue_records import DraftKey
from pipeline.storage.store import Store
from pipeline.workflows.accounts.policy import Action, scope
from pipeline.workflows.accounts.users import Application, By, add_user, set_agent, set_team
from pipeline.workflows.review.drafts import Saved, Saving, save
from pipeline.workflows.review.marks import Marks
from pipeline.workflows.review.sheet import sheet
from pipeline.workflows.rules import rules_folder

OURS, THEIRS = "1050", "1063"
"""The agents of the demo calls; 赵主管 leads the team of the first."""
NOWHERE = ("ffffffffffffffff", "d", "d0", "nothing", "%00", "%25", "%ED%A0%80", "x" * 3000)


@pytest.fixture
def house(scored: object, browser: Browser) -> Browser:
    """The demo calls, the agents in two teams."""
    by = By(who="cli:root", at=browser.at)
    set_agent("a1001", OURS, browser.store, by)
    asked = Application(login="a1063", role=Role.AGENT, password="五个 词 连 起来 也行 吧", agent_id=THEIRS)
    add_user(asked, browser.store, by)
    set_team("a1063", "乙班", browser.store, by)
    return browser


def call_of(store: Store, agent: str) -> str:
    return next(call.recording.id for call in store.calls() if call.recording.agent_id == agent)


def bare(answer: Response) -> str:
    """A page without what is new in each."""
    return answer.text.replace(token_of(answer), "")


def plays(browser: Browser) -> int:
    return len(browser.store.audit_lines(AuditFilter(action="call.play")))


# whose calls there are


@pytest.mark.parametrize("role", list(Role))
def test_nobody_learns_of_other_calls_or_where_files_lie_from_a_wrong_name(
    house: Browser, role: Role
) -> None:
    house.log_in(role)
    names = [call.recording.name for call in house.store.calls()]
    for name in NOWHERE:
        for path in (f"/calls/{name}", f"/calls/{name}/audio"):
            answer = house.get(path)
            assert answer.status_code in (403, 404)
            assert "/audio/d0" not in answer.text
            assert not [known for known in names if f"{known}（" in answer.text]


@pytest.mark.parametrize("role", [Role.AGENT, Role.INSPECTOR, Role.SUPERVISOR, Role.ADMIN])
def test_who_may_not_see_a_call_does_not_learn_whether_there_is_one(house: Browser, role: Role) -> None:
    house.log_in(role)
    there, nowhere = f"/calls/{call_of(house.store, THEIRS)}", f"/calls/{NOWHERE[0]}"
    for ending in ("", "/audio"):
        known, unknown = house.get(there + ending), house.get(nowhere + ending)
        assert (known.status_code, unknown.status_code) == (403, 403)
        assert len(known.text) == len(unknown.text)
    for ending in ("/mark", "/undo", "/submit", "/words", "/roles"):
        assert house.post(there + ending, {}).status_code == 403
        assert house.post(nowhere + ending, {}).status_code == 403


def test_who_may_see_every_call_is_told_that_there_is_none(house: Browser) -> None:
    assert house.log_in(Role.QUALITY_OWNER).get("/calls/nothing").status_code == 404


def test_a_supervisor_cannot_claim_a_call_of_another_team(house: Browser) -> None:
    house.log_in(Role.SUPERVISOR)
    theirs, ours = call_of(house.store, THEIRS), call_of(house.store, OURS)
    assert house.post("/queue/claim", {"call": theirs}).status_code == 403
    assert house.post("/queue/claim", {"call": NOWHERE[0]}).status_code == 403
    assert house.get(f"/calls/{theirs}").status_code == 403
    assert house.post("/queue/claim", {"call": ours}).status_code == 303


def test_nobody_is_given_a_call_in_which_they_speak(house: Browser) -> None:
    set_agent("wangmin", OURS, house.store, By(who="cli:root", at=house.at))
    house.log_in(Role.INSPECTOR)
    own = [call.recording.id for call in house.store.calls() if call.recording.agent_id == OURS]
    for recording_id in own:
        assert house.post("/queue/claim", {"call": recording_id}).status_code == 422
    for _ in house.store.calls():
        house.post("/queue/next", {})
    lines = [line for line in map(house.store.queue_line, own) if line is not None]
    assert [line.assigned_to for line in lines] == [None] * len(own)


def test_an_inspector_gives_nobody_calls(house: Browser) -> None:
    house.log_in(Role.INSPECTOR)
    theirs = call_of(house.store, THEIRS)
    house.post("/queue/assign", {"call": theirs, "to": "wangmin"})
    line = house.store.queue_line(theirs)
    assert line is not None
    assert line.assigned_to is None


def test_only_who_may_give_calls_deals_them_by_the_rules_of_the_house(house: Browser) -> None:
    for role in Role:
        asked = house.log_in(role).post("/queue/deal", {})
        assert asked.status_code == (403 if scope(role, Action.CALL_ASSIGN) is None else 422), role


def test_every_page_refuses_the_roles_that_have_no_use_for_it(house: Browser) -> None:
    theirs = call_of(house.store, THEIRS)
    for role in Role:
        house.log_in(role)
        for page in PAGES:
            if page.action is None or scope(role, page.action) is not None:
                continue
            path = page.path.replace("{call}", theirs).replace("{login}", "boss")
            path = path.replace("{rule}", "forbidden.shirking")
            answer = house.get(path) if page.method == "GET" else house.post(path, {"call": theirs})
            assert answer.status_code == 403, (role, page.method, page.path)


# sound


def test_who_begins_in_the_middle_of_a_call_is_in_the_audit_log(house: Browser) -> None:
    house.log_in(Role.QUALITY_OWNER)
    path = f"/calls/{call_of(house.store, OURS)}/audio"
    before = plays(house)
    house.client.get(path, headers={"range": "bytes=1-"})
    assert plays(house) == before + 1
    house.client.get(path, headers={"range": "bytes=5000-"})
    assert plays(house) == before + 1
    house.client.get(path, headers={"range": "bytes=0-"})
    assert plays(house) == before + 2
    house.at += timedelta(hours=2)
    house.log_in(Role.QUALITY_OWNER).client.get(path, headers={"range": "bytes=5000-"})
    assert plays(house) == before + 3


def test_who_plays_what_their_browser_kept_is_in_the_audit_log(house: Browser) -> None:
    house.log_in(Role.QUALITY_OWNER)
    path = f"/calls/{call_of(house.store, OURS)}/audio"
    tag = house.get(path).headers["etag"]
    house.at += timedelta(hours=2)
    house.log_in(Role.QUALITY_OWNER)
    before = plays(house)
    assert house.client.get(path, headers={"if-none-match": tag}).status_code == 304
    assert plays(house) == before + 1


def test_a_browser_asks_before_it_plays_a_kept_sound_to_somebody_else(house: Browser) -> None:
    house.log_in(Role.QUALITY_OWNER)
    path = f"/calls/{call_of(house.store, THEIRS)}/audio"
    answer = house.get(path)
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["vary"] == "Cookie"
    tag = answer.headers["etag"]
    for role in (Role.AGENT, Role.INSPECTOR, Role.SUPERVISOR, Role.AUDITOR):
        refused = house.log_in(role).client.get(path, headers={"if-none-match": tag})
        assert refused.status_code == 403, role


# what is no request of a browser


ODD = (
    "/queue?plan=99999999999999999999",
    "/queue?plan=-1",
    "/queue?plan=NaN",
    "/queue?since=0001-01-01&until=9999-12-31",
    "/queue?until=9999-12-31",
    "/queue?after=99999999999999999999~x",
    "/queue?text=%00%ED%A0%80%FF",
    "/queue?" + "a=1&" * 300,
    "/queue?" + "&".join(f"a{n}=1" for n in range(300)),
    "/reports?kind=day&date=9999-12-31",
    "/reports?kind=week&date=0001-01-01",
    "/reports?kind=agent&since=0001-01-01&until=9999-12-31",
    "/reports?kind=agent&since=1970-01-01&until=2099-12-31",
    "/reports?least=99999999999999999999",
    "/reports/calls?of=hits&key=%00%FF",
    "/reports/calls?of=item&key=" + "x" * 5000,
    "/reports/progress?kind=week&date=9999-12-31",
    "/rules/%00",
    "/rules/..%2f..%2fetc",
    "/rules/forbidden.shirking/history?revision=--output=x",
    "/rules/try?phrase=%00&role=%FF",
    "/static/x/..%2f..%2fapp.py",
    "/calls/" + "长" * 500,
    "//elsewhere.example/",
    "/login?next=http://[",
)


@pytest.mark.parametrize("path", ODD)
def test_an_odd_address_is_no_fault_of_the_program(house: Browser, path: str) -> None:
    answer = house.log_in(Role.QUALITY_OWNER).get(path)
    assert answer.status_code < 500, answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "path",
    [
        "/audit?since=0001-01-01",
        "/audit?since=9999-12-31",
        "/audit?before=99999999999999999999",
        "/audit?who=%00&object=%FF",
        "/users/%00",
    ],
)
def test_an_odd_address_of_an_administrator_is_no_fault_of_the_program(house: Browser, path: str) -> None:
    assert house.log_in(Role.ADMIN).get(path).status_code < 500


def odd_forms() -> Iterator[dict[str, str]]:
    for value in ("99999999999999999999", "-1", "NaN", "\x00", "\ufffd", "x" * 10_000):
        yield {"version": value, "start": value, "end": value, "kind": "add", "target": value}
        yield {"version": "0", "kind": "value", "target": value, "value": value, "reason": value}
        yield {"version": "0", "kind": "note", "value": value, "call": value, "to": value}
        yield {"version": value, "text": value, "corrected": value, "phrase": value, "reason": value}
        yield {"seen_reviews": value, "seen_scorecard": value, "partial": value, "then": value}
        yield {"text": value, "after": value, "least": value, "since": value, "rule": value}


@pytest.mark.parametrize("fields", list(odd_forms()))
def test_an_odd_form_is_no_fault_of_the_program(house: Browser, fields: dict[str, str]) -> None:
    house.log_in(Role.QUALITY_OWNER)
    call = f"/calls/{call_of(house.store, OURS)}"
    places = ("mark", "undo", "submit", "words", "roles")
    others = ("/queue/claim", "/queue/back", "/queue/assign", "/queue/accept", "/search", "/rules/try")
    for path in (*(f"{call}/{place}" for place in places), *others):
        answer = house.post(path, fields)
        assert answer.status_code < 500, (path, answer.text)


@pytest.mark.parametrize("origin", ["http://[", "ftp://testserver", "https://testserver@evil.example", "x"])
def test_an_odd_origin_is_another_site(browser: Browser, origin: str) -> None:
    browser.log_in(Role.INSPECTOR)
    fields = {"csrf": token_of(browser.get("/me")), "language": "en"}
    assert browser.client.post("/language", data=fields, headers={"origin": origin}).status_code == 403


@pytest.mark.parametrize("address", ["http://[", "//evil.example", "/\\evil.example", "/\t/evil.example"])
def test_after_the_login_nobody_is_sent_elsewhere(browser: Browser, address: str) -> None:
    assert not is_own(address)
    fields = {"login": "wangmin", "password": "四个 不相干的词 连起来 就行", "next": address}
    answer = browser.post("/login", fields, page="/login")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_ways_to_ask_do_nothing_and_carry_the_policy(browser: Browser, method: str) -> None:
    answer = browser.log_in(Role.ADMIN).client.request(method, "/users", headers={"origin": HERE})
    assert (answer.status_code, answer.text) == (405, "")
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_who_comes_with_an_old_cookie_can_log_in(browser: Browser) -> None:
    browser.client.cookies.set("__Host-callscore", "x" * 40, domain="testserver")
    answer = browser.post(
        "/login", {"login": "wangmin", "password": "四个 不相干的词 连起来 就行"}, page="/login"
    )
    assert answer.status_code == 303


# when something else is broken


def test_a_locked_database_is_told_on_the_page(
    house: Browser, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    house.log_in(Role.INSPECTOR)

    def locked(self: Store, digest: str) -> None:
        raise StorageError("database is locked", passing=True)

    monkeypatch.setattr(Store, "session", locked)
    answer = house.get("/queue")
    assert (answer.status_code, "数据库暂时用不了" in answer.text) == (503, True)


def test_who_only_reads_does_not_wait_for_the_note_that_they_are_there(
    house: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.log_in(Role.INSPECTOR)
    house.at += timedelta(minutes=2)

    def locked(self: Store, digest: str, at: datetime) -> None:
        raise StorageError("database is locked", passing=True)

    monkeypatch.setattr(Store, "touch_session", locked)
    assert house.get("/queue").status_code == 200


def test_a_broken_rule_file_is_told_in_one_line(house: Browser, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(rules_folder(house.settings), rules)
    (rules / "forbidden" / "shirking.yml").write_text("id: [", encoding="utf-8")
    broken = Browser(store=house.store, settings=house.settings.model_copy(update={"rules": str(rules)}))
    broken.log_in(Role.QUALITY_OWNER)
    call = f"/calls/{call_of(house.store, OURS)}"
    assert broken.get(call).status_code == 200
    answer = broken.post(f"{call}/roles", {"reason": "两边反了"})
    told = shown(answer)
    assert answer.status_code == 503
    assert "规则文件有错" in told
    assert "forbidden/shirking.yml:1:" in told
    assert "four_areas" not in told


def test_after_a_call_that_is_handed_in_nobody_is_led_back_to_it(house: Browser) -> None:
    house.log_in(Role.INSPECTOR)
    seen = []
    for _ in range(3):
        at = house.post("/queue/next", {}) if not seen else handed_in(house, seen[-1])
        where = at.headers.get("location") or at.headers["hx-redirect"]
        seen.append(where.removeprefix("/calls/"))
    assert len(set(seen)) == 3
    assert "退回" not in shown(house.get(f"/calls/{seen[0]}"))


def handed_in(house: Browser, recording_id: str) -> Response:
    """The answer to handing a call in with every item decided."""
    now = sheet(house.store, recording_id, "wangmin")
    values = tuple((item.id, item.levels[0].title) for item in now.template.items)
    marks = Marks(who="wangmin", values=values, reason="听过")
    saving = Saving(
        key=DraftKey(recording_id=recording_id, who="wangmin"), marks=marks, version=0, seen=now.seen
    )
    assert isinstance(save(house.store, saving, at=house.at, until=house.at + timedelta(hours=1)), Saved)
    return house.post(f"/calls/{recording_id}/submit", {"version": "1", "then": "next"})
