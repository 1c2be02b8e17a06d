"""Users as an administrator keeps them. Every change is in the audit log, with who made it."""

import unicodedata
from dataclasses import dataclass, field
from datetime import datetime

from pipeline.account import Role, User, login_of
from pipeline.audit import AuditEntry
from pipeline.errors import UsageError
from pipeline.storage.accounts import NewUser
from pipeline.storage.store import Store
from pipeline.workflows.accounts.passwords import check_password, hashed, new_password

LONGEST_NAME = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class By:
    """Who changes something, and when: a login, or `cli:` and an account of the system."""

    who: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """A user to be added, as typed. `name` "": the login; `team` by its name; `temporary`: the password was
    made for them, and they must change it."""

    login: str
    role: Role
    password: str = field(repr=False)
    temporary: bool = False
    name: str = ""
    team: str = ""
    agent_id: str = ""


def add_user(asked: Application, store: Store, by: By) -> User:
    """Raises UsageError: login, name, team or password will not do, or the login is taken."""
    login = login_of(asked.login)
    if asked.role is Role.AGENT and not asked.agent_id.strip():
        raise UsageError(
            "坐席要写明工号，才看得到自己的评分表", hint="写上工号，如 1050（命令行用 --agent-id）"
        )
    check_password(asked.password, login)
    new = NewUser(
        login=login,
        name=_shown(asked.name, "姓名") or login,
        role=asked.role,
        team=_shown(asked.team, "班组") or None,
        agent_id=_shown(asked.agent_id, "工号") or None,
        password=hashed(asked.password, temporary=asked.temporary),
    )
    entry = _entry("user.added", login, by, role=new.role.value, team=new.team, agent_id=new.agent_id)
    return store.add_user(new, at=by.at, audit=(entry,))


def set_password(login: str, password: str, store: Store, by: By) -> User:
    """Another password, which ends the user's sessions. Raises NotFound and UsageError."""
    user = store.user(login_of(login))
    check_password(password, user.login)
    entry = _entry("user.password", user.login, by)
    return store.set_password(user.login, hashed(password), audit=(entry,))


def reset_password(login: str, store: Store, by: By) -> str:
    """A random password that the user must change after the login; ends the user's sessions. It is returned
    this once and kept nowhere. Raises NotFound."""
    user = store.user(login_of(login))
    password = new_password()
    entry = _entry("user.password_reset", user.login, by)
    store.set_password(user.login, hashed(password, temporary=True), audit=(entry,))
    return password


def set_agent(login: str, agent_id: str, store: Store, by: By) -> User:
    """The number that a user has in the recordings; "": none. Ends the user's sessions. Raises NotFound, and
    UsageError: an agent without one."""
    user, number = store.user(login_of(login)), _shown(agent_id, "工号") or None
    if user.role is Role.AGENT and number is None:
        raise UsageError("坐席要写明工号，才看得到自己的评分表", hint="先换角色，或写上工号")
    entry = _entry("user.agent", user.login, by, agent_id=number, was=user.agent_id)
    return store.set_agent(user.login, number, audit=(entry,))


def set_role(login: str, role: Role, store: Store, by: By) -> User:
    """Another role, which ends the user's sessions. Raises NotFound, and UsageError: the last admin, or an
    agent of whom nobody knows which recordings are theirs."""
    user = store.user(login_of(login))
    if role is Role.AGENT and user.agent_id is None:
        raise UsageError(f"{user.login} 没有工号，不能当坐席", hint="先写明工号，再换角色")
    entry = _entry("user.role", user.login, by, role=role.value, was=user.role.value)
    return store.set_role(user.login, role, audit=(entry,))


def set_team(login: str, team: str, store: Store, by: By) -> User:
    """Another team, by its name; "": none. Raises NotFound and UsageError."""
    login, name = login_of(login), _shown(team, "班组") or None
    return store.set_team(login, name, audit=(_entry("user.team", login, by, team=name),))


def set_disabled(login: str, disabled: bool, store: Store, by: By) -> User:
    """Shut a user out, or let one in again; ends the user's sessions. Raises NotFound, and UsageError for the
    last admin."""
    login = login_of(login)
    action = "user.disabled" if disabled else "user.enabled"
    return store.set_disabled(login, disabled, audit=(_entry(action, login, by),))


def _shown(typed: str, what: str) -> str:
    """A name as people see it. Raises UsageError: too long, or with characters that are not seen."""
    text = unicodedata.normalize("NFC", typed).strip()
    if len(text) > LONGEST_NAME or any(unicodedata.category(c)[0] == "C" for c in text):
        raise UsageError(
            f"{what} {text[:LONGEST_NAME]!r} 不能用", hint=f"最多 {LONGEST_NAME} 个字，没有看不见的字符"
        )
    return text


def _entry(action: str, login: str, by: By, **detail: str | None) -> AuditEntry:
    return AuditEntry(at=by.at, who=by.who, action=action, object=f"user:{login}", detail=detail)
