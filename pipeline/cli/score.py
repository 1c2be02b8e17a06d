"""`callscore score`: one file, heard and judged, nothing kept."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.options import Model, Rules, SettingsOptions, load
from pipeline.cli.render import call_view, console
from pipeline.errors import NotFound
from pipeline.speech.listen import Listener
from pipeline.workflows.document import call_document
from pipeline.workflows.meaning import Understanding
from pipeline.workflows.process_call import process_call
from pipeline.workflows.rules import load_rules


def register(app: typer.Typer) -> None:
    app.command("score", epilog="例：callscore score data/demo/audio/d11.mp3")(score)


def score(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="一个录音文件。")],
    rules: Rules = None,
    model: Model = None,
    json: Annotated[bool, typer.Option("--json", help="打印 JSON。")] = False,
) -> None:
    """听一个录音文件并打印评分表，不写数据库。"""
    if not file.is_file():
        raise NotFound(f"{file}：文件不存在，应为录音文件", hint="检查路径")
    settings = load(SettingsOptions(rules=rules, model=model))
    understanding = Understanding(settings)
    ruleset = understanding.taught(load_rules(settings))
    scored = process_call(file, None, ruleset, Listener.open(settings), understanding)
    document = call_document(
        scored.recording, scored.transcript, tuple(scored.findings), scored.scorecard, ruleset
    )
    if json:
        typer.echo(document.model_dump_json(indent=2))
    else:
        console().print(call_view(document, settings))
