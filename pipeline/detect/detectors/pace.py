"""pace: how fast somebody speaks, by turn or over the call, in characters a minute."""

from collections.abc import Sequence
from typing import Literal, Self, cast

from pydantic import Field, model_validator

from pipeline.detect.detectors.base import Detector, Parameters
from pipeline.detect.likelihood import beyond
from pipeline.detect.scene import Scene, timing
from pipeline.detect.sound import is_han
from pipeline.detect.telling import absent, cannot_tell, not_understood, roles_unknown
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Rule
from pipeline.timeline import Role, Turn
from pipeline.units import MS_PER_SECOND, Ms

CONFIDENCE = 0.98
ERROR = 0.03
"""Standard deviation of measured over true pace, on 68 labelled turns of 20 characters and more."""
COUNTED = "汉字和逐个读出的数字，含轮内停顿"


class PaceParameters(Parameters):
    """语速，每分钟多少字。

    字：听到的汉字，加逐个读出的数字（`1021` 算四个字）；标点和字母不算。时间：从一轮话出声到说完，
    中间的停顿算在内，两轮之间的不算。字数不到 `least_characters` 的一轮不算，太短测不准。
    识别会写错字，但字数大致不差：在开发录音上测得的语速是真实语速的 1.01 倍，标准差 3 %，
    把握按这个误差算，离界线越近越低。
    """

    faster_than: float | None = Field(None, gt=0, description="快于每分钟几字")
    slower_than: float | None = Field(None, gt=0, description="慢于每分钟几字")
    least_characters: int = Field(20, ge=1, description="一轮（或全程）至少多少字才算")
    scope: Literal["turn", "call"] = Field("turn", description="turn 逐轮看；call 本角色全程合起来看")

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        return self.needs_one_of("faster_than", "slower_than")


def detect(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """One present finding for each turn, or one for the call; see `Detect`."""
    unknown = roles_unknown(rule, scene) if rule.role else ()
    if unknown:
        return unknown
    wanted = cast(PaceParameters, rule.parameters)
    measured = [turns for turns in _measured(rule, scene) if characters(turns) >= wanted.least_characters]
    if not measured:
        return _too_short(rule, scene)
    found = [turns for turns in measured if _beyond(wanted, pace(turns))]
    if found:
        return tuple(_present(rule, scene, turns) for turns in found)
    nearest = min(measured, key=lambda turns: _margin(wanted, pace(turns)))
    told = f"没有；最接近的一段每分钟 {pace(nearest):.0f} 字（{COUNTED}）"
    factor = scene.role_factor if rule.role else 1.0
    return absent(rule, scene, _confidence(wanted, nearest) * factor, told)


def _too_short(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """No turn is long enough: then none is too fast, unless too little was understood to know."""
    wanted = cast(PaceParameters, rule.parameters)
    told = f"没有一段话满 {wanted.least_characters} 字"
    if wanted.scope == "call":
        return cannot_tell(rule, scene, told)
    return not_understood(rule, scene) or absent(rule, scene, scene.role_factor if rule.role else 1.0, told)


def _measured(rule: Rule, scene: Scene) -> list[tuple[Turn, ...]]:
    """The turns to measure: each for itself, or all together."""
    searched = scene.searched(rule)
    inside = {i for number in scene.stretches(rule) for i in scene.groups[number]}
    turns = [t for i, t in enumerate(scene.call.transcript.turns) if i in inside]
    turns = [turn for turn in turns if turn.span.middle in searched and turn.span.duration]
    if cast(PaceParameters, rule.parameters).scope == "call":
        return [tuple(turns)] if turns else []
    return [(turn,) for turn in turns]


def characters(turns: Sequence[Turn]) -> int:
    """Chinese characters and single digits as heard."""
    return sum(is_han(char) or char.isdigit() for turn in turns for char in turn.text)


def pace(turns: Sequence[Turn]) -> float:
    """Characters a minute, pauses inside the turns included."""
    time: Ms = sum(turn.span.duration for turn in turns)
    return characters(turns) * 60 * MS_PER_SECOND / time


def _beyond(wanted: PaceParameters, measured: float) -> bool:
    fast = wanted.faster_than is not None and measured > wanted.faster_than
    return fast or (wanted.slower_than is not None and measured < wanted.slower_than)


def _margin(wanted: PaceParameters, measured: float) -> float:
    """How far the pace lies from the nearest bound, as a share of the pace."""
    bounds = [bound for bound in (wanted.faster_than, wanted.slower_than) if bound is not None]
    return min((abs(measured - bound) / measured for bound in bounds), default=1.0)


def _confidence(wanted: PaceParameters, turns: Sequence[Turn]) -> float:
    """That the true pace lies on the same side of the bound."""
    return CONFIDENCE * beyond(_margin(wanted, pace(turns)), 0, ERROR)


def _present(rule: Rule, scene: Scene, turns: Sequence[Turn]) -> Finding:
    wanted, measured = cast(PaceParameters, rule.parameters), pace(turns)
    seconds = sum(turn.span.duration for turn in turns) / MS_PER_SECOND
    who = (rule.role or Role.UNKNOWN if len(turns) > 1 else turns[0].role).chinese
    where = str(turns[0].span) if len(turns) == 1 else f"全程 {len(turns)} 轮"
    told = (
        f"{rule.title}：{who}{where}，{characters(turns)} 字（{COUNTED}）用了 {seconds:.1f} 秒，"
        f"每分钟 {measured:.0f} 字。"
    )
    evidence = [timing(t.span, t.role, turn=t.index, quote=t.text) for t in turns]
    factor = scene.role_factor if rule.role else 1.0
    confidence = _confidence(wanted, turns) * factor
    return scene.finding(rule, Outcome.PRESENT, evidence, told, confidence)


DETECTOR = Detector(parameters=PaceParameters, detect=detect)
