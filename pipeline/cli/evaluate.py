"""`callscore evaluate`: labelled recordings against what the pipeline makes of them."""

from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.files import check_folder
from pipeline.cli.night_progress import progress_watcher
from pipeline.cli.options import Model, Rules, SettingsOptions, load
from pipeline.cli.render import console
from pipeline.detect.engine import run as run_rules
from pipeline.detect.scene import Thresholds
from pipeline.ruleset import RuleSet
from pipeline.settings import Settings
from pipeline.speech.listen import Listener
from pipeline.speech.provenance import provenance_of
from pipeline.storage.mapping import rule_facts
from pipeline.storage.records import StoredCall
from pipeline.storage.store import Store
from pipeline.workflows.baseline import METHODS
from pipeline.workflows.evaluate import Evaluation, HeardCall, evaluate, observe, read_truths
from pipeline.workflows.evaluation_tables import as_markdown, print_evaluation
from pipeline.workflows.item_agreement import Filled
from pipeline.workflows.meaning import Understanding
from pipeline.workflows.night.preparing import Preparing
from pipeline.workflows.night.values import NightPlan, NightTools
from pipeline.workflows.night.workers import local
from pipeline.workflows.nightly import run_night
from pipeline.workflows.rules import rules_in_force

DATABASE = "sqlite:///data/evaluate.db"


def register(app: typer.Typer) -> None:
    app.command("evaluate", epilog="例：callscore evaluate data/demo --errors")(evaluate_command)


def evaluate_command(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="含 truth/、metadata.csv 和录音的文件夹。")
    ],
    errors: Annotated[bool, typer.Option("--errors", help="逐条列出错误。")] = False,
    markdown: Annotated[
        Path | None, typer.Option("--markdown", help="另把表格写成 Markdown 文件，注明日期和命令。")
    ] = None,
    database: Annotated[
        str, typer.Option("--database", help="存转写的数据库；听过的录音不再听，只重新查规则。")
    ] = DATABASE,
    rules: Rules = None,
    model: Model = None,
) -> None:
    """用标注过的录音量准确度：字错率、角色错误、开场时间、每个标签的精确率和召回率，与逐字匹配对照。"""
    next(read_truths(folder))
    if markdown:
        check_folder(markdown)
    settings = load(SettingsOptions(database=database, rules=rules, model=model))
    evaluation = _evaluation(folder, settings)
    print_evaluation(evaluation, console(), errors=errors)
    if markdown:
        markdown.write_text(_page(evaluation, folder, settings, errors=errors), encoding="utf-8")


def _evaluation(folder: Path, settings: Settings) -> Evaluation:
    understanding = Understanding(settings)
    provenance = provenance_of(settings)
    with Store.open(settings.database) as store:
        ruleset = rules_in_force(store, understanding, at=datetime.now(UTC))
        watcher = progress_watcher()
        tools = NightTools(
            store=store,
            prepare=Preparing(settings),
            listener=Listener.open,
            provenance=provenance,
            ruleset=lambda: ruleset,
            settings=settings,
            clock=lambda: datetime.now(UTC),
            understand=understanding.with_sentences,
            hearing=partial(local, notice=watcher.noticed),
        )
        with watcher:
            run_night(NightPlan(folder=folder), tools, watcher)
        here = folder.resolve()
        calls = [
            _heard(stored, ruleset, understanding)
            for stored in store.stored()
            if Path(stored.recording.path).resolve().is_relative_to(here)
            and stored.transcript.provenance == provenance
        ]
    return evaluate(folder, calls)


def _heard(stored: StoredCall, ruleset: RuleSet, understanding: Understanding) -> HeardCall:
    """The stored words under today's rules, and under every plainer way of matching."""
    call, thresholds = understanding.with_sentences(stored.call), Thresholds.of(understanding.settings)
    found = {name: run_rules(call, made(ruleset), thresholds) for name, made in METHODS.items()}
    *_, whole = found.values()
    methods = {name: observe(findings, rule_facts(ruleset, findings)) for name, findings in found.items()}
    *_, observed = methods.values()
    baseline, *_ = methods.values()
    return HeardCall(
        name=stored.recording.call_id or Path(stored.recording.path).stem,
        transcript=stored.transcript,
        observed=observed,
        baseline=baseline,
        methods=methods,
        filled=Filled.of(call, whole, ruleset),
    )


def _page(evaluation: Evaluation, folder: Path, settings: Settings, *, errors: bool) -> str:
    today = datetime.now(UTC).date().isoformat()
    head = (
        f"# 准确度\n\n{today}，`callscore evaluate {folder.name}`，模型 {settings.model}"
        f"（{settings.compute_type}，束宽 {settings.beam_size}）。\n"
        "“基线”是同一批短语在同一份转写上逐字匹配的结果。\n\n"
    )
    return head + as_markdown(evaluation, errors=errors)
