"""A scorecard as people read it on a terminal."""

from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from pipeline.scorecard import NAMED_BY_NO_FORM, OPEN, Verdict
from pipeline.workflows.card_document import FatalPart, ItemPart, ScorecardPart, SectionPart, standing, takes

VERDICT_STYLES = {"pass": "green", "fail": "red", "graded": "cyan", "needs_review": "yellow", "manual": "dim"}
LEGEND = (
    "怎么看：得分写“已得/满分”，“—”是还没定。谁定：“规则”由录音里听到的定，后面是把握；“人”要质检员定，"
    "“建议”是规则的看法；“待复核”是录音听不准，不给分也不扣分。"
)


def scorecard_view(card: ScorecardPart) -> RenderableType:
    """The form item by item, then what it comes to and whether it can be accepted as it is."""
    table = Table(
        title=f"{card.template_title}（第 {card.template_version} 版）",
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    table.add_column("项目", overflow="fold", ratio=4)
    table.add_column("得分", justify="right", no_wrap=True)
    table.add_column("等级", no_wrap=True)
    table.add_column("谁定", no_wrap=True)
    table.add_column("依据", overflow="fold", ratio=6)
    sections = iter(card.sections)
    before = None
    for item in card.items:
        if item.section != before:
            before = item.section
            table.add_row(*_section(item.section, next(sections, None)))
        table.add_row(f"  {item.title}", _points(item), _level(item), _who(item), item.reason)
    return Group(table, totals(card), Text(LEGEND, style="dim"))


def _section(title: str, section: SectionPart | None) -> tuple[Text, ...]:
    if section is None:
        return (Text(title, style="bold"), *(Text() for _ in range(4)))
    return (
        Text(title, style="bold"),
        Text(f"{section.points:.1f}/{section.possible:.1f}", style="bold"),
        Text(),
        Text(),
        Text(standing(section), style="bold"),
    )


def _points(item: ItemPart) -> str:
    gained = "—" if item.points is None else f"{item.points:.1f}"
    return f"{'+' if item.bonus else ''}{gained}/{item.points_possible:.1f}"


def _level(item: ItemPart) -> Text:
    if item.suggested is not None and item.verdict in OPEN:
        return Text(f"建议{item.suggested}", style="dim")
    label = item.level or Verdict(item.verdict).chinese
    return Text(label, style=VERDICT_STYLES.get(item.verdict, "dim"))


def _who(item: ItemPart) -> Text:
    if item.decided_by == "review":
        return Text("、".join(item.reviewers), style="bold")
    if item.decided_by == "nobody":
        return Text("待复核" if item.verdict == Verdict.NEEDS_REVIEW else "人", style="yellow")
    if item.accept_from is None or item.acceptable:
        return Text(f"规则 {item.confidence:.0%}")
    return Text(f"规则 {item.confidence:.0%} 偏低", style="yellow")


def totals(card: ScorecardPart) -> Text:
    """What it comes to, line by line."""
    text = Text()
    for line in (*_sum_lines(card), *map(_fatal, card.fatals), *_acceptance(card)):
        text.append_text(line).append("\n")
    return text


def _sum_lines(card: ScorecardPart) -> Iterator[Text]:
    so_far = Text(f"已得 {card.total:.1f}，待定 {card.open_points:.1f}", style="bold")
    so_far.append(f"，满分 {card.points_possible:.1f}{_left_out(card)}", style="not bold")
    yield so_far
    is_scaled = card.full not in (0.0, card.points_possible)
    scale = f"折合满分 {card.full:.1f}，" if is_scaled else ""
    if card.final is not None:
        line = Text(f"{scale}总分 {card.final:.1f}", style="bold")
    else:
        line = Text(f"{scale}总分可在 {card.lowest:.1f} 到 {card.highest:.1f} 之间", style="bold")
    if card.pass_mark is not None:
        told = {True: "合格", False: "不合格", None: "是否合格还没定"}[card.passed]
        line.append(f"，{told}（{card.pass_mark:.1f} 分合格）", style="red" if card.passed is False else "")
    yield line


def _left_out(card: ScorecardPart) -> str:
    count = sum(item.verdict == Verdict.NOT_APPLICABLE for item in card.items)
    return f"（{count} 项不适用，不计）" if count else ""


def _fatal(cause: FatalPart) -> Text:
    if cause.holds is None:
        return Text(f"一票否决待复核：{cause.title}。{cause.reason}", style="yellow")
    what = "红线" if cause.zero == NAMED_BY_NO_FORM else "一票否决"
    return Text(f"{what}：{cause.title}（{takes(cause)}）。{cause.reason}", style="bold red")


def _acceptance(card: ScorecardPart) -> Iterator[Text]:
    if card.acceptable:
        count = sum(item.fill == "auto" for item in card.items)
        yield Text(f"可直接采信：规则定的 {count} 项把握都够", style="green")
    elif card.doubts:
        yield Text(f"不能直接采信，先看：{'；'.join(card.doubts)}", style="yellow")
