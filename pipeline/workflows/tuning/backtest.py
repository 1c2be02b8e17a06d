"""Rules of today against what inspectors decided: precision, and recall where it can be claimed.

A decision about a present finding says whether it is right. A decision about an absent finding says that
somebody listened to a call without findings: `finding_true`, nothing was there; `finding_false`, it was
missed. Only such calls tell how much a rule misses.
"""

import hashlib
import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Rule, RuleSet
from pipeline.scorecard import Decision
from pipeline.scoring.intervals import Share, sample_without_misses
from pipeline.storage.records import DecidedFinding
from pipeline.timeline import Recording
from pipeline.workflows.tuning.archive import Archive, Judged, only
from pipeline.workflows.tuning.labels import LabelCounter, LabelTest
from pipeline.workflows.tuning.sources import unknown_rule
from pipeline.workflows.tuning.try_rule import same_place

WANTED_RECALL = 0.8

Decisions = dict[tuple[str, str], list[DecidedFinding]]
"""Decisions by recording and rule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """A random sample of calls without a finding: `size` calls; the same seed draws the same calls."""

    size: int = 0
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Share of the calls with the thing that the rule finds, estimated from both kinds of calls."""

    value: float
    low: float
    high: float


@dataclass(slots=True, kw_only=True)
class RuleBacktest:
    """One rule. Findings are today's: `confirmed`, `rejected`, `undecided`. `lost` were confirmed and are
    found no more, `dropped` were rejected and are found no more. `listened` counts the calls without a
    finding that somebody listened to, `missed` those of them where the thing was said; `recovered` calls
    were missed and have a finding now."""

    rule: Rule
    calls_with: int = 0
    calls_without: int = 0
    cannot_tell: int = 0
    confirmed: int = 0
    rejected: int = 0
    undecided: int = 0
    lost: int = 0
    dropped: int = 0
    listened: int = 0
    missed: int = 0
    recovered: int = 0
    sample: list[tuple[int, str, Recording]] = field(default_factory=list)

    @property
    def precision(self) -> Share:
        return Share(right=self.confirmed, n=self.confirmed + self.rejected)

    @property
    def misses(self) -> Share:
        """Calls without a finding that were listened to, and those where the thing was said all the same."""
        return Share(right=self.missed, n=self.listened)

    @property
    def recall(self) -> Recall | None:
        """None where nobody listened to calls without findings, or nobody decided about findings.

        The bounds take the worse end of both intervals at once, so they are wider than 95 % needs.
        """
        precision, misses = self.precision, self.misses
        if misses.value is None or precision.value is None:
            return None
        low = self._recall(precision.interval[0], misses.interval[1])
        high = self._recall(precision.interval[1], misses.interval[0])
        return Recall(value=self._recall(precision.value, misses.value), low=low, high=high)

    def _recall(self, precision: float, missed: float) -> float:
        right, wrong = self.calls_with * precision, self.calls_without * missed
        return right / (right + wrong) if right + wrong else 1.0

    @property
    def to_listen(self) -> int:
        """Calls without a finding to listen to, all without a miss, until a recall of WANTED_RECALL can be
        claimed; never more than there are."""
        right = self.calls_with * (self.precision.value or 1.0)
        if not self.calls_without or not right:
            return self.calls_without
        most = right * (1 / WANTED_RECALL - 1) / self.calls_without
        return min(self.calls_without, sample_without_misses(min(most, 0.5)))

    @property
    def drawn(self) -> tuple[Recording, ...]:
        """The sample, by name."""
        return tuple(sorted((recording for _, _, recording in self.sample), key=lambda r: (r.name, r.id)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtesting:
    """What to test. `rules`: ids, none means all; `labels`: a folder of labelled calls, if any."""

    rules: tuple[str, ...] = ()
    labels: Path | None = None
    draw: Draw = Draw()


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """`unheard` names labelled calls that are not in the store."""

    tests: tuple[RuleBacktest, ...]
    labels: tuple[LabelTest, ...] = ()
    unheard: tuple[str, ...] = ()


def backtest_store(order: Backtesting, ruleset: RuleSet, archive: Archive) -> Backtest:
    """One pass over the archive. Raises NotFound: no such rule, no labelled calls."""
    rules = _chosen(ruleset, order.rules)
    decisions = by_place(archive.store.decided_findings())
    calls = archive.judged(only(archive.taught(ruleset), rules))
    if order.labels is None:
        return Backtest(tests=backtest(rules, calls, decisions, order.draw))
    counter = LabelCounter(order.labels, rules)
    tests = backtest(rules, counter.through(calls), decisions, order.draw)
    return Backtest(tests=tests, labels=counter.tests(), unheard=counter.unheard)


def _chosen(ruleset: RuleSet, ids: Sequence[str]) -> tuple[Rule, ...]:
    by_id = {rule.id: rule for rule in ruleset.rules}
    for rule_id in ids:
        if rule_id not in by_id:
            raise unknown_rule(rule_id, by_id)
    return tuple(by_id[rule_id] for rule_id in ids) or ruleset.rules


def by_place(decided: Iterable[DecidedFinding]) -> Decisions:
    grouped: Decisions = {}
    for decision in decided:
        grouped.setdefault((decision.review.recording_id, decision.rule_id), []).append(decision)
    return grouped


def backtest(
    rules: Sequence[Rule], calls: Iterable[Judged], decisions: Decisions, draw: Draw
) -> tuple[RuleBacktest, ...]:
    """Hold what the rules find in the calls against the decisions."""
    tests = {rule.id: RuleBacktest(rule=rule) for rule in rules}
    for stored, findings in calls:
        own: dict[str, list[Finding]] = {rule_id: [] for rule_id in tests}
        for finding in findings:
            if finding.rule_id in own:
                own[finding.rule_id].append(finding)
        for rule_id, found in own.items():
            decided = decisions.get((stored.recording.id, rule_id), [])
            _count(tests[rule_id], stored.recording, found, decided, draw)
    return tuple(tests[rule.id] for rule in rules)


def _count(
    test: RuleBacktest, recording: Recording, found: list[Finding], decided: list[DecidedFinding], draw: Draw
) -> None:
    present = [finding for finding in found if finding.outcome is Outcome.PRESENT]
    places = [decision for decision in decided if decision.outcome is Outcome.PRESENT]
    for finding in present:
        said = decision_on(finding, decided)
        test.confirmed += said is True
        test.rejected += said is False
        test.undecided += said is None
    for place in places:
        if not any(same_place(place.span, finding.span) for finding in present):
            test.lost += is_true(place)
            test.dropped += not is_true(place)
    if present:
        test.calls_with += 1
        test.recovered += any(d.outcome is Outcome.ABSENT and not is_true(d) for d in decided)
    elif any(finding.outcome is Outcome.CANNOT_TELL for finding in found):
        test.cannot_tell += 1
    elif found:
        _count_absent(test, recording, decided, draw)


def _count_absent(
    test: RuleBacktest, recording: Recording, decided: list[DecidedFinding], draw: Draw
) -> None:
    test.calls_without += 1
    heard = [decision for decision in decided if decision.outcome is Outcome.ABSENT]
    if heard:
        test.listened += 1
        test.missed += any(not is_true(decision) for decision in heard)
    elif draw.size:
        entry = (-_rank(draw.seed, test.rule.id, recording), recording.id, recording)
        put = heapq.heappush if len(test.sample) < draw.size else heapq.heappushpop
        put(test.sample, entry)


def decision_on(finding: Finding, decided: Iterable[DecidedFinding]) -> bool | None:
    """What was decided about this finding itself, else about a present one at its place; None: nothing."""
    places = [decision for decision in decided if decision.outcome is Outcome.PRESENT]
    exact = [place for place in places if place.review.target == finding.id]
    near = [place for place in places if same_place(place.span, finding.span)]
    chosen = exact or near
    return any(map(is_true, chosen)) if chosen else None


def is_true(decision: DecidedFinding) -> bool:
    """Whether the inspector agreed with the finding."""
    return decision.review.decision is Decision.FINDING_TRUE


def _rank(seed: int, rule_id: str, recording: Recording) -> int:
    """A number as good as random that depends on nothing but these three."""
    return int(hashlib.sha256(f"{seed}|{rule_id}|{recording.id}".encode()).hexdigest()[:15], 16)
