"""silence: nobody speaks for longer than so many seconds, waiting and the time before the call left out."""

from collections.abc import Iterator
from typing import cast

from pydantic import Field

from pipeline.detect.detectors.base import Detector, Parameters
from pipeline.detect.likelihood import beyond
from pipeline.detect.scene import Scene, timing
from pipeline.detect.telling import absent, roles_unknown
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Rule
from pipeline.timeline import Role, Span, subtract
from pipeline.units import Ms, to_ms

CONFIDENCE = 0.95
ERROR: Ms = 150
"""Standard deviation of the edges of speech."""


class SilenceParameters(Parameters):
    """没有人说话的时间。等待和接通前不算，没听清的说话声也不算。

    `role` 不写：冷场，谁先开口都一样。写了：对方说完、轮到这一方，过了这么久才答。
    """

    longer_than_seconds: float = Field(gt=0, description="至少几秒没有人说话")


def detect(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """One present finding for each silence that lasts; see `Detect`."""
    least = to_ms(cast(SilenceParameters, rule.parameters).longer_than_seconds)
    unknown = roles_unknown(rule, scene) if rule.role else ()
    if unknown:
        return unknown
    searched = scene.searched(rule)
    every = _silences(scene) if rule.role is None else _delays(scene, rule.role)
    silences = [silence for silence in every if silence.start in searched]
    long = [silence for silence in silences if silence.duration >= least]
    if long:
        return tuple(_present(rule, scene, silence, least) for silence in long)
    longest = max((silence.duration for silence in silences), default=0)
    told = f"没有，最长 {longest / 1000:.1f} 秒" if longest else "没有"
    return absent(rule, scene, _confidence(rule, scene, least, longest), told)


def _confidence(rule: Rule, scene: Scene, longer: Ms, shorter: Ms) -> float:
    return CONFIDENCE * beyond(longer, shorter, ERROR) * (scene.role_factor if rule.role else 1.0)


def _silences(scene: Scene) -> Iterator[Span]:
    began: Ms = min((turn.span.start for turn in scene.call.transcript.turns), default=0)
    return (silence for silence in scene.call.transcript.silences if silence.start >= began)


def _delays(scene: Scene, role: Role) -> Iterator[Span]:
    """From the end of what the other side said to the role's answer; waits and unclear speech cut out."""
    transcript = scene.call.transcript
    busy = [*transcript.unclear, *(hold.span for hold in transcript.holds)]
    speaking, until = Role.UNKNOWN, 0
    for turn in sorted(transcript.turns, key=lambda turn: (turn.span, turn.index)):
        if turn.role is role and speaking is role.opposite and turn.span.start > until:
            yield from subtract([Span(until, turn.span.start)], busy)[-1:]
        if turn.span.end >= until:
            speaking, until = turn.role, turn.span.end


def _present(rule: Rule, scene: Scene, silence: Span, least: Ms) -> Finding:
    confidence = _confidence(rule, scene, silence.duration, least)
    seconds = silence.duration / 1000
    if rule.role is None:
        told = f"{rule.title}：{silence} 无人说话，共 {seconds:.1f} 秒。"
        return scene.finding(rule, Outcome.PRESENT, [timing(silence, Role.UNKNOWN)], told, confidence)
    who = rule.role
    told = f"{rule.title}：{silence} {who.opposite.chinese}说完，{seconds:.1f} 秒后{who.chinese}才开口。"
    return scene.finding(rule, Outcome.PRESENT, [timing(silence, who)], told, confidence)


DETECTOR = Detector(parameters=SilenceParameters, detect=detect)
