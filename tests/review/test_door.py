"""The one door of every page: who asks, may they, from where, and what the browser is told."""

import socket
import tomllib
from hashlib import sha256
from pathlib import Path

import pytest
from page_help import HERE, Browser, token_of

from pipeline.account import Role
from pipeline.errors import UsageError
from pipeline.review.app import PAGES
from pipeline.review.assets import STATIC
from pipeline.review.page import Access, Page
from pipeline.review.pages.login import is_own
from pipeline.review.server import Address, check_address, listening

OPEN = {
    ("GET", "/"),
    ("GET", "/login"),
    ("POST", "/login"),
    ("POST", "/logout"),
    ("POST", "/language"),
    ("GET", "/static/{digest}/{name:path}"),
}
"""What needs no login; a page more is a decision."""


def test_only_these_pages_need_no_login() -> None:
    assert {(p.method, p.path) for p in PAGES if p.access is Access.EVERYBODY} == OPEN


def test_a_page_without_a_policy_is_refused_when_it_is_made() -> None:
    with pytest.raises(ValueError, match="/new"):
        Page(path="/new", answer=lambda visit: None)


def test_nobody_sees_anything_without_a_login(browser: Browser) -> None:
    for page in PAGES:
        if page.access is Access.EVERYBODY or page.method != "GET":
            continue
        answer = browser.get(page.path.replace("{", "").replace("}", ""))
        assert answer.status_code == 303, page.path
        assert answer.headers["location"].startswith("/login"), page.path


def test_every_writing_page_wants_the_token_of_this_session(browser: Browser) -> None:
    browser.log_in(Role.SUPERVISOR)
    for page in PAGES:
        if page.method == "GET":
            continue
        path = page.path.replace("{", "").replace("}", "")
        for fields in ({}, {"csrf": "0" * 64}):
            answer = browser.client.post(path, data=fields or {"x": "1"}, headers={"origin": HERE})
            assert answer.status_code == 403, page.path


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "https://testserver.evil.example"])
def test_a_form_of_another_site_does_nothing(browser: Browser, origin: str) -> None:
    browser.log_in(Role.INSPECTOR)
    fields = {"csrf": token_of(browser.get("/me")), "language": "en"}
    answer = browser.client.post("/language", data=fields, headers={"origin": origin} if origin else {})
    assert answer.status_code == 403


def test_the_token_of_one_session_is_no_good_in_another(browser: Browser) -> None:
    browser.log_in(Role.INSPECTOR)
    token = token_of(browser.get("/me"))
    browser.log_in(Role.SUPERVISOR)
    answer = browser.client.post("/logout", data={"csrf": token}, headers={"origin": HERE})
    assert answer.status_code == 403


def test_after_the_logout_the_cookie_opens_nothing(browser: Browser) -> None:
    browser.log_in(Role.INSPECTOR)
    cookie = browser.client.cookies["__Host-callscore"]
    browser.post("/logout", {})
    browser.client.cookies.set("__Host-callscore", cookie, domain="testserver")
    assert browser.get("/me").status_code == 303


def test_the_cookie_is_for_this_host_only_and_no_script_reads_it(browser: Browser) -> None:
    answer = browser.log_in(Role.INSPECTOR).get("/login")
    answer = browser.post("/login", {"login": "wangmin", "password": "wrong wrong wrong"}, page="/login")
    assert answer.status_code == 401
    fresh = Browser(store=browser.store, settings=browser.settings)
    made = fresh.post(
        "/login", {"login": "wangmin", "password": "四个 不相干的词 连起来 就行"}, page="/login"
    )
    cookie = made.headers["set-cookie"]
    assert cookie.startswith("__Host-callscore=")
    assert {"httponly", "secure", "path=/", "samesite=strict"} <= set(cookie.lower().split("; "))


def test_every_answer_has_a_policy_that_lets_no_foreign_script_run(browser: Browser) -> None:
    for answer in (
        browser.get("/login"),
        browser.log_in(Role.INSPECTOR).get("/me"),
        browser.get("/nowhere/x"),
    ):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_a_nonce_is_used_once(browser: Browser) -> None:
    first, second = (browser.get("/login").headers["content-security-policy"] for _ in range(2))
    assert first != second


def test_pages_behind_the_login_are_not_kept_by_the_browser(browser: Browser) -> None:
    assert browser.log_in(Role.INSPECTOR).get("/me").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "address", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:alert(1)", "", "x"]
)
def test_nobody_is_sent_elsewhere_after_the_login(address: str) -> None:
    assert not is_own(address)


def test_after_the_login_one_is_where_one_wanted_to_be(browser: Browser) -> None:
    fields = {"login": "wangmin", "password": "四个 不相干的词 连起来 就行", "next": "/queue?sort=newest"}
    assert browser.post("/login", fields, page="/login").headers["location"] == "/queue?sort=newest"


def test_a_form_that_is_too_large_is_not_read(browser: Browser) -> None:
    browser.log_in(Role.INSPECTOR)
    answer = browser.client.post("/language", data={"x": "y" * 600_000}, headers={"origin": HERE})
    assert answer.status_code == 413


def test_files_are_only_those_of_the_table(browser: Browser) -> None:
    assert browser.get("/static/x/app.css").status_code == 200
    for name in ("../guard.py", "%2e%2e/guard.py", "vendor/manifest.toml", "/etc/passwd", ""):
        assert browser.get(f"/static/x/{name}").status_code == 404, name


def test_the_scripts_of_others_are_those_that_were_published() -> None:
    manifest = tomllib.loads((STATIC / "vendor" / "manifest.toml").read_text(encoding="utf-8"))
    listed = {entry["file"]: entry["sha256"] for entry in manifest["script"]}
    found = {p.name: sha256(p.read_bytes()).hexdigest() for p in (STATIC / "vendor").glob("*.js")}
    assert found == listed


def test_the_documents_list_the_scripts_that_come_along() -> None:
    page = (Path(__file__).parents[2] / "docs" / "page.md").read_text(encoding="utf-8")
    manifest = tomllib.loads((STATIC / "vendor" / "manifest.toml").read_text(encoding="utf-8"))
    for entry in manifest["script"]:
        row = f"| {entry['file']} | {entry['version']} | {entry['licence']} | `{entry['sha256']}` |"
        assert row in page


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "callscore.example"])  # noqa: S104
def test_the_network_is_refused_without_tls(host: str) -> None:
    with pytest.raises(UsageError, match="明文"):
        check_address(Address(host=host))
    check_address(Address(host=host, behind_tls=True))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.8.8.8"])
def test_this_machine_needs_no_tls(host: str) -> None:
    check_address(Address(host=host))


def test_a_port_that_is_taken_is_told_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"{port} 已被别的程序占用") as told:
            listening(Address(port=port))
    assert "--port" in (told.value.hint or "")


def test_the_address_of_another_machine_cannot_be_listened_on() -> None:
    with pytest.raises(UsageError, match="不是这台机器的地址"):
        listening(Address(host="203.0.113.7", behind_tls=True))
