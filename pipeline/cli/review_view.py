"""What an inspector reads: the form to fill in, what a decision changed, and all that was decided."""

from collections.abc import Iterator, Mapping, Sequence

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.cli.card_view import VERDICT_STYLES
from pipeline.cli.render import head, kept_back, local_time, transcript_view
from pipeline.findings import Finding, Outcome
from pipeline.scorecard import (
    FATAL_FAILS,
    FATAL_HOLDS,
    Decision,
    FatalCause,
    Review,
    Scorecard,
    ScoredItem,
    Verdict,
)
from pipeline.scoring.added import told as value_told
from pipeline.settings import Settings
from pipeline.storage.records import ScoringLine
from pipeline.units import clock
from pipeline.workflows.document import call_document
from pipeline.workflows.review.marks import possible_values
from pipeline.workflows.review.selected import ID_SHOWN
from pipeline.workflows.review.sheet import Sheet


def sheet_view(sheet: Sheet, settings: Settings, *, blind: bool) -> RenderableType:
    """The form with what may be filled in. Blind: the transcript, and nothing that the machine made of it."""
    stored = sheet.stored
    document = call_document(
        stored.recording, stored.transcript, stored.findings, stored.scorecard, sheet.ruleset
    )
    parts: list[RenderableType] = [head(document.recording, document.transcript, settings), Text()]
    if blind:
        parts += [transcript_view(document.transcript), Text()]
    parts.append(_form(sheet, blind=blind))
    if not blind:
        parts.append(_findings(sheet))
    parts.append(_next(sheet, blind=blind))
    return Group(*parts)


def change_view(before: Sheet, after: Sheet, *, blind: bool) -> RenderableType:
    """What was written down, the items that changed by it, and the totals."""
    new = after.everything[len(before.everything) :]
    own = [review for review in new if review.who == after.who]
    parts: list[RenderableType] = [Text(f"记下 {len(own)} 个决定：", style="bold")]
    parts += [Text(f"  {told(review, after)}") for review in own]
    if not blind:
        parts += [Text(line) for line in _changes(before.card, after.card)]
        parts.append(_total(after.card))
    parts.append(_left(after, blind=blind))
    return Group(*parts)


