"""`callscore rules import` and `callscore rules export`: the word list of a call centre, to and fro."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.files import Force, check_name
from pipeline.cli.options import Rules, SettingsOptions, load
from pipeline.cli.render import console
from pipeline.errors import BadInput
from pipeline.workflows.rules import load_rules
from pipeline.workflows.tuning.import_rules import (
    Imported,
    Plan,
    export_entries,
    import_rules,
    write_rules,
)
from pipeline.workflows.tuning.wordlist import read_wordlist, write_wordlist

EXIT_FAULTS = 1
ENDINGS = (".xlsx", ".csv")


class Role(StrEnum):
    AGENT = "agent"
    CUSTOMER = "customer"


def register(app: typer.Typer) -> None:
    app.command("import", epilog="例：callscore rules import 禁语.xlsx -o rules")(import_command)
    app.command("export", epilog="例：callscore rules export -o 词表.xlsx --label forbidden")(export_command)


def import_command(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="词表：.xlsx、.csv（UTF-8 或 GB18030）有“类别、说法、严重程度、例句”几列，只有“说法”必须有；"
            ".txt 一行一条，“# 类别”起一类。",
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="规则写进哪个文件夹。")],
    label: Annotated[str, typer.Option("--label", help="规则的 label，也是下级文件夹的名字。")] = "forbidden",
    role: Annotated[Role, typer.Option("--role", help="谁说的算。")] = Role.AGENT,
    patterns: Annotated[
        bool, typer.Option("--patterns", help="说法按规则的写法读（[]、()、… 是记号），不当原话。")
    ] = False,
    skip: Annotated[bool, typer.Option("--skip", help="有毛病的行跳过，其余照写。")] = False,
    force: Annotated[bool, typer.Option("--force", help="覆盖已有的规则文件。")] = False,
) -> None:
    """把现成的词表变成规则文件：每类一条规则，每条说法带一个用例，都是草稿（只显示，不计分）。

    有毛病的行逐条列出行号；不加 --skip 时，有一行不对就什么都不写，退出码 1。
    """
    imported = import_rules(read_wordlist(file, patterns=patterns), Plan(label=label, role=role.value))
    out = console()
    for fault in imported.faults:
        out.print(f"{file}：{fault}", style="yellow", markup=False, soft_wrap=True)
    if imported.faults and not skip:
        out.print(f"{len(imported.faults)} 行不能用，什么都没有写。改好后再来，或加 --skip 跳过这些行。")
        raise typer.Exit(EXIT_FAULTS)
    if not imported.files:
        raise BadInput(f"{file}：没有可用的说法", hint="列名下面每行写一条")
    _written(imported, output, force=force)


def _written(imported: Imported, output: Path, *, force: bool) -> None:
    out = console()
    for path in write_rules(imported, output, force=force):
        out.print(str(path), markup=False, soft_wrap=True)
    skipped = f"，跳过 {len(imported.faults)} 行" if imported.faults else ""
    out.print(
        f"{imported.entries} 条说法写成 {len(imported.files)} 条规则{skipped}，状态都是草稿。"
        "接着：callscore rules try 逐条试，满意后去掉 status: draft。",
        soft_wrap=True,
    )


def export_command(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="写成 .xlsx 或 .csv。")],
    label: Annotated[str | None, typer.Option("--label", help="只要这个 label 的规则；默认全部。")] = None,
    force: Force = False,
    rules: Rules = None,
) -> None:
    """把规则里的说法写成词表，可以给不写规则的人看和改；`rules import --patterns` 读回来。"""
    check_name(output, ENDINGS, force=force)
    ruleset = load_rules(load(SettingsOptions(rules=rules)))
    written = write_wordlist(export_entries(ruleset, label=label), output)
    console().print(f"{written} 条说法写进 {output}。", markup=False, soft_wrap=True)
