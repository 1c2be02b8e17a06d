"""Help, and what is said of a command line that is not understood, are in Chinese and whole."""

import re
import sys
from collections.abc import Iterator

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from pipeline.cli.app import COMMANDS, app, main

ENGLISH = ("Usage", "Options", "Arguments", "Commands", "Show this", "required", "default:")


def paths(command: object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    yield path
    for name in getattr(command, "commands", {}):
        yield from paths(command.commands[name], (*path, name))  # type: ignore[attr-defined]


ALL = [path for name in COMMANDS for path in paths(get_command(app).commands[name], (name,))]  # type: ignore[attr-defined]


@pytest.mark.parametrize("path", ALL, ids=" ".join)
def test_the_help_of_every_command_is_in_chinese_and_nothing_of_it_is_cut_off(path: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(app, [*path, "--help"]).output
    assert not [word for word in ENGLISH if word in shown]
    assert not re.search(r" … +│", shown)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nope", "没有命令 nope"),
        ("rulez", "最接近的：rules"),
        ("nightly", "少了 FOLDER：存放录音的文件夹"),
        ("users add x", "少了 --role：角色"),
        ("list --limit x", "--limit：发现“x”，应为整数"),
        ("list --limit 0", "--limit：发现“0”，应为不小于 1 的数"),
        ("serve --port 99999", "--port：发现“99999”，应为不大于 65535 的数"),
        ("appeal show x", "APPEAL：发现“x”，应为整数"),
        ("export --format xml", "应为 jsonl、csv 之一"),
        ("list --nope", "没有选项 --nope"),
        ("list --limi 3", "最接近的：--limit"),
        ("list a b", "多写了 a b"),
        ("list --limit", "--limit 后面要写一个值"),
        ("nightly x --dry-run=true", "--dry-run 后面不写值"),
        ("rescore", "要重评哪一通"),
    ],
)
def test_a_command_line_that_is_not_understood_is_told_in_chinese_with_what_to_do(
    line: str, said: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["callscore", *line.split()])
    with pytest.raises(SystemExit) as ended:
        main()
    told = capsys.readouterr().err
    assert ended.value.code == 2
    assert said in told
    assert "怎么办：" in told
    assert "-h 看用法" in told
    assert "Error" not in told


def test_a_group_without_a_command_shows_its_help(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["callscore", "users"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "添一个用户" in capsys.readouterr().out
