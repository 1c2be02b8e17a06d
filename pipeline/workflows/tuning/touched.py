"""Which stored calls a change of the rules can touch: those in which a changed rule shows something else.

A changed rule that shows nothing in a call, before and after, says the same of it as long as it looks at the
same calls, roles and times. Rules that build on it can change only where it does.
"""

from collections.abc import Iterable
from dataclasses import replace

from pipeline.detect.engine import needs, with_needs
from pipeline.detect.training import learners
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Rule, RuleSet, Severity
from pipeline.scope import Source
from pipeline.workflows.tuning.archive import Archive

Signs = tuple[tuple[object, ...], ...]
_NOWHERE = Source(path="", line=1)


def touched_calls(
    base: RuleSet, head: RuleSet, compared: frozenset[str], archive: Archive
) -> frozenset[str] | None:
    """Ids of recordings; None: any call may be touched."""
    if _forms(base) != _forms(head) or base.words != head.words:
        return None
    roots = [rule_id for rule_id in sorted(compared) if _bare(base, rule_id) != _bare(head, rule_id)]
    if _any_learns(base, roots) or _any_learns(head, roots):
        learning = {rule.id for rule in (*learners(base), *learners(head))}
        roots = sorted({*roots, *learning & compared})
    used = _used(base, compared) | _used(head, compared)
    if any(rule_id in used and _outlook(base, rule_id) != _outlook(head, rule_id) for rule_id in roots):
        return None
    severe = {rule_id for rule_id in roots if _severity(base, rule_id) != _severity(head, rule_id)}
    before, after = _signs(base, roots, archive), _signs(head, roots, archive)
    places = before.keys() | after.keys()
    touched = (at for at in places if at[1] in severe or before.get(at, ()) != after.get(at, ()))
    return frozenset(recording_id for recording_id, _ in touched)


def _signs(ruleset: RuleSet, roots: Iterable[str], archive: Archive) -> dict[tuple[str, str], Signs]:
    """What the rules show, by recording and rule, as far as it counts."""
    rules = [rule for rule_id in roots if (rule := ruleset.rule(rule_id))]
    found = (
        ((shown.recording.id, shown.rule_id), tuple(map(_sign, filter(_counts, shown.findings))))
        for shown in archive.shown(ruleset, rules)
    )
    return {place: signs for place, signs in found if signs}


def _counts(finding: Finding) -> bool:
    return finding.outcome is not Outcome.ABSENT


def _sign(finding: Finding) -> tuple[object, ...]:
    """How sure it is, is no part of it: rules that build on it, and points, ask only for the outcome."""
    return finding.outcome, finding.span


def _forms(ruleset: RuleSet) -> list[tuple[str, str]]:
    return sorted((template.id, template.digest) for template in ruleset.templates)


def _bare(ruleset: RuleSet, rule_id: str) -> Rule | None:
    """The rule without where it is written and its cases: a shared list that changed changes it."""
    rule = ruleset.rule(rule_id)
    return replace(rule, digest="", source=_NOWHERE, cases=(), title="", why="") if rule else None


def _any_learns(ruleset: RuleSet, roots: Iterable[str]) -> bool:
    wanted = frozenset(roots)
    return any(rule.id in wanted for rule in learners(ruleset))


def _used(ruleset: RuleSet, compared: frozenset[str]) -> set[str]:
    """Rules that a template names, and what these and the compared ones build on."""
    named = {name for form in ruleset.templates for item in form.items for name in item.evidence_rules()}
    named |= {
        name for form in ruleset.templates for one in form.fatal if one.when for name in one.when.rules()
    }
    named |= {rule.id for rule in ruleset.rules if rule.severity is Severity.FATAL}
    rules = [rule for name in named if (rule := ruleset.rule(name))]
    needed = {need for rule_id in compared if (rule := ruleset.rule(rule_id)) for need in needs(rule)}
    return needed | {need.id for rule in rules for need in with_needs(ruleset, rule)}


def _outlook(ruleset: RuleSet, rule_id: str) -> tuple[object, ...] | None:
    """What decides about a call in which the rule shows nothing: absent, cannot tell, or not for it."""
    rule = ruleset.rule(rule_id)
    if rule is None:
        return None
    return rule.detector, rule.role, rule.status, rule.applies, rule.window, rule.effective


def _severity(ruleset: RuleSet, rule_id: str) -> object:
    rule = ruleset.rule(rule_id)
    return rule.severity if rule else None
