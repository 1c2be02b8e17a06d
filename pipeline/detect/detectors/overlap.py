"""overlap: the role begins to speak while the other side speaks, and goes on with words."""

import re
from typing import cast

from pydantic import Field

from pipeline.detect.detectors.base import Detector, Parameters
from pipeline.detect.scene import Scene, timing
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Rule
from pipeline.timeline import Overlap, Turn
from pipeline.units import to_ms

CONFIDENCE = 0.85

BACKCHANNEL = re.compile(r"[嗯啊哦噢呃诶对是的好行了呢吧，。？！、 ]*")
"""Words that show one listens; they interrupt nobody."""


class OverlapParameters(Parameters):
    """How long both must have spoken at once."""

    longer_than_seconds: float = Field(1.0, ge=0)


def detect(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """One present finding for each interruption; cannot_tell where overlaps cannot be heard (mono)."""
    transcript = scene.call.transcript
    if not transcript.overlaps_audible:
        return (_cannot_tell(rule, scene, "单声道录音听不出两人同时说话"),)
    if not scene.roles_known:
        return (_cannot_tell(rule, scene, "角色把握不足"),)
    least = to_ms(cast(OverlapParameters, rule.parameters).longer_than_seconds)
    long = [o for o in transcript.overlaps if o.span.duration >= least and _interrupts(rule, scene, o)]
    if not long:
        told = f"{rule.title}：没有，在 {scene.searched(rule)} 之间找过。"
        return (scene.finding(rule, Outcome.ABSENT, (), told, CONFIDENCE * scene.role_factor),)
    return tuple(_present(rule, scene, overlap) for overlap in long)


def _interrupts(rule: Rule, scene: Scene, overlap: Overlap) -> bool:
    second = scene.call.transcript.turns[overlap.second]
    return rule.role in (None, second.role) and not BACKCHANNEL.fullmatch(second.text)


def _present(rule: Rule, scene: Scene, overlap: Overlap) -> Finding:
    second: Turn = scene.call.transcript.turns[overlap.second]
    told = (
        f"{rule.title}：{overlap.span} {second.role.chinese}在对方说话时开口，"
        f"同时说话 {overlap.span.duration / 1000:.1f} 秒。"
    )
    evidence = timing(overlap.span, second.role, turn=second.index, quote=second.text)
    return scene.finding(rule, Outcome.PRESENT, [evidence], told, CONFIDENCE * scene.role_factor)


def _cannot_tell(rule: Rule, scene: Scene, why: str) -> Finding:
    return scene.finding(rule, Outcome.CANNOT_TELL, (), f"{rule.title}：{why}，无法判断。", 0.0)


DETECTOR = Detector(parameters=OverlapParameters, detect=detect)
