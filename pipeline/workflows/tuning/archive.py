"""Which calls, which rules -> findings: the one door between the tuning commands and the archive.

Transcripts come from the store, nothing is recognised again and nothing is written. Rules of words are sieved
out of the compact calls, rules of meaning are weighed over the stored vectors; only calls in which one of
them may find something are read whole.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from zoneinfo import ZoneInfo

from pipeline.detect import engine
from pipeline.detect.archive.compact import VERSION, Compact, Unpacked, role_confidence
from pipeline.detect.archive.parts import can_be_sieved
from pipeline.detect.likely import Likely, Said
from pipeline.detect.scene import Thresholds
from pipeline.findings import Finding
from pipeline.meaning import Meaning
from pipeline.ruleset import Rule, RuleSet
from pipeline.speech.weights import cache_folder
from pipeline.storage.records import CompactCall, StoredCall
from pipeline.storage.store import Store
from pipeline.timeline import Call, Recording
from pipeline.workflows.archive import Looked, findings_over, make_compact
from pipeline.workflows.meaning import Understanding
from pipeline.workflows.tuning.clues import Clues, clues_of

BLOCK = 200
"""Calls weighed at once; memory does not depend on how many there are."""

READ = 50

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
        plan = _plan(ruleset, rules)
        found: dict[str, set[str]] = {}
        yield from self._by_words(ruleset, plan, found)
        for recording_id, rule_id in self._by_meaning(ruleset, plan):
            found.setdefault(recording_id, set()).update(plan.owners[rule_id])
        yield from self._whole(ruleset, plan, found)

    def _by_words(self, ruleset: RuleSet, plan: "_Plan", found: dict[str, set[str]]) -> Iterator[Shown]:
        swept = (*plan.direct, *plan.words)
        if not swept:
            return
        looked = Looked(
            ruleset=replace(ruleset, rules=swept, templates=(), files={}, digest="", meaning=None),
            thresholds=self.thresholds,
            cache=cache_folder(self.understanding.settings) if self.understanding else None,
        )
        total = self.size
        for call in findings_over(self.store, looked, lambda done: self.watch(done, total)):
            own: dict[str, list[Finding]] = {}
            for finding in call.findings:
                own.setdefault(finding.rule_id, []).append(finding)
            for rule_id, findings in own.items():
                if rule_id in plan.owners:
                    found.setdefault(call.recording.id, set()).update(plan.owners[rule_id])
                else:
                    yield Shown(recording=call.recording, rule_id=rule_id, findings=tuple(findings))

    def _by_meaning(self, ruleset: RuleSet, plan: "_Plan") -> Iterator[tuple[str, str]]:
        """Recording and rule wherever a sentence may mean what the rule's examples do."""
        meaning = ruleset.meaning
        rules = [rule_id for rule_id in plan.meant if meaning and rule_id in meaning.heads]
        if not meaning or not rules:
            return
        likely = Likely(meaning, rules)
        needed = likely.needed(self.thresholds.match_confidence)
        for calls in self._blocks():
            vectors = self.store.sentences([call.transcript_id for call in calls], meaning.encoder)
            known = [call for call in calls if call.transcript_id in vectors]
            yield from ((c.recording.id, rule_id) for c in calls if c not in known for rule_id in rules)
            said = [Said(_unpacked(call), vectors[call.transcript_id]) for call in known]
            if said:
                scores, owners = likely.scores(said)
                for column, rule_id in enumerate(rules):
                    for number in set(owners[scores[:, column] >= needed[column]].tolist()):
                        yield known[number].recording.id, rule_id

    def _blocks(self) -> Iterator[list[CompactCall]]:
        make_compact(self.store)
        after, done, total = 0, 0, self.size
        while block := self.store.compact_texts(VERSION, after, BLOCK):
            after, done = block[-1][0], done + len(block)
            yield self.store.compact_calls([number for number, _ in block])
            self.watch(done, total)

    def _whole(self, ruleset: RuleSet, plan: "_Plan", found: dict[str, set[str]]) -> Iterator[Shown]:
        """The rules that must see the whole call, where they may find something."""
        if not (plan.anywhere or found):
            return
        names = {rule.id: rule for rule in plan.whole}
        everywhere = frozenset(rule.id for rule in plan.anywhere)
        rules: dict[frozenset[str], RuleSet] = {}
        for call in self._calls(None if everywhere else found.keys(), ruleset.meaning):
            wanted = everywhere | found.get(call.recording.id, frozenset())
            if wanted not in rules:
                rules[wanted] = only(ruleset, (names[rule_id] for rule_id in sorted(wanted)))
            findings = engine.run(call, rules[wanted], self.thresholds)
            for rule_id in sorted(wanted):
                own = tuple(f for f in findings if f.rule_id == rule_id)
                yield Shown(recording=call.recording, rule_id=rule_id, findings=own)

    def _calls(self, recordings: Collection[str] | None, meaning: Meaning | None) -> Iterator[Call]:
        """Whole calls in the order of the archive, a few in memory; None: all of them."""
        make_compact(self.store)
        numbers = self.store.transcript_numbers(VERSION)
        chosen = sorted(n for name, n in numbers.items() if recordings is None or name in recordings)
        for first in range(0, len(chosen), READ):
            block = chosen[first : first + READ]
            vectors = self.store.sentences(block, meaning.encoder) if meaning else {}
            for number, recording, heard in self.store.transcripts(block):
                call = Call(recording=recording, transcript=heard, sentences=vectors.get(number))
                yield self.understanding.with_sentences(call) if meaning and self.understanding else call
            self.watch(first + len(block), len(chosen))

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
        for done, recording_id in enumerate(recordings, start=1):
            stored = self.store.latest(recording_id)
            yield stored, self.judge(stored, ruleset)
            self.watch(done, len(recordings))

    def uncertain_roles(self) -> Iterator[str]:
        """Recordings of which nobody knows who is the agent."""
        make_compact(self.store)
        after, least = 0, self.thresholds.role_threshold
        while block := self.store.compact_texts(VERSION, after, BLOCK):
            after = block[-1][0]
            unsure = [number for number, text in block if role_confidence(text) < least]
            yield from (call.recording.id for call in self.store.compact_calls(unsure))

    def is_for(self, rule: Rule, recording: Recording) -> bool:
        """Whether the rule looks at this recording."""
        return engine.is_for(rule, recording, ZoneInfo(self.thresholds.time_zone))

    def down_to(self, match_confidence: float) -> "Archive":
        """With a threshold as low as this one."""
        lower = min(match_confidence, self.thresholds.match_confidence)
        return replace(self, thresholds=replace(self.thresholds, match_confidence=lower))


