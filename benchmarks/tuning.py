"""`make bench-tuning`: how long a quality owner waits for `rules try` and `rules impact`.

    python benchmarks/tuning.py --archives 1000=made1k.db,10000=made10k.db

The archives, of 1,000 and 10,000 generated calls, are made by `made_archive.py`. Each command runs in a
process of its own, start-up and all; the first run has nothing made ready, the second finds what the first
one kept. Writes docs/tuning-speed.md anew after each.
"""

import argparse
import os
import platform
import resource
import shutil
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
    ("try", "rules/forbidden/shirking.yml"),
    ("try", "rules/forbidden/shirking.yml", "--phrase", "做不了主"),
    ("try", "rules/forbidden/blunt_meaning.yml"),
    ("try", "rules/service/uses_surname.yml"),
    ("try", "rules/service/dead_air.yml"),
    ("try", "edited/forbidden/blunt_meaning.yml"),
    ("impact", "--base", "rules", "--head", "reworded"),
)
SLOW = ("impact", "--base", "rules", "--head", "edited")
"""A rule of words, the same with a phrase that is tried, one of meaning, one with a slot, one of times; one
of meaning with one more example, which must be learned; what a new phrase changes. SLOW, what a new example
changes in every rule of meaning, is asked of the smallest archive only."""
EDITS = {
    "reworded": ("forbidden/shirking.yml", "phrases:\n", "  - 这可真轮不到我们来操心\n"),
    "edited": ("forbidden/blunt_meaning.yml", "examples:\n", "  - 您这话我可不爱听了\n"),
}
"""Copies of the rules: by folder, the file that is edited, behind which line, and the new line."""
ROUNDS = ("第一次", "再跑一次")


@dataclass(frozen=True, kw_only=True)
class Run:
    """One command over one archive: seconds that one waits, and seconds of processor in all processes."""

    calls: int
    command: str
    round: str
    seconds: float
    cpu: float


def edited(place: Path) -> None:
    """The rules as they are, and the edited copies."""
    shutil.copytree(ROOT / "rules", place / "rules")
    for name, (file, behind, line) in EDITS.items():
        shutil.copytree(ROOT / "rules", place / name)
        text = (place / name / file).read_text(encoding="utf-8")
        changed = text.replace(behind, behind + line, 1)
        (place / name / file).write_text(changed, encoding="utf-8")


def measured(url: str, calls: int, command: Sequence[str], cache: Path, again: str) -> Run:
    """Run `rules` as a user does, in the folder beside the cache."""
    line = [str(Path(sys.executable).parent / "callscore"), "rules", *command, "--limit", "1"]
    before, began = _children(), time.perf_counter()
    environment = {**os.environ, "CALLSCORE_CACHE": str(cache)}
    subprocess.run(
        [*line, "--database", url], check=True, cwd=cache.parent, env=environment, capture_output=True
    )
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
    return f"""# 试一条规则、看一处改动要等多久

生成的通话，每通约 1,200 字，带句子向量；启动和打印都算在内。“第一次”什么都没有备好，“再跑一次”用上次留下的。
`edited`：按意思听的一条规则多一个例句（要重新学）；`reworded`：按音听的一条规则多一个说法。

{date.today().isoformat()}，{platform.machine()}，{cores} 核，十五分钟平均负载 {load:.1f}
（别的程序同时在跑时，等待要长得多，处理器秒数差不多）。`make bench-tuning`。

| 通话 | `callscore rules` | | 等待（秒） | 处理器（秒） |
|---|---|---|---|---|
{chr(10).join(rows)}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--archives", required=True, help="calls=database file, separated by commas")
    given = parser.parse_args()
    runs: list[Run] = []
    for number, part in enumerate(given.archives.split(",")):
        calls, _, path = part.partition("=")
        for command in (*TRIED, *([] if number else [SLOW])):
            with tempfile.TemporaryDirectory() as folder:
                edited(Path(folder))
                cache, url = Path(folder) / "cache", f"sqlite:///{Path(path).absolute()}"
                runs += [measured(url, int(calls), command, cache, again) for again in ROUNDS]
            REPORT.write_text(report(sorted(runs, key=lambda run: run.calls)), encoding="utf-8")
    sys.stdout.write(REPORT.read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
