"""`callscore rules ...`: test, check and tune the rule files."""

import typer

from pipeline.cli.options import Rules, SettingsOptions, load
from pipeline.cli.render import console
from pipeline.cli.tuning import register as register_tuning
from pipeline.detect.cases import run_cases
from pipeline.workflows.rules import load_rules

app = typer.Typer(
    help="规则文件：跑用例、检查、试改动。", no_args_is_help=True, epilog="例：callscore rules test"
)


@app.command("test", epilog="例：callscore rules test")
def run(rules: Rules = None) -> None:
    """跑每条规则自带的用例。"""
    ruleset = load_rules(load(SettingsOptions(rules=rules)))
    failures = run_cases(ruleset)
    for failure in failures:
        console().print(str(failure), markup=False, soft_wrap=True)
    raise typer.Exit(1 if failures else 0)


register_tuning(app)
