"""A rule set over many stored calls: what it finds, the same as call by call, in a fraction of the time."""

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import cast
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from pipeline.detect import engine
from pipeline.detect.archive import classes
from pipeline.detect.archive.compact import CLOSING, HEAD_UNITS, ROLES, Unpacked, role_confidence
from pipeline.detect.archive.part import part_scene
from pipeline.detect.archive.parts import Clause, can_be_sieved, clauses_of
from pipeline.detect.archive.sieve import Sieve
from pipeline.detect.detectors.phrase import PhraseParameters
from pipeline.detect.scene import Thresholds
from pipeline.detect.segment import terms_of
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Rule, RuleSet
from pipeline.timeline import Call, Recording, Role

Places = Mapping[str, "Place"]
"""By rule id, where in a call the rule may match."""


@dataclass(slots=True)
class Place:
    """The stretches of a call where a rule may match, and which of its phrases."""

    stretches: set[int] = field(default_factory=set)
    phrases: set[str] = field(default_factory=set)


def frequencies(texts: Iterable[bytes]) -> NDArray[np.int64]:
    """How often each pair of syllables is heard in the texts of compact calls."""
    units = np.frombuffer(b"".join(text[2 * HEAD_UNITS :] for text in texts), "<u2")
    heard = classes.table()[units]
    plain = classes.plain()[heard[heard != classes.SOFT]]
    size = classes.plain_count()
    return np.bincount(plain[:-1] * size + plain[1:], minlength=size * size)


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
    not depend on it. `rest`: the rules that must see the whole call, and what they build on."""

    @_without_collecting()
    def __init__(self, ruleset: RuleSet, thresholds: Thresholds, sample: Iterable[bytes] = ()) -> None:
        self._thresholds, self._zone = thresholds, ZoneInfo(thresholds.time_zone)
        self._terms = terms_of(word for words in ruleset.words.values() for word in words)
        self._rules = {rule.id: rule for rule in ruleset.rules if can_be_sieved(rule)}
        found = [(rule.id, *way) for rule in self._rules.values() for way in clauses_of(rule)]
        self._everywhere = [(rule_id, text) for rule_id, text, clause in found if clause is None]
        known = [(rule_id, text, clause) for rule_id, text, clause in found if clause is not None]
        self._sieve = Sieve([clause for _, _, clause in known], frequencies(sample))
        self._owners = self._owned(known)
        self._narrowed: dict[tuple[str, frozenset[str]], Rule] = {}
        self._other = frozenset(rule.id for rule in ruleset.rules) - self._rules.keys()
        self.rest = _rest(ruleset, self._other)

    def _owned(self, known: Iterable[tuple[str, str, Clause]]) -> list[list[tuple[Rule, str]]]:
        """The rules of each target, with the phrase that it belongs to."""
        number = {target: i for i, target in enumerate(self._sieve.targets)}
        owners: list[dict[tuple[str, str], None]] = [{} for _ in number]
        for rule_id, text, clause in known:
            for target in {target for aims in clause.values() for target in aims}:
                owners[number[target]][rule_id, text] = None
        return [[(self._rules[rule_id], text) for rule_id, text in listed] for listed in owners]

    def candidates(self, texts: Sequence[bytes]) -> dict[int, Places]:
        """By number of the call, where which rules may find something; the other calls hold nothing for the
        rules that are not in `rest`."""
        found: dict[int, dict[str, Place]] = {}
        known = _Known(texts, self._thresholds.role_threshold)
        hits = (column.tolist() for column in self._sieve.scan(texts))
        for call, stretch, role, target in zip(*hits, strict=True):
            for rule, phrase in self._owners[target]:
                if not known[call] or rule.role in (None, ROLES[role]):
                    place = found.setdefault(call, {}).setdefault(rule.id, Place())
                    place.stretches.add(stretch)
                    place.phrases.add(phrase)
        for rule_id, phrase in self._everywhere:
            for call, text in enumerate(texts):
                place = found.setdefault(call, {}).setdefault(rule_id, Place())
                place.stretches |= _stretches(text, self._rules[rule_id].role if known[call] else None)
                place.phrases.add(phrase)
        return dict(found)

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


class _Known(dict[int, bool]):
    """Whether the roles of a call are known; looked up when first asked for."""

    def __init__(self, texts: Sequence[bytes], threshold: float) -> None:
        self._texts, self._threshold = texts, threshold

    def __missing__(self, call: int) -> bool:
        self[call] = known = role_confidence(self._texts[call]) >= self._threshold
        return known


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


def _stretches(text: bytes, role: Role | None) -> set[int]:
    """Numbers of the stretches of a role in a compact call's text."""
    units = np.frombuffer(text, "<u2")[HEAD_UNITS:]
    roles = units[units < CLOSING].tolist()
    return {number for number, unit in enumerate(roles) if role in (None, ROLES[unit])}
