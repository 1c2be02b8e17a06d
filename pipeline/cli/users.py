"""`callscore users`: who may log in to the page. The first administrator is added here."""

import os
import sys
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich import box
from rich.table import Table
from rich.text import Text

from pipeline.account import Role, User, login_of
from pipeline.audit import AuditEntry
from pipeline.cli.options import Database, SettingsOptions, load
from pipeline.cli.render import console
from pipeline.errors import UsageError
from pipeline.storage.store import Store
from pipeline.workflows.accounts.users import (
    Application,
    By,
    add_user,
    reset_password,
    set_agent,
    set_disabled,
    set_password,
    set_role,
    set_team,
)
from pipeline.workflows.audit import open_store

app = typer.Typer(no_args_is_help=True, help="用户：谁能登录网页，是什么角色。")

Login = Annotated[str, typer.Argument(metavar="LOGIN", help="登录名：汉字、英文字母、数字和 . _ - @。")]
ROLES = "、".join(f"{role.value} {role.chinese}" for role in Role)
PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="从标准输入读一行密码；不写时在终端上问两遍，不显示。")
]


@app.command("add", epilog="例：callscore users add wangmin --role admin --name 王敏")
def add_command(
    login: Login,
    role: Annotated[Role, typer.Option("--role", help=f"角色：{ROLES}。")],
    name: Annotated[str, typer.Option("--name", help="姓名；不写时是登录名。")] = "",
    team: Annotated[str, typer.Option("--team", help="班组的名称，和坐席名册里的一样；没有的就新建。")] = "",
    agent_id: Annotated[str, typer.Option("--agent-id", help="工号：话单里的 agent_id；坐席必须写。")] = "",
    password_stdin: PasswordStdin = False,
    database: Database = None,
) -> None:
    """添一个用户。第一个管理员也在这里添：没有默认的账号和密码。"""
    asked = Application(
        login=login, role=role, password=_password(password_stdin), name=name, team=team, agent_id=agent_id
    )
    with _store(database, create=True) as store:
        _tell("已添加", add_user(asked, store, _by()))


@app.command("list", epilog="例：callscore users list")
def list_command(database: Database = None) -> None:
    """列出用户：登录名、姓名、角色、班组、工号。"""
    with _store(database) as store:
        users, teams = store.users(), {team.id: team.name for team in store.teams()}
    if not users:
        console().print("还没有用户：callscore users add 登录名 --role admin")
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("登录名", "姓名", "角色", "班组", "工号", ""):
        table.add_column(heading, no_wrap=heading != "姓名")
    for user in users:
        team, standing = teams.get(user.team_id or 0, ""), "已停用" if user.disabled else ""
        cells = (user.login, user.name, user.role.chinese, team, user.agent_id or "", standing)
        table.add_row(*map(Text, cells), style="dim" if user.disabled else "")
    console().print(table)


@app.command("password", epilog="例：callscore users password wangmin")
def password_command(login: Login, password_stdin: PasswordStdin = False, database: Database = None) -> None:
    """换一个用户的密码；这个人登录着的都退出。"""
    password = _password(password_stdin)
    with _store(database) as store:
        _tell("已换密码", set_password(login, password, store, _by()))


@app.command("reset", epilog="例：callscore users reset wangmin")
def reset_command(login: Login, database: Database = None) -> None:
    """给一个用户随机的新密码，只显示这一次；登录之后要先换掉。这个人登录着的都退出。"""
    with _store(database) as store:
        password = reset_password(login, store, _by())
        _tell("已重设密码", store.user(login_of(login)))
    console().print(f"新密码：{password}", markup=False)


@app.command("agent", epilog="例：callscore users agent wangmin 1050")
def agent_command(
    login: Login,
    agent_id: Annotated[
        str, typer.Argument(metavar="AGENT_ID", help="话单里的工号；空的（''）：没有工号。坐席必须有。")
    ],
    database: Database = None,
) -> None:
    """换一个用户的工号；这个人登录着的都退出。"""
    with _store(database) as store:
        _tell("已换工号", set_agent(login, agent_id, store, _by()))


@app.command("role", epilog="例：callscore users role wangmin supervisor")
def role_command(
    login: Login,
    role: Annotated[Role, typer.Argument(metavar="ROLE", help=f"新的角色：{ROLES}。")],
    database: Database = None,
) -> None:
    """换一个用户的角色；这个人登录着的都退出。"""
    with _store(database) as store:
        _tell("已换角色", set_role(login, role, store, _by()))


@app.command("team", epilog="例：callscore users team wangmin 一组")
def team_command(
    login: Login,
    team: Annotated[str, typer.Argument(metavar="TEAM", help="班组的名称；空的（''）：不在任何班组。")],
    database: Database = None,
) -> None:
    """换一个用户的班组。"""
    with _store(database) as store:
        _tell("已换班组", set_team(login, team, store, _by()))


@app.command("disable", epilog="例：callscore users disable wangmin")
def disable_command(login: Login, database: Database = None) -> None:
    """停用一个用户：登录着的立即退出，不能再登录；做过的都留着。"""
    with _store(database) as store:
        _tell("已停用", set_disabled(login, True, store, _by()))


@app.command("enable", epilog="例：callscore users enable wangmin")
def enable_command(login: Login, database: Database = None) -> None:
    """重新启用一个停用的用户。"""
    with _store(database) as store:
        _tell("已启用", set_disabled(login, False, store, _by()))


def who_am_i() -> str:
    """Who runs the command, as the audit log names it."""
    try:
        import pwd

        return f"cli:{pwd.getpwuid(os.getuid()).pw_name}"
    except (ImportError, KeyError, AttributeError):
        return f"cli:{os.environ.get('USERNAME', '?')}"


def done_here(action: str, about: str = "", **detail: str | int) -> AuditEntry:
    """An entry about what somebody does now, on the command line."""
    return AuditEntry(at=datetime.now(UTC), who=who_am_i(), action=action, object=about, detail=detail)


def _by() -> By:
    return By(who=who_am_i(), at=datetime.now(UTC))


def _store(database: str | None, *, create: bool = False) -> Store:
    return open_store(load(SettingsOptions(database=database)), create=create)


def _password(from_stdin: bool) -> str:
    """Raises UsageError: there is neither a line to read nor a terminal to ask at."""
    if from_stdin:
        line = sys.stdin.readline()
        if not line.rstrip("\r\n"):
            raise UsageError("标准输入里没有密码", hint="第一行写密码，例：callscore users add … < 文件")
        return line.rstrip("\r\n")
    if not _is_terminal():
        raise UsageError("没有终端，问不了密码", hint="用 --password-stdin 从标准输入读")
    return str(typer.prompt("密码", hide_input=True, confirmation_prompt="再输一遍"))


def _is_terminal() -> bool:
    return sys.stdin.isatty()


def _tell(done: str, user: User) -> None:
    agent = f"，工号 {user.agent_id}" if user.agent_id else ""
    console().print(f"{done}：{user.login}（{user.name}，{user.role.chinese}{agent}）", markup=False)
