"""silence: nobody speaks for longer than so many seconds, waiting and the time before the call left out."""

from typing import cast

from pydantic import Field

from pipeline.detect.detectors.base import Detector, Parameters
from pipeline.detect.scene import Scene, timing
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Rule
from pipeline.timeline import Role, Span
from pipeline.units import to_ms

CONFIDENCE = 0.9


class SilenceParameters(Parameters):
    """How long nobody must have spoken."""

    longer_than_seconds: float = Field(gt=0)


def detect(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """One present finding for each silence that lasts; see `Detect`."""
    least = to_ms(cast(SilenceParameters, rule.parameters).longer_than_seconds)
    searched = scene.searched(rule)
    spoken = [turn.span for turn in scene.call.transcript.turns]
    began = min((span.start for span in spoken), default=0)
    silences = [s for s in scene.call.transcript.silences if s.start >= began and s.start in searched]
    long = [silence for silence in silences if silence.duration >= least]
    if not long:
        told = f"{rule.title}：没有，在 {searched} 之间找过。"
        return (scene.finding(rule, Outcome.ABSENT, (), told, CONFIDENCE),)
    return tuple(_present(rule, scene, silence) for silence in long)


def _present(rule: Rule, scene: Scene, silence: Span) -> Finding:
    told = f"{rule.title}：{silence} 无人说话，共 {silence.duration / 1000:.1f} 秒。"
    return scene.finding(rule, Outcome.PRESENT, [timing(silence, Role.UNKNOWN)], told, CONFIDENCE)


DETECTOR = Detector(parameters=SilenceParameters, detect=detect)