@dataclass(slots=True, kw_only=True)
class _Plan:
    """`direct` are sieved and answer from what the sieve leaves; the other rules must see the whole call:
    `anywhere` every one, the rest where a rule of `words` or of `meant` (ids) shows something. `owners`:
    which rules such a clue belongs to."""

    direct: list[Rule] = field(default_factory=list)
    words: list[Rule] = field(default_factory=list)
    meant: list[str] = field(default_factory=list)
    anywhere: list[Rule] = field(default_factory=list)
    whole: list[Rule] = field(default_factory=list)
    owners: dict[str, set[str]] = field(default_factory=dict)

    def add(self, rule: Rule, clues: Clues) -> None:
        """Look for a rule by its clues."""
        for number, clue in enumerate(clues.words):
            name = f"{rule.id}#{number}"
            self.words.append(replace(clue, id=name))
            self.owners[name] = {rule.id}
        for clue in clues.meant:
            if clue.id not in self.meant:
                self.meant.append(clue.id)
            self.owners.setdefault(clue.id, set()).add(rule.id)


def _plan(ruleset: RuleSet, rules: Iterable[Rule]) -> _Plan:
    plan = _Plan()
    for rule in rules:
        if can_be_sieved(rule):
            plan.direct.append(rule)
            continue
        plan.whole.append(rule)
        clues = clues_of(rule, ruleset)
        if clues is None:
            plan.anywhere.append(rule)
        else:
            plan.add(rule, clues)
    return plan


def _unpacked(call: CompactCall) -> Unpacked:
    return Unpacked(Compact(text=call.form.text, detail=call.form.detail))


def only(ruleset: RuleSet, rules: Iterable[Rule]) -> RuleSet:
    """These rules and what they build on; no templates, so it cannot score."""
    wanted = {need.id: need for rule in rules for need in engine.with_needs(ruleset, rule)}
    ordered = tuple(wanted[rule_id] for rule_id in sorted(wanted))
    return replace(ruleset, rules=ordered, templates=(), files={}, digest="")
