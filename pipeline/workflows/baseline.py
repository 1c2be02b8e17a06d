"""What a keyword list would have found: the same phrases, matched as exact text."""

from dataclasses import replace

from pipeline.detect.detectors.phrase import PhraseParameters
from pipeline.ruleset import Rule, RuleSet


def exact_text(ruleset: RuleSet) -> RuleSet:
    """The rule set with every phrase rule matching characters instead of sound."""
    return replace(ruleset, rules=tuple(_exact(rule) for rule in ruleset.rules))


def _exact(rule: Rule) -> Rule:
    if not isinstance(rule.parameters, PhraseParameters):
        return rule
    return replace(rule, parameters=rule.parameters.model_copy(update={"match": "exact"}))
