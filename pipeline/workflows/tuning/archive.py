"""Which calls, which rules -> findings: the one door between the tuning commands and the archive.

Transcripts come from the store, nothing is recognised again and nothing is written. Rules of words are sieved
out of the compact calls, rules of meaning are weighed over the stored vectors; only calls in which one of
them may find something are read whole.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from pipeline.detect import engine
from pipeline.detect.archive.compact import HEAD, VERSION, role_confidence
from pipeline.detect.scene import Thresholds
from pipeline.findings import Finding
from pipeline.ruleset import Rule, RuleSet
from pipeline.speech.weights import cache_folder
from pipeline.storage.records import StoredCall
from pipeline.storage.store import Store
from pipeline.timeline import Recording
from pipeline.workflows.archive import Looked, blocks, findings_over, make_compact
from pipeline.workflows.hands import done, hands
from pipeline.workflows.meaning import Understanding
from pipeline.workflows.tuning.plan import Plan
from pipeline.workflows.tuning.weigh import Order, Weighing, by_rule
from pipeline.workflows.tuning.whole import READ, Reading, Whole, only, tasks

Findings = tuple[Finding, ...]
Judged = tuple[StoredCall, Findings]
Watch = Callable[[int, int], None]
"""Hears how many calls are done, and of how many."""


def unwatched(done: int, total: int) -> None:
    """Shows nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What one rule says in a call where it may find something."""

    recording: Recording
    rule_id: str
    findings: Findings


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """The stored calls as they are judged: under which thresholds, with which sentence model (None: rules
    of meaning cannot tell), and who watches how far it is."""

    store: Store
    thresholds: Thresholds
    understanding: Understanding | None = None
    watch: Watch = unwatched

    def taught(self, ruleset: RuleSet, rules: Iterable[Rule] | None = None) -> RuleSet:
        """The rule set with what its examples teach; `rules`: only these and what they build on will run.
        Must see the set whole: rules learn from each other."""
        if self.understanding is None:
            return ruleset
        wanted = None if rules is None else {rule.id for rule in only(ruleset, rules).rules}
        return self.understanding.taught(ruleset, wanted)

    @property
    def size(self) -> int:
        """How many calls there are."""
        return self.store.counts()["recordings"]

    def shown(self, ruleset: RuleSet, rules: Iterable[Rule]) -> Iterator[Shown]:
        """What the rules say, as `engine.run` would, in the calls where they may find something. In the other
        calls each is absent, or cannot tell because of the roles or of what was not understood. A rule comes
        once a call at most; calls come in no order."""
        plan = Plan.of(ruleset, rules)
        found: dict[str, set[str]] = {}
        yield from self._by_words(ruleset, plan, found)
        yield from self._by_meaning(ruleset, plan, found)
        yield from self._whole(ruleset, plan, found)

    def _by_words(self, ruleset: RuleSet, plan: Plan, found: dict[str, set[str]]) -> Iterator[Shown]:
        direct = {rule.id for rule in plan.direct}
        swept = {rule.id: rule for rule in (*plan.direct, *plan.words)}
        if not swept:
            return
        looked = Looked(
            ruleset=replace(
                ruleset, rules=tuple(swept.values()), templates=(), files={}, digest="", meaning=None
            ),
            thresholds=self.thresholds,
            cache=self._cache,
        )
        total = self.size
        for call in findings_over(self.store, looked, lambda done: self.watch(done, total)):
            for rule_id, findings in by_rule(call.findings).items():
                if rule_id in plan.owners:
                    found.setdefault(call.recording.id, set()).update(plan.owners[rule_id])
                if rule_id in direct:
                    yield Shown(recording=call.recording, rule_id=rule_id, findings=findings)

    def _by_meaning(self, ruleset: RuleSet, plan: Plan, found: dict[str, set[str]]) -> Iterator[Shown]:
        meaning = ruleset.meaning
        meant = [rule_id for rule_id in plan.meant if meaning and rule_id in meaning.heads]
        if meaning is None or not (plan.weighed or meant):
            return
        order = Order(
            ruleset=ruleset,
            meaning=meaning,
            rules=plan.weighed,
            meant=meant,
            thresholds=self.thresholds,
            beside=tuple(plan.beside.values()),
            cache=self._cache,
        )
        weighed, total = 0, self.size
        make_compact(self.store)
        for block in done(Weighing(self.store, order), blocks(self.store), self._hands):
            for recording, rule_id, findings in block.said:
                yield Shown(recording=recording, rule_id=rule_id, findings=findings)
            for recording_id, rule_id in block.likely:
                found.setdefault(recording_id, set()).update(plan.owners[rule_id])
            for recording_id in block.unread:
                found.setdefault(recording_id, set()).update(rule.id for rule in plan.weighed)
                found[recording_id].update(owner for rule_id in meant for owner in plan.owners[rule_id])
            weighed += block.calls
            self.watch(weighed, total)

    @property
    def _cache(self) -> Path | None:
        return cache_folder(self.understanding.settings) if self.understanding else None

    @property
    def _hands(self) -> int:
        return hands() if self.store.is_shared else 1

    def _whole(self, ruleset: RuleSet, plan: Plan, found: dict[str, set[str]]) -> Iterator[Shown]:
        """The rules that must see the whole call, where they may find something."""
        if not (plan.anywhere or found):
            return
        everywhere = frozenset(rule.id for rule in plan.anywhere)
        make_compact(self.store)
        numbers = self.store.transcript_numbers(VERSION)
        chosen = {
            number: everywhere | found.get(name, frozenset())
            for name, number in sorted(numbers.items(), key=lambda pair: pair[1])
            if everywhere or name in found
        }
        rules = only(ruleset, (rule for rule in (*plan.whole, *plan.weighed)))
        reading = Reading(ruleset=rules, thresholds=self.thresholds, understanding=self.understanding)
        work = Whole(self.store, reading)
        read = 0
        for block in done(work, tasks(chosen.items()), 1 if rules.meaning else self._hands):
            for recording, rule_id, findings in block:
                yield Shown(recording=recording, rule_id=rule_id, findings=findings)
            read = min(read + READ, len(chosen))
            self.watch(read, len(chosen))

    def judge(self, stored: StoredCall, ruleset: RuleSet) -> Findings:
        """Everything that the rules say about one call."""
        understands = self.understanding if ruleset.meaning else None
        call = understands.with_sentences(stored.call) if understands else stored.call
        return engine.run(call, ruleset, self.thresholds)

    def newest(self, count: int) -> tuple[str, ...]:
        """The recordings that began last, by start."""
        return tuple(deque((call.recording.id for call in self.store.calls()), maxlen=count))

    def judged(self, recordings: Collection[str], ruleset: RuleSet) -> Iterator[Judged]:
        """These calls, read whole: slow, but what is absent is told, too."""
        for count, recording_id in enumerate(recordings, start=1):
            stored = self.store.latest(recording_id)
            yield stored, self.judge(stored, ruleset)
            self.watch(count, len(recordings))

    def uncertain_roles(self) -> Iterator[str]:
        """Recordings of which nobody knows who is the agent."""
        make_compact(self.store)
        least = self.thresholds.role_threshold
        for recording_id, head in self.store.compact_heads(VERSION, HEAD.size):
            if role_confidence(head) < least:
                yield recording_id

    def is_for(self, rule: Rule, recording: Recording) -> bool:
        """Whether the rule looks at this recording."""
        return engine.is_for(rule, recording, ZoneInfo(self.thresholds.time_zone))

    def down_to(self, match_confidence: float) -> "Archive":
        """With a threshold as low as this one."""
        lower = min(match_confidence, self.thresholds.match_confidence)
        return replace(self, thresholds=replace(self.thresholds, match_confidence=lower))
