"""Rules over a call: `run(call, ruleset)` gives the findings, always in the same order."""

from collections.abc import Iterable
from graphlib import CycleError, TopologicalSorter
from typing import cast

from pipeline.detect.detectors import DETECTORS
from pipeline.detect.detectors.base import Parameters
from pipeline.detect.scene import Scene, Thresholds
from pipeline.errors import RuleError
from pipeline.findings import Finding
from pipeline.ruleset import Rule, RuleSet
from pipeline.timeline import Call


def run(call: Call, ruleset: RuleSet, thresholds: Thresholds | None = None) -> tuple[Finding, ...]:
    """What every rule that applies to the call says about it, by rule id and time.

    A rule answers with one `present` finding for each place, or exactly one `absent` or
    `cannot_tell`. Draft rules answer too. Raises RuleError: rules build on each other in a circle.
    """
    scene = Scene(call=call, thresholds=thresholds or Thresholds())
    for rule in in_order(ruleset.rules):
        applies = call.recording in rule.applies
        scene.found[rule.id] = DETECTORS[rule.detector].detect(rule, scene) if applies else ()
    findings = (finding for found in scene.found.values() for finding in found)
    return tuple(sorted(findings, key=lambda f: (f.rule_id, f.span, f.id)))


def in_order(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Each rule after those it builds on, otherwise by id. Raises RuleError on a circle."""
    by_id = {rule.id: rule for rule in rules}
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for rule_id in sorted(by_id):
        sorter.add(rule_id, *(need for need in needs(by_id[rule_id]) if need in by_id))
    try:
        return tuple(by_id[rule_id] for rule_id in sorter.static_order())
    except CycleError as error:
        circle = [str(rule_id) for rule_id in error.args[1]]
        source = by_id[circle[0]].source
        message = f"found rules that need each other: {' -> '.join(circle)}, expected no circle"
        raise RuleError(message, path=source.path, line=source.line, column=source.column) from error


def needs(rule: Rule) -> tuple[str, ...]:
    """Ids of the rules whose findings this rule builds on."""
    return cast(Parameters, rule.parameters).needs()


def with_needs(ruleset: RuleSet, rule: Rule) -> tuple[Rule, ...]:
    """The rule and every rule it builds on, directly or not."""
    wanted = {rule.id: rule}
    waiting = [rule]
    while waiting:
        for need in needs(waiting.pop()):
            found = ruleset.rule(need)
            if found is not None and need not in wanted:
                wanted[need] = found
                waiting.append(found)
    return tuple(wanted.values())
