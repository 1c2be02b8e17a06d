"""A rule set over many stored calls: what it finds, the same as call by call, in a fraction of the time."""

import gc
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast
from zoneinfo import ZoneInfo

from pipeline.detect import engine, segment
from pipeline.detect.archive.compact import HEAD, VERSION, Unpacked
from pipeline.detect.archive.excerpts import Excerpts
from pipeline.detect.archive.part import part_scene
from pipeline.detect.archive.parts import can_be_sieved
from pipeline.detect.archive.ready import made_ready
from pipeline.detect.archive.sieve import Sieve, frequencies, laid_out
from pipeline.detect.archive.together import Together
from pipeline.detect.detectors.phrase import PhraseParameters
from pipeline.detect.pattern import parse
from pipeline.detect.scene import Thresholds
from pipeline.detect.segment import terms_of
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Rule, RuleSet
from pipeline.timeline import Call, Recording

TOGETHER = 1 << 16
"""Bytes of text that are masked at once: masks of more are longer than a processor's near memory."""
OFTEN = 3
"""A phrase that the sieve lets through in so many of these is looked at more closely."""
Places = Mapping[str, "Place"]
"""By rule id, where in a call the rule may match."""


@dataclass(slots=True)
class Place:
    """The stretches of a call where a rule may match, and which of its phrases."""

    stretches: set[int] = field(default_factory=set)
    phrases: set[str] = field(default_factory=set)


def shows_something(finding: Finding) -> bool:
    """Whether a finding is worth a row: present, or cannot_tell about something that was heard. What is left
    out follows from the call and the rules, and `engine.run` tells it."""
    if finding.outcome is Outcome.PRESENT:
        return True
    return finding.outcome is Outcome.CANNOT_TELL and bool(finding.evidence)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Nothing that is made meanwhile is garbage: looking for it would take a third of the time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


