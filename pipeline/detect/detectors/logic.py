"""all, any, none: rules put together in three-valued logic, with the evidence of their parts.

A part that does not apply to the call is left out; when none applies, the rule says nothing either.
"""

from collections.abc import Iterable, Iterator
from typing import cast

from pydantic import Field

from pipeline.detect.detectors.base import Detector, Parameters
from pipeline.detect.scene import Scene, lies_in
from pipeline.findings import Evidence, Finding, Outcome
from pipeline.ruleset import Rule
from pipeline.timeline import merge


class LogicParameters(Parameters):
    """把几条规则合起来：all 全都有，any 至少有一条，none 一条都没有。"""

    rules: tuple[str, ...] = Field(min_length=1, description="规则的 id，一行一条")

    def needs(self) -> tuple[str, ...]:
        return self.rules


Part = tuple[Finding, ...]
"""What one rule said."""


def _parts(rule: Rule, scene: Scene) -> list[Part]:
    """What the rules said, those left out that do not apply to the call."""
    named = cast(LogicParameters, rule.parameters).rules
    return [found for found in (_inside(rule, scene, scene.found[name]) for name in named) if found]


def _inside(rule: Rule, scene: Scene, found: Part) -> Part:
    """What a rule said inside this rule's window: outside it, a thing that is there is not."""
    span = scene.searched(rule)
    kept = tuple(f for f in found if f.outcome is not Outcome.PRESENT or lies_in(f, span))
    if kept or not found:
        return kept
    why = f"“{scene.title(found[0].rule_id)}”不在 {span} 内"
    absent = scene.finding(rule, Outcome.ABSENT, (), why, max(f.confidence for f in found))
    return (absent,)


def _said(parts: Iterable[Part], outcome: Outcome) -> list[Finding]:
    return [f for part in parts for f in part if f.outcome is outcome]


def _told(rule: Rule, findings: Iterable[Finding]) -> str:
    reasons = dict.fromkeys(f.explanation.rstrip("。") for f in findings)
    return f"{rule.title}：{'；'.join(reasons)}。"


def _answer(rule: Rule, scene: Scene, outcome: Outcome, because: list[Finding]) -> Finding:
    evidence = [piece for f in because for piece in f.evidence]
    confidence = min(f.confidence for f in because)
    return scene.finding(rule, outcome, evidence, _told(rule, because), confidence)


def _all(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """One present finding with the evidence of every rule; see `Detect`."""
    parts = _parts(rule, scene)
    for outcome in (Outcome.ABSENT, Outcome.CANNOT_TELL, Outcome.PRESENT):
        because = _said(parts, outcome)
        if because:
            return (_answer(rule, scene, outcome, because),)
    return ()


def _any(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """One present finding for each place where a rule found something; see `Detect`."""
    parts = _parts(rule, scene)
    present = _said(parts, Outcome.PRESENT)
    if present:
        return tuple(_places(rule, scene, present))
    because = _said(parts, Outcome.CANNOT_TELL) or _said(parts, Outcome.ABSENT)
    return (_answer(rule, scene, because[0].outcome, because),) if because else ()


def _places(rule: Rule, scene: Scene, present: list[Finding]) -> Iterator[Finding]:
    located = [f for f in present if f.evidence]
    for span in merge(f.span for f in located):
        here = sorted((f for f in located if f.span.overlaps(span)), key=lambda f: (f.span, f.id))
        evidence: list[Evidence] = [piece for f in here for piece in f.evidence]
        confidence = max(f.confidence for f in here)
        yield scene.finding(rule, Outcome.PRESENT, evidence, _told(rule, here), confidence)
    if not located:
        yield _answer(rule, scene, Outcome.PRESENT, present)


def _none(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """Present, without a place in the call, when no rule found anything; see `Detect`."""
    parts = _parts(rule, scene)
    present, unsure = _said(parts, Outcome.PRESENT), _said(parts, Outcome.CANNOT_TELL)
    if present or unsure:
        outcome = Outcome.ABSENT if present else Outcome.CANNOT_TELL
        return (_answer(rule, scene, outcome, present or unsure),)
    absent = _said(parts, Outcome.ABSENT)
    if not absent:
        return ()
    confidence = min(f.confidence for f in absent)
    return (scene.finding(rule, Outcome.PRESENT, (), _told(rule, absent), confidence),)


ALL = Detector(parameters=LogicParameters, detect=_all)
ANY = Detector(parameters=LogicParameters, detect=_any)
NONE = Detector(parameters=LogicParameters, detect=_none)
