"""`callscore templates ...`: the scorecards that there are, and how a new one begins."""

from pathlib import Path
from typing import Annotated

import typer
from rapidfuzz import fuzz, process
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from pipeline.cli.files import Force, check_new, save
from pipeline.cli.options import Rules, SettingsOptions, load
from pipeline.cli.render import DIRECTIONS, console
from pipeline.errors import NotFound
from pipeline.ruleset import RuleSet
from pipeline.template import Condition, Fill, Item, Section, Template, Total, Use, Zero
from pipeline.workflows.new_template import new_template
from pipeline.workflows.rules import load_rules

FILLS = {Fill.AUTO: "规则", Fill.ASSIST: "规则给线索，人定", Fill.MANUAL: "人"}
LIKELY = 50
NODES = {"all": "都要", "any": "有一个就行", "none": "都不许有"}

app = typer.Typer(
    help="评分表：列出、查看、从表格开始做一张。", no_args_is_help=True, epilog="例：callscore templates list"
)


@app.command("list", epilog="例：callscore templates list")
def list_templates(rules: Rules = None) -> None:
    """列出评分表：用于哪些通话、满分、几项由规则定、几项由人定。"""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("id", "标题", "版本", "用于", "满分", "合格"):
        table.add_column(heading, justify="right" if heading in ("版本", "满分", "合格") else "left")
    for heading in ("规则定", "帮着定", "人定"):
        table.add_column(heading, justify="right", no_wrap=True)
    for template in load_rules(load(SettingsOptions(rules=rules))).templates:
        counts = [str(sum(item.fill is fill for item in template.items)) for fill in Fill]
        mark = "" if template.pass_mark is None else f"{float(template.pass_mark):g}"
        about = (
            template.id,
            template.title,
            str(template.version),
            used_for(template),
            _full(template),
            mark,
        )
        table.add_row(*about, *counts)
    console().print(table)


@app.command("show", epilog="例：callscore templates show inbound_100")
def show(
    template: Annotated[str, typer.Argument(metavar="ID", help="评分表的 id。")], rules: Rules = None
) -> None:
    """看一张评分表：维度、项目、等级，每一项由谁定、看哪些规则。"""
    ruleset = load_rules(load(SettingsOptions(rules=rules)))
    found = ruleset.template(template)
    if found is None:
        ids = [one.id for one in ruleset.templates]
        nearest = process.extractOne(template, ids, scorer=fuzz.ratio, score_cutoff=LIKELY)
        hint = f"是不是 {nearest[0]}？" if nearest else f"有这些：{'、'.join(ids)}"
        raise NotFound(f"没有评分表“{template}”", hint=hint)
    console().print(template_view(found, ruleset))


@app.command("new", epilog="例：callscore templates new 评分表.xlsx -o rules/scorecards/my_form.yml")
def new(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="表格：.xlsx 或 .csv，第一行是列名。")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="写进文件；不写就打印。")] = None,
    name: Annotated[str | None, typer.Option("--id", help="评分表的 id；不写就用文件名。")] = None,
    force: Force = False,
) -> None:
    """从表格做一张评分表的开头，之后再写规则。

    列名认得：维度、权重、项目、分值、等级、等级分、描述、备注，以及常见的别名；一行一个等级，
    合并的或空着的格子算上面那一格。等级分可以是范围（3-4），也可以写在等级里：良（3-4分）。
    """
    if output:
        check_new(output, force=force)
    text = new_template(file, name or (output.stem if output else None))
    if output is None:
        typer.echo(text, nl=False)
        return
    save(output, text)
    console().print(f"写好了 {output}；接着写规则，再跑 callscore rules lint。", markup=False)


def used_for(template: Template) -> str:
    """Which calls a template is chosen for."""
    if template.use is Use.ON_REQUEST:
        return "点名时"
    days = template.effective
    parts = [
        "、".join(DIRECTIONS[direction] for direction in template.applies.directions),
        "、".join(template.applies.businesses),
        f"{days.first or ''} 起" if days.first else "",
        f"到 {days.last}" if days.last else "",
    ]
    return "，".join(part for part in parts if part) or "全部"


def _full(template: Template) -> str:
    if template.total is Total.WEIGHTED:
        return "加权" if template.full is None else f"{float(template.full):g}"
    printed = f"{float(template.points):g}"
    return printed if template.full in (None, template.points) else f"{printed} → {float(template.full):g}"


def template_view(template: Template, ruleset: RuleSet) -> RenderableType:
    """The whole form with its conditions in words."""
    titles = {rule.id: rule.title for rule in ruleset.rules}
    head = Text(f"{template.title}（{template.id}，第 {template.version} 版）", style="bold")
    head.append(f"\n{template.origin}\n用于：{used_for(template)}，满分 {_full(template)}", style="not bold")
    if template.pass_mark is not None:
        head.append(f"，{float(template.pass_mark):g} 分合格", style="not bold")
    trees = [_section(section, titles) for section in template.sections]
    return Group(head, *_fatal(template, titles), *trees)


def _fatal(template: Template, titles: dict[str, str]) -> list[Tree]:
    if not template.fatal:
        return []
    tree = Tree(Text("一票否决", style="bold red"))
    for fatal in template.fatal:
        zero = "全表零分" if fatal.zero is Zero.CARD else f"{fatal.section} 零分"
        when = _when(fatal.when, titles) if fatal.when else "由人认定"
        tree.add(Text(f"{fatal.title}（{zero}）：{when}"))
    return [tree]


def _section(section: Section, titles: dict[str, str]) -> Tree:
    weight = f"，权重 {float(section.weight):g}%" if section.weight is not None else ""
    points = sum(float(item.points) for item in section.items if not item.bonus)
    tree = Tree(Text(f"{section.title}（{points:g} 分{weight}）", style="bold"))
    for item in section.items:
        _item(tree, item, titles)
    return tree


def _item(tree: Tree, item: Item, titles: dict[str, str]) -> None:
    bonus = "加 " if item.bonus else ""
    text = Text(f"{item.title}（{item.id}，{bonus}{float(item.points):g} 分，{FILLS[item.fill]}定）")
    branch = tree.add(text)
    for told in (item.completed, item.manual_because, item.note):
        if told:
            branch.add(Text(told, style="dim"))
    if item.applicable:
        branch.add(Text(f"适用：{_when(item.applicable, titles)}"))
    for level in item.levels:
        least = "" if level.lowest is None else f"{float(level.lowest):g}–"
        when = f"：{_when(level.when, titles)}" if level.when else ""
        branch.add(
            Text(f"{level.title} {least}{float(level.points):g} 分{when}").append(
                f"  {level.text}", style="dim"
            )
        )
    for one in item.deductions:
        each, cap = (
            ("每处" if one.per == "finding" else "全通"),
            "" if one.cap is None else f"，最多 {float(one.cap):g}",
        )
        branch.add(
            Text(f"{titles.get(one.rule, one.rule)}：{each}扣 {float(one.points):g} 分{cap}").append(
                f"  {one.text}", style="dim"
            )
        )
    if item.rules:
        branch.add(Text("线索：" + "、".join(titles.get(rule, rule) for rule in item.rules), style="dim"))


def _when(condition: Condition, titles: dict[str, str]) -> str:
    if condition.rule:
        wanted = "有" if condition.kind == "present" else "没有"
        return f"{wanted}“{titles.get(condition.rule, condition.rule)}”"
    if condition.kind == "always":
        return "总是"
    return f"{NODES[condition.kind]}（{'，'.join(_when(part, titles) for part in condition.parts)}）"
