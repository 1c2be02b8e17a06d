"""Users, the audit log and the help page: who may, what is written down, what is never shown again."""

import re
from dataclasses import replace

import pytest
from page_help import AT, HOSTILE, LOGINS, PASSWORD, Browser, assert_harmless, links, shown, tags

from pipeline.account import Role
from pipeline.audit import AuditEntry, AuditFilter
from pipeline.storage.store import Store
from pipeline.workflows.accounts.policy import POLICY, Action
from pipeline.workflows.accounts.users import By, reset_password

NEW = {"login": "sunli", "name": "孙丽", "role": "inspector", "team": "丙班", "agent_id": ""}
BOSS = LOGINS[Role.ADMIN]
TEMPORARY = re.compile(r"[a-z2-9]{5}(?:-[a-z2-9]{5}){3}")
OWN = "我自己的 新密码 六个字以上"
WRITING = (
    "/users",
    "/users/wangmin/password",
    "/users/wangmin/role",
    "/users/wangmin/team",
    "/users/wangmin/agent",
    "/users/wangmin/standing",
)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_only_administrators_manage_users(browser: Browser, store: Store, role: Role) -> None:
    before = store.users()
    browser.log_in(role)
    assert browser.get("/users").status_code == 403
    assert browser.get("/users/wangmin").status_code == 403
    for path in WRITING:
        answer = browser.post(path, {**NEW, "role": "admin", "disabled": "1", "team": "x"})
        assert answer.status_code == 403
    assert store.users() == before


@pytest.mark.parametrize("path", WRITING)
def test_nothing_is_changed_without_the_token_of_the_page(browser: Browser, store: Store, path: str) -> None:
    browser.log_in(Role.ADMIN)
    before = store.users()
    fields = {**NEW, "disabled": "1"}
    for headers, more in (
        ({"origin": "https://testserver"}, {}),
        ({"origin": "https://elsewhere"}, {"csrf": "0" * 64}),
        ({}, {"csrf": "0" * 64}),
    ):
        assert browser.client.post(path, data=fields | more, headers=headers).status_code == 403
    assert store.users() == before


def test_a_new_user_gets_a_password_that_is_shown_once_and_must_be_changed(
    browser: Browser, store: Store
) -> None:
    page = browser.log_in(Role.ADMIN).post("/users", NEW)
    (password,) = TEMPORARY.findall(page.text)
    assert page.headers["cache-control"] == "no-store"
    assert not TEMPORARY.search(browser.get("/users").text)
    made = store.user("sunli")
    assert (made.name, made.role, made.must_change) == ("孙丽", Role.INSPECTOR, True)
    browser.log_in("sunli", password)
    for path in ("/", "/reports", "/queue"):
        answer = browser.client.get(path, follow_redirects=True)
        assert answer.url.path in ("/me", "/queue")
    assert browser.get("/reports").headers["location"] == "/me"
    assert "临时密码" in shown(browser.get("/me"))
    changed = browser.post("/me/password", {"old": password, "new": OWN, "again": OWN})
    assert changed.status_code == 303
    assert not store.user("sunli").must_change
    assert browser.log_in("sunli", OWN).get("/reports").status_code == 200