def history_view(sheet: Sheet, lines: Sequence[ScoringLine], settings: Settings) -> RenderableType:
    """All decisions that may be seen, oldest first, then the scorings that they led to."""
    table = Table(title="决定", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    for heading in ("时间", "谁", "决定"):
        table.add_column(heading, no_wrap=True)
    for heading in ("项目或发现", "值", "理由"):
        table.add_column(heading, overflow="fold")
    table.add_column("看过", no_wrap=True)
    for review in sheet.reviews:
        table.add_row(
            local_time(review.at, settings),
            review.who,
            review.decision.chinese,
            _target(review, sheet),
            value_told(review),
            review.reason,
            _seen(review),
        )
    parts: list[RenderableType] = [table if sheet.reviews else Text("还没有复核。")]
    if sheet.hidden:
        parts.append(kept_back(sheet.hidden, sheet.who))
    else:
        parts.append(_scorings(lines, settings))
    return Group(*parts)


def told(review: Review, sheet: Sheet) -> str:
    """One decision in a line."""
    if review.decision is Decision.FINDING_ADDED:
        why = f"（{review.reason}）" if review.reason else ""
        return f"{review.decision.chinese} {value_told(review)}{why}"
    value = f" → {review.value}" if review.value and review.decision is not Decision.NOTE else ""
    note = f"：{review.value}" if review.decision is Decision.NOTE else ""
    why = f"（{review.reason}）" if review.reason else ""
    return f"{review.decision.chinese} {_target(review, sheet)}{value}{note}{why}".rstrip()


def _target(review: Review, sheet: Sheet) -> str:
    titles = {item.id: item.title for item in sheet.template.items}
    titles |= {fatal.id: fatal.title for fatal in sheet.template.fatal}
    for finding in sheet.stored.findings:
        titles[finding.id] = f"{_rule(sheet, finding)} {clock(finding.span.start)}"
    return titles.get(review.target, review.target)


def _rule(sheet: Sheet, finding: Finding) -> str:
    rule = sheet.ruleset.rule(finding.rule_id)
    return rule.title if rule else finding.rule_id


def _seen(review: Review) -> str:
    if review.appeal_id is not None:
        return f"申诉 {review.appeal_id}"
    seen = [name for name, saw in (("机器", review.saw_machine), ("别人", review.saw_others)) if saw]
    return "、".join(seen) or "都没看"


def _form(sheet: Sheet, *, blind: bool) -> Table:
    table = Table(
        title=f"{sheet.template.title}（第 {sheet.template.version} 版）",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    shown = _columns(sheet, blind=blind)
    table.add_column("编号", no_wrap=True)
    table.add_column("项目", overflow="fold", ratio=3)
    for heading in shown:
        table.add_column(heading, no_wrap=True)
    table.add_column("可以写", overflow="fold", ratio=4)
    for item in sheet.template.items:
        known = (column.get(item.id, "") for column in shown.values())
        table.add_row(item.id, item.title, *known, possible_values(item))
    for fatal in sheet.template.fatal:
        known = (column.get(fatal.id, "") for column in shown.values())
        table.add_row(fatal.id, f"{fatal.title}（一票否决）", *known, f"{FATAL_HOLDS}、{FATAL_FAILS}")
    return table


def _columns(sheet: Sheet, *, blind: bool) -> dict[str, Mapping[str, Text | str]]:
    """What is known of each item: by the machine, after the reviews that may be seen, by the inspector."""
    columns: dict[str, Mapping[str, Text | str]] = {}
    if not blind:
        columns["机器"] = _results(sheet.machine)
    if not blind and sheet.reviews:
        columns["现在"] = _results(sheet.card)
    if sheet.own:
        columns[sheet.who] = {r.target: r.value for r in sheet.own if r.decision.scores}
    return columns


def _results(card: Scorecard) -> Mapping[str, Text]:
    items = {item.id: _result(item) for item in card.items}
    return items | {cause.id: _fatal(cause) for cause in card.fatals}


def _result(item: ScoredItem) -> Text:
    style = VERDICT_STYLES.get(item.verdict, "dim")
    if item.points is None or item.verdict is Verdict.NOT_APPLICABLE:
        suggested = f"建议{item.suggested}" if item.suggested else item.verdict.chinese
        return Text(suggested, style=style)
    return Text(f"{item.level or ''} {item.points}".strip(), style=style)


def _fatal(cause: FatalCause) -> Text:
    if cause.holds is None:
        return Text("待复核", style="yellow")
    return Text(FATAL_HOLDS, style="bold red") if cause.holds else Text(FATAL_FAILS, style="dim")


def _findings(sheet: Sheet) -> Table:
    table = Table(title="发现", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("编号", no_wrap=True)
    table.add_column("时间", no_wrap=True)
    for heading in ("规则", "结果", "原话", "判断"):
        table.add_column(heading, overflow="fold")
    said = {r.target: f"{r.who}：{r.decision.chinese}" for r in sheet.reviews}
    present = [f for f in sheet.stored.findings if f.outcome is not Outcome.ABSENT or f.id in said]
    for finding in sorted(present, key=lambda f: (f.span, f.rule_id)):
        quote = finding.evidence[0].quote if finding.evidence else ""
        when = clock(finding.span.start)
        about = (_rule(sheet, finding), finding.outcome.chinese, quote, said.get(finding.id, ""))
        table.add_row(finding.id[:ID_SHOWN], when, *about)
    return table


def _next(sheet: Sheet, *, blind: bool) -> Text:
    name = sheet.stored.recording.name
    flag = " --blind" if blind else ""
    text = _left(sheet, blind=blind)
    text.append(f"\n定一项：callscore review {name}{flag} --set 编号=等级或分数 --reason 理由", style="dim")
    if not blind:
        text.append(f"\n同意机器：callscore review {name} --accept-all", style="dim")
    text.append(f"\n交卷：callscore review {name}{flag} --done", style="dim")
    return text


def _left(sheet: Sheet, *, blind: bool) -> Text:
    text, left = Text(), sheet.left(blind=blind)
    if left:
        text.append(f"还要评的 {len(left)} 项：", style="yellow")
        text.append("  ".join(item.id for item in left), style="yellow")
    else:
        text.append("要评的都评了。")
    if sheet.hidden:
        text.append("\n").append(kept_back(sheet.hidden, sheet.who))
    return text


def _changes(before: Scorecard, after: Scorecard) -> Iterator[str]:
    for old, new in zip(before.items, after.items, strict=True):
        if (old.level, old.points, old.verdict) != (new.level, new.points, new.verdict):
            yield f"  {new.title}：{_result(old)} → {_result(new)}"


def _total(card: Scorecard) -> Text:
    text = Text("总分 ", style="bold")
    text.append(f"{card.lowest}" if card.final is not None else f"{card.lowest} 到 {card.highest} 之间")
    text.append(f"，满分 {card.full}", style="not bold")
    return text


def _scorings(lines: Sequence[ScoringLine], settings: Settings) -> Table:
    table = Table(title="评分表", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("编号", justify="right")
    table.add_column("时间", no_wrap=True)
    table.add_column("因为", overflow="fold")
    table.add_column("计入的决定", justify="right")
    table.add_column("已得", justify="right")
    for line in lines:
        total = "—" if line.total is None else str(line.total)
        when = local_time(line.scored_at, settings)
        table.add_row(str(line.scorecard_id), when, line.reason, str(line.reviews), total)
    return table
