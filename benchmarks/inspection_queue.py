"""How long the queue takes to answer: every filter by itself, every two together, and many at random.

    python benchmarks/inspection_queue.py [--calls 100000] [--database URL] [--random 100]

Makes a database of made-up calls (in a temporary folder, unless another address is given; it must be empty),
asks each question in each order, counts included, and writes docs/queue.md. Exits with 1 when an answer took
longer than 200 ms.
"""

import argparse
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import combinations
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from pipeline.program import program
from pipeline.queue import LAYOUT, CardSums, WorkState, idle_state, progress, risk
from pipeline.storage.columns import Base
from pipeline.storage.database import open_database
from pipeline.storage.queue_query import milliseconds
from pipeline.storage.queue_records import Key, PageOf, QueueFilter, Sort, Whose
from pipeline.storage.queue_tables import QueueRow
from pipeline.storage.store import Store
from pipeline.storage.tables import (
    RecordingRow,
    RulesetRow,
    SampleDrawRow,
    SamplePlanRow,
    ScorecardRow,
    TranscriptRow,
)

REPORT = Path(__file__).parent.parent / "docs" / "queue.md"
BAR_MS, TRIES = 200, 3
SEED = 11
FIRST, DAYS = datetime(2026, 5, 1, tzinfo=UTC), 30
BLOCK, BODY = 500, 1_000
"""Calls in a transaction; random bytes of each body, so that the tables lie about in the file as usual."""
AGENTS = tuple(f"{1000 + n}" for n in range(300))
TEAM = AGENTS[:25]
BUSINESSES = ("话费查询", "宽带报障", "套餐办理", "投诉处理", "营销外呼")
INSPECTORS = ("王敏", "李强", "赵云", "孙丽")
STATES = {
    WorkState.NEW: 62,
    WorkState.CLAIMED: 1,
    WorkState.DRAFT: 1,
    WorkState.DONE: 1,
    WorkState.SECOND: 4,
    WorkState.APPEAL: 1,
    WorkState.RELEASED: 30,
}
NOW = FIRST + timedelta(days=DAYS)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One question: which part of the list it is of, how it reads, the filter, the order, the page."""

    part: str
    told: str
    which: QueueFilter
    page: PageOf


@dataclass(frozen=True, kw_only=True)
class Took:
    """How long the answer took, on the wall's clock and on the processor's, in milliseconds."""

    asked: Asked
    wall: float
    cpu: float
    found: int


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--database")
    parser.add_argument("--random", type=int, default=100)
    parser.add_argument("--no-report", action="store_true", help="print only")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = given.database or f"sqlite:///{folder}/queue.db"
        fill(url, given.calls)
        with Store.open(url) as store:
            took = [measured(store, asked) for asked in questions(given.random)]
            others = list(other_work(store))
    told = report(took, others, given.calls, url)
    sys.stdout.write(told)
    if not given.no_report:
        REPORT.write_text(told, encoding="utf-8")
    return int(max(one.wall for one in took) > BAR_MS)


def fill(url: str, calls: int) -> None:
    """Calls as nights, inspectors and samples leave them."""
    chooser = random.Random(SEED)  # noqa: S311  (no secret)
    engine = open_database(url)
    with engine.begin() as connection:
        connection.execute(insert(RulesetRow), [{"digest": "d", "first_used_at": FIRST, "files": b""}])
        plans = [
            {
                "id": n,
                "made_at": NOW,
                "since": FIRST,
                "until": NOW,
                "seed": n,
                "calls": calls,
                "options": "{}",
            }
            for n in (1, 2)
        ]
        connection.execute(insert(SamplePlanRow), plans)
    for first in range(0, calls, BLOCK):
        made = [a_call(number, chooser) for number in range(first, min(first + BLOCK, calls))]
        with engine.begin() as connection:
            for table in (RecordingRow, TranscriptRow, ScorecardRow, QueueRow, SampleDrawRow):
                rows = [row for call in made for row in call[table]]
                if rows:
                    connection.execute(insert(table), rows)
    engine.dispose()


def a_call(number: int, chooser: random.Random) -> dict[type[Base], list[dict[str, Any]]]:
    """The rows of one call."""
    name, at = f"{chooser.getrandbits(64):016x}", FIRST + timedelta(seconds=chooser.randrange(DAYS * 86_400))
    about = {
        "agent_id": chooser.choice(AGENTS),
        "business": chooser.choice(BUSINESSES),
        "direction": "inbound",
    }
    complaint = chooser.random() < 0.03
    plans = [plan for plan in (1, 2) if chooser.random() < 0.25]
    card = {
        "id": number + 1,
        "recording_id": name,
        "transcript_id": number + 1,
        "ruleset_digest": "d",
        "template_id": "inbound_100",
        "created_at": NOW,
        "reason": "nightly",
        "open_items": 9,
        "forbidden": 0,
        "fatal": False,
        "body_sha256": name * 4,
        "body": chooser.randbytes(BODY),
    }
    recording = {
        "id": name,
        "sha256": f"{number:064x}",
        "call_id": f"C202605{number:06d}",
        "path": f"{name}.wav",
        "started_at": at,
        "duration_ms": 180_000,
        "is_complaint": complaint,
        "body": chooser.randbytes(BODY),
    }
    heard = {
        "id": number + 1,
        "recording_id": name,
        "pipeline": "",
        "model": "",
        "model_sha256": "",
        "settings_digest": "",
        "origin": "heard",
        "created_at": NOW,
        "body_sha256": name * 4,
        "body": chooser.randbytes(BODY),
    }
    line = about | {
        "recording_id": name,
        "version": LAYOUT,
        "scorecard_id": number + 1,
        "name": recording["call_id"],
        "started_ms": milliseconds(at),
        "duration_ms": 180_000,
        "complaint": complaint,
        "plan_id": max(plans, default=None),
    }
    return {
        RecordingRow: [recording | about],
        TranscriptRow: [heard],
        ScorecardRow: [card],
        QueueRow: [line | standing(complaint, chooser)],
        SampleDrawRow: [{"plan_id": plan, "recording_id": name, "why": "随机抽取" * 6} for plan in plans],
    }


def standing(complaint: bool, chooser: random.Random) -> dict[str, Any]:
    """Where a call stands and what its card says."""
    (state,) = chooser.choices(list(STATES), list(STATES.values()))
    appealed, out = state is WorkState.APPEAL, state in (WorkState.APPEAL, WorkState.RELEASED)
    held = state in (WorkState.CLAIMED, WorkState.DRAFT, WorkState.RELEASED)
    rate = min(1000, round(chooser.gauss(850, 100)))
    sums = CardSums(
        template_id=chooser.choice(("inbound_100", "outbound_100")),
        template_title="电话呼入监控标准模板",
        total=Decimal(rate) / 10,
        possible=Decimal(100),
        lowest=Decimal(rate) / 20,
        highest=Decimal(100),
        passed=None,
        rate=rate,
        open_items=9,
        fatal=chooser.random() < 0.02,
        confidence=chooser.randint(0, 1000),
        acceptable=chooser.random() < 0.2,
    )
    idle = idle_state(progress(()), released=out, appealed=appealed) if held or out else state
    return {name: getattr(sums, name) for name in CardSums.__dataclass_fields__} | {
        "open_appeals": int(appealed),
        "asked": 1 + (state is WorkState.SECOND),
        "done": int(out or state in (WorkState.SECOND, WorkState.DONE)),
        "released": out,
        "idle": idle.value,
        "state": state.value,
        "assigned_to": chooser.choice(INSPECTORS) if held else None,
        "claimed_until": None,
        "risk": risk(sums, appealed=appealed, complaint=complaint),
    }


CHOICES: dict[str, dict[str, Any]] = {
    "我的": {"whose": Whose.MINE, "who": "王敏"},
    "没人领的": {"whose": Whose.UNASSIGNED},
    "待评": {"states": (WorkState.NEW,)},
    "待评、待二评": {"states": (WorkState.NEW, WorkState.SECOND)},
    "申诉中": {"states": (WorkState.APPEAL,)},
    "已发布": {"states": (WorkState.RELEASED,)},
    "模板": {"template": "inbound_100"},
    "坐席": {"agents": ("1007",)},
    "班组（25 人）": {"agents": TEAM},
    "业务": {"business": "话费查询"},
    "没有的业务": {"business": "没有"},
    "投诉": {"complaint": True},
    "否决": {"fatal": True},
    "没有否决": {"fatal": False},
    "可采信": {"acceptable": True},
    "不可采信": {"acceptable": False},
    "有申诉": {"appeal": True},
    "坐席看得到的": {"released": True},
    "旧抽样计划": {"plan": 1},
    "新抽样计划": {"plan": 2},
    "一周": {"since": FIRST + timedelta(days=7), "until": FIRST + timedelta(days=14)},
    "从某天起": {"since": FIRST + timedelta(days=3)},
    "编号开头": {"text": "C20260500"},
    "整个编号": {"text": "C202605012345"},
}
"""One choice of each kind that the page offers, and more of those that find little or much."""


def questions(at_random: int) -> Iterator[Asked]:
    """Each in every order; choices about the same thing are not put together."""
    yield from _in_every_order("不筛选", ())
    for name in CHOICES:
        yield from _in_every_order("一个条件", (name,))
    for pair in combinations(CHOICES, 2):
        if _go_together(pair):
            yield from _in_every_order("两个条件", pair)
    chooser = random.Random(SEED)  # noqa: S311
    left = at_random
    while left:
        several = tuple(chooser.sample(list(CHOICES), chooser.randint(3, 8)))
        if _go_together(several):
            left -= 1
            yield from _in_every_order("三到八个条件", several)
    for which in ("不筛选", "待评"):
        chosen = CHOICES.get(which, {})
        yield from _deep(which, QueueFilter(**chosen))


def _go_together(names: Sequence[str]) -> bool:
    kinds = [kind for name in names for kind in CHOICES[name] if kind != "who"]
    return len(set(kinds)) == len(kinds)


def _in_every_order(part: str, names: Sequence[str]) -> Iterator[Asked]:
    values = {kind: value for name in names for kind, value in CHOICES[name].items()}
    for sort in Sort:
        told = f"{'、'.join(names) or '全部'}，按{sort.chinese}"
        yield Asked(part=part, told=told, which=QueueFilter(**values), page=PageOf(sort=sort))


def _deep(told: str, which: QueueFilter) -> Iterator[Asked]:
    """The page far behind: from the middle of what there is to sort by."""
    for sort, value in {Sort.RISK: 3_000, Sort.CONFIDENCE: 500}.items():
        page = PageOf(sort=sort)
        asked = replace(page, after=Key(value=value, recording_id="8" * 16))
        yield Asked(part="翻到中间", told=f"{told}，按{sort.chinese}", which=which, page=asked)


def measured(store: Store, asked: Asked) -> Took:
    """The middle one of three tries: other work on the machine shows in the slowest."""
    tries = []
    for _ in range(TRIES):
        began = time.perf_counter(), time.process_time()
        page = store.queue(asked.which, asked.page, at=NOW)
        wall, cpu = time.perf_counter() - began[0], time.process_time() - began[1]
        tries.append(Took(asked=asked, wall=wall * 1000, cpu=cpu * 1000, found=page.total))
    return sorted(tries, key=lambda one: one.wall)[TRIES // 2]


def other_work(store: Store) -> Iterator[tuple[str, float]]:
    """What else the queue is asked to do, the median of several, in milliseconds."""
    some = [f"质检{n}" for n in range(20)]
    until = NOW + timedelta(minutes=30)
    yield (
        "领下一通",
        _median(lambda n: store.claim_next(some[n], QueueFilter(), at=NOW, until=until), len(some)),
    )
    held = [line.recording_id for line in store.queue(QueueFilter(), PageOf(size=20), at=NOW).lines]
    yield "一通电话的一行", _median(lambda n: store.queue_line(held[n]), len(held))
    yield "抽样计划的进度", _median(lambda n: store.plan_progress(), 5)


def _median(work: Callable[[int], object], times: int) -> float:
    spent = []
    for number in range(times):
        began = time.perf_counter()
        work(number)
        spent.append((time.perf_counter() - began) * 1000)
    return sorted(spent)[times // 2]


def report(took: Sequence[Took], others: Sequence[tuple[str, float]], calls: int, url: str) -> str:
    """The page, in Chinese."""
    worst = sorted(took, key=lambda one: -one.wall)[:8]
    parts = dict.fromkeys(one.asked.part for one in took)
    database = "SQLite" if url.startswith("sqlite") else "PostgreSQL"
    within = sum(one.wall <= BAR_MS for one in took)
    lines = [
        "# 质检队列有多快（由 `make bench-queue` 生成，请勿手改）",
        "",
        (
            f"{date.today()}，{platform.system()} {platform.machine()}，{os.cpu_count()} 核"
            f"（平均负载 {os.getloadavg()[1]:.1f}），Python {platform.python_version()}，"
            f"程序 {program()}，{database}。{calls:,} 通编造的电话，每个问题答一页 50 通，"
            f"连同各状态的通数；每个问题问 {TRIES} 遍，取中间的一遍。"
        ),
        "",
        f"{len(took)} 个问题，{within} 个在 {BAR_MS} ms 之内。",
        "",
        "| 问题 | 个数 | 中位 | 99 % | 最慢 | 处理器中位 |",
        "|---|---:|---:|---:|---:|---:|",
        *(_row(part, [one for one in took if one.asked.part == part]) for part in parts),
        "",
        "最慢的：",
        "",
        "| 条件 | 找到 | 时间 | 处理器 |",
        "|---|---:|---:|---:|",
        *(f"| {o.asked.told} | {o.found:,} | {o.wall:.0f} ms | {o.cpu:.0f} ms |" for o in worst),
        "",
        "此外（中位）：",
        "",
        "| 做什么 | 时间 |",
        "|---|---:|",
        *(f"| {told} | {spent:.1f} ms |" for told, spent in others),
    ]
    return "\n".join(lines) + "\n"


def _row(part: str, took: Sequence[Took]) -> str:
    walls, cpus = sorted(one.wall for one in took), sorted(one.cpu for one in took)
    late = walls[min(len(walls) - 1, len(walls) * 99 // 100)]
    middle = len(walls) // 2
    return (
        f"| {part} | {len(took)} | {walls[middle]:.0f} ms | {late:.0f} ms | {walls[-1]:.0f} ms "
        f"| {cpus[middle]:.0f} ms |"
    )


if __name__ == "__main__":
    sys.exit(main())
