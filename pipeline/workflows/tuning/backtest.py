"""Rules of today against what inspectors decided: precision, and recall where it can be claimed.

A decision about a present finding says whether it is right. A decision about an absent finding says that
somebody listened to a call without findings: `finding_true`, nothing was there; `finding_false`, it was
missed. Only such calls tell how much a rule misses.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Rule, RuleSet
from pipeline.scorecard import Decision
from pipeline.scoring.intervals import Share, sample_without_misses
from pipeline.storage.records import DecidedFinding, StoredCall
from pipeline.timeline import Recording
from pipeline.workflows.tuning.archive import Archive, Findings
from pipeline.workflows.tuning.labels import LabelCounter, LabelTest, name_of
from pipeline.workflows.tuning.sources import unknown_rule
from pipeline.workflows.tuning.try_rule import same_place
from pipeline.workflows.tuning.whole import only

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
    sample: list[Recording] = field(default_factory=list)

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
        return tuple(sorted(self.sample, key=lambda recording: (recording.name, recording.id)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtesting:
    """What to test. `rules`: ids, none means all; `labels`: a folder of labelled calls, if any."""

    rules: tuple[str, ...] = ()
    labels: Path | None = None
    draw: Draw = Draw()


@dataclass(frozen=True, slots=True, kw_only=True)
class Backtest:
    """`silent`: rules that nobody decided about; `unheard` names labelled calls that are not in the store."""

    tests: tuple[RuleBacktest, ...]
    silent: int = 0
    labels: tuple[LabelTest, ...] = ()
    unheard: tuple[str, ...] = ()


def backtest_store(order: Backtesting, ruleset: RuleSet, archive: Archive) -> Backtest:
    """Hold today's rules against the decisions; rules that nobody decided about are left out, unless they are
    asked for or drawn from. Raises NotFound: no such rule, no labelled calls."""
    rules = _chosen(ruleset, order.rules)
    decisions = by_place(archive.store.decided_findings())
    decided = {rule_id for _, rule_id in decisions}
    wanted = tuple(rule for rule in rules if order.rules or order.draw.size or rule.id in decided)
    ruleset = archive.taught(ruleset, rules if order.labels else wanted)
    tests = backtest(_Over(archive=archive, ruleset=ruleset, decisions=decisions), wanted, order.draw)
    silent = len(rules) - len(wanted)
    if order.labels is None:
        return Backtest(tests=tests, silent=silent)
    counter = LabelCounter(order.labels, rules)
    for stored in _labelled(counter, archive):
        counter.count(stored, archive.judge(stored, only(ruleset, rules)))
    return Backtest(tests=tests, silent=silent, labels=counter.tests(), unheard=counter.unheard)


def _labelled(counter: LabelCounter, archive: Archive) -> Iterator[StoredCall]:
    for call in archive.store.calls():
        if name_of(call.recording) in counter.truths:
            yield archive.store.latest(call.recording.id)


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Over:
    """What is held against what."""

    archive: Archive
    ruleset: RuleSet
    decisions: Decisions

    def exactly(self, rule: Rule, recording_id: str) -> Findings:
        """What a rule says about one call."""
        found = self.archive.judge(self.archive.store.latest(recording_id), only(self.ruleset, [rule]))
        return tuple(finding for finding in found if finding.rule_id == rule.id)


def backtest(over: _Over, rules: Sequence[Rule], draw: Draw) -> tuple[RuleBacktest, ...]:
    """Calls in which a rule may find something and calls that somebody decided about are judged one by one;
    of the others it is known that the rule finds nothing there."""
    tests = {rule.id: RuleBacktest(rule=rule) for rule in rules}
    seen: dict[str, set[str]] = {rule_id: set() for rule_id in tests}
    for shown in over.archive.shown(over.ruleset, rules):
        decided = over.decisions.get((shown.recording.id, shown.rule_id), [])
        if not decided and all(finding.outcome is Outcome.ABSENT for finding in shown.findings):
            continue
        seen[shown.rule_id].add(shown.recording.id)
        _count(tests[shown.rule_id], shown.findings, decided)
    for (recording_id, rule_id), decided in over.decisions.items():
        if rule_id in tests and recording_id not in seen[rule_id]:
            seen[rule_id].add(recording_id)
            _count(tests[rule_id], over.exactly(tests[rule_id].rule, recording_id), decided)
    unsure = frozenset(over.archive.uncertain_roles()) if rules else frozenset()
    others = [call.recording for call in over.archive.store.calls()] if rules else []
    for rule_id, test in tests.items():
        rest = [r for r in others if r.id not in seen[rule_id] and over.archive.is_for(test.rule, r)]
        known = [r for r in rest if test.rule.role is None or r.id not in unsure]
        test.cannot_tell += len(rest) - len(known)
        test.calls_without += len(known)
        test.sample = _drawn(over, test, known, draw) if draw.size else []
    return tuple(tests[rule.id] for rule in rules)


def _drawn(over: _Over, test: RuleBacktest, known: Iterable[Recording], draw: Draw) -> list[Recording]:
    """Calls without a finding that nobody listened to, as the seed says, each looked at to be sure."""
    ranked = sorted(known, key=lambda recording: _rank(draw.seed, test.rule.id, recording))
    absent = (r for r in ranked if _is_absent(over.exactly(test.rule, r.id)))
    return list(islice(absent, draw.size))


def _is_absent(found: Findings) -> bool:
    return bool(found) and all(finding.outcome is Outcome.ABSENT for finding in found)


def _count(test: RuleBacktest, found: Findings, decided: list[DecidedFinding]) -> None:
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
        _count_absent(test, decided)


def _count_absent(test: RuleBacktest, decided: list[DecidedFinding]) -> None:
    test.calls_without += 1
    heard = [decision for decision in decided if decision.outcome is Outcome.ABSENT]
    test.listened += bool(heard)
    test.missed += any(not is_true(decision) for decision in heard)


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
