"""A rule set over many stored calls: what it finds, the same as call by call, in a fraction of the time."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from pipeline.detect import engine
from pipeline.detect.archive import classes
from pipeline.detect.archive.compact import CLOSING, HEAD_UNITS, ROLES, Unpacked, role_confidence
from pipeline.detect.archive.part import part_scene
from pipeline.detect.archive.parts import Clause, can_be_sieved, clauses_of
from pipeline.detect.archive.sieve import Sieve
from pipeline.detect.scene import Thresholds
from pipeline.detect.segment import terms_of
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Rule, RuleSet
from pipeline.timeline import Call, Recording, Role

Places = Mapping[str, set[int]]
"""By rule id, the stretches of a call where the rule may match."""


def frequencies(texts: Iterable[bytes]) -> NDArray[np.int32]:
    """How often each pair of classes is heard in the texts of compact calls."""
    size = classes.count()
    pairs = np.zeros(size * size, np.int32)
    for text in texts:
        heard = classes.table()[np.frombuffer(text, "<u2")[HEAD_UNITS:]].astype(np.int32)
        heard = heard[heard != classes.SOFT]
        np.add.at(pairs, heard[:-1] * size + heard[1:], 1)
    return pairs


def shows_something(finding: Finding) -> bool:
    """Whether a finding is worth a row: present, or cannot_tell about something that was heard. What is left
    out follows from the call and the rules, and `engine.run` tells it."""
    if finding.outcome is Outcome.PRESENT:
        return True
    return finding.outcome is Outcome.CANNOT_TELL and bool(finding.evidence)


class Sweep:
    """A rule set made ready. `sample`: texts of some compact calls, for what is often heard; the findings do
    not depend on it. `rest`: the rules that must see the whole call, and what they build on."""

    def __init__(self, ruleset: RuleSet, thresholds: Thresholds, sample: Iterable[bytes] = ()) -> None:
        self._thresholds, self._zone = thresholds, ZoneInfo(thresholds.time_zone)
        self._terms = terms_of(word for words in ruleset.words.values() for word in words)
        self._rules = {rule.id: rule for rule in ruleset.rules if can_be_sieved(rule)}
        clauses = {rule.id: clauses_of(rule) for rule in self._rules.values()}
        self._everywhere = [self._rules[i] for i, found in clauses.items() if None in found]
        known = {i: [clause for clause in found if clause] for i, found in clauses.items()}
        self._sieve = Sieve([clause for found in known.values() for clause in found], frequencies(sample))
        self._owners = self._owned(known)
        self._other = frozenset(rule.id for rule in ruleset.rules) - self._rules.keys()
        self.rest = _rest(ruleset, self._other)

    def _owned(self, clauses: Mapping[str, Sequence[Clause]]) -> list[list[Rule]]:
        """The rules of each target."""
        number = {target: i for i, target in enumerate(self._sieve.targets)}
        owners: list[dict[str, Rule]] = [{} for _ in number]
        for rule_id, found in clauses.items():
            for target in {t for clause in found for aims in clause.values() for t in aims}:
                owners[number[target]][rule_id] = self._rules[rule_id]
        return [list(rules.values()) for rules in owners]

    def candidates(self, texts: Sequence[bytes]) -> dict[int, Places]:
        """By number of the call, where which rules may find something; the other calls hold nothing for the
        rules that are not in `rest`."""
        found: dict[int, dict[str, set[int]]] = {}
        known = [role_confidence(text) >= self._thresholds.role_threshold for text in texts]
        for call, stretch, role, target in zip(*(column.tolist() for column in self._sieve.scan(texts)), strict=True):
            for rule in self._owners[target]:
                if not known[call] or rule.role in (None, ROLES[role]):
                    found.setdefault(call, {}).setdefault(rule.id, set()).add(stretch)
        for rule in self._everywhere:
            for call, text in enumerate(texts):
                found.setdefault(call, {})[rule.id] = _stretches(text, rule.role if known[call] else None)
        return found

    def judge(self, recording: Recording, stored: Unpacked, places: Places) -> list[Finding]:
        """What the rules find at their places, in the engine's order."""
        rules = [self._rules[rule_id] for rule_id in sorted(places)]
        rules = [rule for rule in rules if engine.is_for(rule, recording, self._zone)]
        chosen = {stretch for stretches in places.values() for stretch in stretches}
        scene = part_scene(recording, stored, chosen, self._thresholds, self._terms)
        return _ordered(finding for rule in rules for finding in engine.answer(rule, scene))

    def judge_rest(self, call: Call) -> list[Finding]:
        """What the rules of `rest` find in a whole call, those that are sieved left out."""
        found = engine.run(call, self.rest, self._thresholds)
        return _ordered(finding for finding in found if finding.rule_id in self._other)


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
