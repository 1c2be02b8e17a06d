"""A report laid out: which tables, sentences and plots, in which order, in Chinese."""

from collections.abc import Iterable, Iterator

from pipeline.workflows.report.cells import (
    NOTHING,
    Block,
    Cell,
    Lines,
    Named,
    Number,
    Of,
    Page,
    Percent,
    Table,
    between,
    headings,
)
from pipeline.workflows.report.period import MOST_DAYS
from pipeline.workflows.report.tables import (
    GROUP_TITLES,
    coaching,
    coverage,
    faults,
    filled,
    group_name,
    group_timing,
    rules,
    stayed,
    timing,
)
from pipeline.workflows.report.told import Told, joined
from pipeline.workflows.report.values import (
    BINS,
    Group,
    Kind,
    Part,
    Passes,
    Report,
)

ONLY_DECIDED = "得分率只算已经定了的分，待定的项目不算进去；一票否决清零的分不在这里扣。"


def page(report: Report) -> Page:
    """The whole page. An empty report says so and nothing else."""
    return Page(
        title=f"质检{report.kind.chinese}",
        subtitle=joined((report.period.told, *report.scope)),
        blocks=tuple(_blocks(report)),
    )


def _blocks(report: Report) -> Iterator[Block]:
    if report.empty:
        yield Lines(title="概况", lines=(Told("这段时间没有符合条件的通话。"),))
        return
    yield _overview(report)
    yield from filled(_passes(report.passes))
    if report.kind is Kind.RULE:
        yield rules(report)
        yield from filled(stayed(report))
        return
    if report.kind in (Kind.AGENT, Kind.TEAM):
        yield _groups(report)
    for passes, parts in report.forms():
        yield from filled(_sections(passes, parts))
    yield _distribution(report)
    yield _trend(report)
    yield from faults(report)
    yield from coaching(report.coaching, report.least)
    if report.kind in (Kind.DAY, Kind.WEEK):
        yield _groups(report)
    yield timing(report)
    if report.kind in (Kind.AGENT, Kind.TEAM):
        yield group_timing(report)
    yield from filled(stayed(report))
    yield coverage(report.coverage)


def _overview(report: Report) -> Table:
    volume, whole = report.volume, report.whole
    of = volume.calls

    def line(
        title: str, count: int, note: str = "", *, share: bool = True, calls: str | None = None
    ) -> tuple[Cell, ...]:
        shown = count if calls is None or not count else Named(count, Of.CALLS, calls)
        return Told(title), shown, Percent(count / of) if share and of else "", Told(note)

    rows = (
        line("通话", volume.calls, Told("{count} 个坐席", count=volume.agents), share=False, calls=""),
        line("评了分", volume.scored, "其余没有适用的评分表" if volume.scored < of else ""),
        line("机评可直接采用", volume.acceptable, "自动项目的把握都高于门槛，没有待复核", calls="acceptable"),
        line("有人复核", volume.reviewed, "质检员确认或改过其中的项目或发现"),
        line("投诉", volume.complaints, calls="complaint"),
        line("一票否决、红线", volume.fatal, "红线不在评分表里，不清零", calls="fatal"),
        line("有禁用语", volume.forbidden),
        line("隔离的录音", volume.quarantined, "没有评分，不在上面", share=False),
        (Told("得分率（已定的分）"), whole.rate.n, Percent(whole.rate.value), _interval(whole)),
        (
            Told("总分可能的范围"),
            whole.lowest.n,
            between(_span(whole)),
            Told("待定项全不得分 — 全得满分，各通平均"),
        ),
    )
    return Table(
        title="概况", headings=headings("指标", "通", "占比", "说明", figures=("通", "占比")), rows=rows
    )


def _interval(group: Group) -> str:
    if group.rate.interval is None:
        return Told("通数太少，没有区间")
    return Told("95 % 区间 {interval}", interval=between(group.rate.interval))


def _span(group: Group) -> tuple[float, float] | None:
    low, high = group.lowest.value, group.highest.value
    return None if low is None or high is None else (low, high)


