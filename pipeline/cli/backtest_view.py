"""`callscore rules backtest` as tables and as JSON."""

from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table

from pipeline.cli.render import console
from pipeline.cli.tuning_view import call_part, document, table
from pipeline.ruleset import Rule, Status
from pipeline.scoring.intervals import Share
from pipeline.workflows.tuning.backtest import WANTED_RECALL, Backtest, RuleBacktest
from pipeline.workflows.tuning.labels import LabelTest

UNCLAIMED = "不能说"


def print_backtest(found: Backtest, *, drawn: bool) -> None:
    out = console()
    decided = [test for test in found.tests if _is_decided(test)]
    if decided:
        out.print(_decisions_table(decided))
    for line in _lines(found, decided):
        out.print(line, markup=False, soft_wrap=True)
    told = [test for test in found.labels if test.precision.n or test.recall.n]
    if told:
        out.print(_labels_table(told))
    quiet = [test.label for test in found.labels if test.rule is None and test not in told]
    if quiet:
        out.print(f"标注里没有、也没有报的标签：{'、'.join(quiet)}", markup=False, soft_wrap=True)
    if found.unheard:
        names = "、".join(found.unheard)
        out.print(f"标注过而没有转写的：{names}", markup=False, soft_wrap=True)
    for test in found.tests if drawn else ():
        for line in _sample_lines(test):
            out.print(line, markup=False, soft_wrap=True)


def _is_decided(test: RuleBacktest) -> bool:
    return any((test.confirmed, test.rejected, test.lost, test.dropped, test.listened))


def _decisions_table(tests: Sequence[RuleBacktest]) -> Table:
    figures = ("命中", "确认", "驳回", "未定", "精确率（95 % 区间）", "召回率（区间）", "听过", "漏掉")
    made = table("规则", *figures, figures=figures, title="对照质检员的判断")
    for test in tests:
        made.add_row(
            f"{test.rule.id}{_draft(test.rule)}",
            str(test.confirmed + test.rejected + test.undecided),
            str(test.confirmed),
            str(test.rejected),
            str(test.undecided),
            share(test.precision),
            recall(test),
            str(test.listened),
            str(test.missed) if test.listened else "—",
        )
    return made


def share(counted: Share) -> str:
    """`92%（81–97，n=52）`; a dash where nothing was counted."""
    if counted.value is None:
        return "—"
    low, high = counted.interval
    return f"{counted.value:.0%}（{_span(low, high)}，n={counted.n}）"


def _span(low: float, high: float) -> str:
    return f"{100 * low:.0f}–{100 * high:.0f}"


def recall(test: RuleBacktest) -> str:
    found = test.recall
    if found is None:
        return UNCLAIMED
    return f"{found.value:.0%}（{_span(found.low, found.high)}，n={test.listened}）"


def _besides(test: RuleBacktest) -> Iterator[str]:
    if test.lost:
        yield f"确认过的 {test.lost} 处现在找不到"
    if test.dropped:
        yield f"驳回过的 {test.dropped} 处现在不报了"
    if test.recovered:
        yield f"漏过的 {test.recovered} 通现在有命中"


def _lines(found: Backtest, decided: Sequence[RuleBacktest]) -> Iterator[str]:
    for test in decided:
        besides = "，".join(_besides(test))
        if besides:
            yield f"{test.rule.id}：{besides}。"
    undecided = found.silent + len(found.tests) - len(decided)
    if undecided and not decided:
        yield "质检员还没有对这些规则的发现作过判断，精确率和召回率都不能说。"
    elif undecided:
        yield f"另有 {undecided} 条规则没有人判断过。"
    silent = [test for test in decided if test.recall is None]
    if any(not test.listened for test in silent):
        yield (
            "召回率“不能说”：没有人听过没有命中的通话，漏了多少无从知道。"
            "--rule 规则 --sample 通数 抽一批来听，把“无”的发现判为对（确实没有）或错（其实有）。"
        )
    claimed = [test for test in decided if test.recall is not None]
    if claimed:
        yield "召回率由听过的“无命中”通话推算，这些通话须是随机抽的（--sample）；区间取两头最坏的情形。"


def _sample_lines(test: RuleBacktest) -> Iterator[str]:
    names = [recording.name for recording in test.drawn]
    yield ""
    if not names:
        yield f"{test.rule.id}：没有可抽的通话（没有命中、又没有人听过的 0 通）。"
        return
    most = Share(right=0, n=test.listened + len(names)).interval[1]
    rest = test.calls_without - test.listened
    yield f"{test.rule.id}：从 {rest} 通没有命中的通话里抽 {len(names)} 通来听："
    yield "  " + " ".join(names)
    yield f"  听完一处都没漏，漏检率就不超过 {most:.1%}（95 %）。"
    if test.calls_with:
        yield f"  要能说召回率不低于 {WANTED_RECALL:.0%}，一共至少要听 {test.to_listen} 通，且一处不漏。"


def _labels_table(labels: Sequence[LabelTest]) -> Table:
    figures = ("有", "找到", "误报", "漏报", "精确率（95 % 区间）", "召回率（95 % 区间）")
    made = table("标签或规则", *figures, figures=figures, title="对照标注（每通都标全了，召回率可以说）")
    for test in labels:
        score = test.score
        made.add_row(
            test.label if test.rule is None else f"  只用 {test.rule.id}{_draft(test.rule)}",
            *map(str, (score.right + score.missed, score.right, score.false, score.missed)),
            share(test.precision),
            share(test.recall),
            style="" if test.rule is None else "dim",
        )
    return made


def _draft(rule: Rule) -> str:
    return "（草稿）" if rule.status is Status.DRAFT else ""


def backtest_json(found: Backtest) -> str:
    return document(
        {
            "rules": [_test_json(test) for test in found.tests],
            "labels": [_label_json(test) for test in found.labels],
            "labelled_but_not_stored": list(found.unheard),
        }
    )


def _test_json(test: RuleBacktest) -> dict[str, Any]:
    found = test.recall
    return {
        "rule": test.rule.id,
        "calls_with": test.calls_with,
        "calls_without": test.calls_without,
        "cannot_tell": test.cannot_tell,
        "confirmed": test.confirmed,
        "rejected": test.rejected,
        "undecided": test.undecided,
        "lost": test.lost,
        "dropped": test.dropped,
        "recovered": test.recovered,
        "listened": test.listened,
        "missed": test.missed,
        "precision": _share_json(test.precision),
        "recall": None if found is None else {"value": found.value, "low": found.low, "high": found.high},
        "to_listen": test.to_listen,
        "sample": [call_part(recording) for recording in test.drawn],
    }


def _share_json(counted: Share) -> dict[str, Any]:
    low, high = counted.interval
    return {"value": counted.value, "low": low, "high": high, "n": counted.n}


def _label_json(test: LabelTest) -> dict[str, Any]:
    score = test.score
    return {
        "label": test.label,
        "rule": test.rule.id if test.rule else None,
        "right": score.right,
        "false": score.false,
        "missed": score.missed,
        "doubtful": score.doubtful,
        "precision": _share_json(test.precision),
        "recall": _share_json(test.recall),
    }
