"""The application with users of every role, and a browser that logs in: what the tests of the pages share."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode

from argon2 import PasswordHasher
from httpx import Response
from starlette.testclient import TestClient

from pipeline.account import Role
from pipeline.review.app import create_app
from pipeline.review.site import Site
from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.workflows.accounts.users import Application, By, add_user

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
AT = datetime(2026, 6, 1, 2, tzinfo=UTC)
BY = By(who="cli:root", at=AT)
PASSWORD = "四个 不相干的词 连起来 就行"
HERE = "https://testserver"
ROSTER = "agent_id,team,since\n1001,甲班,2019-03-01\n1002,甲班,2019-03-01\n1003,乙班,2019-03-01\n"
LOGINS = {
    Role.AGENT: "a1001",
    Role.INSPECTOR: "wangmin",
    Role.SUPERVISOR: "zhaozg",
    Role.QUALITY_OWNER: "qowner",
    Role.ADMIN: "boss",
    Role.AUDITOR: "auditor",
}
"""A user of each role; the supervisor leads 甲班."""
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "'-alert(1)-'",
    "{{7*7}}",
    "</textarea><script>alert(1)</script>",
    "javascript:alert(1)",
)


def settings_in(folder: Path) -> Settings:
    """Settings of a new house with two teams."""
    roster = folder / "名册.csv"
    roster.write_text(ROSTER, encoding="utf-8")
    database = f"sqlite:///{folder}/calls.db"
    return Settings(database=database, audit_key=f"{folder}/audit.key", roster=str(roster))


def add_users(store: Store) -> None:
    """One of every role."""
    for role, login in LOGINS.items():
        asked = Application(
            login=login,
            role=role,
            password=PASSWORD,
            team="甲班" if role in (Role.SUPERVISOR, Role.AGENT) else "",
            agent_id="1001" if role is Role.AGENT else "",
        )
        add_user(asked, store, BY)


@dataclass(slots=True)
class Browser:
    """Somebody at the page. `at`: what the clock of the house says."""

    store: Store
    settings: Settings
    at: datetime = AT
    client: TestClient = field(init=False)

    def __post_init__(self) -> None:
        site = Site(store=self.store, settings=self.settings, clock=lambda: self.at)
        self.client = TestClient(create_app(site), base_url=HERE, follow_redirects=False)

    def log_in(self, who: Role | str, password: str = PASSWORD) -> "Browser":
        """As somebody else from now on."""
        self.client.cookies.clear()
        login = LOGINS[who] if isinstance(who, Role) else who
        answer = self.post("/login", {"login": login, "password": password}, page="/login")
        assert answer.status_code == 303, answer.text
        return self

    def get(self, path: str, **query: str) -> Response:
        return self.client.get(f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, fields: dict[str, str], *, page: str = "/me") -> Response:
        """A form sent from a page of ours, with its token."""
        fields = {"csrf": token_of(self.get(page)), **fields}
        return self.client.post(path, data=fields, headers={"origin": HERE})


def token_of(answer: Response) -> str:
    found = re.search(r'name="csrf" (?:content|value)="([0-9a-f]+)"', answer.text)
    assert found, answer.text[:500]
    return found[1]


def version(answer: Response) -> str:
    found = answer.text.split('data-version="', 1)[1]
    return found.split('"', 1)[0]


class Desk:
    """An inspector at one call."""

    def __init__(self, browser: Browser, call: str, who: Role | str = Role.INSPECTOR, path: str = "") -> None:
        self.browser = browser.log_in(who)
        self.id = browser.store.find_call(call).id
        self.path = path or f"/calls/{self.id}"

    def claim(self) -> "Desk":
        answer = self.browser.post("/queue/claim", {"call": self.id})
        assert answer.status_code == 303, shown(answer)
        return self

    def page(self) -> Response:
        return self.browser.get(self.path)

    def mark(self, kind: str, target: str, value: str = "", **more: str) -> Response:
        page = self.page()
        fields = {"kind": kind, "target": target, "value": value, "version": version(page), **more}
        return self.browser.client.post(
            f"{self.path}/mark",
            data={"csrf": token_of(page), **fields},
            headers={"origin": "https://testserver", "hx-request": "true"},
        )

    def send(self, what: str, **fields: str) -> Response:
        page = self.page()
        return self.browser.client.post(
            f"{self.path}/{what}",
            data={"csrf": token_of(page), "version": version(page), **fields},
            headers={"origin": "https://testserver", "hx-request": "true"},
        )


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def tags(answer: Response, name: str) -> list[dict[str, str | None]]:
    """The attributes of all tags of a name."""
    parser = _Tags()
    parser.feed(answer.text)
    return [attributes for tag, attributes in parser.found if tag == name]


def links(answer: Response) -> list[str]:
    return [unescape(tag["href"] or "") for tag in tags(answer, "a") if tag.get("href")]


def shown(answer: Response) -> str:
    """The text of a page, without blanks that mean nothing."""
    parser = _Tags()
    parser.feed(answer.text)
    return re.sub(r"\s+", " ", "".join(parser.text))


def assert_harmless(answer: Response) -> None:
    """Every script is one of ours, nothing is done by an attribute, no address runs anything."""
    parser = _Tags()
    parser.feed(answer.text)
    nonce = re.search(r"'nonce-([^']+)'", answer.headers["content-security-policy"])
    assert nonce
    for tag, attributes in parser.found:
        if tag == "script":
            assert attributes.get("nonce") == nonce[1]
        assert not [name for name in attributes if name.startswith("on") or name == "style"], (
            tag,
            attributes,
        )
        for name in ("href", "src", "action"):
            assert not (attributes.get(name) or "").strip().lower().startswith("javascript:")
        assert (tag, attributes.get("src")) != ("img", "x")
