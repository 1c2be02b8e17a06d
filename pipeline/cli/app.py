"""The `callscore` command: every sub-command parses, calls one workflow and prints."""

import logging
import os
import sys

import typer
from rich.console import Console

from pipeline.cli.agreement import register as register_agreement
from pipeline.cli.appeal import app as appeal_app
from pipeline.cli.audit import app as audit_app
from pipeline.cli.calls import register as register_calls
from pipeline.cli.correct import register as register_correct
from pipeline.cli.doctor import register as register_doctor
from pipeline.cli.evaluate import register as register_evaluate
from pipeline.cli.evidence import register as register_evidence
from pipeline.cli.explain import register as register_explain
from pipeline.cli.models import app as models_app
from pipeline.cli.night import register as register_night
from pipeline.cli.report import app as report_app
from pipeline.cli.rescore import register as register_rescore
from pipeline.cli.review import register as register_review
from pipeline.cli.rules import app as rules_app
from pipeline.cli.sample import register as register_sample
from pipeline.cli.search import register as register_search
from pipeline.cli.serve import register as register_serve
from pipeline.cli.settings import register as register_settings
from pipeline.cli.templates import app as templates_app
from pipeline.cli.tickets import register as register_tickets
from pipeline.cli.users import app as users_app
from pipeline.errors import CallscoreError, UsageError

EXIT_FAILED = 1
EXIT_MISUSE = 2

app = typer.Typer(
    name="callscore",
    help="听录音、按标准预填质检评分表的工具：转写、区分说话人、查规则、给出证据。",
    epilog="例：callscore nightly data/demo",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

COMMANDS = (
    register_night,
    register_calls,
    register_search,
    register_rescore,
    register_correct,
    register_evidence,
    register_explain,
    register_review,
    register_agreement,
    register_evaluate,
    register_sample,
    register_tickets,
    register_serve,
    register_settings,
    register_doctor,
)
for register in COMMANDS:
    register(app)
app.add_typer(appeal_app, name="appeal")
app.add_typer(audit_app, name="audit")
app.add_typer(models_app, name="models")
app.add_typer(report_app, name="report")
app.add_typer(rules_app, name="rules")
app.add_typer(templates_app, name="templates")
app.add_typer(users_app, name="users")


def main() -> None:
    """Entry point: errors made on purpose are one clear line, never a traceback."""
    _keep_dependencies_quiet()
    try:
        app()
    except UsageError as error:
        _fail(error, EXIT_MISUSE)
    except CallscoreError as error:
        _fail(error, EXIT_FAILED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(EXIT_FAILED)


def _fail(error: CallscoreError, code: int) -> None:
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    console.print(f"错误：{error.message}", style="red", markup=False)
    if error.hint:
        console.print(f"怎么办：{error.hint}", markup=False)
    sys.exit(code)


def _keep_dependencies_quiet() -> None:
    """No telemetry, no chatter, nothing that was said in any log."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("DO_NOT_TRACK", "1")
    logging.getLogger("jieba").setLevel(logging.ERROR)
    logging.getLogger("faster_whisper").setLevel(logging.ERROR)
