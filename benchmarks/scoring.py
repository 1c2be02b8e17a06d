"""How long a card takes: `python benchmarks/scoring.py [--calls N]`. Made-up calls under the shipped rules.

Rules run first and are not counted; then every scorecard is filled in for every call, from findings that
nobody has asked for their id yet, as they come from the rules or the database.
"""

import argparse
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace

from pipeline.detect.engine import run
from pipeline.detect.load import load_ruleset
from pipeline.detect.ordinary import ordinary
from pipeline.detect.scene import Thresholds
from pipeline.detect.script import call_of
from pipeline.findings import Finding
from pipeline.resources import shipped_rules
from pipeline.ruleset import RuleSet, Template
from pipeline.scoring.score import score
from pipeline.settings import Settings
from pipeline.timeline import Call

ROUNDS = 30
ARCHIVE = 100_000
TURNS = 40
SEED = 7


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=20)
    ruleset = load_ruleset(shipped_rules())
    calls = list(made_calls(parser.parse_args().calls))
    judged = [(call, run(call, ruleset, Thresholds.of(Settings()))) for call in calls]
    for template in ruleset.templates:
        seconds = seconds_a_card(template, ruleset, judged)
        told = f"{seconds * 1e6:.0f} us a card, {seconds * ARCHIVE:.1f} s for {ARCHIVE} calls"
        print(f"{template.id}: {len(template.items)} items, {told}")


def made_calls(count: int) -> Iterator[Call]:
    """Calls of ordinary sentences, agent and customer by turns."""
    chooser = random.Random(SEED)  # noqa: S311  (no secret)
    lines = [line.text for line in ordinary()]
    for _ in range(count):
        turns = (
            f"{'坐席' if n % 2 == 0 else '客户'} {4 * n + 1}.0 {chooser.choice(lines)}" for n in range(TURNS)
        )
        yield call_of("\n".join(turns))


def seconds_a_card(
    template: Template, ruleset: RuleSet, judged: Sequence[tuple[Call, Sequence[Finding]]]
) -> float:
    """Processor time of one card, the mean of several rounds."""
    spent = 0.0
    for _ in range(ROUNDS):
        fresh = [(call, [replace(finding) for finding in findings]) for call, findings in judged]
        began = time.process_time()
        for call, findings in fresh:
            score(call.recording, findings, template, ruleset, call.transcript.provenance)
        spent += time.process_time() - began
    return spent / ROUNDS / len(judged)


if __name__ == "__main__":
    main()
