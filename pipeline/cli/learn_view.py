"""`callscore rules learn` as tables and as JSON."""

from collections.abc import Iterator
from typing import Any

from rich.table import Table
from rich.text import Text

from pipeline.cli.backtest_view import share
from pipeline.cli.render import console, local_time
from pipeline.cli.tuning_view import call_part, document, table
from pipeline.scoring.intervals import Share
from pipeline.settings import Settings
from pipeline.units import clock
from pipeline.workflows.tuning.learn import Change, Learned, Tested

SHARES = (
    ("新判对的原话，找到", "decided_right"),
    ("新判错的原话，还报", "decided_wrong"),
    ("所有例句和判对的，找到（召回率）", "right"),
    ("所有反例和判错的，误报", "wrong"),
    ("平常的话，误报", "ordinary"),
    ("报出来的里面对的（精确率）", "precision"),
)


def print_learned(found: Learned, settings: Settings, limit: int | None) -> None:
    out = console()
    for line in _head(found):
        out.print(line, markup=False, soft_wrap=True)
    if found.before is None or found.after is None:
        return
    out.print(_sentences_table(found))
    out.print(_tests_table(found.before, found.after))
    if found.changes:
        out.print(_changes_table(found.changes[:limit], settings))
    for line in _tail(found, limit):
        out.print(line, markup=False, soft_wrap=True)


def _head(found: Learned) -> Iterator[str]:
    decided = found.decided
    yield (
        f"{found.rule.id}：质检员的判断里，规则还不知道的原话：判对 {len(decided.right)} 句、"
        f"判错 {len(decided.wrong)} 句；已经知道的 {decided.known} 句。"
    )
    for text in decided.contested:
        yield f"说法不一，没有学：“{text}”有人判对、有人判错，或和文件里写的相反。"
    if found.before is None:
        yield "没有可学的。"


def _sentences_table(found: Learned) -> Table:
    made = table("学作", "原话", title="要学的原话（读音一样的算一句）")
    for kind, texts in (("例句", found.decided.right), ("反例", found.decided.wrong)):
        for text in texts:
            made.add_row(kind, Text(text))
    return made


def _tests_table(before: Tested, after: Tested) -> Table:
    made = table(
        "没学过的句子", "现在", "学了以后", figures=("现在", "学了以后"), title="交叉验证（95 % 区间）"
    )
    for title, name in SHARES:
        made.add_row(title, share(getattr(before, name)), share(getattr(after, name)))
    return made


def _changes_table(changes: tuple[Change, ...], settings: Settings) -> Table:
    made = table(
        "变化", "通话", "开始", "时间", "谁", "原话", "把握", figures=("时间", "把握"), title="存过的通话"
    )
    for change in changes:
        recording, finding = change.recording, change.finding
        made.add_row(
            "多出" if change.gained else "少掉",
            recording.name,
            local_time(recording.started_at, settings),
            clock(finding.span.start),
            finding.role.chinese,
            Text(_quote(change)),
            f"{finding.confidence:.0%}",
            style="green" if change.gained else "red",
        )
    return made


def _quote(change: Change) -> str:
    return "……".join(e.quote for e in change.finding.evidence if e.quote)


def _tail(found: Learned, limit: int | None) -> Iterator[str]:
    gained = sum(change.gained for change in found.changes)
    yield f"存过的通话里多出 {gained} 处，少掉 {len(found.changes) - gained} 处。"
    if limit is not None and len(found.changes) > limit:
        yield f"只列了 {limit} 处，--limit 0 列出全部。"
    for failure in found.failures:
        kind = "找到" if failure.case.hit else "放过"
        yield f"用例不再成立（应当{kind}）：{' / '.join(failure.case.text.splitlines())}"


def last_line(found: Learned, *, applied: bool) -> str:
    """What happened to the file."""
    if applied:
        return f"写进了 {found.path}。用 rules impact 看得分怎么变，再提交。"
    return "没有改文件；--apply 写进规则文件，--patch 只打印补丁。"


def learned_json(found: Learned) -> str:
    return document(
        {
            "rule": found.rule.id,
            "confirmed": list(found.decided.right),
            "rejected": list(found.decided.wrong),
            "contested": list(found.decided.contested),
            "known": found.decided.known,
            "before": _tested_json(found.before),
            "after": _tested_json(found.after),
            "changes": [_change_json(change) for change in found.changes],
            "cases_failed": [failure.case.text for failure in found.failures],
            "patch": found.patch,
        }
    )


def _tested_json(tested: Tested | None) -> dict[str, Any] | None:
    if tested is None:
        return None
    shares: dict[str, Share] = {name: getattr(tested, name) for _, name in SHARES}
    return {name: {"value": one.value, "right": one.right, "n": one.n} for name, one in shares.items()}


def _change_json(change: Change) -> dict[str, Any]:
    finding = change.finding
    return {
        **call_part(change.recording),
        "change": "gained" if change.gained else "lost",
        "finding": finding.id,
        "start_ms": finding.span.start,
        "end_ms": finding.span.end,
        "quote": _quote(change),
        "confidence": finding.confidence,
    }
