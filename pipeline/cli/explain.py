"""`callscore explain`: why one item of one call is filled in as it is."""

from collections.abc import Iterator
from typing import Annotated

import typer
from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from pipeline.cli.options import Database, For, SettingsOptions, inspector, load
from pipeline.cli.render import console, kept_back
from pipeline.findings import How, Outcome
from pipeline.scorecard import NAMED_BY_NO_FORM, Verdict
from pipeline.storage.store import Store
from pipeline.timeline import Role
from pipeline.workflows.card_document import ItemPart, takes
from pipeline.workflows.explain import explain
from pipeline.workflows.explanation import (
    ChangePart,
    DayPart,
    Explanation,
    FatalSeen,
    FoundPart,
    LevelPart,
    NodePart,
    RulePart,
    WhatIfPart,
    WordsPart,
)
from pipeline.workflows.review.seen import Viewer

HOLDS = {True: ("✓", "green"), False: ("✗", "red"), None: ("?", "yellow")}
NODES = {"all": "以下都要", "any": "以下有一个就行", "none": "以下一个都不许有", "always": "总是"}
FILLS = {"auto": "规则定级", "assist": "规则给线索，质检员定", "manual": "只能由人判断", None: "—"}
THRESHOLDS = {"role_threshold": "角色把握至少 ", "match_confidence": "匹配把握至少 "}
MOST_WORDS = 3


def register(app: typer.Typer) -> None:
    app.command("explain", epilog="例：callscore explain d11 使用规定的招呼语")(explain_command)


def explain_command(
    call: Annotated[str, typer.Argument(metavar="CALL", help="call_id，或录音编号的唯一前缀。")],
    item: Annotated[str, typer.Argument(metavar="ITEM", help="评分项或一票否决项的 id 或标题。")],
    json: Annotated[bool, typer.Option("--json", help="打印 JSON。")] = False,
    viewer: For = None,
    database: Database = None,
) -> None:
    """说明一个评分项或一票否决项为什么这样评：哪条规则、原话和时间、差多少、门槛、哪个条件成立，以及怎样会不同。"""
    settings = load(SettingsOptions(database=database))
    with Store.open(settings.database, create=False) as store:
        looking = Viewer(store, inspector(viewer, settings))
        found = looking.seen(store.latest(store.find_call(call).id))
        ruleset = looking.rules(found.stored.ruleset_digest)
        explanation = explain(found.stored, ruleset, item, found.reviews)
    if json:
        typer.echo(explanation.model_dump_json(indent=2))
    else:
        console().print(explanation_view(explanation))
        if found.hidden:
            console().print(kept_back(found.hidden, looking.who))


def explanation_view(explained: Explanation) -> RenderableType:
    """Head, levels or conditions, rules with their words, what would change it."""
    fatal = explained.fatal
    parts = [
        _head(explained),
        _grown("适用条件", explained.applicable) if explained.applicable else None,
        _grown("成立的条件", fatal.condition) if fatal and fatal.condition else None,
        _levels(explained.levels) if explained.levels else None,
        _rules(explained.rules) if explained.rules else None,
        _what_ifs(explained.what_if) if explained.what_if else None,
        _flips(fatal) if fatal and fatal.flips else None,
    ]
    spaced = [one for part in parts if part is not None for one in (Text(), part)]
    return Group(*spaced[1:])


def _head(explained: Explanation) -> Text:
    item, fatal = explained.item, explained.fatal
    name, result, how = _item_head(item) if item else _fatal_head(fatal) if fatal else ("", "", "")
    text = Text(f"{explained.call}  {name}\n", style="bold")
    text.append(result, style="bold")
    form = f"{explained.template_title}第 {explained.template_version} 版"
    text.append(f"（{form}；{how}）\n", style="not bold")
    for line in _facts(explained):
        text.append(line + "\n", style="not bold")
    text.rstrip()
    return text


def _item_head(item: ItemPart) -> tuple[str, str, str]:
    """Its name, what it got, and who fills it in."""
    gained = "—" if item.points is None else f"{item.points:.1f}"
    level = item.level or Verdict(item.verdict).chinese
    return (
        f"{item.section} › {item.title}",
        f"{level}，{gained}/{item.points_possible:.1f} 分",
        FILLS[item.fill],
    )


def _fatal_head(fatal: FatalSeen) -> tuple[str, str, str]:
    """Its name, whether it holds, and what it would take."""
    cause = fatal.cause
    held = {True: "成立", False: "不成立", None: "无法判断，待复核"}[cause.holds]
    what = "红线" if cause.zero == NAMED_BY_NO_FORM else "一票否决"
    return f"{what} › {cause.title}", held, takes(cause) + (f"：{cause.section}" if cause.section else "")


def _facts(explained: Explanation) -> Iterator[str]:
    if explained.item:
        yield from _item_facts(explained.item)
    if explained.manual_because:
        yield f"为什么要人看：{explained.manual_because}"
    if explained.fatal:
        yield from _fatal_facts(explained.fatal)
    yield from _day(explained.day)
    yield f"规则版本 {explained.ruleset_digest[:12]}"


def _item_facts(item: ItemPart) -> Iterator[str]:
    yield f"依据：{item.reason}"
    if item.decided_by == "review":
        yield f"由{'、'.join(item.reviewers)}定"
    elif item.decided_by == "rules" and item.accept_from is not None:
        told = "可直接采信" if item.acceptable else "偏低，请核对"
        yield f"把握 {item.confidence:.0%}，{item.accept_from:.0%} 起可直接采信：{told}"


