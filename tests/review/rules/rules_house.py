"""A house with its own rules, and whoever works with them: what the tests of the pages about rules share."""

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from page_help import BY, PASSWORD, Browser, assert_harmless
from tuning_help import SHIRKING

from pipeline.account import Role
from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.workflows.accounts.users import Application, add_user

RULE = "forbidden.shirking"
WIDER = SHIRKING.replace("  - 不归我们管\n", "  - 不归我们管\n  - 跟我们没关系\n")
PAYLOAD = "<script>alert(1)</script>"
OWNER, SECOND, INSPECTOR, AUDITOR = (
    Role.QUALITY_OWNER,
    Role.SUPERVISOR,
    Role.INSPECTOR,
    Role.AUDITOR,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who is logged in."""

    browser: Browser

    def see(self, path: str, status: int = 200) -> str:
        """The text of a page."""
        answer = self.browser.get(path)
        assert answer.status_code == status, answer.text
        assert_harmless(answer)
        return answer.text

    def send(self, path: str, status: int = 303, **fields: str) -> str:
        """Send a form: where it leads to, or the page that answers."""
        answer = self.browser.post(path, fields)
        assert answer.status_code == status, answer.text
        return str(answer.headers.get("location", answer.text))


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A store with its rules, and whoever comes to it."""

    store: Store
    settings: Settings

    def add(self, login: str, role: Role, **more: str) -> None:
        add_user(Application(login=login, role=role, password=PASSWORD, **more), self.store, BY)

    def log_in(self, who: Role | str) -> Person:
        return Person(browser=Browser(store=self.store, settings=self.settings).log_in(who))


def folder_of(house: House) -> Path:
    return Path(house.settings.rules)


def file_of(house: House) -> Path:
    return folder_of(house) / "a" / "shirking.yml"


def git(folder: Path, *asked: str) -> str:
    named = {"GIT_AUTHOR_NAME": "x", "GIT_AUTHOR_EMAIL": "x@x", "GIT_COMMITTER_NAME": "x"}
    env = os.environ | named | {"GIT_COMMITTER_EMAIL": "x@x"}
    command = ["git", "-C", str(folder), *asked]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return done.stdout


def under_git(folder: Path) -> Path:
    git(folder, "init", "--quiet", "-b", "main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "first")
    return folder


def drafted(person: Person, text: str = WIDER, version: int = 0) -> None:
    person.send(f"/rules/{RULE}/draft", text=text, version=str(version))


def publish(person: Person, status: int = 303, version: int = 1) -> str:
    return person.send(f"/rules/{RULE}/publish", status, version=str(version))


def waited(person: Person, path: str) -> str:
    """A part of a page, asked for until the work behind it is over."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        told = person.see(path)
        if "hx-trigger" not in told:
            return told
        time.sleep(0.05)
    raise AssertionError(told)


def tried(person: Person, **fields: str) -> str:
    job = person.send("/rules/try", **fields)
    return waited(person, f"{job}/state")
