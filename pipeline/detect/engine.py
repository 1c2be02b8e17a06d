"""Rules over a call: `run(call, ruleset)` gives the findings, always in the same order."""

from collections.abc import Iterable
from datetime import tzinfo
from graphlib import CycleError, TopologicalSorter
from typing import cast
from zoneinfo import ZoneInfo

from pipeline.detect import exceptions, nearby
from pipeline.detect.detectors import DETECTORS
from pipeline.detect.detectors.base import Parameters
from pipeline.detect.scene import Scene, Thresholds, lies_in
from pipeline.detect.segment import terms_of
from pipeline.errors import RuleError
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Rule, RuleSet
from pipeline.timeline import Call, Recording


def run(call: Call, ruleset: RuleSet, thresholds: Thresholds | None = None) -> tuple[Finding, ...]:
    """What every rule that applies to the call says about it, by rule id and time.

    A rule answers with one `present` finding for each place, or exactly one `absent` or
    `cannot_tell`. Draft rules answer too. Raises RuleError: rules build on each other in a circle.
    """
    thresholds = thresholds or Thresholds()
    scene = Scene(
        call=call,
        thresholds=thresholds,
        titles={rule.id: rule.title for rule in ruleset.rules},
        terms=terms_of(word for words in ruleset.words.values() for word in words),
        meaning=ruleset.meaning,
    )
    zone = ZoneInfo(thresholds.time_zone)
    for rule in in_order(ruleset.rules):
        scene.found[rule.id] = answer(rule, scene) if is_for(rule, call.recording, zone) else ()
    findings = (finding for found in scene.found.values() for finding in found)
    return tuple(sorted(findings, key=lambda f: (f.rule_id, f.span, f.id)))


def is_for(rule: Rule, recording: Recording, zone: tzinfo) -> bool:
    """Whether the rule looks at this recording."""
    return recording in rule.applies and rule.effective.covers(recording.started_at, zone)


def answer(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """What the detector says, inside the windows that other rules open, less what is cancelled."""
    found = nearby.answer(rule, scene, _inside) if rule.window.near else _inside(rule, scene)
    detector = DETECTORS[rule.detector]
    return exceptions.applied(rule, scene, found, words=not detector.weighs_exceptions)


def _inside(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """What the detector says, less what it found outside the rule's window."""
    found = DETECTORS[rule.detector].detect(rule, scene)
    searched = scene.searched(rule)
    kept = tuple(f for f in found if f.outcome is not Outcome.PRESENT or lies_in(f, searched))
    if kept or not found:
        return kept
    told = f"{rule.title}：有，但不在 {searched} 内。"
    return (scene.finding(rule, Outcome.ABSENT, (), told, max(f.confidence for f in found)),)


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
        message = f"发现规则绕着圈互相引用：{' → '.join(circle)}，应为不绕圈的引用；去掉其中一处"
        raise RuleError(message, path=source.path, line=source.line, column=source.column) from error


def needs(rule: Rule) -> tuple[str, ...]:
    """Ids of the rules whose findings this rule builds on."""
    return tuple(dict.fromkeys((*cast(Parameters, rule.parameters).needs(), *rule.neighbours())))


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
