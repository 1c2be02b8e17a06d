"""response: one thing happens and the answer that it asks for does not follow."""

from typing import NamedTuple, cast

from pydantic import Field

from pipeline.detect.detectors.base import Detector, Parameters, Several
from pipeline.detect.scene import Scene
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Rule
from pipeline.units import Ms, clock


class ResponseParameters(Parameters):
    """一件事发生了，之后该有的回应没有来。"""

    after: Several = Field(min_length=1, description="要回应的事：规则的 id，几条里任何一条都算")
    expect: Several = Field(min_length=1, description="该有的回应：规则的 id，几条里任何一条都算")
    within_turns: int | None = Field(
        None, ge=1, description="几轮之内要有（本规则角色的轮）；不写：到通话结束"
    )
    before: str | None = Field(None, description="回应要赶在它之前：一条规则的 id，例如推销业务")

    def needs(self) -> tuple[str, ...]:
        return (*self.after, *self.expect, *((self.before,) if self.before else ()))


class _Case(NamedTuple):
    """An event, the answer to it, and what came before the answer although it should not."""

    event: Finding
    answer: Finding | None
    rival: Finding | None

    @property
    def is_met(self) -> bool:
        return self.answer is not None and self.rival is None


def detect(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """One finding for the call: present when an event stays without its answer; see `Detect`."""
    events = _said(scene, cast(ResponseParameters, rule.parameters).after)
    happened = [f for f in events if f.outcome is Outcome.PRESENT]
    if not happened:
        unsure = any(f.outcome is Outcome.CANNOT_TELL for f in events)
        outcome = Outcome.CANNOT_TELL if unsure else Outcome.ABSENT
        why = f"{rule.title}：{'不能确定' if unsure else '没有'}需要回应的情况。"
        return (scene.finding(rule, outcome, (), why, min((f.confidence for f in events), default=1.0)),)
    return (_result(rule, scene, [_case(rule, scene, event) for event in happened]),)


def _said(scene: Scene, rules: tuple[str, ...]) -> tuple[Finding, ...]:
    """What several rules found as if they were one: what any of them found, else what they all say."""
    found = tuple(finding for rule_id in rules for finding in scene.found[rule_id])
    return tuple(f for f in found if f.outcome is Outcome.PRESENT) or found


def _case(rule: Rule, scene: Scene, event: Finding) -> _Case:
    parameters = cast(ResponseParameters, rule.parameters)
    until = scene.turns_after(rule.role, parameters.within_turns, event.span) + 1
    answer = _first(_said(scene, parameters.expect), event, until)
    rivals = scene.found[parameters.before] if parameters.before else ()
    rival = _first(rivals, event, answer.span.start if answer else until)
    return _Case(event, answer, rival)


def _first(found: tuple[Finding, ...], event: Finding, until: Ms) -> Finding | None:
    """The earliest finding from the event on."""
    inside = [f for f in found if f.outcome is Outcome.PRESENT and event.span.start <= f.span.start < until]
    return min(inside, key=lambda f: (f.span, f.id), default=None)


def _result(rule: Rule, scene: Scene, cases: list[_Case]) -> Finding:
    parameters = cast(ResponseParameters, rule.parameters)
    answers = _said(scene, parameters.expect)
    rivals = scene.found[parameters.before] if parameters.before else ()
    unmet = [case for case in cases if not case.is_met]
    if not unmet and any(f.outcome is Outcome.CANNOT_TELL for f in rivals):
        why = f"{rule.title}：有回应，但不知道之前有没有“{scene.title(parameters.before or '')}”。"
        return scene.finding(rule, Outcome.CANNOT_TELL, (), why, 0.0)
    if not unmet:
        why = f"{rule.title}：每次都有回应。"
        return scene.finding(rule, Outcome.ABSENT, (), why, min(a.confidence for a in answers))
    evidence = [piece for case in unmet for piece in case.event.evidence]
    evidence += [piece for case in unmet if case.rival for piece in case.rival.evidence]
    times = "、".join(clock(case.event.span.start) for case in unmet)
    confidence = min(
        min(case.event.confidence for case in unmet), max((a.confidence for a in answers), default=1.0)
    )
    sure = [case for case in unmet if case.rival]
    if not sure and any(a.outcome is Outcome.CANNOT_TELL for a in answers):
        why = f"{rule.title}：{times} 之后有没有回应，无法判断。"
        return scene.finding(rule, Outcome.CANNOT_TELL, evidence, why, confidence)
    pushed = "；".join(_pushed(scene, case.rival) for case in sure if case.rival)
    why = f"{rule.title}：{times} 之后没有听到应有的回应{pushed}。"
    return scene.finding(rule, Outcome.PRESENT, evidence, why, confidence)


def _pushed(scene: Scene, rival: Finding) -> str:
    return f"，就先有“{scene.title(rival.rule_id)}”（{clock(rival.span.start)}）"


DETECTOR = Detector(parameters=ResponseParameters, detect=detect)
