"""Regular expressions over the words as they were heard, punctuation included.

RE2 reads them: time grows with the text and never with the expression's nesting, so that no expression
that a rule file holds can stop a night. It knows no look-around and no references back.
"""

from bisect import bisect_left
from collections.abc import Iterator
from functools import cache
from typing import Any

import re2

from pipeline.detect.heard import Heard
from pipeline.detect.match import Match
from pipeline.detect.pattern import NO_WORDS, PatternError
from pipeline.findings import How
from pipeline.wanted import quoted

MEMORY_BYTES = 8 << 20
"""The most that one expression may take."""

PROBLEMS = {
    "bad repetition operator": "重复符号连写",
    "invalid UTF-8": "不是 UTF-8",
    "invalid character class": "方括号里不对",
    "invalid character class range": "方括号里的范围不对",
    "invalid escape sequence": "没有这种反斜杠写法",
    "invalid named capture group": "组的名字不对",
    "invalid perl operator": "没有前后查看这类写法",
    "invalid repetition size": "重复次数写反了，或太多",
    "missing )": "少了右括号",
    "missing ]": "少了右方括号",
    "no argument for repetition operator": "重复符号前面没有字",
    "pattern too large - compile failed": "太大",
    "trailing \\": "末尾多了反斜杠",
    "unexpected )": "多了右括号",
}
"""What RE2 says is wrong."""


@cache
def compiled(text: str) -> Any:
    """The expression. Raises PatternError: not one that RE2 reads, or one that fits nothing at all."""
    options = re2.Options()
    options.log_errors, options.max_mem = False, MEMORY_BYTES
    try:
        expression = re2.compile(text, options)
    except re2.error as error:
        raise _fault(text, error) from error
    if expression.match(""):
        raise PatternError(NO_WORDS, 0)
    return expression


def _fault(text: str, error: Exception) -> PatternError:
    """RE2 tells what is wrong and the part that is: `invalid character class range: z-a`."""
    said = error.args[0]
    problem, _, part = (said.decode() if isinstance(said, bytes) else str(said)).partition(": ")
    column = max(0, text.find(part))
    if problem.startswith("unexpected"):
        column += max(0, len(part) - 1)
    told = PROBLEMS.get(problem, "RE2 读不懂")
    message = f"发现{quoted(part or text)}（{told}），应为 RE2 能读的正则表达式"
    return PatternError(message, column)


def search(heard: Heard, text: str, starts: int) -> Iterator[Match]:
    """Every place where the expression fits, by position; bit `i` of `starts` lets one begin at `i`."""
    expression = compiled(text)
    for written in heard.texts.values():
        for found in expression.finditer(written.text):
            first, behind = (bisect_left(written.at, offset) for offset in found.span())
            if first < behind and starts >> written.first + first & 1:
                yield _match(heard, text, written.first + first, written.first + behind)


def _match(heard: Heard, text: str, start: int, end: int) -> Match:
    return Match(
        start=start,
        end=end,
        cost=0.0,
        length=end - start,
        how=How.EXACT,
        phrase=text,
        detail="",
        confidence=round(0.7 + 0.3 * heard.probability(start, end), 4),
    )
