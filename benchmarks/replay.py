"""Stored scorings replayed a thousand times, with one worker and with several: are the digests the same?

    python benchmarks/replay.py --database sqlite:///data/demo/callscore.db

Writes docs/replay.md. Exits with 1 when any digest differs from the stored one or between the runs.
"""

import argparse
import hashlib
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path

from pipeline.program import program
from pipeline.settings import Settings
from pipeline.storage.records import StoredCall
from pipeline.storage.store import Store
from pipeline.workflows.dispute.replay import Agreement, RulesOf, replayed, rules_by_digest

REPORT = Path(__file__).parent.parent / "docs" / "replay.md"


@dataclass(frozen=True, kw_only=True)
class Run:
    """One pass over the jobs. `digests` in the order of the jobs, whoever did them."""

    workers: int
    digests: tuple[str, ...]
    same: int

    @property
    def sha256(self) -> str:
        return hashlib.sha256("\n".join(self.digests).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Archive:
    """What there is to replay: ids of the scorings that this program made, from how many calls and rule sets
    they are, and how many another program made."""

    scorings: tuple[int, ...]
    calls: int
    rulesets: int
    others: int


class Worker:
    """One process: its own connection, each rule set read once."""

    store: Store
    rules: RulesOf


def start(url: str) -> None:
    """Open the database in a worker."""
    Worker.store = Store.open(url, create=False)
    Worker.rules = staticmethod(rules_by_digest(Worker.store))


def one(scorecard_id: int) -> tuple[str, bool]:
    """Digest of a replay, and whether it is the stored one."""
    found = replayed(Worker.store.scoring(scorecard_id), Worker.store, Worker.rules, Settings())
    return found.sha256, found.agreement is Agreement.IDENTICAL


def run(url: str, jobs: Sequence[int], workers: int) -> Run:
    """All jobs; every worker is a fresh process."""
    with get_context("spawn").Pool(workers, start, (url,)) as pool:
        found = pool.map(one, jobs, chunksize=5)
    digests = tuple(digest for digest, _ in found)
    return Run(workers=workers, digests=digests, same=sum(same for _, same in found))


def archive_of(url: str) -> Archive:
    """Every scoring of every call in the database, by call and time."""
    with Store.open(url, create=False) as store:
        histories = [store.history(summary.recording.id) for summary in store.calls()]
        lines = [line for history in histories for line in history]
        own = [line for line in lines if _is_own(store.scoring(line.scorecard_id))]
    return Archive(
        scorings=tuple(line.scorecard_id for line in own),
        calls=len(histories),
        rulesets=len({line.ruleset_digest for line in own}),
        others=len(lines) - len(own),
    )


def _is_own(scoring: StoredCall) -> bool:
    return scoring.circumstances is not None and scoring.circumstances.program == program()


def report(archive: Archive, runs: Sequence[Run]) -> str:
    """The page, in Chinese."""
    rows = [f"| {r.workers} | {len(r.digests)} | {r.same} | `{r.sha256}` |" for r in runs]
    equal = all(found.digests == runs[0].digests for found in runs)
    told = "各次的摘要逐个相同。" if equal else "**各次的摘要不相同！**"
    had = (
        f"库里 {archive.calls} 通电话、{len(archive.scorings)} 次评分、{archive.rulesets} 套规则；"
        f"每次评分按顺序轮流重放，每个进程各自打开数据库；程序 {program()}。"
    ) + (f"另有 {archive.others} 次评分是别的程序（旧版）做的，没有算在内。" if archive.others else "")
    machine = (
        f"{platform.system()} {platform.machine()}，{os.cpu_count()} 核，Python {platform.python_version()}"
    )
    return "\n".join(
        [
            "# 重放（由 `python benchmarks/replay.py` 生成，请勿手改）",
            "",
            f"{date.today().isoformat()}，{machine}。{had}",
            "",
            "| 进程 | 重放 | 与存下的逐字节相同 | 全部摘要连起来的 sha256 |",
            "|---:|---:|---:|---|",
            *rows,
            "",
            told,
            "",
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", default="sqlite:///data/demo/callscore.db")
    parser.add_argument("--replays", type=int, default=1000)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 4])
    parser.add_argument("--output", type=Path, default=REPORT)
    asked = parser.parse_args()
    archive = archive_of(asked.database)
    if not archive.scorings:
        print("库里没有这个程序做的评分；先运行 callscore rescore --all，再重放。", file=sys.stderr)
        return 1
    jobs = tuple(islice(cycle(archive.scorings), asked.replays))
    runs = [run(asked.database, jobs, workers) for workers in asked.workers]
    page = report(archive, runs)
    asked.output.write_text(page, encoding="utf-8")
    print(page)
    good = all(r.digests == runs[0].digests and r.same == len(jobs) for r in runs)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
