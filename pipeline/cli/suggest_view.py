"""`callscore rules suggest` as tables and as JSON."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

import typer
from rich.table import Table
from rich.text import Text

from pipeline.cli.backtest_view import share
from pipeline.cli.render import console
from pipeline.cli.tuning_view import call_part, document, table
from pipeline.units import clock
from pipeline.workflows.tuning.candidates import Candidate
from pipeline.workflows.tuning.exceptions import Exemption
from pipeline.workflows.tuning.gather import Example
from pipeline.workflows.tuning.places import Place
from pipeline.workflows.tuning.suggest import Suggestion


def print_suggestion(found: Suggestion, plot: Path | None) -> None:
    out = console()
    for line in _head(found):
        out.print(line, markup=False, soft_wrap=True)
    if found.phrases:
        out.print(_phrases_table(found))
    if found.exemptions:
        out.print(_exemptions_table(found.exemptions))
    if found.swept:
        out.print(_sweep_table(found))
    else:
        out.print("没有命中，阈值没有可比的。")
    if plot and found.swept:
        out.print(f"图：{plot}", markup=False, soft_wrap=True)
    for line in _tail(found):
        out.print(line, markup=False, soft_wrap=True)
    if found.patch:
        typer.echo(found.patch, nl=False)


def _head(found: Suggestion) -> Iterator[str]:
    yield (
        f"{found.rule.id}：查了 {found.calls} 通，命中 {found.found} 处，"
        f"其中确认 {found.confirmed} 处、驳回 {found.rejected} 处。"
    )
    if found.rule.detector == "similar":
        yield "按意思找的规则：候选是例句；“判错过”的是反例。判断可以用 rules learn 一次学进去。"
    elif found.rule.detector != "phrase":
        yield "这条规则不是按说法找的，没有候选说法。"
    elif not found.confirmed_only:
        yield "还没有确认过的命中：“常在附近说”的词取自未经判断的命中，请多留心。"


def _phrases_table(found: Suggestion) -> Table:
    made = table(
        "进补丁",
        "候选说法",
        "来由",
        "次数",
        "漏听",
        "平常",
        "z",
        "最像",
        "例",
        figures=("次数", "漏听", "平常", "z"),
        title=_title(found),
    )
    for candidate in found.phrases:
        made.add_row(
            "✓" if candidate.proposed else "",
            Text(candidate.text),
            candidate.origin.chinese,
            str(candidate.calls),
            str(candidate.missed) if candidate.missed else "",
            str(candidate.elsewhere),
            "" if candidate.z is None else f"{candidate.z:.1f}",
            Text(candidate.near),
            Text(_examples(candidate.examples)),
        )
    return made


def _title(found: Suggestion) -> str:
    if found.rule.detector == "similar":
        return f"候选例句和反例（平常：随机 {found.background_calls} 通没有命中的通话里，几通说过这个意思）"
    return f"候选说法（平常：随机 {found.background_calls} 通没有命中的通话里有几句）"


def _examples(examples: Sequence[Example]) -> str:
    return "；".join(f"{e.recording.name} {clock(e.start)} {e.text}" for e in examples[:2])


def _exemptions_table(exemptions: Sequence[Exemption]) -> Table:
    made = table(
        "候选例外",
        "去掉驳回的",
        "误伤确认的",
        "去掉未定的",
        "例",
        figures=("去掉驳回的", "误伤确认的", "去掉未定的"),
        title="候选例外（写进 except；数目是逐处试过的）",
    )
    for exemption in exemptions:
        counts = map(str, (exemption.rejected, exemption.confirmed, exemption.undecided))
        examples = "；".join(map(_place, exemption.examples[:2]))
        made.add_row(Text(exemption.text), *counts, Text(examples))
    return made


def _place(place: Place) -> str:
    where = f"{place.recording.name} {clock(place.finding.span.start)}"
    return f"{where} …{place.before[-8:]}【{place.quote}】{place.after[:8]}…"


def _sweep_table(found: Suggestion) -> Table:
    """Neighbouring thresholds that let the same through share a line."""
    figures = ("阈值", "命中", "确认", "驳回", "未定", "精确率（95 % 区间）")
    made = table(*figures, "", figures=figures, title="阈值（设置 match_confidence，对所有规则生效）")
    today = min((row.threshold for row in found.rows), key=lambda t: abs(t - found.threshold), default=0.0)
    for _, alike in groupby(found.rows, key=lambda row: (row.confirmed, row.rejected, row.undecided)):
        rows = list(alike)
        first, last = rows[0], rows[-1]
        now = first.threshold <= today <= last.threshold
        made.add_row(
            f"{first.threshold:.2f}" + (f"–{last.threshold:.2f}" if last is not first else ""),
            *map(str, (first.findings, first.confirmed, first.rejected, first.undecided)),
            share(first.precision),
            f"← 现在 {found.threshold:.2f}" if now else "",
            style="bold" if now else "",
        )
    return made


def _tail(found: Suggestion) -> Iterator[str]:
    if not found.patch:
        seen = found.phrases or found.exemptions
        yield "没有够稳妥的改动可以直接提出" + ("；上面的候选请自己斟酌。" if seen else "，也没有候选。")
        return
    yield "建议的补丁，没有写进文件。在规则文件夹里用 patch -p1 应用，再跑 rules test 和 rules impact："


def suggestion_json(found: Suggestion) -> str:
    return document(
        {
            "rule": found.rule.id,
            "calls": found.calls,
            "found": found.found,
            "confirmed": found.confirmed,
            "rejected": found.rejected,
            "phrases": [_candidate_json(candidate) for candidate in found.phrases],
            "exceptions": [_exemption_json(exemption) for exemption in found.exemptions],
            "thresholds": [
                {
                    "threshold": row.threshold,
                    "findings": row.findings,
                    "confirmed": row.confirmed,
                    "rejected": row.rejected,
                    "precision": row.precision.value,
                    "low": row.precision.interval[0],
                    "high": row.precision.interval[1],
                }
                for row in found.rows
            ],
            "patch": found.patch,
        }
    )


def _candidate_json(candidate: Candidate) -> dict[str, Any]:
    return {
        "text": candidate.text,
        "origin": candidate.origin.value,
        "calls": candidate.calls,
        "missed": candidate.missed,
        "elsewhere": candidate.elsewhere,
        "z": candidate.z,
        "near": candidate.near,
        "proposed": candidate.proposed,
        "examples": [
            {**call_part(e.recording), "start_ms": e.start, "text": e.text} for e in candidate.examples
        ],
    }


def _exemption_json(exemption: Exemption) -> dict[str, Any]:
    return {
        "text": exemption.text,
        "rejected": exemption.rejected,
        "confirmed": exemption.confirmed,
        "undecided": exemption.undecided,
        "examples": [
            {**call_part(p.recording), "start_ms": p.finding.span.start, "quote": p.quote}
            for p in exemption.examples[:3]
        ],
    }
