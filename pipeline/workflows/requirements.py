"""What the written standards ask for, the scorecard items that it became, and how each is filled.

Two sources and no third: the rows of docs/standards.md, and the templates, whose items name their `places`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.ruleset import RuleSet
from pipeline.template import Fatal, Fill, Item, Template

DOCUMENTS: Mapping[str, tuple[str, ...]] = {
    "客服呼叫中心质检评分标准（百分制）": ("percent_100",),
    "呼叫中心质量监控管理办法": ("four_areas",),
    "呼叫中心客户服务标准规范": ("four_dimensions",),
    "质量标准（电话呼入 7.5，电话呼出 7.6）": ("inbound_100", "outbound_100"),
    "客户服务满意度评分标准模板": ("satisfaction_5",),
}
"""Heading in docs/standards.md -> the templates made from that document."""

BY_HAND = "需人工"
_FILLS = {Fill.AUTO: "自动", Fill.ASSIST: "辅助", Fill.MANUAL: "人工"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """One row of docs/standards.md. `told` says how an agent says it, or why a person must decide."""

    document: str
    place: str
    wanted: str
    rules: tuple[str, ...]
    told: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """A demand with the items that came from it, each with its template, and the fatal items that its rules
    bring about."""

    demand: Demand
    items: tuple[tuple[Template, Item], ...]
    fatal: tuple[tuple[Template, Fatal], ...] = ()

    @property
    def scored(self) -> bool:
        """Whether it can move a score."""
        return bool(self.items or self.fatal)


def demands(text: str) -> Iterator[Demand]:
    """The rows of docs/standards.md in order."""
    document = ""
    for line in text.splitlines():
        if line.startswith("## "):
            document = line[3:].strip()
        elif line.startswith("|") and not line.startswith(("|---", "| 出处")):
            place, wanted, rules, told = (cell.strip() for cell in line.strip("| ").split("|"))
            named = tuple(re.findall(r"`([^`]+)`", rules))
            yield Demand(document=document, place=place, wanted=wanted, rules=named, told=told)


def requirements(text: str, ruleset: RuleSet) -> tuple[Requirement, ...]:
    """Every row with its items."""
    return tuple(_requirement(row, ruleset) for row in demands(text))


def _requirement(row: Demand, ruleset: RuleSet) -> Requirement:
    forms = [form for form in ruleset.templates if form.id in DOCUMENTS.get(row.document, ())]
    items = ((form, item) for form in forms for item in form.items if _asks(item, row))
    fatal = ((form, one) for form in forms for one in form.fatal if one.when)
    brought = ((form, one) for form, one in fatal if one.when and set(one.when.rules()) & set(row.rules))
    return Requirement(demand=row, items=tuple(items), fatal=tuple(brought))


def _asks(item: Item, row: Demand) -> bool:
    """Whether an item came from a row: by its place and a rule in common, or by a word of the row that the
    place names (`7.5 应答：异议`)."""
    for place in item.places:
        where, _, word = place.partition("：")
        if where != row.place:
            continue
        if word:
            if word in row.wanted:
                return True
        elif set(item.evidence_rules()) & set(row.rules):
            return True
    return False


def unfilled(ruleset: RuleSet) -> list[str]:
    """Items that nobody fills: no rule decides them, and nothing says why a person must."""
    return [
        f"{template.id}.{item.id}"
        for template, item in _known(ruleset)
        if not (item.fill is Fill.AUTO and item.deciding_rules()) and not item.manual_because
    ]


def unasked(found: Iterable[Requirement], ruleset: RuleSet) -> list[str]:
    """Items that come from no row and are not marked as ours."""
    asked = {(template.id, item.id) for one in found for template, item in one.items}
    return [
        f"{template.id}.{item.id}"
        for template, item in _known(ruleset)
        if (template.id, item.id) not in asked and not item.completed
    ]


def unmet(found: Iterable[Requirement]) -> list[str]:
    """Rows with rules but no item, and rows without rules that give no reason."""
    return [
        f"{one.demand.place} {one.demand.wanted}"
        for one in found
        if not (one.scored if one.demand.rules else one.demand.told)
    ]


def _known(ruleset: RuleSet) -> Iterator[tuple[Template, Item]]:
    names = {name for templates in DOCUMENTS.values() for name in templates}
    for template in ruleset.templates:
        if template.id in names:
            yield from ((template, item) for item in template.items)


def page(text: str, ruleset: RuleSet, note: str) -> str:
    """docs/requirements.md: a table of rows a document, then the items that are ours."""
    found = requirements(text, ruleset)
    parts = [f"# 质检要求与评分表对照{note}", _INTRO, _counts(found, ruleset)]
    for document in DOCUMENTS:
        rows = [one for one in found if one.demand.document == document]
        parts += [f"## {document}", _table(rows), *_ours(document, ruleset)]
    return "\n\n".join(parts) + "\n"


_INTRO = """五份质检标准里与录音有关的每一条要求，成了哪张评分表的哪一项，由谁填，由哪些规则填。
由 [standards.md](standards.md) 的行和 `rules/scorecards/` 的评分表生成；测试检查：
没有规则又没写为什么要人工的项目不行，没有项目又没写原因的要求也不行。

