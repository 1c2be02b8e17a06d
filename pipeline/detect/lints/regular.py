"""What is wrong with regular expressions: twice, too short, slow, without a limit, too wide."""

import re
from collections.abc import Iterator
from functools import partial
from typing import Any

from pipeline.detect.expressions import compiled
from pipeline.detect.lints.notice import Level, Notice
from pipeline.detect.lints.subject import Phrase, Subject, expressions, parameters
from pipeline.detect.lints.timing import slowness

LEAST = 2
"""Characters that an expression must ask for."""
WIDE = 0.2
"""The share of ordinary sentences from which an expression finds anything."""
_LOOKS_LIKE_GAP = re.compile(r"(?<!\\)\.(?:\*|\+|\{\d+,\})(?!\?)")


def short_regex(subject: Subject) -> Iterator[Notice]:
    """An expression that a single character fits."""
    characters = sorted({char for line in subject.ordinary for char in line.text})
    for expression in _listed(subject):
        fits = compiled(expression.text)
        found = next((char for char in characters if fits.fullmatch(char)), None)
        if found is not None and parameters(expression.rule).anchor == "anywhere":
            message = f"发现正则表达式 {expression} 有一个字（“{found}”）就算，"
            message += f"应为至少 {LEAST} 个字，或 `anchor: turn`"
            yield subject.notice(Level.WARNING, subject.at(expression), message)


def wide_regex(subject: Subject) -> Iterator[Notice]:
    """An expression that much of ordinary talk fits."""
    for expression in _listed(subject):
        fits = compiled(expression.text)
        found = [line.text for line in subject.ordinary if fits.search(line.text)]
        if len(found) >= WIDE * len(subject.ordinary):
            message = f"发现正则表达式 {expression} 在 {len(subject.ordinary)} 句平常话里找到 {len(found)} 句"
            message += f"（如“{found[0]}”），应为平常话里少有的"
            yield subject.notice(Level.WARNING, subject.at(expression), message)


def repeated_regex(subject: Subject) -> Iterator[Notice]:
    """The same expression twice in one rule, or in two rules that conclude the same."""
    for rules in subject.families.values():
        seen: dict[tuple[str, object, object], Phrase] = {}
        for rule in rules:
            for expression in expressions(rule):
                key = (expression.text, rule.role, rule.window)
                first = seen.setdefault(key, expression)
                if first is not expression:
                    message = f"发现正则表达式 {expression} 写了第二遍，"
                    message += f"应为只写在{subject.told(first, expression)}；删掉一处"
                    yield subject.notice(Level.WARNING, subject.at(expression), message)


def unbounded_regex(subject: Subject) -> Iterator[Notice]:
    """`.*` runs to the end of what somebody says, over whatever lies between."""
    for expression in _listed(subject):
        if found := _LOOKS_LIKE_GAP.search(expression.text):
            place = subject.at(expression)
            message = f"发现正则表达式 {expression} 里的 `{found[0]}` 会一直管到这一轮的末尾，"
            message += "应为有限的长度，如 `.{0,10}`"
            yield subject.notice(Level.WARNING, place, message)


def slow_regex(subject: Subject) -> Iterator[Notice]:
    """An expression that takes long over ordinary talk."""
    text = "".join(line.text for line in subject.ordinary)
    for expression in _listed(subject):
        fits = compiled(expression.text)
        if told := slowness(partial(_searched, fits, text), len(text)):
            message = f"发现正则表达式 {expression} {told}重复次数或选项"
            yield subject.notice(Level.WARNING, subject.at(expression), message)


def _searched(fits: Any, text: str) -> None:
    for _ in fits.finditer(text):
        """Found."""


def _listed(subject: Subject) -> Iterator[Phrase]:
    for rule in subject.worded:
        yield from expressions(rule)
