"""Rules that must see whole calls: these are laid out from their compact form, in a process for each core."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from pipeline.detect import engine
from pipeline.detect.scene import Thresholds
from pipeline.findings import Finding
from pipeline.ruleset import Rule, RuleSet
from pipeline.storage.store import Store
from pipeline.timeline import Call, Recording
from pipeline.workflows.meaning import Understanding
from pipeline.workflows.tuning.weigh import unpacked

READ = 50
HEARD = frozenset(("voice",))
"""Detectors that ask for what the compact form leaves out."""

Wanted = tuple[int, frozenset[str]]
"""A transcript, and the rules that are asked about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Under which rules whole calls are read."""

    ruleset: RuleSet
    thresholds: Thresholds
    understanding: Understanding | None = None


class Whole:
    """See `hands.Work`. A task is some transcripts with the rules that are asked."""

    def __init__(self, store: Store, reading: Reading) -> None:
        self._store, self._reading = store, reading
        self._rules: dict[frozenset[str], RuleSet] = {}

    def prepare(self) -> None:
        """Nothing is shared."""

    def moved(self) -> None:
        self._store = self._store.another()

    def __call__(self, task: Sequence[Wanted]) -> list[tuple[Recording, str, tuple[Finding, ...]]]:
        wanted = dict(task)
        found: list[tuple[Recording, str, tuple[Finding, ...]]] = []
        for number, call in self._calls(wanted):
            findings = engine.run(call, self._only(wanted[number]), self._reading.thresholds)
            for rule_id in sorted(wanted[number]):
                own = tuple(finding for finding in findings if finding.rule_id == rule_id)
                found.append((call.recording, rule_id, own))
        return found

    def _only(self, wanted: frozenset[str]) -> RuleSet:
        if wanted not in self._rules:
            ruleset = self._reading.ruleset
            named = (rule for rule_id in sorted(wanted) if (rule := ruleset.rule(rule_id)))
            self._rules[wanted] = only(ruleset, named)
        return self._rules[wanted]

    def _calls(self, wanted: Mapping[int, frozenset[str]]) -> Iterator[tuple[int, Call]]:
        reading, numbers = self._reading, sorted(wanted)
        meaning = reading.ruleset.meaning
        vectors = self._store.sentences(numbers, meaning.encoder) if meaning else {}
        for number, call in self._bare(numbers):
            with_vectors = replace(call, sentences=vectors.get(number))
            understands = reading.understanding if meaning else None
            yield number, understands.with_sentences(with_vectors) if understands else with_vectors

    def _bare(self, numbers: Sequence[int]) -> Iterator[tuple[int, Call]]:
        if any(rule.detector in HEARD for rule in self._reading.ruleset.rules):
            for number, recording, heard in self._store.transcripts(numbers):
                yield number, Call(recording=recording, transcript=heard)
            return
        for call in self._store.compact_calls(numbers):
            transcript = unpacked(call).transcript()
            yield call.transcript_id, Call(recording=call.recording, transcript=transcript)


def tasks(wanted: Iterable[Wanted]) -> Iterator[list[Wanted]]:
    """Some at once, so that only a few calls are in memory."""
    rest = iter(wanted)
    while some := list(islice(rest, READ)):
        yield some


def only(ruleset: RuleSet, rules: Iterable[Rule]) -> RuleSet:
    """These rules and what they build on; no templates, so it cannot score."""
    wanted = {need.id: need for rule in rules for need in engine.with_needs(ruleset, rule)}
    ordered = tuple(wanted[rule_id] for rule_id in sorted(wanted))
    return replace(ruleset, rules=ordered, templates=(), files={}, digest="")
