"""Wordings laid out for single phrases: which of them does a phrase reach, which does it match?"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from pipeline.detect.heard import Heard
from pipeline.detect.lints.subject import Phrase, parameters
from pipeline.detect.lints.talk import Talk
from pipeline.detect.match import Fit, Match, Matcher
from pipeline.detect.ordinary import Line
from pipeline.detect.pattern import parse
from pipeline.detect.reach import route_ends
from pipeline.detect.wordings import routes
from pipeline.findings import How
from pipeline.timeline import Role


@dataclass(frozen=True, eq=False)
class Laid:
    """Texts, each a line of its own; every character was heard for certain."""

    texts: tuple[str, ...]

    @cached_property
    def heard(self) -> Heard:
        lines = tuple(Line(role=Role.AGENT, text=text) for text in self.texts)
        return Heard.of(Talk(lines, sure=True).call)

    @cached_property
    def masks(self) -> tuple[int, ...]:
        """The characters of each line."""
        masks = [0] * len(self.texts)
        for at, mark in enumerate(self.heard.marks):
            if mark.stretch >= 0:
                masks[mark.stretch] |= 1 << at
        return tuple(masks)

    def reached(self, phrase: Phrase) -> set[int]:
        """Lines where something like the phrase may end: quick, and more than those that match."""
        ends = 0
        for route in routes(parse(phrase.text), 0):
            ends |= route_ends(self.heard, route, self.heard.words, ())
        ends >>= 1
        return {line for line, mask in enumerate(self.masks) if ends & mask}

    def matches(self, phrase: Phrase, line: int, *, edits: bool = True) -> Iterator[Match]:
        """What fits the phrase in a line; without edits, only what sounds like it."""
        own = parameters(phrase.rule)
        matcher = Matcher(heard=self.heard, fit=Fit(own.match), max_edits=own.max_edits if edits else 0)
        return (m for m in matcher.search(parse(phrase.text), self.masks[line]) if m.fits)

    def matches_all(self, phrase: Phrase) -> bool:
        """Whether the phrase matches every line to the letter."""
        lines = range(len(self.texts))
        if not self.reached(phrase).issuperset(lines):
            return False
        found = (self.matches(phrase, line, edits=False) for line in lines)
        return all(any(match.how is How.EXACT for match in matches) for matches in found)

    def lines_with(self, pattern: str) -> set[int]:
        """Lines that hold a pattern, by sound."""
        found = Matcher(heard=self.heard).search(parse(pattern), self.heard.words)
        return {self.heard.marks[m.start].stretch for m in found if m.fits}
