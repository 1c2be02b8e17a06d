"""`callscore doctor`: is the installation fit for a night, and what to do about each fault."""

import typer
from rich.text import Text

from pipeline.cli.options import Database, Model, Rules, SettingsOptions, load
from pipeline.cli.render import console
from pipeline.workflows.doctor import CHECKS, Finding


def register(app: typer.Typer) -> None:
    app.command("doctor", epilog="例：callscore doctor --database sqlite:///data/callscore.db")(doctor)


def doctor(database: Database = None, rules: Rules = None, model: Model = None) -> None:
    """检查整个安装：Python、依赖、模型、规则及用例、数据库、录音、磁盘；每个毛病都说怎么办。"""
    settings = load(SettingsOptions(database=database, rules=rules, model=model))
    out = console()
    failed = 0
    for title, check in CHECKS:
        result: Finding = check(settings)
        failed += not result.fit
        mark = Text("好  " if result.fit else "坏  ", style="green" if result.fit else "red")
        out.print(mark + Text(f"{title}：{result.told}", style=""), soft_wrap=True)
        if result.remedy:
            out.print(Text(f"    怎么办：{result.remedy}"), soft_wrap=True)
    out.print("一切正常。" if not failed else f"{failed} 处有问题。")
    raise typer.Exit(1 if failed else 0)
