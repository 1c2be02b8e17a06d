"""What other ways of matching would have found: the same rules, less of what callscore does."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal

from pipeline.detect.detectors.phrase import PhraseParameters
from pipeline.ruleset import Rule, RuleSet


def exact_text(ruleset: RuleSet) -> RuleSet:
    """A keyword list: the phrases character by character, and nothing that is learned from examples."""
    return replace(ruleset, rules=tuple(_matched(rule, "exact") for rule in ruleset.rules), meaning=None)


def text(ruleset: RuleSet) -> RuleSet:
    """The phrases by characters with as many edits as each rule allows by sound."""
    return replace(ruleset, rules=tuple(_matched(rule, "text") for rule in ruleset.rules), meaning=None)


def sound(ruleset: RuleSet) -> RuleSet:
    """The phrases by sound, without what is learned from examples."""
    return replace(ruleset, meaning=None)


def whole(ruleset: RuleSet) -> RuleSet:
    """Everything: phrases by sound, and examples."""
    return ruleset


METHODS: Mapping[str, Callable[[RuleSet], RuleSet]] = {
    "原字": exact_text,
    "文字": text,
    "按音": sound,
    "按音加意思": whole,
}
"""Ways of matching side by side, the plainest first."""


def _matched(rule: Rule, match: Literal["exact", "text"]) -> Rule:
    if not isinstance(rule.parameters, PhraseParameters):
        return rule
    return replace(rule, parameters=rule.parameters.model_copy(update={"match": match}))
