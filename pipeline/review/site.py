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


MOST_CHARACTERS = 2_000
"""Of what somebody types into a field: a reason, a note, a name."""
FIELDS = {"reason": "理由", "value": "填的内容", "title": "名称", "corrected": "改成的字", "text": "文字"}
"""What some fields are called on the page."""
LARGEST = 2**31 - 1
"""Of a number in a form: what every database takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The fields of a form or of an address, each with all its values as text."""

    values: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def text(self, name: str, default: str = "", *, most: int = MOST_CHARACTERS) -> str:
        """The last value, without blanks around it. Raises UsageError: it is longer."""
        found = self.values.get(name, ())
        return _fitting(name, found[-1].strip(), most) if found else default

    def texts(self, name: str) -> tuple[str, ...]:
        """All values but empty ones. Raises UsageError: one is too long."""
        given = (value.strip() for value in self.values.get(name, ()))
        return tuple(_fitting(name, value, MOST_CHARACTERS) for value in given if value)

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


def _fitting(name: str, text: str, most: int) -> str:
    if len(text) <= most:
        return text
    told = f"{FIELDS.get(name, '有一栏')}太长：{len(text):,} 个字，最多 {most:,} 个，没有保存"
    raise UsageError(told, hint="写短一点，再提交")


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
