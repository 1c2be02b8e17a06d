"""`callscore rules impact` as tables and as JSON."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.cli.render import console, local_time
from pipeline.cli.tuning_view import call_part, document, table
from pipeline.settings import Settings
from pipeline.units import clock
from pipeline.workflows.tuning.impact import Change, GroupImpact, Impact, RuleImpact


def print_impact(found: Impact, settings: Settings) -> None:
    out = console()
    out.print(f"从：{found.base.name}\n到：{found.head.name}", markup=False, soft_wrap=True)
    if found.rules:
        out.print(_rules_table(found))
    if any(map(_is_shown, found.rules.values())):
        out.print(_changes_table(found, settings))
    if found.total.changed:
        for part in _scores(found):
            out.print(part)
    for line in _lines(found):
        out.print(line, markup=False, soft_wrap=True)


def _rules_table(found: Impact) -> Table:
    figures = ("多出", "少掉", "涉及通话", "变为无法判断", "不再无法判断")
    made = table("规则", "标题", *figures, figures=figures, title="规则")
    for about in _ordered(found):
        made.add_row(
            about.rule.id,
            about.rule.title,
            *map(_count, (about.gained, about.lost, about.calls, about.unknown_gained, about.unknown_lost)),
        )
    return made


def _count(number: int) -> str:
    return str(number) if number else ""


def _ordered(found: Impact) -> list[RuleImpact]:
    return [found.rules[rule_id] for rule_id in sorted(found.rules)]


def _changes_table(found: Impact, settings: Settings) -> Table:
    made = table(
        "变化",
        "规则",
        "通话",
        "开始",
        "坐席",
        "时间",
        "谁",
        "原话",
        "把握",
        figures=("时间", "把握"),
        title="逐处",
    )
    for about in _ordered(found):
        for change in _examples(about):
            recording, finding = change.recording, change.finding
            made.add_row(
                "多出" if change.gained else "少掉",
                about.rule.id,
                recording.name,
                local_time(recording.started_at, settings),
                recording.agent_id or "",
                clock(finding.span.start),
                finding.role.chinese,
                Text(change.quote),
                f"{finding.confidence:.0%}",
                style="green" if change.gained else "red",
            )
    return made


def _is_shown(about: RuleImpact) -> bool:
    return any(about.examples.values())


def _examples(about: RuleImpact) -> Iterator[Change]:
    """Newest first, what was gained before what was lost."""
    for gained in (True, False):
        yield from reversed(about.examples[gained])


def _scores(found: Impact) -> Iterator[RenderableType]:
    for title, groups in (("坐席", found.agents), ("业务", found.businesses)):
        yield _groups_table(title, {name: groups[name] for name in sorted(groups)} | {"合计": found.total})


def _groups_table(title: str, groups: Mapping[str, GroupImpact]) -> Table:
    figures = ("通话", "变了", "平均已得", "改后", "差", "平均待定", "改后待定", "一票否决")
    made = table(title, *figures, figures=figures, title=f"得分，按{title}")
    for name, group in groups.items():
        change = group.mean(group.after) - group.mean(group.before)
        made.add_row(
            name,
            str(group.calls),
            _count(group.changed),
            *(f"{group.mean(total):.1f}" for total in (group.before, group.after)),
            _signed(change),
            *(f"{group.mean(total):.1f}" for total in (group.open_before, group.open_after)),
            _fatal(group),
            style="bold" if name == "合计" else "",
        )
    return made


def _signed(change: Decimal) -> str:
    return f"{change:+.1f}" if change else ""


def _fatal(group: GroupImpact) -> str:
    parts = [f"+{group.fatal_gained}" if group.fatal_gained else ""]
    parts.append(f"−{group.fatal_lost}" if group.fatal_lost else "")
    return " ".join(filter(None, parts))


def _lines(found: Impact) -> Iterator[str]:
    total = found.total
    yield (
        f"查了 {found.calls} 通：{len(found.compared)} 条规则有改动，{len(found.rules)} 条的结果有变化，"
        f"涉及 {found.calls_changed} 通；{total.changed} 通的得分会变。数据库没有改动。"
    )
    hidden = sum(
        about.gained + about.lost - sum(map(len, about.examples.values())) for about in found.rules.values()
    )
    if hidden:
        yield f"每条规则只列了最新的几处，还有 {hidden} 处没有列出；--limit 0 列出全部。"
    if found.unscored:
        yield f"{found.unscored} 通没有适用的评分表，只比较了发现。"


def impact_json(found: Impact) -> str:
    return document(
        {
            "base": {"name": found.base.name, "digest": found.base.ruleset.digest},
            "head": {"name": found.head.name, "digest": found.head.ruleset.digest},
            "calls": found.calls,
            "calls_changed": found.calls_changed,
            "unscored": found.unscored,
            "rules": [_rule_json(about) for about in _ordered(found)],
            "total": _group_json(found.total),
            "agents": {name: _group_json(found.agents[name]) for name in sorted(found.agents)},
            "businesses": {name: _group_json(found.businesses[name]) for name in sorted(found.businesses)},
        }
    )


def _rule_json(about: RuleImpact) -> dict[str, Any]:
    return {
        "rule": about.rule.id,
        "title": about.rule.title,
        "gained": about.gained,
        "lost": about.lost,
        "calls": about.calls,
        "cannot_tell_gained": about.unknown_gained,
        "cannot_tell_lost": about.unknown_lost,
        "changes": [_change_json(change) for change in _examples(about)],
    }


def _change_json(change: Change) -> dict[str, Any]:
    finding = change.finding
    return {
        **call_part(change.recording),
        "change": "gained" if change.gained else "lost",
        "finding": finding.id,
        "start_ms": finding.span.start,
        "end_ms": finding.span.end,
        "role": finding.role.value,
        "quote": change.quote,
        "confidence": finding.confidence,
    }


def _group_json(group: GroupImpact) -> dict[str, Any]:
    return {
        "calls": group.calls,
        "changed": group.changed,
        "mean_before": str(group.mean(group.before)),
        "mean_after": str(group.mean(group.after)),
        "mean_open_before": str(group.mean(group.open_before)),
        "mean_open_after": str(group.mean(group.open_after)),
        "fatal_gained": group.fatal_gained,
        "fatal_lost": group.fatal_lost,
    }
