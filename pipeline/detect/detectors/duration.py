"""duration: how long the call lasts, from the moment the line was answered."""

from typing import Self, cast

from pydantic import Field, model_validator

from pipeline.detect.detectors.base import Detector, Parameters
from pipeline.detect.scene import Scene, timing
from pipeline.detect.telling import absent
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Rule
from pipeline.timeline import Role, Span
from pipeline.units import clock, to_ms


class DurationParameters(Parameters):
    """通话时长：从接通（最后一声振铃结束）到录音结束，等待算在内。"""

    longer_than_seconds: float | None = Field(None, ge=0, description="长于几秒")
    shorter_than_seconds: float | None = Field(None, ge=0, description="短于几秒")

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        return self.needs_one_of("longer_than_seconds", "shorter_than_seconds")


def detect(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """One finding for the call; see `Detect`. It is certain: nothing is heard, only measured."""
    wanted = cast(DurationParameters, rule.parameters)
    whole = scene.call.span
    call = Span(min(scene.call.transcript.connected_at, whole.end), whole.end)
    told = f"全长 {call.duration / 1000:.1f} 秒（{clock(call.start)} 接通，{clock(call.end)} 结束）"
    least, most = wanted.longer_than_seconds, wanted.shorter_than_seconds
    too_long = least is not None and call.duration > to_ms(least)
    if not (too_long or (most is not None and call.duration < to_ms(most))):
        return absent(rule, scene, 1.0, told)
    evidence = [timing(call, Role.UNKNOWN)]
    return (scene.finding(rule, Outcome.PRESENT, evidence, f"{rule.title}：{told}。", 1.0),)


DETECTOR = Detector(parameters=DurationParameters, detect=detect)
