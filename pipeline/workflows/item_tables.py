"""Agreement of automatic items with the labels, and the reliability of confidences, as tables."""

from collections.abc import Iterable, Sequence
from itertools import pairwise

from pipeline.scoring.intervals import Share
from pipeline.workflows.item_agreement import Basis, Judged, Verity, cards, decisions, share
from pipeline.workflows.item_truth import ITEM_TRUTH
from pipeline.workflows.sheet import Sheet, percent

BINS = (0.0, 0.6, 0.7, 0.8, 0.9, 0.95, 0.97, 1.0)
"""Bounds of the confidences that are counted together; the last bin includes 1."""


def item_sheets(items: Sequence[Judged]) -> tuple[Sheet, ...]:
    """Everything about items; nothing where none was judged."""
    if not items:
        return ()
    return (_agreement(items), _reliability(items), _accepted(items), _wrong(items))


def _agreement(items: Sequence[Judged]) -> Sheet:
    rows = []
    for template in dict.fromkeys(item.template for item in items):
        own = [item for item in items if item.template == template]
        rows.append((f"【{template}】", *_counts(own)))
        for name in dict.fromkeys(item.item for item in own):
            one = [item for item in own if item.item == name]
            rows.append((f"{template}.{name} {one[0].title}", *_counts(one)))
    note = (
        "自动项的级别与标注比较。“都不适用”“待人工”“标注判不了”不算在一致率里；"
        "括号里是威尔逊 95 % 区间。标注怎样决定级别，见“自动项的真值”。"
    )
    headings = ("评分项", "通话", "一致", "不一致", "都不适用", "待人工", "标注判不了", "一致率")
    return Sheet(title="自动项与标注一致", headings=headings, rows=tuple(rows), note=note)


def _counts(items: Sequence[Judged]) -> tuple[str, ...]:
    counted = [sum(item.verity is verity for item in items) for verity in Verity]
    return (str(len(items)), *map(str, counted), _with_interval(share(items)))


def _with_interval(counted: Share) -> str:
    if not counted.n:
        return "—"
    low, high = counted.interval
    return f"{percent(counted.value)}（{percent(low)}–{percent(high)}）"


def _reliability(items: Sequence[Judged]) -> Sheet:
    decided = list(decisions(items))
    rows = [
        (f"{low:.2f}–{high:.2f}", *_by_basis([i for i in decided if _within(i, low, high)]))
        for low, high in pairwise(BINS)
    ]
    note = (
        "规则给的把握落在各段的决定里，有多少与标注一致（一致/总数）。同一通电话里依据同样的发现、结果也同样的决定只算一次。"
        "“没听到”：依据里有没听到的话。"
    )
    headings = ("把握", *(basis.chinese for basis in Basis), "合计")
    return Sheet(
        title="把握可不可信", headings=headings, rows=(*rows, ("全部", *_by_basis(decided))), note=note
    )


def _within(item: Judged, low: float, high: float) -> bool:
    return low <= item.confidence and (item.confidence < high or high == BINS[-1])


def _by_basis(items: Sequence[Judged]) -> tuple[str, ...]:
    parts = [[item for item in items if item.basis is basis] for basis in Basis]
    return tuple(f"{share(part).right}/{share(part).n}" if part else "—" for part in (*parts, list(items)))


def _accepted(items: Sequence[Judged]) -> Sheet:
    decided = list(decisions(items))
    taken = [item for item in decided if item.acceptable]
    rows = [(f"决定：{basis.chinese}", *_taken([i for i in decided if i.basis is basis])) for basis in Basis]
    rows += [
        ("决定：全部", *_taken(decided)),
        ("其余（要人看）", str(len(decided) - len(taken)), *_rest(decided)),
    ]
    rows.append(("评分表：全部自动项", *_whole_cards(items)))
    headings = ("什么", "判得出的", "可直接采信", "其中一致", "一致率")
    note = (
        "把握不低于评分表的 accept_from 的自动项可以直接采信；"
        "依据里有没听到的话时，每一处没听到的把握还要不低于 accept_absent_from。"
    )
    return Sheet(title="可直接采信的有多对", headings=headings, rows=tuple(rows), note=note)


def _taken(items: Sequence[Judged]) -> tuple[str, ...]:
    counted = share(item for item in items if item.acceptable)
    return str(len(items)), str(counted.n), str(counted.right), _with_interval(counted)


def _whole_cards(items: Sequence[Judged]) -> tuple[str, ...]:
    """Cards that may be accepted as they are, and those of them without a wrong item."""
    forms = cards(items).values()
    taken = [form for form in forms if form[0].card_acceptable]
    right = sum(all(item.verity is not Verity.WRONG for item in form) for form in taken)
    return str(len(forms)), str(len(taken)), str(right), _with_interval(Share(right=right, n=len(taken)))


def _rest(items: Iterable[Judged]) -> tuple[str, ...]:
    counted = share(item for item in items if not item.acceptable)
    return "0", str(counted.right), _with_interval(counted)


def _wrong(items: Sequence[Judged]) -> Sheet:
    rows = tuple(
        (
            i.call,
            f"{i.template}.{i.item}",
            i.wanted or "由人选",
            i.level or "",
            f"{i.confidence:.2f}",
            _yes(i),
        )
        for i in items
        if i.verity is Verity.WRONG
    )
    headings = ("通话", "评分项", "标注", "规则", "把握", "可直接采信")
    return Sheet(title="与标注不一致的自动项", headings=headings, rows=rows, prose=True)


def _yes(item: Judged) -> str:
    return "是" if item.acceptable else "否"


def truth_sheet() -> Sheet:
    """How the labels decide each automatic item."""
    rows = tuple(
        (f"{template}.{name}", "；".join(f"{level}：`{terms}`" for level, terms in levels))
        for template, items in ITEM_TRUTH.items()
        for name, levels in items.items()
    )
    note = (
        "按印的顺序，标注全部符合的第一级就是真值；都不符合的由人选，不算。"
        "空格是“并且”，`-` 是“没有”，`|` 是“或者”；标注的意思见标注说明。"
    )
    return Sheet(title="自动项的真值", headings=("评分项", "级别：标注"), rows=rows, prose=True, note=note)
