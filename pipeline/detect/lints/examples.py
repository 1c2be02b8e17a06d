"""What is wrong with the sentences that a rule of meaning learns from: they are compared by sound.

Two sentences that sound nearly the same cannot be told apart by anything that is learned from them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from pipeline.detect.lints.notice import Level, Notice
from pipeline.detect.lints.subject import DISTRESS, FORBIDDEN, Phrase, Subject, examples
from pipeline.detect.ordinary import Line
from pipeline.detect.pattern import PAUSES
from pipeline.detect.script import ScriptError, call_of
from pipeline.detect.sound import sounds_of
from pipeline.ruleset import Rule
from pipeline.timeline import Role

ALIKE = 0.85
"""The share of sounds in the same order from which two sentences are the same to the ear."""
LEAST_SOUNDS = 3
"""Shorter clauses of other talk say too little to be held against an example."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """A clause that somebody says, the sentence it is from, and where that is written."""

    text: str
    line: Line
    told: str = ""


def example_twice(subject: Subject) -> Iterator[Notice]:
    """An example that a rule lists twice, or that it lists as a counter-example, too."""
    for rule in subject.learning:
        seen: dict[tuple[str, ...], Phrase] = {}
        for sentence in examples(rule):
            first = seen.setdefault(sounds_of(sentence.text), sentence)
            if first.key != sentence.key:
                message = (
                    f"发现反例{sentence}，在{subject.told(first, sentence)}是例句，应为二者之一；删掉一处"
                )
                yield subject.notice(Level.ERROR, subject.at(sentence), message)
            elif first is not sentence:
                message = f"发现{sentence}写了第二遍，应为只写在{subject.told(first, sentence)}；删掉一处"
                yield subject.notice(Level.WARNING, subject.at(sentence), message)


def example_contradiction(subject: Subject) -> Iterator[Notice]:
    """An example that a rule of another category has as its own, so that neither can be learned."""
    seen: dict[tuple[str, Role | None, tuple[str, ...]], Phrase] = {}
    for rule in subject.learning:
        for sentence in examples(rule, unlike=False):
            key = (rule.label, rule.role, sounds_of(sentence.text))
            first = seen.setdefault(key, sentence)
            if first.rule.category != rule.category:
                message = f"发现 `{rule.category}` 的例句{sentence}，在{subject.told(first, sentence)}"
                message += f"是 `{first.rule.category}` 的，应为只归一类；删掉一处"
                yield subject.notice(Level.WARNING, subject.at(sentence), message)


def example_harmless(subject: Subject) -> Iterator[Notice]:
    """An example of misconduct or distress that ordinary talk says to the sound."""
    rules = [rule for rule in subject.learning if rule.label in FORBIDDEN | DISTRESS]
    for sentence, clause in _alike(rules, tuple(_clauses(subject.ordinary))):
        message = f"发现例句{sentence}，听起来像平常话“{clause.line.text}”，应为更有特点的例句"
        yield subject.notice(Level.WARNING, subject.at(sentence), message)


def example_recommended(subject: Subject) -> Iterator[Notice]:
    """An example of misconduct that sounds like a case which another rule wants to hear."""
    rules = [rule for rule in subject.learning if rule.label in FORBIDDEN]
    for sentence, clause in _alike(rules, tuple(_recommended(subject))):
        message = f"发现例句{sentence}，听起来像该说的话“{clause.line.text}”（{clause.told}），应为二者之一"
        yield subject.notice(Level.ERROR, subject.at(sentence), message)


def _recommended(subject: Subject) -> Iterator[Clause]:
    for rule in subject.ruleset.rules:
        if rule.label in FORBIDDEN or rule.role is not Role.AGENT or rule.detector not in WORDED:
            continue
        for case in rule.cases:
            lines = _said(case.text) if case.hit else ()
            yield from _clauses(lines, f"{rule.id}，{case.source}")


WORDED = ("phrase", "similar")
"""Detectors whose cases hold the words that they look for."""


def _said(text: str) -> tuple[Line, ...]:
    try:
        turns = call_of(text).transcript.turns
    except ScriptError:
        return ()
    return tuple(Line(role=turn.role, text=turn.text) for turn in turns if turn.role is Role.AGENT)


def _clauses(lines: Iterable[Line], told: str = "") -> Iterator[Clause]:
    """The sentences and their clauses."""
    for line in lines:
        parts = "".join("\n" if char in PAUSES else char for char in line.text).split("\n")
        for text in dict.fromkeys((line.text, *parts)):
            if len(sounds_of(text)) >= LEAST_SOUNDS:
                yield Clause(text=text, line=line, told=told)


def _alike(rules: Iterable[Rule], clauses: tuple[Clause, ...]) -> Iterator[tuple[Phrase, Clause]]:
    """The examples of the rules that sound like a clause of their role, each with the most similar one."""
    for rule in rules:
        listed = tuple(s for s in examples(rule, unlike=False))
        heard = tuple(c for c in clauses if rule.role in (None, c.line.role))
        if not listed or not heard:
            continue
        letters: dict[str, str] = {}
        ours = [_spelled(sentence.text, letters) for sentence in listed]
        theirs = [_spelled(clause.text, letters) for clause in heard]
        scores = cdist(ours, theirs, scorer=Levenshtein.normalized_similarity, score_cutoff=ALIKE)
        for row, best in enumerate(np.argmax(scores, axis=1)):
            if scores[row, best] >= ALIKE:
                yield listed[row], heard[best]


def _spelled(text: str, letters: dict[str, str]) -> str:
    """The sounds of a text, one letter each."""
    return "".join(letters.setdefault(sound, chr(0xE000 + len(letters))) for sound in sounds_of(text))
