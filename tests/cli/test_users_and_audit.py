"""Users and the audit log as an administrator types them."""

import re
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.cli.users import app as users_app
from pipeline.errors import UsageError
from pipeline.storage.store import Store

sys.path.append(str(Path(__file__).parents[1] / "workflows/review"))
from review_help import archive

PASSWORD = "四个 不相干的词 连起来 就行"
Type = Callable[..., str]


@pytest.fixture
def callscore(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Type:
    """Types a command in an empty folder; what is printed comes back."""
    monkeypatch.setenv("CALLSCORE_DATABASE", f"sqlite:///{tmp_path}/calls.db")
    monkeypatch.delenv("CALLSCORE_AUDIT_KEY", raising=False)
    monkeypatch.chdir(tmp_path)

    def typed(*words: str, stdin: str | None = None, code: int = 0) -> str:
        result = CliRunner().invoke(app, words, input=stdin)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result.output

    return typed


def add(callscore: Type, login: str, *words: str) -> str:
    return callscore("users", "add", login, *words, "--password-stdin", stdin=f"{PASSWORD}\n")


def test_the_first_admin_is_added_where_there_is_no_database_yet(callscore: Type, tmp_path: Path) -> None:
    assert "已添加：王敏（王敏，管理员）" in add(callscore, "王敏", "--role", "admin")
    assert (tmp_path / "calls.db.audit.key").stat().st_mode & 0o777 == 0o600
    assert "管理员" in callscore("users", "list")


def test_users_are_listed_as_they_were_written(callscore: Type) -> None:
    add(callscore, "1050", "--role", "agent", "--agent-id", "1050", "--team", "一组", "--name", "[red]李想")
    listed = callscore("users", "list")
    for words in ("1050", "[red]李想", "坐席", "一组"):
        assert words in listed
    callscore("users", "team", "1050", "二组")
    callscore("users", "role", "1050", "inspector")
    callscore("users", "disable", "1050")
    listed = callscore("users", "list")
    for words in ("二组", "质检员", "已停用"):
        assert words in listed
    callscore("users", "enable", "1050")
    assert "已停用" not in callscore("users", "list")


def test_a_reset_password_is_shown_once_and_must_be_changed(callscore: Type, tmp_path: Path) -> None:
    add(callscore, "wang", "--role", "admin")
    told = callscore("users", "reset", "wang")
    assert "已重设密码：wang" in told
    password = re.search(r"新密码：(\S{23})\n", told)
    assert password
    assert password[1] not in callscore("users", "reset", "wang")
    with Store.open(f"sqlite:///{tmp_path}/calls.db") as store:
        assert store.user("wang").must_change
    listed = callscore("audit", "list")
    assert "user.password_reset" in listed
    assert password[1] not in listed


def test_the_number_of_an_agent_is_changed(callscore: Type) -> None:
    add(callscore, "1050", "--role", "agent", "--agent-id", "1050")
    assert "工号 1051" in callscore("users", "agent", "1050", "1051")
    assert "user.agent" in callscore("audit", "list")
    with pytest.raises(UsageError, match="坐席要写明工号"):
        callscore("users", "agent", "1050", "")


def test_the_password_is_asked_twice_and_not_shown(callscore: Type, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, object]] = []

    def prompt(text: str, **how: object) -> str:
        asked.append(how)
        return PASSWORD

    monkeypatch.setattr(typer, "prompt", prompt)
    monkeypatch.setattr("pipeline.cli.users._is_terminal", lambda: True)
    callscore("users", "add", "wang", "--role", "inspector")
    assert asked == [{"hide_input": True, "confirmation_prompt": "再输一遍"}]


def test_no_command_takes_the_password_as_a_word() -> None:
    users = typer.main.get_command(users_app)
    commands = users.commands.values()  # type: ignore[attr-defined]
    options = {option for command in commands for parameter in command.params for option in parameter.opts}
    assert {option for option in options if "password" in option} == {"--password-stdin"}


@pytest.mark.parametrize("stdin", ["", "\n", "\r\n"])
def test_an_empty_line_is_no_password(callscore: Type, stdin: str) -> None:
    with pytest.raises(UsageError, match="没有密码"):
        callscore("users", "add", "wang", "--role", "admin", "--password-stdin", stdin=stdin)


def test_without_a_terminal_the_way_out_is_named(callscore: Type) -> None:
    with pytest.raises(UsageError) as caught:
        callscore("users", "add", "wang", "--role", "admin")
    assert "--password-stdin" in caught.value.hint


def test_the_log_is_listed_and_verified(callscore: Type) -> None:
    add(callscore, "wang", "--role", "admin")
    callscore("users", "team", "wang", "一组")
    listed = callscore("audit", "list")
    for words in ("user.added", "user.team", "user:wang", "cli:"):
        assert words in listed
    assert "user.added" not in callscore("audit", "list", "--action", "user.team")
    assert "没有记录" in callscore("audit", "list", "--who", "nobody")
    assert "没有记录" in callscore("audit", "list", "--since", "2999-01-01")
    assert "2 条，完好" in callscore("audit", "verify")


def test_a_changed_line_is_told_with_its_place_and_what_to_do(callscore: Type, tmp_path: Path) -> None:
    for login in ("wang", "li", "zhao"):
        add(callscore, login, "--role", "admin")
    with sqlite3.connect(tmp_path / "calls.db") as raw:
        raw.execute("UPDATE audit_log SET who = 'somebody' WHERE seq = 2")
    raw.close()
    said = callscore("audit", "verify", code=1)
    assert "第 2 条：" in said
    assert "怎么办" in said
    assert "第 3 条" not in said


def test_a_cut_end_is_accepted_only_in_so_many_words(callscore: Type, tmp_path: Path) -> None:
    for login in ("wang", "li", "zhao"):
        add(callscore, login, "--role", "admin")
    with sqlite3.connect(tmp_path / "calls.db") as raw:
        raw.execute("DELETE FROM audit_log WHERE seq > 1")
    raw.close()
    assert "第 2–3 条：结尾被截掉" in callscore("audit", "verify", code=1)
    assert "已承认" in callscore("audit", "verify", "--renew")
    assert "2 条，完好" in callscore("audit", "verify")
    assert "audit.renewed" in callscore("audit", "list")


def test_decisions_and_exports_on_the_command_line_are_in_the_log(callscore: Type, tmp_path: Path) -> None:
    archive(tmp_path, blind=True, combine="average").close()
    callscore("review", "c2", "--set", "tone=3.5", "--reason", "语气还好", "--who", "王", "--done")
    callscore("export")
    listed = callscore("audit", "list")
    for words in ("review.override", "review.done", "export", "tone", "3.5"):
        assert words in listed
    assert "语气还好" not in listed
    assert "3 条，完好" in callscore("audit", "verify")