- 自动：规则定级。辅助：规则给线索和建议，质检员定级。人工：只能由人判断。
- “不进评分表”的要求不在一通录音里（许多通电话的统计、工单系统、制度），写明原因；
  工单的及时率和准确率（7.7、7.8）由 `callscore report` 从工单的 CSV 计算。"""


def _counts(found: Sequence[Requirement], ruleset: RuleSet) -> str:
    rows = []
    for document, templates in DOCUMENTS.items():
        items = [item for template, item in _known(ruleset) if template.id in templates]
        fills = [sum(item.fill is fill for item in items) for fill in _FILLS]
        mine = [one for one in found if one.demand.document == document]
        scored = sum(one.scored for one in mine)
        names = "、".join(f"`{name}`" for name in templates)
        completed = sum(bool(item.completed) for item in items)
        cells = (document, names, len(mine), scored, len(mine) - scored, len(items), *fills, completed)
        rows.append("| " + " | ".join(map(str, cells)) + " |")
    head = "| 标准 | 评分表 | 要求 | 有项目 | 不进评分表 | 项目 | 自动 | 辅助 | 人工 | 其中我们补的 |"
    return "\n".join((head, "|---|---|" + "---:|" * 8, *rows))


def _table(rows: Iterable[Requirement]) -> str:
    head = "| 出处 | 要求 | 评分项 | 谁填 | 规则 | 说明 |"
    return "\n".join((head, "|---|---|---|---|---|---|", *map(_row, rows)))


def _row(one: Requirement) -> str:
    row = one.demand
    if not one.scored:
        return f"| {row.place} | {row.wanted} | 不进评分表 |  |  | {row.told} |"
    named = [f"`{template.id}.{item.id}` {item.title}" for template, item in one.items]
    named += [f"一票否决 `{template.id}.{fatal.id}` {fatal.title}" for template, fatal in one.fatal]
    fills = dict.fromkeys([*(_FILLS[item.fill] for _, item in one.items), *(["自动"] if one.fatal else [])])
    reasons = [item.manual_because for _, item in one.items if item.manual_because]
    reasons += [] if row.rules else [row.told]
    listed = " ".join(f"`{rule}`" for rule in row.rules)
    return (
        f"| {row.place} | {row.wanted} | {'<br>'.join(named)} | {'、'.join(fills)} | {listed} "
        f"| {'；'.join(dict.fromkeys(reasons))} |"
    )


def _ours(document: str, ruleset: RuleSet) -> list[str]:
    rows = [
        f"| `{template.id}.{item.id}` {item.title} | {_FILLS[item.fill]} "
        f"| {' '.join(f'`{rule}`' for rule in item.evidence_rules())} | {item.completed} |"
        for template, item in _known(ruleset)
        if template.id in DOCUMENTS[document] and item.completed
    ]
    if not rows:
        return []
    return ["### 我们补上的项目", "\n".join(("| 评分项 | 谁填 | 规则 | 说明 |", "|---|---|---|---|", *rows))]
