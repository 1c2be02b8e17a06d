"""Replays, comparisons and the history of a call as people read them on a terminal."""

from collections.abc import Iterable
from datetime import datetime

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.findings import Finding, Outcome
from pipeline.media.values import time_zone
from pipeline.scorecard import ScoredItem
from pipeline.settings import Settings
from pipeline.units import clock
from pipeline.workflows.dispute.changes import ItemChange, Scoring, finding_changes, item_changes
from pipeline.workflows.dispute.history import Event
from pipeline.workflows.dispute.listen_again import HeardAgain
from pipeline.workflows.dispute.replay import Agreement, Replay

SHOWN = 12
"""Digits of a digest where it is only to be recognized."""
MOST_LINES = 60


def local(at: datetime, settings: Settings) -> str:
    """A moment in the time zone of the settings, to the second."""
    return at.astimezone(time_zone(settings.time_zone)).strftime("%Y-%m-%d %H:%M:%S")


def replay_view(replay: Replay, settings: Settings) -> RenderableType:
    """Which scoring was made again, both digests, and loudly whether they agree."""
    stored = replay.stored
    card = stored.scorecard
    form = f"{card.template_title}（第 {card.template_version} 版）" if card else "没有适用的评分表"
    text = Text(f"重放 {stored.recording.name}：{local(stored.scored_at, settings)} 的评分\n", style="bold")
    text.append(f"评分表  {form}\n规则集  {stored.ruleset_digest}\n", style="not bold")
    text.append(f"存下的  sha256 {stored.body_sha256}\n重放的  sha256 {replay.sha256}\n", style="not bold")
    for note in replay.assumed:
        text.append(f"注意：{note}\n", style="not bold yellow")
    text.append_text(_verdict(replay))
    return text


def _verdict(replay: Replay) -> Text:
    if replay.agreement is Agreement.IDENTICAL:
        return Text("相同：重放与存下的评分逐字节相同。", style="bold green")
    if replay.agreement is Agreement.SAME_FIELDS:
        return Text(f"内容相同：{replay.difference}。摘要因此不同。", style="bold yellow")
    text = Text("不相同！重放得不出存下的评分。\n", style="bold red")
    text.append(f"第一处不同：{replay.difference}\n", style="not bold red")
    text.append("怎么办：不要据此改分；先查程序版本和数据库是否被改过，再重评。", style="not bold")
    return text


def totals_line(before: Scoring, after: Scoring) -> str:
    """Points before and after."""
    old, new = before.scorecard, after.scorecard
    if old is None or new is None:
        return "没有适用的评分表" if new is None else f"重评后 {new.total}（待定 {new.open_points}）"
    return f"重评前 {old.total}（待定 {old.open_points}）→ 重评后 {new.total}（待定 {new.open_points}）"


def changes_view(before: Scoring, after: Scoring) -> RenderableType:
    """Item by item what changed, and the findings responsible; then findings that moved no item."""
    changes = item_changes(before, after)
    table = Table(title="变了的项目", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("项目", "前", "后", "引起变化的发现和原因"):
        table.add_column(heading, overflow="fold")
    for change in changes:
        table.add_row(
            change.title, _result(change.before), _result(change.after), _cause(change, before, after)
        )
    shown = {finding.id for change in changes for finding in (*change.gone, *change.new)}
    parts: list[RenderableType] = [table] if changes else [Text("没有项目变化。", style="green")]
    gone, new = finding_changes(before, after)
    rest = _lines((f for f in gone if _matters(f) and f.id not in shown), "没有了", before)
    rest += _lines((f for f in new if _matters(f) and f.id not in shown), "新增", after)
    if rest:
        parts.append(Text("不影响得分的发现：\n" + "\n".join(rest[:MOST_LINES]), style="dim"))
    return Group(*parts)


def _result(item: ScoredItem | None) -> str:
    if item is None:
        return "没有这一项"
    gained = "—" if item.points is None else f"{item.points:.1f}"
    return f"{gained}/{item.points_possible:.1f} {item.level or item.verdict.chinese}"


def _cause(change: ItemChange, before: Scoring, after: Scoring) -> str:
    lines = _lines(change.new, "新增", after) + _lines(change.gone, "没有了", before)
    return "\n".join((*lines, *change.why)) or "把握变了，判断随之改变"


def _lines(findings: Iterable[Finding], what: str, scoring: Scoring) -> list[str]:
    return [f"{what}：{_told(finding, scoring)}" for finding in findings]


def _matters(finding: Finding) -> bool:
    """Whether it tells anything by itself: that nothing was found does not."""
    return finding.outcome is not Outcome.ABSENT


def _told(finding: Finding, scoring: Scoring) -> str:
    rule = scoring.ruleset.rule(finding.rule_id)
    quote = finding.evidence[0].quote if finding.evidence else ""
    said = f"“{quote}”" if quote and finding.outcome is Outcome.PRESENT else finding.outcome.chinese
    title = rule.title if rule else finding.rule_id
    where = clock(finding.span.start) if finding.outcome is Outcome.PRESENT else ""
    return " ".join(part for part in (where, title, said) if part)


def heard_again_view(found: HeardAgain, settings: Settings) -> RenderableType:
    """What was heard otherwise, and what follows for findings and items."""
    made = found.before.transcript.provenance
    parts: list[RenderableType] = [
        Text(f"重听 {found.before.recording.name}", style="bold"),
        Text(f"模型 {made.model}（sha256 {made.model_sha256[:SHOWN]}），识别设置 {made.settings_digest}"),
    ]
    parts += [Text(f"注意：{note}", style="yellow") for note in found.notes]
    if found.identical:
        return Group(*parts, Text("相同：重听的转写与存下的逐字节相同。", style="bold green"))
    if found.reworded:
        parts.append(_wordings(found))
    else:
        parts.append(Text("字句全都相同；不同的是时间、概率或说话人。", style="yellow"))
    parts += [changes_view(found.before, found.after), Text(totals_line(found.before, found.after))]
    return Group(*parts, Text("没有存：转写和评分都保持原样。", style="dim"))


def _wordings(found: HeardAgain) -> Table:
    title = f"字句不同 {len(found.reworded)} 处"
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("时间", "谁", "存下的", "重听的"):
        table.add_column(heading, overflow="fold")
    for part in found.reworded[:MOST_LINES]:
        table.add_row(clock(part.start), part.role.chinese, part.before or "—", part.after or "—")
    if len(found.reworded) > MOST_LINES:
        table.add_row("", "", f"另有 {len(found.reworded) - MOST_LINES} 处", "")
    return table


def history_view(events: tuple[Event, ...], settings: Settings) -> RenderableType:
    """Everything that happened to a call, oldest first."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("时间", "事情", "谁", "内容", "得分", "评分摘要", "规则集"):
        table.add_column(heading, overflow="fold", no_wrap=heading in ("时间", "评分摘要", "规则集"))
    for event in events:
        table.add_row(
            local(event.at, settings),
            event.what,
            event.who,
            event.told,
            event.points,
            event.sha256[:SHOWN],
            event.ruleset_digest[:SHOWN],
        )
    return table
