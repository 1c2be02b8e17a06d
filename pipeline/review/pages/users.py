"""Users and teams as an administrator keeps them; every change is in the audit log."""

from collections.abc import Callable

from starlette.responses import RedirectResponse, Response

from pipeline.account import Role, User
from pipeline.audit import AuditFilter
from pipeline.errors import UsageError
from pipeline.review.page import Page, one, posted
from pipeline.review.render import page_of
from pipeline.review.site import Visit
from pipeline.workflows.accounts.passwords import new_password
from pipeline.workflows.accounts.policy import POLICY, Action
from pipeline.workflows.accounts.users import (
    Application,
    By,
    add_user,
    reset_password,
    set_agent,
    set_disabled,
    set_role,
    set_team,
)

NEWEST_LINES = 10


def users(visit: Visit) -> Response:
    return _list(visit)


def add(visit: Visit) -> Response:
    """A new user with a password that is shown once."""
    text = visit.form.text
    asked = Application(
        login=text("login"),
        role=_role(visit),
        password=new_password(),
        temporary=True,
        name=text("name"),
        team=text("team"),
        agent_id=text("agent_id"),
    )
    try:
        made = add_user(asked, visit.store, _by(visit))
    except UsageError as fault:
        answer = _list(visit, fault=fault, typed=asked)
        answer.status_code = 422
        return answer
    return _list(visit, made=made, password=asked.password)


def user(visit: Visit) -> Response:
    return _one(visit, visit.store.user(visit.params["login"]))


def reset(visit: Visit) -> Response:
    """A password that is shown once."""
    password = reset_password(visit.params["login"], visit.store, _by(visit))
    return _one(visit, visit.store.user(visit.params["login"]), password=password)


def role(visit: Visit) -> Response:
    return _changed(visit, lambda login, by: set_role(login, _role(visit), visit.store, by))


def team(visit: Visit) -> Response:
    return _changed(visit, lambda login, by: set_team(login, visit.form.text("team"), visit.store, by))


def agent(visit: Visit) -> Response:
    return _changed(visit, lambda login, by: set_agent(login, visit.form.text("agent_id"), visit.store, by))


def standing(visit: Visit) -> Response:
    """Shut out, or let in again."""
    disabled = visit.form.text("disabled") == "1"
    return _changed(visit, lambda login, by: set_disabled(login, disabled, visit.store, by))


def _changed(visit: Visit, change: Callable[[str, By], User]) -> Response:
    try:
        changed = change(visit.params["login"], _by(visit))
    except UsageError as fault:
        answer = _one(visit, visit.store.user(visit.params["login"]), fault=fault)
        answer.status_code = 422
        return answer
    own = changed.login == visit.who.login and changed.epoch != visit.who.epoch
    return RedirectResponse("/login" if own else f"/users/{changed.login}", status_code=303)


def _list(
    visit: Visit,
    *,
    fault: UsageError | None = None,
    typed: Application | None = None,
    made: User | None = None,
    password: str = "",
) -> Response:
    teams = visit.store.teams()
    return page_of(
        visit,
        "users.html",
        users=visit.store.users(),
        teams=teams,
        team_names={team.id: team.name for team in teams},
        roles=tuple(Role),
        policy=POLICY,
        fault=fault,
        typed=typed,
        made=made,
        password=password,
    )


def _one(visit: Visit, shown: User, *, fault: UsageError | None = None, password: str = "") -> Response:
    teams = visit.store.teams()
    lines = visit.store.audit_lines(AuditFilter(object=f"user:{shown.login}", limit=NEWEST_LINES))
    return page_of(
        visit,
        "user.html",
        shown=shown,
        teams=teams,
        team=next((team.name for team in teams if team.id == shown.team_id), ""),
        roles=tuple(Role),
        lines=[line for line in lines if line.object == f"user:{shown.login}"],
        fault=fault,
        password=password,
    )


def _role(visit: Visit) -> Role:
    chosen = visit.form.text("role")
    if chosen not in tuple(Role):
        raise UsageError(f"没有角色“{chosen[:20]}”", hint="、".join(role.chinese for role in Role))
    return Role(chosen)


def _by(visit: Visit) -> By:
    return By(who=visit.who.login, at=visit.now)


PAGES = (
    Page(path="/users", answer=users, action=Action.USERS_MANAGE, thing=one),
    Page(path="/users/{login}", answer=user, action=Action.USERS_MANAGE, thing=one),
    posted("/users", add, Action.USERS_MANAGE, one),
    posted("/users/{login}/password", reset, Action.USERS_MANAGE, one),
    posted("/users/{login}/role", role, Action.USERS_MANAGE, one),
    posted("/users/{login}/team", team, Action.USERS_MANAGE, one),
    posted("/users/{login}/agent", agent, Action.USERS_MANAGE, one),
    posted("/users/{login}/standing", standing, Action.USERS_MANAGE, one),
)
