"""Behind a proxy that ends TLS: whose address is believed, and what a forged head of a request can do."""

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from page_help import HERE, LOGINS, PASSWORD, Browser, token_of
from starlette.testclient import TestClient

from pipeline.account import Role
from pipeline.audit import AuditFilter
from pipeline.review.server import Address, config_of
from pipeline.review.site import Site

PROXY, SOMEBODY = "127.0.0.1", "203.0.113.9"
INSPECTOR = LOGINS[Role.INSPECTOR]


@contextmanager
def asked_by(browser: Browser, peer: str, *, behind_tls: bool) -> Iterator[Browser]:
    """Whoever is at the other end of the connection, as uvicorn hands it on."""
    site = Site(store=browser.store, settings=browser.settings, clock=lambda: browser.at)
    config = config_of(site, Address(behind_tls=behind_tls))
    config.load()
    browser.client = TestClient(
        config.loaded_app, base_url=HERE, follow_redirects=False, client=(peer, 40_000)
    )
    yield browser


def wrong_login(browser: Browser, **heads: str) -> None:
    fields = {"csrf": token_of(browser.get("/login")), "login": INSPECTOR, "password": "wrong wrong wrong"}
    named = {name.replace("_", "-"): value for name, value in heads.items()}
    browser.client.post("/login", data=fields, headers={"origin": HERE, **named})


def address_kept(browser: Browser) -> str:
    return str(json.loads(browser.store.audit_lines(AuditFilter(action="login.failed"))[0].detail)["address"])


@pytest.mark.parametrize(
    ("peer", "behind_tls", "forwarded", "believed"),
    [
        (PROXY, True, "198.51.100.7", "198.51.100.7"),
        (PROXY, True, "10.9.9.9, 198.51.100.7", "198.51.100.7"),
        (PROXY, True, "127.0.0.1, 198.51.100.7", "198.51.100.7"),
        (SOMEBODY, True, "198.51.100.7", SOMEBODY),
        (SOMEBODY, True, "127.0.0.1", SOMEBODY),
        (PROXY, False, "198.51.100.7", PROXY),
        (SOMEBODY, False, "127.0.0.1", SOMEBODY),
    ],
)
def test_the_address_is_that_of_the_last_hop_before_our_proxy(
    browser: Browser, peer: str, behind_tls: bool, forwarded: str, believed: str
) -> None:
    with asked_by(browser, peer, behind_tls=behind_tls):
        wrong_login(browser, x_forwarded_for=forwarded)
    assert address_kept(browser) == believed


def test_forged_addresses_do_not_get_around_the_throttle(browser: Browser) -> None:
    tries = browser.settings.address_tries
    with asked_by(browser, SOMEBODY, behind_tls=True):
        for number in range(tries + 2):
            fields = {"login": f"nobody{number}", "password": "wrong wrong wrong"}
            fields["csrf"] = token_of(browser.get("/login"))
            heads = {"origin": HERE, "x-forwarded-for": f"198.51.100.{number}", "x-real-ip": "10.0.0.1"}
            answer = browser.client.post("/login", data=fields, headers=heads)
    assert answer.status_code == 429


@pytest.mark.parametrize("behind_tls", [True, False])
def test_a_forged_host_or_scheme_opens_no_door_to_other_sites(browser: Browser, behind_tls: bool) -> None:
    with asked_by(browser, PROXY, behind_tls=behind_tls):
        browser.log_in(Role.INSPECTOR)
        fields = {"csrf": token_of(browser.get("/me")), "language": "en"}
        heads = {
            "origin": "https://evil.example",
            "x-forwarded-host": "evil.example",
            "x-forwarded-proto": "https",
            "forwarded": "host=evil.example",
        }
        assert browser.client.post("/language", data=fields, headers=heads).status_code == 403


def test_who_is_logged_in_is_what_the_cookie_says_and_no_head(browser: Browser) -> None:
    with asked_by(browser, PROXY, behind_tls=True):
        heads = {"x-forwarded-user": LOGINS[Role.ADMIN], "remote-user": LOGINS[Role.ADMIN]}
        assert browser.client.get("/users", headers=heads).status_code == 303
        browser.log_in(Role.INSPECTOR, PASSWORD)
        assert browser.client.get("/users", headers=heads).status_code == 403
