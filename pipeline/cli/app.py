"""The `callscore` command: every sub-command parses, calls one workflow and prints."""

import os
import sys

import typer

from pipeline.cli.frame import EXIT_FAILED, EXIT_MISUSE, fail
from pipeline.cli.on_demand import group_of
from pipeline.errors import CallscoreError, UsageError
from pipeline.workflows.environment import prepare_environment

COMMANDS = {
    "nightly": "night",
    "watch": "night",
    "status": "night_desk",
    "reconcile": "night_desk",
    "quarantine": "night_desk",
    "db": "database",
    "score": "score",
    "show": "calls",
    "list": "calls",
    "export": "calls",
    "search": "search",
    "rescore": "rescore",
    "correct": "correct",
    "relink": "correct",
    "history": "correct",
    "evidence": "evidence",
    "explain": "explain",
    "review": "review",
    "reviews": "review",
    "queue": "queue",
    "assign": "queue",
    "agreement": "agreement",
    "evaluate": "evaluate",
    "sample": "sample",
    "tickets": "tickets",
    "serve": "serve",
    "settings": "settings",
    "doctor": "doctor",
    "appeal": "appeal",
    "audit": "audit",
    "models": "models",
    "report": "report",
    "round": "round",
    "rules": "rules",
    "templates": "templates",
    "users": "users",
}
"""Every command in the order of the help, and its module in this folder."""


def callscore() -> None:
    """Nothing is done before a command."""


app = typer.Typer(
    name="callscore",
    cls=group_of({name: f"pipeline.cli.{module}" for name, module in COMMANDS.items()}),
    callback=callscore,
    help="听录音、按标准预填质检评分表的工具：转写、区分说话人、查规则、给出证据。",
    epilog="例：callscore nightly data/demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def main() -> None:
    """Entry point: errors made on purpose are one clear line, never a traceback."""
    prepare_environment()
    try:
        app()
    except UsageError as error:
        fail(error, EXIT_MISUSE)
    except CallscoreError as error:
        fail(error, EXIT_FAILED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FAILED)
