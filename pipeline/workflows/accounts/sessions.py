"""Logging in and out. The token goes to the browser once; the database knows its sha256 only."""

import hashlib
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pipeline.account import Session, Throttle, User, login_of
from pipeline.audit import AuditEntry
from pipeline.errors import NotFound, StorageError, UsageError
from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.workflows.accounts.passwords import check_password, fits, hashed, is_outdated, is_temporary

SEEN_EVERY = timedelta(minutes=1)
"""How exactly it is noted that a session is in use: not every request writes."""
WRONG = "登录名或密码不对"
"""The same words whatever was wrong: nobody learns who has an account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What somebody types to log in, and the network address that it came from."""

    login: str
    password: str = field(repr=False)
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedIn:
    """`token` goes into the cookie, and nowhere else."""

    token: str = field(repr=False)
    session: Session


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why nobody was logged in. `again_at` None: at once."""

    told: str
    again_at: datetime | None = None


def log_in(attempt: Attempt, store: Store, settings: Settings, *, at: datetime) -> LoggedIn | Refusal:
    """A new session, or why there is none. An unknown login takes as long as a known one."""
    user = _user_named(store, attempt.login)
    refusal = _tried(attempt, user, store, settings, at)
    if refusal is not None or user is None:
        return refusal or Refusal(told=WRONG)
    token = secrets.token_urlsafe(32)
    session = Session(
        user=user, created=at, seen=at, expires=at + timedelta(hours=settings.session_hours), epoch=user.epoch
    )
    entry = _entry("login", user.login, attempt, at)
    store.add_session(_digest(token), session, audit=(entry,))
    return LoggedIn(token=token, session=session)


def session_of(token: str, store: Store, settings: Settings, *, at: datetime) -> Session | None:
    """The open session of a token, and note that it is in use; None: there is none, or it has ended."""
    if not token or len(token) > 128:
        return None
    found = store.session(_digest(token))
    if found is None or not found.is_open(at, timedelta(minutes=settings.session_idle_minutes)):
        return None
    if at - found.seen >= SEEN_EVERY:
        with suppress(StorageError):  # whoever only reads need not wait for another writer
            store.touch_session(_digest(token), at)
    return found


def session_user(store: Store, token: str, settings: Settings, *, at: datetime) -> User | None:
    """Whose open session this token is; None: nobody's."""
    found = session_of(token, store, settings, at=at)
    return found.user if found else None


def log_out(token: str, store: Store, *, at: datetime) -> None:
    """End the session of a token, if there is one."""
    found = store.session(_digest(token))
    if found is not None:
        login = found.user.login
        entry = AuditEntry(at=at, who=login, action="logout", object=f"user:{login}")
        store.end_session(_digest(token), audit=(entry,))


def change_password(
    attempt: Attempt, new: str, store: Store, settings: Settings, *, at: datetime
) -> Refusal | None:
    """Another password of one's own, which ends all one's sessions; `attempt` is with the old one. None:
    done. Raises UsageError for a new one that will not do."""
    user = _user_named(store, attempt.login)
    check_password(new, user.login if user else "")
    refusal = _tried(attempt, user, store, settings, at)
    if refusal is not None or user is None:
        return refusal or Refusal(told=WRONG)
    if new == attempt.password:
        raise UsageError("新密码和原来的一样", hint="换一个")
    entry = _entry("user.password", user.login, attempt, at)
    store.set_password(user.login, hashed(new), audit=(entry,))
    return None


def _tried(
    attempt: Attempt, user: User | None, store: Store, settings: Settings, at: datetime
) -> Refusal | None:
    """None: it is the user's password. A failure is counted before it is known to be one."""
    subjects = _subjects(attempt, user, settings)
    again_at = store.count_try(subjects, at)
    if again_at is not None:
        seconds = max(1, round((again_at - at).total_seconds()))
        return Refusal(told=f"连错太多次，请过 {seconds} 秒再试", again_at=again_at)
    kept = store.password_of(user.login if user else "")
    if not fits(attempt.password, kept) or user is None or user.disabled:
        store.record(_entry("login.failed", user.login if user else "", attempt, at))
        return Refusal(told=WRONG)
    store.forget_try(*subjects)
    if kept is not None and is_outdated(kept):
        again = hashed(attempt.password, temporary=is_temporary(kept))
        store.set_password(user.login, again, ends_sessions=False)
    return None


def _subjects(attempt: Attempt, user: User | None, settings: Settings) -> Mapping[str, Throttle]:
    """What failures count against: first the login, known or not, then the address."""
    longest = timedelta(minutes=settings.login_wait_minutes)
    name = user.login if user else attempt.login
    return {
        _digest(f"login:{name}"): Throttle(free=settings.login_tries, longest=longest),
        _digest(f"address:{attempt.address}"): Throttle(free=settings.address_tries, longest=longest),
    }


def _user_named(store: Store, typed: str) -> User | None:
    try:
        return store.user(login_of(typed))
    except (NotFound, UsageError):
        return None


def _entry(action: str, login: str, attempt: Attempt, at: datetime) -> AuditEntry:
    """What was typed as the login of nobody is left out: it may be a password."""
    known = f"user:{login}" if login else ""
    who = "" if action == "login.failed" else login
    return AuditEntry(at=at, who=who, action=action, object=known, detail={"address": attempt.address[:64]})


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
