"""Which calls, which rules -> findings: the one door between the tuning commands and the archive.

Transcripts come from the store, nothing is recognised again and nothing is written.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest

from pipeline.detect import engine
from pipeline.detect.scene import Thresholds
from pipeline.errors import StorageError
from pipeline.findings import Finding
from pipeline.ruleset import Rule, RuleSet
from pipeline.storage.records import StoredCall
from pipeline.storage.store import Store
from pipeline.workflows.meaning import Understanding

Findings = tuple[Finding, ...]
Judged = tuple[StoredCall, Findings]
Watch = Callable[[Iterator[Judged], int], Iterator[Judged]]
"""Passes calls on unchanged while it shows how far the work is; the number is how many there are."""


def findings_over(
    store: Store, ruleset: RuleSet, thresholds: Thresholds, understanding: Understanding | None = None
) -> Iterator[Judged]:
    """What the rules say about every stored call, by start of call, streamed: one call in memory."""
    understands = understanding if ruleset.meaning else None
    for stored in store.stored():
        call = understands.with_sentences(stored.call) if understands else stored.call
        yield stored, engine.run(call, ruleset, thresholds)


def in_step(
    one: Iterable[Judged], other: Iterable[Judged]
) -> Iterator[tuple[StoredCall, Findings, Findings]]:
    """Two runs over the same calls side by side. Raises StorageError: calls were added meanwhile."""
    for left, right in zip_longest(one, other):
        if left is None or right is None or left[0].recording.id != right[0].recording.id:
            raise StorageError("比较期间数据库里添了通话", hint="等夜间批处理结束后再跑一次")
        yield left[0], left[1], right[1]


def unwatched(calls: Iterator[Judged], total: int) -> Iterator[Judged]:
    """Shows nothing."""
    return calls


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """The stored calls as they are judged: under which thresholds, with which sentence model (None: rules
    of meaning cannot tell), and who watches how far it is."""

    store: Store
    thresholds: Thresholds
    understanding: Understanding | None = None
    watch: Watch = unwatched

    def taught(self, ruleset: RuleSet) -> RuleSet:
        """The rule set with what its examples teach. Must see it whole: rules learn from each other."""
        return self.understanding.taught(ruleset) if self.understanding else ruleset

    def judged(self, ruleset: RuleSet) -> Iterator[Judged]:
        """Every call, watched."""
        return self.watch(self.again(ruleset), self.store.counts()["recordings"])

    def again(self, ruleset: RuleSet) -> Iterator[Judged]:
        """The same calls in the same order, unwatched: to go in step with a run that is watched."""
        return findings_over(self.store, ruleset, self.thresholds, self.understanding)

    def down_to(self, match_confidence: float) -> "Archive":
        """With a threshold as low as this one."""
        lower = min(match_confidence, self.thresholds.match_confidence)
        return replace(self, thresholds=replace(self.thresholds, match_confidence=lower))


def only(ruleset: RuleSet, rules: Iterable[Rule]) -> RuleSet:
    """These rules and what they build on; no templates, so it cannot score."""
    wanted = {need.id: need for rule in rules for need in engine.with_needs(ruleset, rule)}
    ordered = tuple(wanted[rule_id] for rule_id in sorted(wanted))
    return replace(ruleset, rules=ordered, templates=(), files={}, digest="")