def _fatal_facts(seen: FatalSeen) -> Iterator[str]:
    if seen.cause.reason:
        yield f"依据：{seen.cause.reason}"
    if seen.reviewers:
        yield f"由{'、'.join(seen.reviewers)}定"
    elif seen.condition is None:
        yield "没有规则，只有人能认定；还没有人认定"
    elif seen.cause.holds is not None:
        yield f"把握 {seen.cause.confidence:.0%}"


def _day(day: DayPart) -> Iterator[str]:
    """What held for every rule on the day of the scoring."""
    reason = f"（{day.role_reason}）" if day.role_reason else ""
    yield f"谁是坐席：把握 {day.role_confidence:.0%}{reason}"
    if day.thresholds is None:
        yield "当天的门槛没有存下（那时的版本还不存）"
        return
    told = [
        f"{THRESHOLDS.get(name, '')}{value:g}（{name}）" for name, value in sorted(day.thresholds.items())
    ]
    yield f"当天的门槛：{'，'.join(told)}"


def _grown(title: str, node: NodePart) -> Tree:
    tree = Tree(Text(title, style="bold"))
    _grow(tree, node)
    return tree


def _levels(levels: list[LevelPart]) -> Tree:
    """The levels from the best down: the first whose condition holds counts."""
    tree = Tree(Text("等级（从上往下，第一个成立的算）", style="bold"))
    for level in levels:
        branch = tree.add(_level(level))
        if level.condition:
            _grow(branch, level.condition)
    return tree


def _level(level: LevelPart) -> Text:
    text = Text("→ " if level.chosen else "  ", style="bold green")
    text.append(f"{level.title} {level.points:.1f} 分", style="bold green" if level.chosen else "bold")
    if level.condition is None:
        text.append("（没有规则，只有人能选）", style="not bold dim")
    elif not level.condition.in_force:
        text.append("（规则不用于这类通话，跳过）", style="not bold dim")
    elif not level.tried:
        text.append("（前面已经定了，没有再看）", style="not bold dim")
    text.append(f"  {level.text}", style="not bold dim")
    return text


def _grow(branch: Tree, node: NodePart) -> None:
    mark, style = HOLDS[node.holds] if node.in_force else ("–", "dim")
    if node.rule:
        wanted = "听到" if node.kind == "present" else "没有听到"
        told = f"{wanted}“{node.title}”（{node.rule}）"
    else:
        told = NODES[node.kind]
    told += (
        {True: "", False: "：不成立", None: "：无法判断"}[node.holds] if node.in_force else "：不用于这类通话"
    )
    inner = branch.add(Text(f"{mark} {told}", style=style))
    for part in node.parts:
        _grow(inner, part)


def _rules(rules: list[RulePart]) -> Tree:
    tree = Tree(Text("规则和原话", style="bold"))
    for rule in rules:
        branch = tree.add(Text(f"{rule.title}（{rule.id}，{rule.file}）", style="bold"))
        branch.add(
            Text(
                f"方法 {rule.detector}" + "".join(f"，{k} {v}" for k, v in rule.settings.items()), style="dim"
            )
        )
        if rule.deduction:
            branch.add(Text(rule.deduction))
        if not rule.findings:
            branch.add(Text("不用于这类通话" if rule.status == "active" else "草稿规则，不计分", style="dim"))
        for found in rule.findings:
            _add_found(branch, found)
    return tree


def _add_found(branch: Tree, found: FoundPart) -> None:
    outcome = Outcome(found.outcome)
    head = Text(f"{outcome.chinese}（把握 {found.confidence:.0%}）：{found.explanation}")
    inner = branch.add(head)
    before = "" if outcome is Outcome.PRESENT else "最接近："
    for words in found.words[:MOST_WORDS]:
        if words.quote or words.phrase:
            inner.add(Text(before + _words(words), style="" if outcome is Outcome.PRESENT else "dim"))


def _words(words: WordsPart) -> str:
    told = f"{words.time} {Role(words.role).chinese}“{words.quote}”"
    if words.phrase:
        told += f"，对照“{words.phrase}”，{How(words.how).chinese}，距离 {words.distance:g}"
    return told + (f"（{words.detail}）" if words.detail else "")


def _what_ifs(what_ifs: list[WhatIfPart]) -> Text:
    text = Text("怎样会不同", style="bold")
    for what_if in what_ifs:
        verb = "升为" if what_if.better else "变为"
        style = "not bold green" if what_if.better else "not bold"
        result = f"就会{verb}{what_if.level or ''} {what_if.points:.1f} 分"
        text.append(f"\n  {_needed(what_if.changes)}，{result}", style=style)
    return text


def _flips(seen: FatalSeen) -> Text:
    text = Text("怎样会不同", style="bold")
    for flip in seen.flips:
        told = "就会成立" if flip.holds else "就不成立"
        text.append(f"\n  {_needed(flip.changes)}，{told}", style="not bold")
    return text


def _needed(changes: list[ChangePart]) -> str:
    return "，并且".join(_change(change) for change in changes)


def _change(change: ChangePart) -> str:
    named = [words for words in change.nearest if words.quote]
    if change.heard:
        near = f"（最接近的是 {named[0].time}“{named[0].quote}”）" if named else ""
        return f"听到“{change.title}”{near}"
    said = "、".join(f"{words.time}“{words.quote}”" for words in named[:MOST_WORDS])
    return f"没有“{change.title}”" + (f"（{said}不算）" if said else "")
