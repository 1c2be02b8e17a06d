"""`callscore settings`: the table of settings with the values in force."""

import typer
from rich import box
from rich.table import Table

from pipeline.cli.options import SettingsOptions, load
from pipeline.cli.render import console
from pipeline.settings import ENV_PREFIX, FILE_NAME, Settings


def register(app: typer.Typer) -> None:
    app.command("settings", epilog="例：CALLSCORE_BEAM_SIZE=1 callscore settings")(settings_command)


def settings_command() -> None:
    """列出所有设置：名称（带单位）、当前值、默认值和说明。"""
    current = load(SettingsOptions())
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("设置", "当前值", "默认值", "说明"):
        table.add_column(heading, overflow="fold")
    for name, field in Settings.model_fields.items():
        value = getattr(current, name)
        style = "bold" if value != field.default else ""
        table.add_row(name, str(value), str(field.default), field.description, style=style)
    out = console()
    out.print(table)
    out.print(f"写在当前目录的 {FILE_NAME} 里，或用环境变量 {ENV_PREFIX}<大写名称> 覆盖。", markup=False)
