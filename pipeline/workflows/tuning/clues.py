"""What must be heard in a call in which a rule shows something: rules that a sweep can look for.

A rule with a window around another's findings finds nothing that it would not find without the window; a
rule put together of others shows nothing where none of them does.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pipeline.detect.archive.parts import can_be_sieved
from pipeline.detect.detectors.logic import LogicParameters
from pipeline.detect.detectors.phrase import PhraseParameters
from pipeline.detect.detectors.response import ResponseParameters
from pipeline.detect.detectors.sequence import SequenceParameters
from pipeline.detect.detectors.similar import SimilarParameters
from pipeline.ruleset import Rule, RuleSet, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class Clues:
    """One of these rules shows something: `words` can be sieved, `meant` learn from examples."""

    words: tuple[Rule, ...] = ()
    meant: tuple[Rule, ...] = ()

    def __add__(self, other: "Clues") -> "Clues":
        return Clues(words=(*self.words, *other.words), meant=(*self.meant, *other.meant))


def clues_of(rule: Rule, ruleset: RuleSet) -> Clues | None:
    """None: the rule may show something in any call."""
    parameters = rule.parameters
    if isinstance(parameters, SimilarParameters):
        return Clues(meant=(rule,))
    if isinstance(parameters, PhraseParameters):
        loose = _loosened(rule, parameters)
        return Clues(words=(loose,)) if can_be_sieved(loose) else None
    if isinstance(parameters, LogicParameters) and rule.detector != "none":
        return _together(parameters.rules, ruleset)
    if isinstance(parameters, ResponseParameters):
        return _together(parameters.after, ruleset)
    if isinstance(parameters, SequenceParameters):
        return _together((parameters.first,), ruleset)
    return None


def _loosened(rule: Rule, parameters: PhraseParameters) -> Rule:
    """The rule for the whole of any call, and content with any of its phrases."""
    changed: dict[str, object] = {"none_of": (), "require": "any"} if parameters.wanted else {}
    loose = parameters.model_copy(update=changed)
    return replace(rule, window=Window(), exceptions=(), parameters=loose)


def _together(names: Iterable[str], ruleset: RuleSet) -> Clues | None:
    found = Clues()
    for name in names:
        rule = ruleset.rule(name)
        clues = clues_of(rule, ruleset) if rule else None
        if clues is None:
            return None
        found += clues
    return found
