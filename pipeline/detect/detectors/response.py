"""response: one thing happens and the answer that it asks for does not follow."""

from typing import cast

from pydantic import Field

from pipeline.detect.detectors.base import Detector, Parameters
from pipeline.detect.scene import Scene
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Rule
from pipeline.units import clock


class ResponseParameters(Parameters):
    """`within_turns` counts the turns of the rule's role after the event; None: until the end."""

    after: str
    expect: str
    within_turns: int | None = Field(None, ge=1)

    def needs(self) -> tuple[str, ...]:
        return self.after, self.expect


def detect(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """One finding for the call: present when an event stays without its answer; see `Detect`."""
    parameters = cast(ResponseParameters, rule.parameters)
    events, answers = scene.found[parameters.after], scene.found[parameters.expect]
    happened = [f for f in events if f.outcome is Outcome.PRESENT]
    if not happened:
        unsure = any(f.outcome is Outcome.CANNOT_TELL for f in events)
        outcome = Outcome.CANNOT_TELL if unsure else Outcome.ABSENT
        why = f"{rule.title}：{'不能确定' if unsure else '没有'}需要回应的情况。"
        return (scene.finding(rule, outcome, (), why, min((f.confidence for f in events), default=1.0)),)
    unanswered = [event for event in happened if not _answered(rule, scene, event, answers)]
    return (_result(rule, scene, unanswered, answers),)


def _answered(rule: Rule, scene: Scene, event: Finding, answers: tuple[Finding, ...]) -> bool:
    until = _until(rule, scene, event)
    return any(a.outcome is Outcome.PRESENT and event.span.start <= a.span.start < until for a in answers)


def _until(rule: Rule, scene: Scene, event: Finding) -> int:
    """End of the last turn that may hold the answer."""
    limit = cast(ResponseParameters, rule.parameters).within_turns
    spans = [span for span in scene.spoken(rule.role) if span.end > event.span.end]
    if limit is None or len(spans) <= limit:
        return scene.call.span.end + 1
    return spans[limit - 1].end


def _result(rule: Rule, scene: Scene, unanswered: list[Finding], answers: tuple[Finding, ...]) -> Finding:
    if not unanswered:
        why = f"{rule.title}：每次都有回应。"
        return scene.finding(rule, Outcome.ABSENT, (), why, min(a.confidence for a in answers))
    evidence = [piece for event in unanswered for piece in event.evidence]
    times = "、".join(clock(event.span.start) for event in unanswered)
    confidence = min(min(e.confidence for e in unanswered), max((a.confidence for a in answers), default=1.0))
    if any(a.outcome is Outcome.CANNOT_TELL for a in answers):
        why = f"{rule.title}：{times} 之后有没有回应，无法判断。"
        return scene.finding(rule, Outcome.CANNOT_TELL, evidence, why, confidence)
    why = f"{rule.title}：{times} 之后没有听到应有的回应。"
    return scene.finding(rule, Outcome.PRESENT, evidence, why, confidence)


DETECTOR = Detector(parameters=ResponseParameters, detect=detect)
