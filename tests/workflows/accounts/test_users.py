"""Users as an administrator keeps them: what is taken, what is refused; the log tells of each change."""

import threading

import pytest
from account_help import (
    AT,
    BY,
    OTHER_PASSWORD,
    PASSWORD,
    a_store,
    cheap_hashes,
    everything_stored,
    some_settings,
)

from pipeline.account import Role, login_of
from pipeline.audit import AuditFilter
from pipeline.errors import CallscoreError, NotFound, UsageError
from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.workflows.accounts.users import (
    Application,
    add_user,
    set_disabled,
    set_password,
    set_role,
    set_team,
)
from pipeline.workflows.audit import open_store, verify


def an_admin(store: Store, login: str = "admin") -> None:
    add_user(Application(login=login, role=Role.ADMIN, password=PASSWORD), store, BY)


def asked(login: str = "wang", **changes: object) -> Application:
    return Application(**{"login": login, "role": Role.INSPECTOR, "password": PASSWORD, **changes})  # type: ignore[arg-type]


def test_a_user_comes_back_with_team_and_agent_id(store: Store) -> None:
    user = add_user(asked("1050", role=Role.AGENT, name="李想", team="一组", agent_id="1050"), store, BY)
    assert (user.login, user.name, user.role, user.agent_id) == ("1050", "李想", Role.AGENT, "1050")
    assert [team.name for team in store.teams()] == ["一组"]
    assert user.team_id == store.teams()[0].id
    assert store.user("1050") == user
    assert store.users() == (user,)
    assert add_user(asked("wang", team="一组"), store, BY).team_id == user.team_id


def test_a_name_that_nobody_gave_is_the_login(store: Store) -> None:
    assert add_user(asked(), store, BY).name == "wang"


HOSTILE = [
    "",
    " ",
    ".",
    "-rf",
    "a b",
    "a\tb",
    "a\nb",
    "wang\x00",
    "wang\u200b",
    "wang\u202eadmin",
    "\ud800",
    "а",  # Cyrillic
    "аdmin",
    "<script>alert(1)</script>",
    "' OR 1=1 --",
    "{{7*7}}",
    "../../etc/passwd",
    "cli:root",
    "user;drop",
    "=cmd()",
    "😀",
    "w" * 65,
    "[red]x",
]


