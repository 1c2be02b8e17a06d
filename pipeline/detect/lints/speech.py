"""What rules find where they should not: in ordinary talk, recommended wording, each other's phrases."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pipeline.detect.lints.notice import Level, Notice
from pipeline.detect.lints.spelling import spelled
from pipeline.detect.lints.subject import (
    DISTRESS,
    FORBIDDEN,
    Phrase,
    Subject,
    alone,
    bare,
    examples,
    expressions,
    phrases,
)
from pipeline.detect.lints.talk import Talk
from pipeline.detect.ordinary import Line
from pipeline.detect.pattern import parse
from pipeline.detect.script import ScriptError, call_of
from pipeline.ruleset import Rule
from pipeline.timeline import Role

SHOWN = 3
"""Sentences that one notice shows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A sentence, whose it is, and whether somebody wrote it down as a whole or a phrase was spelled out."""

    line: Line
    rule: Rule
    told: str
    whole: bool


def harmless_speech(subject: Subject) -> Iterator[Notice]:
    """A phrase about misconduct or distress that ordinary talk holds, too."""
    rules = [rule for rule in subject.worded if rule.label in FORBIDDEN | DISTRESS]
    talk = Talk(subject.ordinary)
    found = ((rule_id, talk.lines[line]) for rule_id, line, _ in talk.found(map(bare, rules)))
    for phrase, lines in _blamed(rules, found):
        shown = "”“".join(line.text for line in lines[:SHOWN])
        message = f"发现说法 {phrase} 平常话里也有（“{shown}”），应为更长的说法，或加例外"
        yield subject.notice(Level.WARNING, subject.at(phrase), message)


def recommended_wording(subject: Subject) -> Iterator[Notice]:
    """A phrase of a forbidding rule that finds what another rule wants to hear."""
    samples = (*_cases(subject.recommending), *_spelled(subject.recommending), *_taught(subject))
    for phrase, listed in _found_in(subject.forbidding, samples):
        whole = [sample for sample in listed if sample.whole]
        shown = (whole or listed)[0]
        message = f"发现禁用的说法 {phrase} 在该说的话“{shown.line.text}”（{shown.told}）里，"
        message += "应为更长的说法，或加例外"
        yield subject.notice(Level.ERROR if whole else Level.WARNING, subject.at(phrase), message)


def contradictions(subject: Subject) -> Iterator[Notice]:
    """A forbidden phrase that counts twice, under two categories."""
    for rule in subject.forbidding:
        others = tuple(other for other in subject.forbidding if _is_of_another_category(other, rule))
        for phrase, listed in _found_in(others, tuple(_spelled((rule,)))):
            message = f"发现 `{phrase.rule.category}` 的说法 {phrase} 也找到“{listed[0].line.text}”，"
            message += f"{listed[0].told} 把它归为 `{rule.category}`，应为只归一类"
            yield subject.notice(Level.WARNING, subject.at(phrase), message)


def _is_of_another_category(other: Rule, rule: Rule) -> bool:
    return other.label == rule.label and other.category != rule.category and other.status == rule.status


def _found_in(rules: tuple[Rule, ...], samples: tuple[Sample, ...]) -> list[tuple[Phrase, list[Sample]]]:
    """The phrases of the rules that find samples, with these."""
    talk = Talk(tuple(sample.line for sample in samples))
    found = [(rule_id, samples[line]) for rule_id, line, _ in talk.found(map(bare, rules))]
    by_line = {id(sample.line): sample for _, sample in found}
    blamed = _blamed(rules, ((rule_id, sample.line) for rule_id, sample in found))
    return [(phrase, [by_line[id(line)] for line in lines]) for phrase, lines in blamed]


def _blamed(rules: Iterable[Rule], found: Iterable[tuple[str, Line]]) -> Iterator[tuple[Phrase, list[Line]]]:
    """The phrase of the rule that finds each line, with all its lines."""
    by_rule: dict[str, list[Line]] = defaultdict(list)
    for rule_id, line in found:
        by_rule[rule_id].append(line)
    for rule in rules:
        blamed: dict[Phrase, list[Line]] = defaultdict(list)
        for line, phrase in _culprits(rule, by_rule[rule.id]):
            blamed[phrase].append(line)
        yield from blamed.items()


def _culprits(rule: Rule, lines: list[Line]) -> Iterator[tuple[Line, Phrase]]:
    """Each line with the first phrase of the rule that finds it by itself."""
    if not lines:
        return
    by_id = {alone(phrase).id: phrase for phrase in (*phrases((rule,)), *expressions(rule))}
    found: dict[int, list[Phrase]] = defaultdict(list)
    for rule_id, number, _ in Talk(tuple(lines)).found(map(alone, by_id.values())):
        found[number].append(by_id[rule_id])
    for number, line in enumerate(lines):
        if found[number]:
            yield line, min(found[number], key=lambda phrase: (phrase.key, phrase.index))


def _cases(rules: Iterable[Rule]) -> Iterator[Sample]:
    """What agents say in the cases that the rules must find."""
    for rule in rules:
        for case in rule.cases:
            for line in _said(case.text) if case.hit else ():
                yield Sample(line=line, rule=rule, told=f"{rule.id}，{case.source}", whole=True)


def _said(text: str) -> Iterator[Line]:
    try:
        turns = call_of(text).transcript.turns
    except ScriptError:
        return
    for turn in turns:
        if turn.role is Role.AGENT:
            yield Line(role=turn.role, text=turn.text)


def _taught(subject: Subject) -> Iterator[Sample]:
    """The examples of rules of meaning that listen for what an agent should say."""
    for rule in subject.learning:
        if rule.role is Role.AGENT and rule.label not in FORBIDDEN:
            for sentence in examples(rule, unlike=False):
                line = Line(role=Role.AGENT, text=sentence.text)
                told = f"{rule.id}，{subject.at(sentence)}"
                yield Sample(line=line, rule=rule, told=told, whole=True)


def _spelled(rules: Iterable[Rule]) -> Iterator[Sample]:
    for phrase in phrases(rules):
        for text in spelled(parse(phrase.text), 1):
            line = Line(role=phrase.rule.role or Role.AGENT, text=text)
            yield Sample(line=line, rule=phrase.rule, told=phrase.rule.id, whole=False)
