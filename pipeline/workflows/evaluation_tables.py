"""An evaluation laid out as tables, for a terminal and for a page."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from rich.cells import cell_len
from rich.console import Console, JustifyMethod
from rich.markup import escape
from rich.table import Table

from pipeline.units import clock
from pipeline.workflows import metrics
from pipeline.workflows.evaluate import GROUPS, CallResult, Evaluation, in_group
from pipeline.workflows.item_tables import item_sheets, truth_sheet
from pipeline.workflows.metrics import CharacterCount, RoleTime, Score, Truth
from pipeline.workflows.sheet import Sheet, decimal, percent

_CHANNELS = {"stereo": "双声道", "mono": "单声道"}
BORDER = 3
"""What a column takes beside its text."""
NAMES = 3
"""So many columns of prose are names: the call, the time, the label."""
_BASELINE_HEADINGS = ("基线精确率", "基线召回率", "基线 F1")


def sheets(evaluation: Evaluation, *, errors: bool = False) -> tuple[Sheet, ...]:
    """Everything measured, in print order; with `errors` every wrong case too."""
    tallies = [result.rules for result in evaluation.results]
    decoys = _wrong("触发的诱饵", (case for tally in tallies for case in tally.decoys))
    wrong = _wrong("错误清单", (case for tally in tallies for case in tally.cases))
    measured = (_bars(evaluation), _characters(evaluation), _calls(evaluation))
    items = item_sheets([judged for result in evaluation.results for judged in result.items])
    laid_out = (*measured, *items, _labels(evaluation), _methods(evaluation), decoys)
    return tuple(sheet for sheet in (*laid_out, *([wrong] if errors else [])) if sheet.rows)


def print_evaluation(evaluation: Evaluation, console: Console, *, errors: bool = False) -> None:
    """The tables on a terminal, wide characters aligned; one that is too wide goes on below."""
    for sheet in sheets(evaluation, errors=errors):
        for part in _fitting(sheet, console.width):
            console.print(_table(part))
    if evaluation.unheard:
        console.print(f"未评测（没有转写）：{'、'.join(evaluation.unheard)}")


def _fitting(sheet: Sheet, width: int) -> Iterator[Sheet]:
    """The sheet in as many parts as the width asks for, each with the first column. Prose folds instead."""
    needed = [
        max(cell_len(line[n]) for line in (sheet.headings, *sheet.rows)) + BORDER for n in _places(sheet)
    ]
    part = [0]
    for n in _places(sheet)[1:]:
        if not sheet.prose and len(part) > 1 and sum(needed[m] for m in (*part, n)) >= width:
            yield _columns(sheet, part)
            part = [0]
        part.append(n)
    yield _columns(sheet, part)


def _places(sheet: Sheet) -> range:
    return range(len(sheet.headings))


def _columns(sheet: Sheet, places: Sequence[int]) -> Sheet:
    def chosen(line: Sequence[str]) -> tuple[str, ...]:
        return tuple(line[place] for place in places)

    title = sheet.title if 1 in places else f"{sheet.title}（续）"
    return replace(sheet, title=title, headings=chosen(sheet.headings), rows=tuple(map(chosen, sheet.rows)))


def _table(sheet: Sheet) -> Table:
    """Names never break; of prose, what was said does."""
    table = Table(title=sheet.title, title_justify="left")
    for index, heading in enumerate(sheet.headings):
        figures = index > 0 and not sheet.prose
        name = index < NAMES if sheet.prose else index == 0
        justify: JustifyMethod = "right" if figures else "left"
        table.add_column(heading, justify=justify, overflow="fold", no_wrap=name)
    for row in sheet.rows:
        table.add_row(*map(escape, row))
    return table


def as_markdown(evaluation: Evaluation, *, errors: bool = False) -> str:
    """The same tables for a documentation page."""
    laid_out = sheets(evaluation, errors=errors)
    if any(result.items for result in evaluation.results):
        laid_out += (truth_sheet(),)
    return "\n\n".join(map(_markdown, laid_out)) + "\n"


def _markdown(sheet: Sheet) -> str:
    lines = [sheet.headings, *sheet.rows]
    widths = [max(cell_len(line[column]) for line in lines) for column in range(len(sheet.headings))]
    marks = ["-" * width for width in widths]
    printed = ["| " + " | ".join(map(_padded, line, widths)) + " |" for line in (lines[0], marks, *lines[1:])]
    note = (sheet.note, "") if sheet.note else ()
    return "\n".join((f"## {sheet.title}", "", *note, *printed))


def _padded(text: str, width: int) -> str:
    return text.replace("|", "\\|") + " " * (width - cell_len(text))


def _bars(evaluation: Evaluation) -> Sheet:
    """What must be reached, beside what was."""
    fired = sum(len(result.rules.decoys) for result in evaluation.results)
    beside = sum(len(result.baseline.decoys) for result in evaluation.results if result.baseline)
    rows = [
        ("角色错误（双声道）", percent(evaluation.roles("stereo").wrong_share), "", "≤ 3.0 %"),
        ("角色错误（单声道）", percent(evaluation.roles("mono").wrong_share), "", "≤ 12.0 %"),
        ("开场时间误差 ≤ 0.3 秒的通话", percent(evaluation.greeting_share()), "", "≥ 90.0 %"),
    ]
    for name in ("开场要素", "结束要素", "禁语"):
        ours, theirs = evaluation.group(name), evaluation.group(name, baseline=True)
        rows.append((f"{name} F1", decimal(ours.f1), decimal(theirs.f1), "≥ 0.90"))
    rows.append(("触发的诱饵", str(fired), str(beside) if evaluation.has_baseline else "—", "0"))
    return Sheet(title="指标", headings=("指标", "规则", "原字基线", "要求"), rows=tuple(rows))


def _characters(evaluation: Evaluation) -> Sheet:
    """Character error rate by each condition."""
    conditions: dict[str, Callable[[Truth, CharacterCount], str]] = {
        "全部": lambda truth, count: "",
        "声道": lambda truth, count: _CHANNELS.get(truth.channels, truth.channels),
        "角色": lambda truth, count: count.role.chinese,
        "编码": lambda truth, count: truth.codec,
        "噪声": lambda truth, count: truth.noise,
        "声音": lambda truth, count: count.voice,
    }
    counted = [(r.truth, count) for r in evaluation.results for count in r.characters]
    rows: list[tuple[str, ...]] = []
    for name, key in conditions.items():
        groups: dict[str, list[CharacterCount]] = {}
        for truth, count in counted:
            groups.setdefault(key(truth, count), []).append(count)
        rows += [(f"{name} {value}".strip(), *_rate(groups[value])) for value in sorted(groups)]
    return Sheet(title="识别字错率（CER）", headings=("条件", "字数", "错字", "字错率"), rows=tuple(rows))


def _rate(counts: Sequence[CharacterCount]) -> tuple[str, str, str]:
    characters, errors = sum(c.characters for c in counts), sum(c.errors for c in counts)
    return str(characters), str(errors), percent(errors / characters if characters else None)


def _calls(evaluation: Evaluation) -> Sheet:
    """One line a call, and one for all calls of a kind: characters, roles, greeting."""
    rows = [
        (r.truth.name, _CHANNELS.get(r.truth.channels, r.truth.channels), *_measured([r]))
        for r in evaluation.results
    ]
    for channels, title in (("stereo", "双声道"), ("mono", "单声道"), (None, "全部")):
        chosen = [r for r in evaluation.results if channels in (None, r.truth.channels)]
        rows.append(("合计", title, *_measured(chosen)))
    headings = ("通话", "声道", "字错率", "单人语音（秒）", "角色错误", "未听到", "开场误差（秒）")
    return Sheet(title="逐通：字错率、角色、开场时间", headings=headings, rows=tuple(rows))


def _measured(results: Sequence[CallResult]) -> tuple[str, ...]:
    """Character errors, role errors and the greeting: signed for one call, the mean size for several."""
    cer = _rate([count for result in results for count in result.characters])[2]
    time = sum((result.roles for result in results), RoleTime())
    errors = [r.greeting_error / 1000 for r in results if r.greeting_error is not None]
    mean = f"±{sum(map(abs, errors)) / len(errors):.2f}" if errors else "—"
    greeting = f"{errors[0]:+.2f}" if len(results) == len(errors) == 1 else mean
    shares = (percent(time.wrong_share), percent(time.unheard_share))
    return (cer, f"{time.speech / 1000:.1f}", *shares, greeting)


def _labels(evaluation: Evaluation) -> Sheet:
    """Precision, recall, F1: groups first, then every label."""
    ours, theirs = evaluation.scores(), evaluation.scores(baseline=True)
    rows = [(f"【{n}】", *_figures(evaluation.group(n), evaluation.group(n, baseline=True))) for n in GROUPS]
    for label in sorted(ours.keys() | theirs.keys()):
        title = label if _covered(evaluation, label) else f"{label}（无规则）"
        rows.append((title, *_figures(ours.get(label, Score()), theirs.get(label, Score()))))
    shares = ("精确率", "召回率", "F1")
    headings = ("标签", "真值", "误报", "漏报", "判不了", *shares, "存疑", *_BASELINE_HEADINGS)
    width = len(headings) - (0 if evaluation.has_baseline else len(_BASELINE_HEADINGS))
    cut = tuple(row[:width] for row in rows)
    return Sheet(title="标签（精确率、召回率、F1）", headings=headings[:width], rows=cut)


def _figures(ours: Score, theirs: Score) -> tuple[str, ...]:
    shares = (decimal(ours.precision), decimal(ours.recall), decimal(ours.f1))
    beside = (decimal(theirs.precision), decimal(theirs.recall), decimal(theirs.f1))
    counts = (ours.right + ours.missed, ours.false, ours.missed, ours.unsure)
    return (*map(str, counts), *shares, str(ours.doubtful), *beside)


def _methods(evaluation: Evaluation) -> Sheet:
    """Precision, recall and F1 of every way of matching, side by side."""
    names = list(dict.fromkeys(name for result in evaluation.results for name in result.methods))
    scores = {name: _summed(evaluation.results, name) for name in names}
    labels = sorted({label for found in scores.values() for label in found if _placeable(label)})
    rows = [(f"【{group}】", *_beside(_grouped(scores[n], group) for n in names)) for group in GROUPS]
    rows += [(label, *_beside(scores[name].get(label, Score()) for name in names)) for label in labels]
    headings = ("标签", *(f"{name} {part}" for name in names for part in ("精确率", "召回率", "F1")))
    return Sheet(title="几种匹配并列", headings=headings, rows=tuple(rows) if names else ())


def _placeable(label: str) -> bool:
    return not label.startswith(f"{metrics.MISSING}.")


def _summed(results: Iterable[CallResult], name: str) -> dict[str, Score]:
    summed: dict[str, Score] = {}
    for result in results:
        for label, score in result.methods[name].scores.items():
            summed[label] = summed.get(label, Score()) + score
    return summed


def _grouped(scores: Mapping[str, Score], group: str) -> Score:
    return sum((score for label, score in scores.items() if in_group(label, group)), Score())


def _beside(scores: Iterable[Score]) -> tuple[str, ...]:
    return tuple(decimal(share) for score in scores for share in (score.precision, score.recall, score.f1))


def _covered(evaluation: Evaluation, label: str) -> bool:
    """Whether any rule ever spoke about the label: without one, a recall of 0 says nothing."""
    asked = label.removeprefix(f"{metrics.MISSING}.")
    return any(asked in result.covered for result in evaluation.results)


def _wrong(title: str, cases: Iterable[metrics.Case]) -> Sheet:
    rows = tuple((c.call, clock(c.at), c.label, c.expected, c.found, c.text) for c in cases)
    headings = ("通话", "时间", "标签", "应为", "结果", "原文（真值）")
    return Sheet(title=title, headings=headings, rows=rows, prose=True)
