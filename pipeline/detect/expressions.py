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
from pipeline.detect.pattern import PatternError
from pipeline.findings import How

MEMORY_BYTES = 8 << 20
"""The most that one expression may take."""


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
        raise PatternError("found an expression that matches without any words, expected words", 0)
    return expression


def _fault(text: str, error: Exception) -> PatternError:
    """RE2 tells what is wrong and the part that is: `invalid character class range: z-a`."""
    said = error.args[0]
    problem, _, part = (said.decode() if isinstance(said, bytes) else str(said)).partition(": ")
    column = max(0, text.find(part))
    if problem.startswith("unexpected"):
        column += max(0, len(part) - 1)
    message = f"found {part or text!r} ({problem}), expected a regular expression that RE2 reads"
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
