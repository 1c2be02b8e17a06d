"""Sentences laid into one call, far apart, so that rules can be run over all of them at once."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from pipeline.detect import engine
from pipeline.detect.ordinary import Line
from pipeline.detect.script import PROBABILITY, call_from, turn_of
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Rule, RuleSet
from pipeline.timeline import Call, Turn
from pipeline.units import Ms

APART: Ms = 5000
"""Between two sentences, so that nothing runs from one into the next."""
AT_ONCE = 100
"""Lines that rules are run over together: more save nothing, and what is found is looked up among them."""


@dataclass(frozen=True, eq=False)
class Talk:
    """Lines as a call. `sure`: every character was heard for certain."""

    lines: tuple[Line, ...]
    sure: bool = False

    @cached_property
    def call(self) -> Call:
        return call_from(self._turns())

    def _turns(self) -> Iterator[Turn]:
        at, probability = APART, 1.0 if self.sure else PROBABILITY
        for line in self.lines:
            turn = turn_of(line.role, at, line.text, probability=probability)
            yield turn
            at = turn.span.end + APART

    @cached_property
    def starts(self) -> tuple[Ms, ...]:
        return tuple(turn.span.start for turn in self.call.transcript.turns)

    def found(self, rules: Iterable[Rule]) -> Iterator[tuple[str, int, Finding]]:
        """Each rule's id, the number of a line that it finds something in, and what it finds there."""
        ruleset = RuleSet(rules=tuple(rules), templates=(), files={}, digest="")
        for first in range(0, len(self.lines), AT_ONCE):
            part = Talk(self.lines[first : first + AT_ONCE], self.sure)
            for finding in engine.run(part.call, ruleset):
                if finding.outcome is Outcome.PRESENT:
                    number = first + bisect_right(part.starts, finding.span.start) - 1
                    yield finding.rule_id, number, finding
