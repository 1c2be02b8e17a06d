"""The tables of a report that point at calls and people: faults, coaching, times, what stayed, coverage."""

from collections.abc import Iterable, Iterator

from pipeline.scoring.intervals import Share
from pipeline.workflows.report.cells import (
    Block,
    Cell,
    Examples,
    Lines,
    Named,
    Number,
    Of,
    Percent,
    Table,
    Time,
    between,
    headings,
)
from pipeline.workflows.report.told import Told
from pipeline.workflows.report.values import Coaching, Coverage, Fault, Group, Kind, Report

OTHERS_TARGET = "20–30 %"
SEVERITIES = {"minor": Told("轻"), "major": Told("重"), "fatal": Told("一票否决")}
GROUP_TITLES = {Kind.TEAM: "班组"}


def filled(table: Table) -> Iterator[Table]:
    """The table, if there is anything in it."""
    if table.rows:
        yield table


def faults(report: Report) -> Iterator[Block]:
    yield from filled(_fault_table("一票否决、红线", Of.CAUSE, report.fatal))
    yield from filled(_fault_table("失分最多的项目", Of.ITEM, report.faults, points=True))
    yield from filled(_fault_table("禁用语", Of.RULE, report.forbidden, severity=True))


def _fault_table(
    title: str, of: Of, faults: Iterable[Fault], *, points: bool = False, severity: bool = False
) -> Table:
    calls = Of.HITS if of is Of.RULE else of
    titles = ["项目", *(["程度"] if severity else []), "通", "占比", *(["失分"] if points else []), "例子"]
    rows: list[tuple[Cell, ...]] = [
        (
            Named(fault.title, of, fault.key),
            *([SEVERITIES.get(fault.severity, fault.severity)] if severity else []),
            Named(fault.calls, calls, fault.key),
            Percent(fault.share.value),
            *([Number(fault.points)] if points else []),
            Examples(fault.examples),
        )
        for fault in faults
    ]
    return Table(
        title=title,
        headings=headings(*titles, figures=("通", "占比", "失分"), wide=("例子",)),
        rows=tuple(rows),
    )


def coaching(found: tuple[Coaching, ...], least: int) -> Iterator[Block]:
    if not found:
        line = Told(
            "没有坐席的得分率明显低于全体（至少 {least} 通，95 % 区间整个低于全体平均），也没有一票否决。",
            least=least,
        )
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
    first: tuple[Cell, Cell] = Named(agent.agent, Of.AGENT, agent.agent), agent.why
    if not agent.items:
        yield (*first, Told("（每项定了的都太少）"), "", "", "", "")
    for item in agent.items:
        yield (
            *first,
            item.title,
            Percent(item.rate.value),
            Percent(item.everyone.value),
            Examples(item.lost[:2]),
            Examples(item.best[:2]),
        )
        first = "", ""


def timing(report: Report) -> Table:
    whole = report.whole
    rows: tuple[tuple[Cell, ...], ...] = (
        (Told("通话时长"), Time(whole.duration.value), whole.duration.n),
        (Told("让客户等待"), Time(whole.hold.value), whole.hold.n),
        (Told("无人说话"), Time(whole.silence.value), whole.silence.n),
    )
    pace: tuple[Cell, ...] = (Told("坐席语速（字/分钟）"), Number(whole.pace.value, 0), whole.pace.n)
    return Table(
        title="时长、等待、静音和语速",
        headings=headings("每通平均", "值", "通", figures=("值", "通")),
        rows=(*rows, pace),
        note="时间是 分:秒.十分之一秒。语速只算坐席说话满 5 秒的通话。",
    )


def group_timing(report: Report) -> Table:
    who = GROUP_TITLES.get(report.kind, "坐席")
    titles = ("通话", "通话时长", "让客户等待", "无人说话", "语速（字/分钟）")
    return Table(
        title=f"各{who}的时长、等待、静音和语速",
        headings=headings(who, *titles, figures=titles),
        rows=tuple(
            (
                group_name(report, group),
                group.calls,
                Time(group.duration.value),
                Time(group.hold.value),
                Time(group.silence.value),
                Number(group.pace.value, 0),
            )
            for group in report.groups
        ),
        note="每通平均。",
    )


def group_name(report: Report, group: Group) -> Named:
    return Named(group.name, Of.TEAM if report.kind is Kind.TEAM else Of.AGENT, group.name)


def stayed(report: Report) -> Table:
    rows: list[tuple[Cell, ...]] = []
    last = ""
    for line in report.stayed:
        rows.append(("" if line.form == last else line.form, line.title, line.share.n, *_stayed(line.share)))
        last = line.form
    if len(rows) > 1:
        whole = sum((line.share for line in report.stayed), Share(right=0, n=0))
        rows.append(("", Told("合计"), whole.n, *_stayed(whole)))
    figures = ("看过", "未改", "未改率", "95 % 区间")
    return Table(
        title="质检员看过的机评，未改的有多少",
        headings=headings("评分表", "项目", *figures, figures=figures),
        rows=tuple(rows),
        note=(
            "规则定了、质检员又看过的项目里，得分没有改的。看着机评评的多半不改，看过的也不是随机抽的："
            "这不是一致性，也不能推到全部通话。扣除碰运气的一致性（κ、α，盲评的单列）：callscore agreement。"
        ),
    )


def _stayed(share: Share) -> tuple[Cell, ...]:
    return share.right, Percent(share.value), between(share.interval if share.n else None)


def coverage(coverage: Coverage) -> Table:
    rows: list[tuple[Cell, ...]] = [
        (
            Told("投诉"),
            coverage.complaints.n,
            coverage.complaints.right,
            Percent(coverage.complaints.value),
            "100 %",
        ),
        (
            Told("其他通话"),
            coverage.others.n,
            coverage.others.right,
            Percent(coverage.others.value),
            OTHERS_TARGET,
        ),
    ]
    if coverage.plans:
        drawn = coverage.drawn
        title = Told("抽样计划（{plans} 份）", plans=coverage.plans)
        rows.append((title, drawn.n, drawn.right, Percent(drawn.value), "100 %"))
    note = _waiting(coverage)
    if not note and not coverage.plans:
        note = Told("这段时间没有抽样计划；callscore sample 可以抽。")
    return Table(
        title="质检覆盖",
        headings=headings(
            "范围", "应查", "已复核", "覆盖率", "要求", figures=("应查", "已复核", "覆盖率", "要求")
        ),
        rows=tuple(rows),
        note=note,
    )


def _waiting(coverage: Coverage) -> str:
    """Some of the calls that were drawn and nobody has listened to; "": there are none."""
    if not coverage.waiting:
        return ""
    more = coverage.drawn.n - coverage.drawn.right > len(coverage.waiting)
    pattern = "抽中还没听的：{calls} 等" if more else "抽中还没听的：{calls}"
    return Told(pattern, calls="、".join(coverage.waiting))


def rules(report: Report) -> Table:
    rows = tuple(
        (
            Named(line.title, Of.RULE, line.id),
            line.id,
            SEVERITIES.get(line.severity, line.severity),
            Named(line.calls.right, Of.HITS, line.id),
            Percent(line.calls.value),
            line.findings,
            line.cannot_tell,
            line.judged.n,
            Percent(line.judged.value),
            between(line.judged.interval) if line.judged.n else "",
            Examples(line.examples[:2]),
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
