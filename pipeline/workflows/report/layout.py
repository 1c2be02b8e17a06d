"""A report laid out: which tables, sentences and plots, in which order, in Chinese."""

from collections.abc import Iterable, Iterator

from pipeline.scoring.intervals import Share
from pipeline.units import clock
from pipeline.workflows.report.cells import (
    Block,
    Cell,
    Lines,
    Number,
    Page,
    Percent,
    Table,
    Time,
    between,
    headings,
)
from pipeline.workflows.report.values import (
    BINS,
    Coaching,
    Coverage,
    Example,
    Fault,
    Group,
    Kind,
    Part,
    Passes,
    Report,
)

OTHERS_TARGET = "20–30 %"
ONLY_DECIDED = "得分率只算已经定了的分，待定的项目不算进去；一票否决清零的分不在这里扣。"
SEVERITIES = {"minor": "轻", "major": "重", "fatal": "一票否决"}
GROUP_TITLES = {Kind.TEAM: "班组"}


def page(report: Report) -> Page:
    """The whole page. An empty report says so and nothing else."""
    scope = "，".join(report.scope)
    return Page(
        title=f"质检{report.kind.chinese}",
        subtitle=f"{report.period}" + (f"，{scope}" if scope else ""),
        blocks=tuple(_blocks(report)),
    )


def _blocks(report: Report) -> Iterator[Block]:
    if report.empty:
        yield Lines(title="概况", lines=("这段时间没有符合条件的通话。",))
        return
    yield _overview(report)
    yield from _filled(_passes(report.passes))
    if report.kind is Kind.RULE:
        yield _rules(report)
        yield from _filled(_agreement(report))
        return
    if report.kind in (Kind.AGENT, Kind.TEAM):
        yield _groups(report)
    yield from _filled(_sections(report.sections, many=len(report.passes) > 1))
    yield _distribution(report)
    yield _trend(report)
    yield from _faults(report)
    yield from _coaching(report.coaching, report.least)
    if report.kind in (Kind.DAY, Kind.WEEK):
        yield _groups(report)
    yield _timing(report)
    yield from _filled(_agreement(report))
    yield _coverage(report.coverage)


def _filled(table: Table) -> Iterator[Table]:
    if table.rows:
        yield table


def _overview(report: Report) -> Table:
    volume, whole = report.volume, report.whole
    of = volume.calls

    def line(title: str, count: int, note: str = "", *, share: bool = True) -> tuple[Cell, ...]:
        return title, count, Percent(count / of) if share and of else "", note

    rows = (
        line("通话", volume.calls, f"{volume.agents} 个坐席", share=False),
        line("评了分", volume.scored, "其余没有适用的评分表" if volume.scored < of else ""),
        line("机评可直接采用", volume.acceptable, "自动项目的把握都高于门槛，没有待复核"),
        line("有人复核", volume.reviewed, "质检员确认或改过其中的项目或发现"),
        line("投诉", volume.complaints),
        line("一票否决", volume.fatal),
        line("有禁用语", volume.forbidden),
        line("隔离的录音", volume.quarantined, "没有评分，不在上面", share=False),
        ("得分率（已定的分）", whole.rate.n, Percent(whole.rate.value), _interval(whole)),
        ("总分可能的范围", whole.lowest.n, between(_span(whole)), "待定项全不得分 — 全得满分，各通平均"),
    )
    return Table(
        title="概况", headings=headings("指标", "通", "占比", "说明", figures=("通", "占比")), rows=rows
    )


def _interval(group: Group) -> str:
    return f"95 % 区间 {between(group.rate.interval)}" if group.rate.interval else "通数太少，没有区间"


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


def _pass(passes: Passes) -> tuple[Cell, ...]:
    met = {True: "达标", False: "未达标", None: "未定" if passes.target is not None else "—"}[passes.met]
    if passes.pass_mark is None:
        return passes.title, "没有", None, None, passes.cards, None, None, None, "—"
    return (
        passes.title,
        Number(passes.pass_mark),
        passes.passed,
        passes.failed,
        passes.undecided,
        between(passes.range),
        between(passes.interval),
        Percent(passes.target),
        met,
    )