def _passes(passes: Iterable[Passes]) -> Table:
    return Table(
        title="合格率",
        headings=headings(
            "评分表",
            "合格线",
            "合格",
            "不合格",
            "未定",
            "合格率可能的范围",
            "95 % 区间",
            "目标",
            "达标",
            figures=("合格线", "合格", "不合格", "未定", "合格率可能的范围", "95 % 区间", "目标"),
        ),
        rows=tuple(map(_pass, passes)),
        note="未定：待定的项目还能让它合格，也能让它不合格；复核之前只能给出范围。",
    )


MET = {True: Told("达标"), False: Told("未达标"), None: Told("未定")}


def _pass(passes: Passes) -> tuple[Cell, ...]:
    met = MET[passes.met] if passes.met is not None or passes.target is not None else NOTHING
    if passes.pass_mark is None:
        return passes.title, Told("没有"), None, None, passes.cards, None, None, None, NOTHING
    return (
        passes.title,
        Number(passes.pass_mark),
        *passes.ends,
        between(passes.range),
        between(passes.interval),
        Percent(passes.target),
        met,
    )


def _sections(form: Passes, parts: Iterable[Part]) -> Table:
    rows = tuple(
        (
            part.title,
            part.cards,
            part.rate.n,
            Percent(part.rate.value),
            between(part.rate.interval),
            Percent(part.full.value),
            part.open,
        )
        for part in parts
    )
    titles = ("维度", "通", "有定分的", "得分率", "95 % 区间", "满分的", "还有待定的")
    return Table(
        title=Told("各维度得分率：{form}", form=form.title),
        headings=headings(*titles, figures=titles[1:]),
        rows=rows,
        note=ONLY_DECIDED,
        plot=f"sections.{form.template}",
    )


def _distribution(report: Report) -> Table:
    total = sum(report.distribution)
    rows = tuple(
        (_bin(i), count, Percent(count / total if total else None))
        for i, count in enumerate(report.distribution)
    )
    return Table(
        title="得分率分布",
        headings=headings("得分率", "通", "占比", figures=("得分率", "通", "占比")),
        rows=rows,
        plot="distribution",
    )


def _bin(i: int) -> str:
    return f"{i * 100 // BINS}–{(i + 1) * 100 // BINS} %"


GROUP_HEADINGS = ("通话", "评分", "复核", "合格", "不合格", "未定", "得分率", "95 % 区间", "否决", "禁用语")


def _group_cells(group: Group) -> tuple[Cell, ...]:
    return (
        group.calls,
        group.scored,
        group.reviewed,
        *group.ends,
        Percent(group.rate.value),
        between(group.rate.interval),
        group.fatal,
        group.forbidden,
    )


def _trend(report: Report) -> Table:
    weeks = report.kind is Kind.WEEK or report.period.days > MOST_DAYS
    name, of = ("一周（周一）", Of.WEEK) if weeks else ("日期", Of.DAY)
    return Table(
        title="走势",
        headings=headings(name, *GROUP_HEADINGS, figures=GROUP_HEADINGS),
        rows=tuple((Named(group.name, of, group.name), *_group_cells(group)) for group in report.trend),
        plot="trend",
    )


def _groups(report: Report) -> Table:
    who = GROUP_TITLES.get(report.kind, "坐席")
    ranked = sorted(
        (group for group in report.groups if group.ranked(report.least)),
        key=lambda group: (-(group.rate.value or 0.0), group.name),
    )
    others = [group for group in report.groups if not group.ranked(report.least)]
    rows = [
        (place, group_name(report, group), *_group_cells(group))
        for place, group in enumerate(ranked, start=1)
    ]
    rows += [(None, group_name(report, group), *_group_cells(group)) for group in others]
    return Table(
        title=f"各{who}",
        headings=headings("名次", who, *GROUP_HEADINGS, figures=("名次", *GROUP_HEADINGS)),
        rows=tuple(rows),
        note=Told(
            "按得分率排；评分不到 {least} 通的列在后面，不排名。区间相交的，名次不说明谁更好。",
            least=report.least,
        ),
    )