@pytest.mark.parametrize("login", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_login_is_refused_and_nothing_is_kept(store: Store, login: str) -> None:
    with pytest.raises(UsageError, match="登录名"):
        add_user(asked(login), store, BY)
    assert store.users() == ()
    assert store.audit_lines(AuditFilter()) == ()


@pytest.mark.parametrize("login", ["wang", "王敏", "1050", "wang.min", "wang_min@qa-1", "w" * 64])
def test_an_ordinary_login_is_taken(login: str) -> None:
    assert login_of(login) == login


@pytest.mark.parametrize("same", ["WANG", "ｗａｎｇ", " wang "])
def test_logins_that_look_alike_are_one(store: Store, same: str) -> None:
    add_user(asked("wang"), store, BY)
    with pytest.raises(UsageError, match="已有人用"):
        add_user(asked(same), store, BY)


@pytest.mark.parametrize("field", ["name", "team", "agent_id"])
@pytest.mark.parametrize("text", ["a\x00b", "a\u202eb", "a\nb", "\ud800", "长" * 65], ids=range(5))
def test_names_with_what_is_not_seen_are_refused(store: Store, field: str, text: str) -> None:
    with pytest.raises(UsageError, match="不能用"):
        add_user(asked(**{field: text}), store, BY)


def test_names_are_kept_as_written_however_they_look(store: Store) -> None:
    name = "<b>王</b> ' OR 1=1"
    assert add_user(asked(name=name), store, BY).name == name


def test_an_agent_has_an_agent_id(store: Store) -> None:
    with pytest.raises(UsageError, match="工号"):
        add_user(asked(role=Role.AGENT), store, BY)
    add_user(asked(), store, BY)
    with pytest.raises(UsageError, match="工号"):
        set_role("wang", Role.AGENT, store, BY)


def test_an_agent_who_becomes_an_inspector_keeps_the_agent_id(store: Store) -> None:
    add_user(asked(role=Role.AGENT, agent_id="1050"), store, BY)
    assert set_role("wang", Role.INSPECTOR, store, BY).agent_id == "1050"


def test_a_weak_password_adds_nobody(store: Store) -> None:
    with pytest.raises(UsageError, match="太短"):
        add_user(asked(password="short"), store, BY)
    add_user(asked(), store, BY)
    with pytest.raises(UsageError, match="太短"):
        set_password("wang", "short", store, BY)


def test_the_password_is_kept_nowhere_as_typed(store: Store, settings: Settings) -> None:
    add_user(asked(), store, BY)
    set_password("wang", OTHER_PASSWORD, store, BY)
    stored = everything_stored(settings)
    assert PASSWORD.encode() not in stored
    assert OTHER_PASSWORD.encode() not in stored
    assert PASSWORD not in repr(asked())


def test_every_change_is_in_the_audit_log(store: Store) -> None:
    an_admin(store)
    add_user(asked(), store, BY)
    set_password("wang", OTHER_PASSWORD, store, BY)
    set_role("wang", Role.SUPERVISOR, store, BY)
    set_team("wang", "一组", store, BY)
    set_disabled("wang", True, store, BY)
    set_disabled("wang", False, store, BY)
    lines = store.audit_lines(AuditFilter(limit=6))
    assert [line.action.removeprefix("user.") for line in reversed(lines)] == [
        *("added", "password", "role", "team", "disabled", "enabled")
    ]
    assert {(line.who, line.object, line.at) for line in lines} == {("cli:root", "user:wang", AT)}
    assert verify(store).faults == ()


def test_each_change_that_shuts_out_sessions_counts_an_epoch(store: Store) -> None:
    add_user(asked(), store, BY)
    assert set_team("wang", "一组", store, BY).epoch == 0
    assert set_password("wang", OTHER_PASSWORD, store, BY).epoch == 1
    assert set_role("wang", Role.SUPERVISOR, store, BY).epoch == 2
    assert set_disabled("wang", True, store, BY).epoch == 3
    assert set_disabled("wang", False, store, BY).epoch == 4


def test_a_user_leaves_a_team(store: Store) -> None:
    add_user(asked(team="一组"), store, BY)
    assert set_team("wang", "", store, BY).team_id is None


def test_an_unknown_user_is_named(store: Store) -> None:
    for change in (
        lambda: set_password("nobody", OTHER_PASSWORD, store, BY),
        lambda: set_role("nobody", Role.ADMIN, store, BY),
        lambda: set_team("nobody", "一组", store, BY),
        lambda: set_disabled("nobody", True, store, BY),
    ):
        with pytest.raises(NotFound, match="nobody"):
            change()
    assert store.audit_lines(AuditFilter()) == ()


def test_the_last_admin_stays(store: Store) -> None:
    an_admin(store)
    for change in (
        lambda: set_role("admin", Role.AUDITOR, store, BY),
        lambda: set_disabled("admin", True, store, BY),
    ):
        with pytest.raises(UsageError, match="最后一个"):
            change()
    assert store.user("admin").role is Role.ADMIN
    an_admin(store, "second")
    assert set_disabled("admin", True, store, BY).disabled
    with pytest.raises(UsageError, match="最后一个"):
        set_disabled("second", True, store, BY)


def test_two_admins_who_disable_each_other_at_once_leave_one(store: Store, settings: Settings) -> None:
    an_admin(store, "one")
    an_admin(store, "two")

    def work(login: str) -> None:
        with open_store(settings) as own:
            try:
                set_disabled(login, True, own, BY)
            except CallscoreError:
                refused.append(login)

    refused: list[str] = []
    threads = [threading.Thread(target=work, args=(login,)) for login in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert sum(not user.disabled for user in store.users()) == 1