def _sections(parts: Iterable[Part], *, many: bool) -> Table:
    rows = tuple(
        (
            f"{part.title}（{part.template}）" if many else part.title,
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
        title="各维度得分率",
        headings=headings(*titles, figures=titles[1:]),
        rows=rows,
        note=ONLY_DECIDED,
        plot="sections",
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
    return f"{i * 100 // BINS:>2}–{(i + 1) * 100 // BINS} %"


GROUP_HEADINGS = ("通话", "评分", "复核", "合格", "不合格", "未定", "得分率", "95 % 区间", "否决", "禁用语")


def _group_cells(group: Group) -> tuple[Cell, ...]:
    return (
        group.calls,
        group.scored,
        group.reviewed,
        group.passed,
        group.failed,
        group.undecided,
        Percent(group.rate.value),
        between(group.rate.interval),
        group.fatal,
        group.forbidden,
    )


def _trend(report: Report) -> Table:
    name = "一周（周一）" if report.kind is Kind.WEEK else "日期"
    return Table(
        title="走势",
        headings=headings(name, *GROUP_HEADINGS, figures=GROUP_HEADINGS),
        rows=tuple((group.name, *_group_cells(group)) for group in report.trend),
        plot="trend",
    )


def _groups(report: Report) -> Table:
    who = GROUP_TITLES.get(report.kind, "坐席")
    ranked = sorted(
        (group for group in report.groups if group.ranked(report.least)),
        key=lambda group: (-(group.rate.value or 0.0), group.name),
    )
    others = [group for group in report.groups if not group.ranked(report.least)]
    rows = [(place, group.name, *_group_cells(group)) for place, group in enumerate(ranked, start=1)]
    rows += [(None, group.name, *_group_cells(group)) for group in others]
    return Table(
        title=f"各{who}",
        headings=headings("名次", who, *GROUP_HEADINGS, figures=("名次", *GROUP_HEADINGS)),
        rows=tuple(rows),
        note=f"按得分率排；评分不到 {report.least} 通的列在后面，不排名。区间相交的，名次不说明谁更好。",
    )


def _faults(report: Report) -> Iterator[Block]:
    yield from _filled(_fault_table("一票否决", report.fatal))
    yield from _filled(_fault_table("失分最多的项目", report.faults, points=True))
    yield from _filled(_fault_table("禁用语", report.forbidden, severity=True))


def _fault_table(
    title: str, faults: Iterable[Fault], *, points: bool = False, severity: bool = False
) -> Table:
    titles = ["项目", *(["程度"] if severity else []), "通", "占比", *(["失分"] if points else []), "例子"]
    rows: list[tuple[Cell, ...]] = [
        (
            fault.title,
            *([SEVERITIES.get(fault.severity, fault.severity)] if severity else []),
            fault.calls,
            Percent(fault.share.value),
            *([Number(fault.points)] if points else []),
            examples(fault.examples),
        )
        for fault in faults
    ]
    return Table(
        title=title,
        headings=headings(*titles, figures=("通", "占比", "失分"), wide=("例子",)),
        rows=tuple(rows),
    )


def examples(found: Iterable[Example]) -> str:
    return "；".join(map(example, found))


def example(found: Example) -> str:
    """`d04 01:02.3 “不归我们管”`: the call, the place in it, what was heard there."""
    place = "" if found.at is None else f" {clock(found.at)}"
    said = f" “{found.quote}”" if found.quote else ""
    return f"{found.call}{place}{said}"


def _coaching(found: tuple[Coaching, ...], least: int) -> Iterator[Block]:
    if not found:
        line = f"没有坐席的得分率明显低于全体（至少 {least} 通，95 % 区间整个低于全体平均），也没有一票否决。"
        yield Lines(title="需要辅导的坐席", lines=(line,))
        return
    rows = [row for agent in found for row in _coached(agent)]
    yield Table(
        title="需要辅导的坐席",
        headings=headings(
            "坐席",
            "原因",
            "最差的三项",
            "本人",
            "全体",
            "本人的例子",
            "做得好的例子",
            figures=("本人", "全体"),
            wide=("原因", "最差的三项", "本人的例子", "做得好的例子"),
        ),
        rows=tuple(rows),
        note="做得好的例子：任何坐席拿满分的通话，先列质检员确认过的，再按把握。",
    )


def _coached(agent: Coaching) -> Iterator[tuple[Cell, ...]]:
    first: tuple[str, str] = agent.agent, agent.why
    if not agent.items:
        yield (*first, "（每项定了的都太少）", "", "", "", "")
    for item in agent.items:
        yield (
            *first,
            item.title,
            Percent(item.rate.value),
            Percent(item.everyone.value),
            examples(item.lost[:2]),
            examples(item.best[:2]),
        )
        first = "", ""


def _timing(report: Report) -> Table:
    whole = report.whole
    rows: tuple[tuple[Cell, ...], ...] = (
        ("通话时长", Time(whole.duration.value), whole.duration.n),
        ("让客户等待", Time(whole.hold.value), whole.hold.n),
        ("无人说话", Time(whole.silence.value), whole.silence.n),
    )
    pace: tuple[Cell, ...] = ("坐席语速（字/分钟）", Number(whole.pace.value, 0), whole.pace.n)
    return Table(
        title="时长、等待、静音和语速",
        headings=headings("每通平均", "值", "通", figures=("值", "通")),
        rows=(*rows, pace),
        note="时间是 分:秒.十分之一秒。语速只算坐席说话满 5 秒的通话。",
    )


def _agreement(report: Report) -> Table:
    rows = [(line.title, line.share.n, *_agreed(line.share)) for line in report.agreement]
    if len(rows) > 1:
        whole = sum((line.share for line in report.agreement), Share(right=0, n=0))
        rows.append(("合计", whole.n, *_agreed(whole)))
    return Table(
        title="机评与质检员的一致率",
        headings=headings(
            "项目", "看过", "一致", "一致率", "95 % 区间", figures=("看过", "一致", "一致率", "95 % 区间")
        ),
        rows=tuple(rows),
        note="规则定了、质检员又看过的项目里，得分没有改的。看过的不是随机抽的，不能推到全部通话。",
    )


def _agreed(share: Share) -> tuple[Cell, ...]:
    return share.right, Percent(share.value), between(share.interval if share.n else None)


def _coverage(coverage: Coverage) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            "投诉",
            coverage.complaints.n,
            coverage.complaints.right,
            Percent(coverage.complaints.value),
            "100 %",
        ),
        ("其他通话", coverage.others.n, coverage.others.right, Percent(coverage.others.value), OTHERS_TARGET),
    ]
    if coverage.plans:
        drawn = coverage.drawn
        rows.append((f"抽样计划（{coverage.plans} 份）", drawn.n, drawn.right, Percent(drawn.value), "100 %"))
    waiting = f"抽中还没听的：{'、'.join(coverage.waiting)}" if coverage.waiting else ""
    if waiting and coverage.drawn.n - coverage.drawn.right > len(coverage.waiting):
        waiting += " 等"
    note = waiting or ("" if coverage.plans else "这段时间没有抽样计划；callscore sample 可以抽。")
    return Table(
        title="质检覆盖",
        headings=headings(
            "范围", "应查", "已复核", "覆盖率", "要求", figures=("应查", "已复核", "覆盖率", "要求")
        ),
        rows=tuple(rows),
        note=note,
    )


def _rules(report: Report) -> Table:
    rows = tuple(
        (
            line.title,
            line.id,
            SEVERITIES.get(line.severity, line.severity),
            line.calls.right,
            Percent(line.calls.value),
            line.findings,
            line.cannot_tell,
            line.judged.n,
            Percent(line.judged.value),
            between(line.judged.interval) if line.judged.n else "",
            examples(line.examples[:2]),
        )
        for line in report.rules
    )
    titles = ("规则", "编号", "程度", "命中通话", "占全部", "处", "无法判断", "判过", "确认", "区间", "例子")
    return Table(
        title="各规则",
        headings=headings(
            *titles,
            figures=("命中通话", "占全部", "处", "无法判断", "判过", "确认", "区间"),
            wide=("规则", "编号", "例子"),
        ),
        rows=rows,
        note="只有生效的规则。判过、确认：质检员判过真假的发现，其中判为真的比例和 95 % 区间。",
    )
