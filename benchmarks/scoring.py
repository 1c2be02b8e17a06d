"""How long a card takes: `python benchmarks/scoring.py [--calls N]`. Made-up calls under the shipped rules.

Rules run first and are not counted; then every scorecard is filled in for every call, from findings that
nobody has asked for their id yet, as they come from the database. Rules sort theirs by id, so that a card of
a call just judged takes less.
"""

import argparse
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from pipeline.detect.engine import run
from pipeline.detect.load import load_ruleset
from pipeline.detect.ordinary import ordinary
from pipeline.detect.scene import Thresholds
from pipeline.detect.script import call_of
from pipeline.findings import Finding
from pipeline.resources import shipped_rules
from pipeline.ruleset import RuleSet
from pipeline.scoring.score import score
from pipeline.settings import Settings
from pipeline.template import Template
from pipeline.timeline import Call

ROUNDS = 200
ARCHIVE = 100_000
TURNS = 40
SEED = 7


Judged = Sequence[tuple[Call, Sequence[Finding]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cards:
    """How long cards of one template take: processor seconds of one, and seconds of an archive on all cores,
    scaled from so many different calls."""

    template: str
    items: int
    a_card: float
    archive: float
    calls: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=20)
    for cards in measured(parser.parse_args().calls, len(os.sched_getaffinity(0))):
        told = f"{cards.a_card * 1e6:.0f} us a card, {cards.archive:.1f} s for {ARCHIVE} calls on all cores"
        sys.stdout.write(f"{cards.template}: {cards.items} items, {told}\n")


def measured(calls: int, workers: int) -> list[Cards]:
    """Every template in turn, all workers on the same one at the same time."""
    context = get_context("fork")
    barrier = context.Barrier(workers)
    with ProcessPoolExecutor(workers, context, _SHARED.append, (barrier,)) as pool:
        parts = list(pool.map(_part, [calls] * workers))
    templates = load_ruleset(shipped_rules()).templates
    return [
        Cards(
            template=template.id,
            items=len(template.items),
            a_card=sum(cpu for cpu, _ in spent) / workers,
            archive=ARCHIVE / sum(1 / wall for _, wall in spent),
            calls=calls,
        )
        for template, spent in zip(templates, zip(*parts, strict=True), strict=True)
    ]


_SHARED: list[Any] = []


def _part(calls: int) -> list[tuple[float, float]]:
    """One worker: by template, processor seconds and seconds of a card."""
    ruleset, spent = load_ruleset(shipped_rules()), []
    judged = [(call, run(call, ruleset, Thresholds.of(Settings()))) for call in made_calls(calls)]
    for template in ruleset.templates:
        _SHARED[0].wait()
        spent.append(seconds_a_card(template, ruleset, judged))
    return spent


def made_calls(count: int) -> Iterator[Call]:
    """Calls of ordinary sentences, agent and customer by turns."""
    chooser = random.Random(SEED)  # noqa: S311  (no secret)
    lines = [line.text for line in ordinary()]
    for _ in range(count):
        turns = (
            f"{'坐席' if n % 2 == 0 else '客户'} {4 * n + 1}.0 {chooser.choice(lines)}" for n in range(TURNS)
        )
        yield call_of("\n".join(turns))


def seconds_a_card(template: Template, ruleset: RuleSet, judged: Judged) -> tuple[float, float]:
    """Processor time and time of one card, the median of many short rounds."""
    rounds: list[tuple[float, float]] = []
    for _ in range(ROUNDS):
        fresh = [(call, [replace(finding) for finding in findings]) for call, findings in judged]
        began = time.process_time(), time.perf_counter()
        for call, findings in fresh:
            score(call.recording, findings, template, ruleset, call.transcript.provenance)
        rounds.append((time.process_time() - began[0], time.perf_counter() - began[1]))
    cpu, wall = (median(column) / len(judged) for column in zip(*rounds, strict=True))
    return cpu, wall


if __name__ == "__main__":
    main()