def test_a_part_of_a_page_is_not_had_with_a_temporary_password_either(browser: Browser, store: Store) -> None:
    password = reset_password("wangmin", store, By(who=BOSS, at=AT))
    browser.log_in("wangmin", password)
    answer = browser.client.get("/reports/progress", headers={"hx-request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (403, "/me")


def test_a_reset_ends_the_sessions_and_the_old_password(browser: Browser, store: Store) -> None:
    inspector = replace(browser).log_in(Role.INSPECTOR)
    page = browser.log_in(Role.ADMIN).post("/users/wangmin/password", {})
    (password,) = TEMPORARY.findall(page.text)
    assert inspector.get("/me").headers["location"].startswith("/login")
    refused = inspector.post("/login", {"login": "wangmin", "password": PASSWORD}, page="/login")
    assert refused.status_code == 401
    assert inspector.log_in("wangmin", password).get("/me").status_code == 200


def test_two_temporary_passwords_are_never_the_same(store: Store) -> None:
    made = {reset_password("wangmin", store, By(who=BOSS, at=AT)) for _ in range(20)}
    assert len(made) == 20


def test_changes_are_kept_and_written_down_with_who_made_them(browser: Browser, store: Store) -> None:
    browser.log_in(Role.ADMIN)
    for path, fields in (
        ("role", {"role": "supervisor"}),
        ("team", {"team": "乙班"}),
        ("agent", {"agent_id": "1009"}),
        ("standing", {"disabled": "1"}),
        ("standing", {"disabled": "0"}),
        ("password", {}),
    ):
        assert browser.post(f"/users/wangmin/{path}", fields).status_code in (200, 303)
    user = store.user("wangmin")
    team = {team.id: team.name for team in store.teams()}[user.team_id or 0]
    assert (user.role, team, user.agent_id, user.disabled) == (Role.SUPERVISOR, "乙班", "1009", False)
    lines = store.audit_lines(AuditFilter(who=BOSS, object="user:wangmin"))
    actions = ["user.password_reset", "user.enabled", "user.disabled", "user.agent", "user.team", "user.role"]
    assert [line.action for line in lines] == actions
    page = browser.get("/users/wangmin")
    assert all(action in shown(page) for action in actions)


def test_no_password_is_in_the_audit_log(browser: Browser, store: Store) -> None:
    page = browser.log_in(Role.ADMIN).post("/users", NEW)
    (password,) = TEMPORARY.findall(page.text)
    assert not [line for line in store.audit_lines(AuditFilter()) if password in line.detail]


@pytest.mark.parametrize(("path", "fields"), [("standing", {"disabled": "1"}), ("role", {"role": "auditor"})])
def test_the_last_administrator_cannot_be_shut_out(
    browser: Browser, store: Store, path: str, fields: dict[str, str]
) -> None:
    answer = browser.log_in(Role.ADMIN).post(f"/users/{BOSS}/{path}", fields)
    assert answer.status_code == 422
    assert "最后一个能用的管理员" in shown(answer)
    assert (store.user(BOSS).role, store.user(BOSS).disabled) == (Role.ADMIN, False)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"login": "wangmin"}, "已有人用"),
        ({"login": "有 空格"}, "不能用"),
        ({"role": "agent"}, "坐席要写明工号"),
        ({"role": "boss"}, "没有角色"),
        ({"name": "长" * 65}, "不能用"),
    ],
)
def test_what_will_not_do_is_told_and_adds_nobody(
    browser: Browser, store: Store, changed: dict[str, str], told: str
) -> None:
    before = store.users()
    answer = browser.log_in(Role.ADMIN).post("/users", NEW | changed)
    assert answer.status_code == 422
    assert told in shown(answer)
    assert store.users() == before


def test_a_form_that_will_not_do_keeps_what_was_typed(browser: Browser) -> None:
    page = browser.log_in(Role.ADMIN).post("/users", NEW | {"role": "agent"})
    values = {tag["name"]: tag.get("value") for tag in tags(page, "input") if tag.get("name")}
    assert (values["login"], values["name"], values["team"]) == ("sunli", "孙丽", "丙班")


def test_an_agent_keeps_a_number(browser: Browser, store: Store) -> None:
    answer = browser.log_in(Role.ADMIN).post("/users/a1001/agent", {"agent_id": ""})
    assert answer.status_code == 422
    assert store.user("a1001").agent_id == "1001"


def test_who_is_not_known_is_not_found(browser: Browser) -> None:
    browser.log_in(Role.ADMIN)
    assert browser.get("/users/nobody").status_code == 404
    assert browser.post("/users/nobody/password", {}).status_code == 404


def test_names_and_teams_run_nowhere(browser: Browser, store: Store) -> None:
    browser.log_in(Role.ADMIN)
    for n, bad in enumerate(HOSTILE):
        page = browser.post("/users", {**NEW, "login": f"u{n}", "name": bad, "team": bad, "agent_id": bad})
        assert page.status_code == 200
        assert_harmless(page)
        one = browser.get(f"/users/u{n}")
        assert bad in shown(one)
        assert_harmless(one)


# the audit log


@pytest.mark.parametrize("role", Role)
def test_the_audit_log_is_for_administrators_and_auditors(browser: Browser, role: Role) -> None:
    expected = 200 if role in (Role.ADMIN, Role.AUDITOR) else 403
    browser.log_in(role)
    assert browser.get("/audit").status_code == expected
    assert browser.get("/audit/verified").status_code == expected


def test_looking_at_the_log_changes_nothing(browser: Browser, store: Store) -> None:
    browser.log_in(Role.AUDITOR)
    before = list(store.audit_chain())
    browser.get("/audit")
    browser.get("/audit/verified")
    assert list(store.audit_chain()) == before
    assert browser.client.post("/audit").status_code == 405