class Sweep:
    """A rule set made ready. `sample`: texts of some compact calls, for what is often heard; the findings do
    not depend on it. `cache`: where rule sets that were made ready are kept. `rest`: the rules that must see
    the whole call, and what they build on."""

    @_without_collecting()
    def __init__(
        self,
        ruleset: RuleSet,
        thresholds: Thresholds,
        sample: Iterable[bytes] = (),
        cache: Path | None = None,
    ) -> None:
        self._thresholds, self._zone = thresholds, ZoneInfo(thresholds.time_zone)
        self._terms = terms_of(word for words in ruleset.words.values() for word in words)
        self._rules = {rule.id: rule for rule in ruleset.rules if can_be_sieved(rule)}
        self._listed = tuple(self._rules.values())
        self._ready = made_ready(self._listed, sample, cache)
        self._sieve = Sieve(self._ready.tables)
        self._narrowed: dict[tuple[str, frozenset[str]], Rule] = {}
        self._other = frozenset(rule.id for rule in ruleset.rules) - self._rules.keys()
        self.rest = _rest(ruleset, self._other)

    def _owners(self, target: int) -> list[tuple[Rule, str]]:
        """The rules of a target, with the phrase that it belongs to."""
        first, last = self._ready.firsts[target : target + 2]
        return list(map(self._phrase, *self._ready.owners[first:last].T.tolist()))

    def _phrase(self, number: int, phrase: int) -> tuple[Rule, str]:
        rule = self._listed[number]
        return rule, cast(PhraseParameters, rule.parameters).phrases[phrase]

    def candidates(self, texts: Sequence[bytes]) -> dict[int, Places]:
        """By number of the call, where which rules may find something; the other calls hold nothing for the
        rules that are not in `rest`."""
        calls = Excerpts(texts, self._listed, self._thresholds.role_threshold)
        heard = _Hits(lambda: defaultdict(set))
        hits = (column.tolist() for column in self._sieve.scan(calls.texts))
        for call, stretch, _, target in zip(*hits, strict=True):
            number = calls.number(call, stretch)
            for rule, phrase in self._owners(target):
                if calls.looks(rule, call, number):
                    heard[call][rule.id, phrase].add(number)
        self._look_closer(calls, heard)
        return {call: _places(phrases) for call, phrases in heard.items() if phrases}

    def _look_closer(self, calls: Excerpts, heard: "_Hits") -> None:
        """Where phrases that the sieve does not know may end; and of those that it lets through in many calls
        the stretches where they cannot end are struck out."""
        everywhere = [(rule.id, text) for rule, text in map(self._phrase, *self._ready.everywhere.T.tolist())]
        chosen = range(len(calls.texts)) if everywhere else sorted(heard)
        for some in calls.batches(chosen, TOGETHER):
            counts = Counter(phrase for call in some for phrase in heard.get(call, ()))
            often = [phrase for phrase, count in sorted(counts.items()) if count >= OFTEN]
            together = Together([calls.texts[call] for call in some], [calls.known[call] for call in some])
            for rule_id, phrase in everywhere:
                for number, stretch in self._ends(together, rule_id, phrase):
                    call, at = some[number], calls.number(some[number], stretch)
                    if calls.looks(self._rules[rule_id], call, at):
                        heard[call][rule_id, phrase].add(at)
            for rule_id, phrase in often:
                kept = defaultdict(set)
                for number, stretch in self._ends(together, rule_id, phrase):
                    kept[some[number]].add(calls.number(some[number], stretch))
                for call in some:
                    _keep(heard, call, (rule_id, phrase), kept[call])

    def _ends(self, together: Together, rule_id: str, phrase: str) -> set[tuple[int, int]]:
        rule = self._rules[rule_id]
        matcher = cast(PhraseParameters, rule.parameters).matcher(together)
        return set(together.stretches(matcher, parse(phrase), rule.role))

    def judge(self, recording: Recording, stored: Unpacked, places: Places) -> list[Finding]:
        """What the rules find at their places, in the engine's order."""
        rules = [self._only(rule_id, frozenset(places[rule_id].phrases)) for rule_id in sorted(places)]
        rules = [rule for rule in rules if engine.is_for(rule, recording, self._zone)]
        chosen = {stretch for place in places.values() for stretch in place.stretches}
        scene = part_scene(recording, stored, chosen, self._thresholds, self._terms)
        return _ordered(finding for rule in rules for finding in engine.answer(rule, scene))

    def _only(self, rule_id: str, phrases: frozenset[str]) -> Rule:
        """The rule with some of its phrases: the others are not heard in these stretches."""
        key = rule_id, phrases
        if key not in self._narrowed:
            rule = self._rules[rule_id]
            parameters = cast(PhraseParameters, rule.parameters)
            kept = tuple(text for text in parameters.phrases if text in phrases)
            self._narrowed[key] = replace(rule, parameters=parameters.model_copy(update={"phrases": kept}))
        return self._narrowed[key]

    def judge_rest(self, call: Call) -> list[Finding]:
        """What the rules of `rest` find in a whole call, those that are sieved left out."""
        found = engine.run(call, self.rest, self._thresholds)
        return _ordered(finding for finding in found if finding.rule_id in self._other)


def warm() -> None:
    """Load now what any sweep loads when it first needs it: a dictionary, and compiled code."""
    segment.load()
    Sieve(laid_out([], frequencies([]))[0]).scan([HEAD.pack(VERSION, 0.0)])


_Hits = defaultdict[int, defaultdict[tuple[str, str], set[int]]]
"""By call, and by rule and phrase, stretches."""


def _keep(heard: _Hits, call: int, phrase: tuple[str, str], stretches: set[int]) -> None:
    """Only these stretches of a phrase in a call."""
    found = heard[call] if call in heard else defaultdict(set)
    left = found.pop(phrase, set()) & stretches
    if left:
        found[phrase] = left


def within(places: Places, stretches: frozenset[int]) -> Places:
    """The places that lie in some stretches."""
    kept = ((rule_id, place.stretches & stretches, place.phrases) for rule_id, place in places.items())
    return {rule_id: Place(inside, phrases) for rule_id, inside, phrases in kept if inside}


def _places(phrases: Mapping[tuple[str, str], set[int]]) -> Places:
    found: dict[str, Place] = {}
    for (rule_id, phrase), stretches in phrases.items():
        place = found.setdefault(rule_id, Place())
        place.stretches |= stretches
        place.phrases.add(phrase)
    return found


def _ordered(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(filter(shows_something, findings), key=lambda f: (f.rule_id, f.span, f.id))


def _rest(ruleset: RuleSet, wanted: frozenset[str]) -> RuleSet:
    needed = {
        need.id: need
        for rule in ruleset.rules
        if rule.id in wanted
        for need in engine.with_needs(ruleset, rule)
    }
    return replace(ruleset, rules=tuple(needed[rule_id] for rule_id in sorted(needed)))
