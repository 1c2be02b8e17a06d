"""The audit log: who did what, when, to which object. Ids and numbers only, never what was said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

Detail = Mapping[str, str | int | bool | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """`who` is a login, `cli:` and the name of an account of the system, or empty where nobody is known;
    `object` names a thing by kind and id, as `call:3f2a…` or `user:wang`."""

    at: datetime
    who: str
    action: str
    object: str = ""
    detail: Detail = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """An entry in its place in the chain. `seq` counts from 1; `mac` (64 hex digits) seals the entry, its
    place and everything before; `detail` is the text that was sealed."""

    seq: int
    at: datetime
    who: str
    action: str
    object: str
    detail: str
    mac: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Anchor:
    """The newest line that is known to have been there, kept outside the database. 0: none yet."""

    seq: int = 0
    mac: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which lines to list; None asks nothing. `action` also finds `action.…`, `object` what begins so;
    `before` is the number of a line; `limit` keeps the newest."""

    who: str | None = None
    action: str | None = None
    object: str | None = None
    before: int | None = None
    since: datetime | None = None
    limit: int | None = None
