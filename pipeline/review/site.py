"""What every page works with: `Site` for the whole application, `Visit` for one request."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.account import User
from pipeline.errors import UsageError
from pipeline.review.heard import Heard
from pipeline.review.jobs import Jobs
from pipeline.review.words import Words
from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.workflows.report.desk import Desk


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything with a state, passed in. `addresses`: the origins that the page may be asked from,
    beside its own host; `heard` is who listens to what, `sounds` what is made ready to be played."""

    store: Store
    settings: Settings
    clock: Callable[[], datetime]
    addresses: tuple[str, ...] = ()
    reports: Desk = field(default_factory=Desk)
    jobs: Jobs = field(default_factory=Jobs)
    heard: Heard = field(default_factory=Heard)
    sounds: Jobs = field(default_factory=Jobs)


LARGEST = 2**31 - 1
"""Of a number in a form: what every database takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The fields of a form or of an address, each with all its values as text."""

    values: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def text(self, name: str, default: str = "") -> str:
        """The last value, without blanks around it."""
        found = self.values.get(name, ())
        return found[-1].strip() if found else default

    def texts(self, name: str) -> tuple[str, ...]:
        return tuple(value.strip() for value in self.values.get(name, ()) if value.strip())

    def number(self, name: str, default: int | None = None) -> int | None:
        """Raises UsageError: there is something, and it is no whole number, or one larger than LARGEST."""
        text = self.text(name)
        if not text:
            return default
        try:
            found = int(text)
        except ValueError:
            raise UsageError(f"{name} 应为整数，收到“{text[:20]}”", hint="改正后再提交") from None
        if abs(found) > LARGEST:
            raise UsageError(f"{name} 太大：“{text[:20]}”", hint="改正后再提交")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One request of somebody. `user` None: not logged in; `token` signs the forms of this session;
    `nonce` is this response's."""

    site: Site
    method: str
    path: str
    params: Mapping[str, str]
    query: Form
    form: Form
    user: User | None
    session: str
    token: str
    nonce: str
    address: str
    words: Words
    headers: Mapping[str, str]

    @property
    def who(self) -> User:
        """Whoever is logged in; pages without a login must not ask."""
        if self.user is None:
            raise UsageError("请先登录", hint="/login")
        return self.user

    @property
    def now(self) -> datetime:
        return self.site.clock()

    @property
    def store(self) -> Store:
        return self.site.store

    @property
    def is_fragment(self) -> bool:
        """Whether the page asks for a part of itself only."""
        return self.headers.get("hx-request") == "true" and self.headers.get("hx-boosted") != "true"
