"""Logging in and out: who gets a session, how long it lasts, and how failures slow down the next try."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from account_help import (  # noqa: F401  (fixtures)
    AT,
    BY,
    CHEAP,
    OTHER_PASSWORD,
    PASSWORD,
    a_store,
    cheap_hashes,
    everything_stored,
    some_settings,
)
from argon2 import PasswordHasher

from pipeline.account import Role
from pipeline.audit import AuditFilter
from pipeline.errors import UsageError
from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.workflows.accounts import passwords, sessions
from pipeline.workflows.accounts.sessions import (
    WRONG,
    Attempt,
    LoggedIn,
    Refusal,
    change_password,
    log_in,
    log_out,
    session_of,
    session_user,
)
from pipeline.workflows.accounts.users import Application, add_user, set_disabled, set_password, set_role

MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def _somebody(store: Store) -> None:
    add_user(Application(login="wang", role=Role.INSPECTOR, password=PASSWORD, name="王敏"), store, BY)


def attempt(password: str = PASSWORD, login: str = "wang", address: str = "10.0.0.1") -> Attempt:
    return Attempt(login=login, password=password, address=address)


def token_of(found: LoggedIn | Refusal) -> str:
    assert isinstance(found, LoggedIn)
    return found.token


def actions(store: Store) -> list[str]:
    return [line.action for line in store.audit_lines(AuditFilter())]


def test_the_right_password_opens_a_session(store: Store, settings: Settings) -> None:
    found = log_in(attempt(), store, settings, at=AT)
    assert isinstance(found, LoggedIn)
    assert session_user(store, found.token, settings, at=AT) == found.session.user == store.user("wang")
    assert actions(store) == ["login", "user.added"]


def test_the_login_may_be_typed_in_capitals_and_full_width(store: Store, settings: Settings) -> None:
    assert isinstance(log_in(attempt(login=" ＷＡng "), store, settings, at=AT), LoggedIn)


def test_people_who_log_in_at_the_same_moment_do_not_hold_each_other_up(
    store: Store, settings: Settings
) -> None:
    add_user(Application(login="zhao", role=Role.INSPECTOR, password=PASSWORD), store, BY)

    def meanwhile(kept: str, password: str) -> bool:
        checked.undo()
        found = log_in(attempt(login="zhao"), store, settings, at=AT)  # began earlier, came second
        assert isinstance(found, LoggedIn)
        return sessions.fits(password, kept)

    checked = pytest.MonkeyPatch()
    checked.setattr(sessions, "fits", lambda password, kept: meanwhile(kept, password))
    assert isinstance(log_in(attempt(), store, settings, at=AT + timedelta(milliseconds=5)), LoggedIn)


def test_the_token_is_not_in_the_database_nor_shown(store: Store, settings: Settings) -> None:
    found = log_in(attempt(), store, settings, at=AT)
    token = token_of(found)
    assert token.encode() not in everything_stored(settings)
    assert token not in repr(found)
    assert PASSWORD not in repr(attempt())
    assert store.session(token) is None


@pytest.mark.parametrize(
    "given",
    [
        attempt("别的密码别的密码别的密码"),
        attempt(login="nobody"),
        attempt(login="wang' OR 1=1 --"),
        attempt(login="wang\x00"),
        attempt(login="\ud800"),
        attempt(login="w" * 100_000),
        attempt("x" * 1_000_000),
        attempt(""),
        attempt("\ud800"),
    ],
    ids=range(9),
)
def test_everybody_else_hears_the_same_words(store: Store, settings: Settings, given: Attempt) -> None:
    assert log_in(given, store, settings, at=AT) == Refusal(told=WRONG)
    assert actions(store)[0] == "login.failed"


def test_what_was_typed_as_an_unknown_login_is_kept_nowhere(store: Store, settings: Settings) -> None:
    log_in(attempt(login="my-secret-password"), store, settings, at=AT)
    assert b"my-secret-password" not in everything_stored(settings)


def test_an_unknown_login_costs_a_hash_too(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = []
    monkeypatch.setattr(sessions, "fits", lambda *given: verified.append(given) or False)
    log_in(attempt(login="nobody"), store, settings, at=AT)
    log_in(attempt(login="wang"), store, settings, at=AT)
    assert len(verified) == 2
    assert not passwords.fits(PASSWORD, None)


def test_a_session_ends_when_idle(store: Store, settings: Settings) -> None:
    token = token_of(log_in(attempt(), store, settings, at=AT))
    for minutes in (59, 118):
        assert session_of(token, store, settings, at=AT + minutes * MINUTE)
    assert session_of(token, store, settings, at=AT + 178 * MINUTE) is None


def test_a_session_ends_after_a_day_of_work_however_busy(store: Store, settings: Settings) -> None:
    token = token_of(log_in(attempt(), store, settings, at=AT))
    for half_hours in range(24):
        assert session_of(token, store, settings, at=AT + half_hours * 30 * MINUTE)
    assert session_of(token, store, settings, at=AT + timedelta(hours=12)) is None


def test_a_session_ends_at_logout(store: Store, settings: Settings) -> None:
    token = token_of(log_in(attempt(), store, settings, at=AT))
    log_out(token, store, at=AT)
    assert session_of(token, store, settings, at=AT) is None
    assert actions(store)[0] == "logout"
    log_out(token, store, at=AT)
    assert actions(store)[1] == "login"


@pytest.mark.parametrize(
    "change",
    [
        lambda store: set_password("wang", OTHER_PASSWORD, store, BY),
        lambda store: set_role("wang", Role.SUPERVISOR, store, BY),
        lambda store: set_disabled("wang", True, store, BY),
    ],
    ids=["password", "role", "disabled"],
)
def test_a_session_ends_when_password_role_or_standing_change(
    store: Store, settings: Settings, change: Callable[[Store], object]
) -> None:
    tokens = [token_of(log_in(attempt(), store, settings, at=AT)) for _ in range(2)]
    change(store)
    assert all(session_of(token, store, settings, at=AT) is None for token in tokens)


def test_a_login_that_overlaps_a_change_of_password_opens_nothing(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(password: str, kept: str | None) -> bool:
        set_password("wang", OTHER_PASSWORD, store, BY)
        return True

    monkeypatch.setattr(sessions, "fits", slow)
    token = token_of(log_in(attempt(), store, settings, at=AT))
    assert session_of(token, store, settings, at=AT) is None


def test_who_is_disabled_cannot_log_in_until_enabled(store: Store, settings: Settings) -> None:
    set_disabled("wang", True, store, BY)
    assert log_in(attempt(), store, settings, at=AT) == Refusal(told=WRONG)
    set_disabled("wang", False, store, BY)
    assert isinstance(log_in(attempt(), store, settings, at=AT), LoggedIn)


def test_after_five_failures_each_further_try_waits_twice_as_long(store: Store, settings: Settings) -> None:
    at, waits = AT, []
    for _ in range(5):
        assert log_in(attempt("wrong"), store, settings, at=at) == Refusal(told=WRONG)
    for _ in range(12):
        refusal = log_in(attempt(), store, settings, at=at)
        assert isinstance(refusal, Refusal)
        assert refusal.again_at is not None
        waits.append((refusal.again_at - at).total_seconds())
        at = refusal.again_at
        assert log_in(attempt("wrong"), store, settings, at=at) == Refusal(told=WRONG)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


def test_a_success_forgets_the_failures_of_the_login(store: Store, settings: Settings) -> None:
    for _ in range(4):
        log_in(attempt("wrong"), store, settings, at=AT)
    assert isinstance(log_in(attempt(), store, settings, at=AT), LoggedIn)
    for _ in range(5):
        assert log_in(attempt("wrong"), store, settings, at=AT) == Refusal(told=WRONG)


def test_an_address_that_tries_many_logins_is_slowed_down(store: Store, settings: Settings) -> None:
    for number in range(30):
        log_in(attempt("wrong", login=f"user{number}"), store, settings, at=AT)
    refusal = log_in(attempt(), store, settings, at=AT)
    assert isinstance(refusal, Refusal)
    assert refusal.again_at is not None
    assert isinstance(log_in(attempt(address="10.0.0.2"), store, settings, at=AT), LoggedIn)


def test_an_own_account_does_not_clear_the_failures_of_an_address(store: Store, settings: Settings) -> None:
    for number in range(30):
        log_in(attempt("wrong", login=f"user{number}"), store, settings, at=AT)
        log_in(attempt(), store, settings, at=AT)
    refusal = log_in(attempt("wrong", login="other"), store, settings, at=AT)
    assert isinstance(refusal, Refusal)
    assert refusal.again_at is not None


def test_failures_are_counted_across_processes(store: Store, settings: Settings) -> None:
    with store.another() as other:
        for number in range(5):
            log_in(attempt("wrong"), (store, other)[number % 2], settings, at=AT)
        refusal = log_in(attempt(), other, settings, at=AT)
    assert isinstance(refusal, Refusal)
    assert refusal.again_at is not None


def test_a_hash_of_other_parameters_is_made_anew_at_login(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = store.password_of("wang")
    token = token_of(log_in(attempt(), store, settings, at=AT))
    assert store.password_of("wang") == before
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=2, memory_cost=8, parallelism=1))
    assert isinstance(log_in(attempt(), store, settings, at=AT), LoggedIn)
    after = store.password_of("wang")
    assert after is not None
    assert "t=2" in after
    assert session_of(token, store, settings, at=AT)
    assert CHEAP.check_needs_rehash(after)


def test_an_own_password_is_changed_with_the_old_one(store: Store, settings: Settings) -> None:
    token = token_of(log_in(attempt(), store, settings, at=AT))
    assert change_password(attempt("wrong"), OTHER_PASSWORD, store, settings, at=AT) == Refusal(told=WRONG)
    assert session_of(token, store, settings, at=AT)
    assert change_password(attempt(), OTHER_PASSWORD, store, settings, at=AT) is None
    assert session_of(token, store, settings, at=AT) is None
    assert isinstance(log_in(attempt(OTHER_PASSWORD), store, settings, at=AT), LoggedIn)
    with pytest.raises(UsageError, match="太短"):
        change_password(attempt(OTHER_PASSWORD), "short", store, settings, at=AT)


@pytest.mark.parametrize("token", ["", "x", "x" * 10_000, "\ud800", "' OR 1=1 --"])
def test_a_token_that_is_none_opens_nothing(store: Store, settings: Settings, token: str) -> None:
    assert session_of(token, store, settings, at=AT) is None
    log_out(token, store, at=AT)