def test_every_filter_of_the_log_holds(browser: Browser, store: Store) -> None:
    store.record(
        AuditEntry(at=AT, who="wangmin", action="call.played", object="call:abc", detail={"from": 1200}),
        AuditEntry(at=AT.replace(year=2025), who="zhaozg", action="call", object="call:abd"),
        AuditEntry(at=AT, who="zhaozg", action="callback", object="x:call:abc"),
    )
    browser.log_in(Role.AUDITOR)
    assert _lines(browser, action="call") == [("zhaozg", "call"), ("wangmin", "call.played")]
    assert _lines(browser, who="zhaozg", action="call") == [("zhaozg", "call")]
    assert _lines(browser, object="call:ab") == [("zhaozg", "call"), ("wangmin", "call.played")]
    assert _lines(browser, object="call:", since="2026-01-01") == [("wangmin", "call.played")]
    assert "1200" in shown(browser.get("/audit", object="call:abc"))
    assert "没有符合条件的记录" in shown(browser.get("/audit", who="%"))


def test_a_day_that_is_none_is_told_on_the_page(browser: Browser) -> None:
    page = browser.log_in(Role.AUDITOR).get("/audit", since="昨天")
    assert page.status_code == 422
    assert "应为日期" in shown(page)


def test_pages_of_the_log_follow_each_other_without_a_gap(browser: Browser, store: Store) -> None:
    store.record(
        *(AuditEntry(at=AT, who="wangmin", action="call.played", object=f"call:{n}") for n in range(230))
    )
    browser.log_in(Role.AUDITOR)
    found: list[str] = []
    address = "/audit?action=call"
    for _ in range(3):
        page = browser.client.get(address)
        found += re.findall(r">call:(\d+)<", page.text)
        older = [tag["href"] for tag in tags(page, "a") if tag.get("rel") == "next"]
        address = older[0] or "" if older else ""
    assert found == [str(n) for n in reversed(range(230))]
    assert address == ""


def test_a_log_that_is_whole_is_said_to_be_so(browser: Browser, store: Store) -> None:
    page = browser.log_in(Role.AUDITOR).get("/audit/verified")
    assert f"{sum(1 for _ in store.audit_chain())} 条，和写下时一样" in shown(page)


def test_an_edited_line_is_found_and_named(browser: Browser, store: Store) -> None:
    browser.log_in(Role.AUDITOR)
    with store._writing() as session:
        session.connection().exec_driver_sql("UPDATE audit_log SET who = 'x<b>' WHERE seq = 2")
    page = browser.get("/audit/verified")
    assert "1 处不对" in shown(page)
    assert "和封印不符" in shown(page)
    assert "x<b>" in shown(browser.get("/audit"))


def test_what_is_in_the_log_runs_nowhere(browser: Browser, store: Store) -> None:
    store.record(
        *(AuditEntry(at=AT, who=bad, action=bad, object=f"call:{bad}", detail={bad: bad}) for bad in HOSTILE)
    )
    browser.log_in(Role.AUDITOR)
    page = browser.get("/audit")
    assert all(bad in shown(page) for bad in HOSTILE)
    assert_harmless(page)
    for bad in HOSTILE:
        assert_harmless(browser.get("/audit", who=bad, action=bad, object=bad))


def _lines(browser: Browser, **asked: str) -> list[tuple[str, str]]:
    """Who and what, newest first, of a filtered page."""
    page = browser.get("/audit", **asked)
    who = [link.partition("who=")[2] for link in links(page) if link.startswith("/audit?who=")]
    action = [link.partition("action=")[2] for link in links(page) if link.startswith("/audit?action=")]
    return list(zip(who, action, strict=True))


# help


@pytest.mark.parametrize("role", Role)
def test_help_tells_everybody_what_they_may_do(browser: Browser, role: Role) -> None:
    page = browser.log_in(role).get("/help")
    assert page.status_code == 200
    own = shown(page).partition("各角色")[0]
    for action in Action:
        assert (f"{action.chinese} " in own) is (action in POLICY[role])
    assert "/help" in links(page)


def test_the_pages_in_english(browser: Browser) -> None:
    browser.log_in(Role.ADMIN)
    browser.client.cookies.set("callscore-language", "en")
    for path, words in (
        ("/users", "Add a user"),
        ("/users/wangmin", "Reset password"),
        ("/audit", "Audit log"),
        ("/help", "What you may do"),
        ("/audit/verified", "as it was written"),
    ):
        page = browser.get(path)
        assert words in shown(page), path
