"""Who may log in: teams, users with a role, their sessions; and how failed logins slow down the next."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pipeline.errors import UsageError


class Role(StrEnum):
    """What a user is there for. (`timeline.Role` is who speaks in a call.)"""

    AGENT = "agent"
    INSPECTOR = "inspector"
    SUPERVISOR = "supervisor"
    QUALITY_OWNER = "quality_owner"
    ADMIN = "admin"
    AUDITOR = "auditor"

    @property
    def chinese(self) -> str:
        titles = {
            "agent": "坐席",
            "inspector": "质检员",
            "supervisor": "主管",
            "quality_owner": "质量负责人",
            "admin": "管理员",
            "auditor": "审计员",
        }
        return titles[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """A team (班组), named as in the roster."""

    id: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """`login` never changes and signs what the user decides; `agent_id` is that of the recordings in which
    the user speaks. `epoch` counts changes of password, role and standing: a session of an older one has
    ended. `must_change`: the password is one that an administrator handed over."""

    id: int
    login: str
    name: str
    role: Role
    team_id: int | None = None
    agent_id: str | None = None
    disabled: bool = False
    epoch: int = 0
    must_change: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """`expires` comes whatever happens, the end of an idle session so long after `seen`. `epoch` is the
    user's at login."""

    user: User
    created: datetime
    seen: datetime
    expires: datetime
    epoch: int

    def is_open(self, at: datetime, idle: timedelta) -> bool:
        fits = not self.user.disabled and self.epoch == self.user.epoch
        return fits and at < self.expires and at < self.seen + idle


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttle:
    """So many failures are free; each further one doubles the wait for the next try, from a second to
    `longest`. A failure is forgotten a day after the last one."""

    free: int
    longest: timedelta
    forgotten: timedelta = timedelta(days=1)

    def opens(self, failures: int, last: datetime) -> datetime | None:
        """From when on a next try is looked at after so many failures; None: at once, by any clock."""
        if failures < self.free:
            return None
        doublings = min(failures - self.free, 30)
        return last + min(timedelta(seconds=2**doublings), self.longest)


TEMPORARY = "temporary:"
"""Stands before the hash of a password that its owner must change first of all."""

LOGIN = re.compile(r"[a-z0-9\u4e00-\u9fff][a-z0-9\u4e00-\u9fff._@-]{0,63}")
"""No blanks, no controls, no letters that look like others: two logins that look alike are alike."""


def login_of(typed: str) -> str:
    """A login as it is stored: full-width and capital letters are the same as plain ones. Raises
    UsageError."""
    login = unicodedata.normalize("NFKC", typed).casefold().strip()
    if not LOGIN.fullmatch(login):
        raise UsageError(
            f"登录名 {typed[:64]!r} 不能用",
            hint="1 到 64 个字：汉字、英文字母、数字，和不在开头的 . _ - @",
        )
    return login
