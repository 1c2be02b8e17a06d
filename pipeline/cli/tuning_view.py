"""The answers of the tuning commands as tables, wide characters aligned, and as JSON."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich import box
from rich.console import Console, JustifyMethod
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from pipeline.cli.render import console, local_time
from pipeline.findings import How
from pipeline.scope import ANY_DAY
from pipeline.settings import Settings
from pipeline.timeline import Recording
from pipeline.units import clock
from pipeline.workflows.tuning.archive import Watch
from pipeline.workflows.tuning.try_rule import Hit, Trial, Tried


@contextmanager
def progress() -> Iterator[Watch]:
    """A bar on a terminal's standard error, moved by what is yielded. No thread draws it: a process with
    threads cannot be split, and one core would do the work."""
    out = Console(stderr=True)
    columns = (TextColumn("查存档"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    hidden = not out.is_terminal
    with Progress(*columns, console=out, disable=hidden, transient=True, auto_refresh=False) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total, refresh=True)


SHORT = frozenset(("时间", "开始", "谁", "变化", "把握", "阈值"))
"""Columns whose cells stay on one line; all others are folded where the terminal is narrow, never cut."""


def table(*headings: str, figures: tuple[str, ...] = (), title: str = "") -> Table:
    """An empty table; the columns in `figures` are aligned to the right."""
    made = Table(
        box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), title=title or None, title_justify="left"
    )
    for heading in headings:
        justify: JustifyMethod = "right" if heading in figures else "left"
        made.add_column(heading, justify=justify, no_wrap=heading in SHORT, overflow="fold")
    return made


def document(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)


def call_part(recording: Recording) -> dict[str, Any]:
    """What names a call in every JSON answer."""
    return {
        "call": recording.name,
        "recording_id": recording.id,
        "started_at": recording.started_at.isoformat() if recording.started_at else None,
        "agent_id": recording.agent_id,
        "business": recording.business,
    }


# try


def print_tried(tried: Tried, trial: Trial, settings: Settings, *, seconds: float) -> None:
    out = console()
    if tried.hits:
        out.print(_tried_table(tried, trial, settings))
    for line in _tried_lines(tried, trial, seconds):
        out.print(line, markup=False, soft_wrap=True)


def print_since(before: Tried | None, now: Tried) -> None:
    """What the last save changed, by number."""
    if before is None:
        return
    changes = (now.calls_hit - before.calls_hit, "通"), (now.found - before.found, "处")
    told = "、".join(f"{'多' if by > 0 else '少'} {abs(by)} {unit}" for by, unit in changes if by)
    console().print(f"和上次比：{told or '数目没有变'}。", markup=False, soft_wrap=True)


def _tried_table(tried: Tried, trial: Trial, settings: Settings) -> Table:
    made = table(
        "通话", "开始", "坐席", "时间", "谁", "原话", "对照", "方式", "把握", figures=("时间", "把握")
    )
    for hit in tried.hits:
        about, found = hit.recording, hit.evidence
        made.add_row(
            about.name,
            local_time(about.started_at, settings),
            about.agent_id or "",
            clock(found.span.start),
            found.role.chinese,
            Text(found.quote or hit.explanation),
            Text(found.phrase),
            _how(hit),
            "" if hit.confidence is None else f"{hit.confidence:.0%}",
            style="dim" if hit.near else "green" if hit.added else "",
        )
    return made


def _how(hit: Hit) -> str:
    how = hit.evidence.how
    title = f"{how.chinese}：{hit.evidence.detail}" if hit.evidence.detail else how.chinese
    marks = _not_found(hit) if hit.near else "新，" if hit.added else ""
    return marks + (title if how is not How.NONE else "—")


def _not_found(hit: Hit) -> str:
    """The very words may be there all the same: an exception, an unknown role, one phrase of several."""
    return "没算，" if hit.evidence.how is How.EXACT else "差一点，"


def _tried_lines(tried: Tried, trial: Trial, seconds: float) -> Iterator[str]:
    yield (
        f"{tried.rule.id}：查了 {tried.calls} 通，{tried.calls_hit} 通命中，共 {tried.found} 处"
        f"（用时 {seconds:.1f} 秒）。"
    )
    if tried.rule.effective != ANY_DAY:
        yield "这条规则有生效日期；试的时候不管日期。"
    if trial.file and trial.phrases:
        yield f"其中 {tried.added} 处是加上“{'”“'.join(trial.phrases)}”才找到的。"
    rest = [
        f"最新 {tried.near_calls} 通里没算上的 {tried.near} 处" if tried.near else "",
        f"{tried.cannot_tell} 通无法判断" if tried.cannot_tell else "",
        f"{tried.not_applicable} 通不适用" if tried.not_applicable else "",
    ]
    if any(rest):
        yield f"另有：{'，'.join(filter(None, rest))}。"
    listed = len(tried.hits)
    if trial.limit is not None and listed == trial.limit < tried.found + (tried.near if trial.near else 0):
        yield f"只列了 {listed} 处，--limit 0 列出全部。"


def tried_json(tried: Tried) -> str:
    return document(
        {
            "rule": tried.rule.id,
            "calls": tried.calls,
            "calls_hit": tried.calls_hit,
            "found": tried.found,
            "added": tried.added,
            "near": tried.near,
            "cannot_tell": tried.cannot_tell,
            "not_applicable": tried.not_applicable,
            "hits": [_hit_json(hit) for hit in tried.hits],
        }
    )


def _hit_json(hit: Hit) -> dict[str, Any]:
    found = hit.evidence
    return {
        **call_part(hit.recording),
        "start_ms": found.span.start,
        "end_ms": found.span.end,
        "role": found.role.value,
        "quote": found.quote,
        "explanation": hit.explanation,
        "phrase": found.phrase,
        "how": found.how.value,
        "detail": found.detail,
        "confidence": hit.confidence,
        "added": hit.added,
        "near": hit.near,
    }
