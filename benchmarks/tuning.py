"""`make bench-tuning`: how long a quality owner waits for `rules try` over 1,000 and 10,000 generated calls.

    python benchmarks/tuning.py --archives 1000=made1k.db,10000=made10k.db

The archives are made by `made_archive.py`. Each command runs in a process of its own, start-up and all; the
first run has nothing made ready, the second finds what the first one kept. Writes docs/tuning-speed.md anew
after each.
"""

import argparse
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parent.parent
REPORT = ROOT / "docs" / "tuning-speed.md"
TRIED: tuple[tuple[str, ...], ...] = (
    ("rules/forbidden/shirking.yml",),
    ("rules/forbidden/shirking.yml", "--phrase", "做不了主"),
    ("rules/forbidden/blunt_meaning.yml",),
    ("rules/service/uses_surname.yml",),
    ("rules/service/dead_air.yml",),
)
"""A rule of words, the same with a phrase that is tried, one of meaning, one with a slot, one of times."""
ROUNDS = ("第一次", "再跑一次")


@dataclass(frozen=True, kw_only=True)
class Run:
    """One command over one archive: seconds that one waits, and seconds of processor in all processes."""

    calls: int
    command: str
    round: str
    seconds: float
    cpu: float


def measured(url: str, calls: int, command: Sequence[str], cache: Path, again: str) -> Run:
    """Run `rules try` as a user does."""
    line = [str(Path(sys.executable).parent / "callscore"), "rules", "try", *command, "--limit", "1"]
    before, began = _children(), time.perf_counter()
    environment = {**os.environ, "CALLSCORE_CACHE": str(cache)}
    subprocess.run([*line, "--database", url], check=True, cwd=ROOT, env=environment, capture_output=True)
    return Run(
        calls=calls,
        command=" ".join(command),
        round=again,
        seconds=time.perf_counter() - began,
        cpu=_children() - before,
    )


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def report(runs: Sequence[Run]) -> str:
    """The page."""
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[2]
    rows = [
        f"| {run.calls} | `{run.command}` | {run.round} | {run.seconds:.1f} | {run.cpu:.1f} |" for run in runs
    ]
    return f"""# 试一条规则要等多久

生成的通话，每通约 1,200 字，带句子向量；启动和打印都算在内。“第一次”什么都没有备好，“再跑一次”用上次留下的。

{date.today().isoformat()}，{platform.machine()}，{cores} 核，十五分钟平均负载 {load:.1f}
（别的程序同时在跑时，等待要长得多，处理器秒数差不多）。`make bench-tuning`。

| 通话 | `callscore rules try` | | 等待（秒） | 处理器（秒） |
|---|---|---|---|---|
{chr(10).join(rows)}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--archives", required=True, help="calls=database file, separated by commas")
    given = parser.parse_args()
    runs: list[Run] = []
    for part in given.archives.split(","):
        calls, _, path = part.partition("=")
        for command in TRIED:
            with tempfile.TemporaryDirectory() as cache:
                runs += [
                    measured(f"sqlite:///{path}", int(calls), command, Path(cache), again) for again in ROUNDS
                ]
            REPORT.write_text(report(sorted(runs, key=lambda run: run.calls)), encoding="utf-8")
    sys.stdout.write(REPORT.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
