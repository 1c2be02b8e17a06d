"""first_word: when a side speaks first, counted from the moment the line was answered."""

from typing import cast

from pydantic import Field

from pipeline.detect.detectors.base import Detector, Parameters
from pipeline.detect.scene import Scene, timing
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Rule
from pipeline.timeline import Role, Span, Turn
from pipeline.units import Ms, clock, to_ms


class FirstWordParameters(Parameters):
    """一方（`role`，不写谁都算）第一句话在接通（最后一声振铃结束）后几秒。两个界限都不写，就总是给出时间。"""

    later_than_seconds: float | None = Field(None, ge=0, description="晚于接通后几秒")
    not_later_than_seconds: float | None = Field(None, ge=0, description="但不晚于接通后几秒")


def detect(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """Present when the delay lies within the bounds; see `Detect`."""
    if rule.role is not None and not scene.roles_known:
        return (_cannot_tell(rule, scene, "角色把握不足"),)
    first = first_turn(scene, rule.role)
    if first is None:
        return (_cannot_tell(rule, scene, "没有听到说话"),)
    answered = scene.call.transcript.connected_at
    start = first_word_at(first)
    late = _within(cast(FirstWordParameters, rule.parameters), start - answered)
    evidence = timing(Span(start, first.span.end), first.role, turn=first.index)
    outcome = Outcome.PRESENT if late else Outcome.ABSENT
    told = f"{rule.title}：{_told(first.role, start, answered)}{_waiting(scene)}。"
    return (scene.finding(rule, outcome, [evidence], told, scene.role_factor),)


def first_turn(scene: Scene, role: Role | None) -> Turn | None:
    """The first turn with words of the role (None: anybody) after the line was answered."""
    answered = scene.call.transcript.connected_at
    turns = [t for t in scene.call.transcript.turns if t.words and role in (None, t.role)]
    after = [t for t in turns if first_word_at(t) >= answered] or turns
    return min(after, key=lambda t: (first_word_at(t), t.index), default=None)


def first_word_at(turn: Turn) -> Ms:
    """When the turn's voice sets in: the turn's start, which is measured on the sound."""
    return turn.span.start


def _within(bounds: FirstWordParameters, delay: Ms) -> bool:
    low, high = bounds.later_than_seconds, bounds.not_later_than_seconds
    return (low is None or delay > to_ms(low)) and (high is None or delay <= to_ms(high))


def _told(role: Role, start: Ms, answered: Ms) -> str:
    delay = max(0, start - answered) / 1000
    return f"{role.chinese}第一句话在 {clock(start)}，接通（{clock(answered)}）后 {delay:.1f} 秒"


def _waiting(scene: Scene) -> str:
    recording = scene.call.recording
    told = ""
    if recording.queue_wait_seconds is not None:
        told += f"，排队 {recording.queue_wait_seconds:.1f} 秒"
    if recording.ring_count is not None:
        told += f"，振铃 {recording.ring_count} 次"
    return told


def _cannot_tell(rule: Rule, scene: Scene, why: str) -> Finding:
    confidence = scene.call.transcript.roles.confidence
    return scene.finding(rule, Outcome.CANNOT_TELL, (), f"{rule.title}：{why}，无法判断。", confidence)


DETECTOR = Detector(parameters=FirstWordParameters, detect=detect)
