"""talk_share: how much of the talking is done by one side."""

from typing import Self, cast

from pydantic import Field, model_validator

from pipeline.detect.detectors.base import Detector, Parameters
from pipeline.detect.scene import Scene, timing
from pipeline.detect.telling import absent, cannot_tell, roles_unknown
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Rule
from pipeline.timeline import Role, Span, subtract, total
from pipeline.units import MS_PER_SECOND, Ms

CONFIDENCE = 0.9


class TalkShareParameters(Parameters):
    """一方（`role`，不写是坐席）的说话时间占双方说话时间的百分比，等待和没人说话的时间不算。

    两人同时说的时间各算各的。没听清、分不出是谁的说话声，无论算给哪一方结论都一样才下结论，
    否则是“无法判断”。
    """

    more_than_percent: float | None = Field(None, ge=0, le=100, description="多于百分之几")
    less_than_percent: float | None = Field(None, ge=0, le=100, description="少于百分之几")

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        return self.needs_one_of("more_than_percent", "less_than_percent")


def detect(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """One finding for the call; see `Detect`."""
    unknown = roles_unknown(rule, scene)
    if unknown:
        return unknown
    role = rule.role or Role.AGENT
    own, other = _spoken(rule, scene, role), _spoken(rule, scene, role.opposite)
    unclear = _unclear(rule, scene)
    if not own + other:
        return cannot_tell(rule, scene, "没有听到说话")
    share = 100 * own / (own + other)
    told = (
        f"{role.chinese}说了 {_seconds(own)}，{role.opposite.chinese}说了 {_seconds(other)}，占 {share:.0f} %"
    )
    fits = {_fits(rule, 100 * part / (own + other + unclear)) for part in (own, own + unclear)}
    if len(fits) > 1:
        return cannot_tell(rule, scene, f"{told}，另有 {_seconds(unclear)}没有听清")
    confidence = CONFIDENCE * scene.role_factor
    if not fits.pop():
        return absent(rule, scene, confidence, told)
    evidence = [timing(scene.searched(rule), role)]
    return (scene.finding(rule, Outcome.PRESENT, evidence, f"{rule.title}：{told}。", confidence),)


def _fits(rule: Rule, share: float) -> bool:
    wanted = cast(TalkShareParameters, rule.parameters)
    more = wanted.more_than_percent is not None and share > wanted.more_than_percent
    return more or (wanted.less_than_percent is not None and share < wanted.less_than_percent)


def _spoken(rule: Rule, scene: Scene, role: Role) -> Ms:
    searched = scene.searched(rule)
    return total(turn.span & searched for turn in scene.call.transcript.of(role))


def _unclear(rule: Rule, scene: Scene) -> Ms:
    """Speech of unknown words that no turn holds."""
    searched = scene.searched(rule)
    parts: list[Span] = [part & searched for part in scene.call.transcript.unclear]
    return total(subtract(parts, (turn.span for turn in scene.call.transcript.turns)))


def _seconds(time: Ms) -> str:
    return f"{time / MS_PER_SECOND:.1f} 秒"


DETECTOR = Detector(parameters=TalkShareParameters, detect=detect)
