"""Help, and command lines that are not understood, in Chinese: what typer itself says in English."""

import re
import sys
from typing import Any, NoReturn

from pydantic import ValidationError
from typer import Abort
from typer._click import exceptions as misuse
from typer._click.core import Context
from typer._click.formatting import HelpFormatter
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from pipeline.errors import CallscoreError, UsageError
from pipeline.wanted import wanted

EXIT_FAILED = 1
EXIT_MISUSE = 2
OPTIONS, COMMAND, USAGE = "[选项]", "命令 …", "用法："
STRINGS = {
    "DEFAULT_STRING": "（默认 {}）",
    "ENVVAR_STRING": "（环境变量 {}）",
    "REQUIRED_LONG_STRING": "（必须写）",
    "ARGUMENTS_PANEL_TITLE": "参数",
    "OPTIONS_PANEL_TITLE": "选项",
    "COMMANDS_PANEL_TITLE": "命令",
}
_MESSAGES = {
    r"No such command '(?P<name>[^']*)'": "没有命令 {name}",
    r"Got unexpected extra arguments? ?\(?s?\)? ?\((?P<name>.*)\)": "多写了 {name}",
    r"Option '(?P<name>[^']*)' requires .*": "{name} 后面要写一个值",
    r"Option '(?P<name>[^']*)' does not take a value": "{name} 后面不写值",
    r"Missing command": "没有写命令",
}
_NEAR = re.compile(r"Did you mean (?:one of:? )?(?P<names>'.*')")


class _Chinese:
    """The parts that a command and a group share."""

    def format_usage(self, ctx: Context, formatter: HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, " ".join(self.collect_usage_pieces(ctx)), prefix=USAGE)

    def collect_usage_pieces(self, ctx: Context) -> list[str]:
        pieces: list[str] = super().collect_usage_pieces(ctx)  # type: ignore[misc]
        return [{"[OPTIONS]": OPTIONS, "COMMAND [ARGS]...": COMMAND}.get(piece, piece) for piece in pieces]

    def get_help_option(self, ctx: Context) -> TyperOption | None:
        option: TyperOption | None = super().get_help_option(ctx)  # type: ignore[misc]
        if option:
            option.help = "显示这段说明。"
        return option

    def format_help(self, ctx: Context, formatter: HelpFormatter) -> None:
        _translate()
        super().format_help(ctx, formatter)  # type: ignore[misc]


class Command(_Chinese, TyperCommand):
    """A command whose help is in Chinese."""


class Group(_Chinese, TyperGroup):
    """A group of commands whose help is in Chinese, as is what it says of a line that is not understood."""

    def main(self, *args: Any, **more: Any) -> Any:
        alone = more.pop("standalone_mode", True)
        more["standalone_mode"] = False
        if not alone:
            return super().main(*args, **more)
        try:
            sys.exit(super().main(*args, **more) or 0)
        except misuse.NoArgsIsHelpError:
            sys.exit(EXIT_MISUSE)
        except misuse.UsageError as error:
            fail(UsageError(told(error), hint=_hint(error)), EXIT_MISUSE)
        except Abort:
            fail(UsageError("没有做完就停了"), EXIT_FAILED)


def fail(error: CallscoreError, code: int) -> NoReturn:
    """Say what is wrong and what to do next, and end."""
    from rich.console import Console  # only a command that fails pays for it

    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(f"错误：{error.message}", style="red", markup=False)
    if error.hint:
        console.print(f"怎么办：{error.hint}", markup=False)
    sys.exit(code)


def told(error: misuse.UsageError) -> str:
    """What is wrong with the command line."""
    match error:
        case misuse.NoSuchOption(option_name=name):
            return f"没有选项 {name}"
        case misuse.MissingParameter():
            return f"少了 {_name(error)}：{getattr(error.param, 'help', '')}"
        case misuse.BadParameter(__cause__=ValidationError() as cause):
            fault = cause.errors()[0]
            return f"{_name(error)}：发现“{fault['input']}”，应为{wanted(fault)}"
        case misuse.BadParameter():
            return error.message
    return _translated(error.message)


def _name(error: misuse.BadParameter) -> str:
    if isinstance(error.param, TyperArgument):
        return error.param.display_name_raw
    return "、".join(error.param.opts) if error.param else ""


def _translated(message: str) -> str:
    for pattern, chinese in _MESSAGES.items():
        if found := re.match(pattern, message):
            return chinese.format_map(found.groupdict())
    return message


def _hint(error: misuse.UsageError) -> str:
    near = getattr(error, "possibilities", None) or _near(error.message)
    usage = f"{error.ctx.command_path if error.ctx else 'callscore'} -h 看用法"
    return f"最接近的：{'、'.join(near)}；{usage}" if near else usage


def _near(message: str) -> list[str]:
    found = _NEAR.search(message)
    return re.findall(r"'([^']*)'", found["names"]) if found else []


def _translate() -> None:
    from typer import rich_utils  # only help pays for it

    from pipeline.cli.wrapping import break_between_characters

    break_between_characters()
    for name, chinese in STRINGS.items():
        setattr(rich_utils, name, chinese)
