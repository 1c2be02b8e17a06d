"""backchannel: while one side explains at length, the other shows that it listens, or does not."""

from collections.abc import Sequence
from typing import NamedTuple, cast

from pydantic import Field

from pipeline.detect.detectors.base import Detector, Parameters
from pipeline.detect.listening import is_backchannel
from pipeline.detect.scene import Scene, timing
from pipeline.detect.telling import absent, cannot_tell, roles_unknown
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Rule
from pipeline.timeline import Role, Span, Turn
from pipeline.units import Ms, to_ms

HEARD, MISSED = 0.85, 0.6
"""Confidence. A 嗯 is soft and short: recognition misses some, and invents few."""
PAUSE_MS: Ms = 4_000
"""Who goes on after a longer silence explains anew."""
EDGE_MS: Ms = 300
"""A back-channel this close to the end is the beginning of the answer."""


class BackchannelParameters(Parameters):
    """对方长时间说明情况时，这一方（`role`，不写是坐席）有没有“嗯”“是的”“我明白了”之类的回应。

    一段说明：对方连着说，这一方除了这类回应没有说别的，停顿不超过 4 秒。单声道录音听不到压在
    对方话音下面的回应，所以没有听到时结果是“无法判断”。
    """

    longer_than_seconds: float = Field(15.0, gt=0, description="说明至少持续几秒")
    given: bool = Field(True, description="true 找有回应的说明，false 找没有回应的说明")


class Explanation(NamedTuple):
    """What one side tells without the other taking over, and the other's back-channels meanwhile."""

    told: tuple[Turn, ...]
    responses: tuple[Turn, ...]

    @property
    def span(self) -> Span:
        return Span(self.told[0].span.start, max(turn.span.end for turn in self.told))


def detect(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """One present finding for each explanation with (or without) a response; see `Detect`."""
    unknown = roles_unknown(rule, scene)
    if unknown:
        return unknown
    wanted = cast(BackchannelParameters, rule.parameters)
    searched = scene.searched(rule)
    long = [
        explanation
        for explanation in explanations(scene.call.transcript.turns, rule.role or Role.AGENT)
        if explanation.span.duration >= to_ms(wanted.longer_than_seconds)
        and explanation.span.start in searched
    ]
    unheard = [e for e in long if not e.responses and _may_hide(scene, e)]
    found = [e for e in long if bool(e.responses) == wanted.given and e not in unheard]
    if found:
        return tuple(_present(rule, scene, explanation) for explanation in found)
    if unheard:
        evidence = [timing(e.span, e.told[0].role) for e in unheard]
        return cannot_tell(rule, scene, "没有听到回应，但可能被对方的话音盖住了", evidence)
    told = "没有" if long else f"没有 {wanted.longer_than_seconds:.0f} 秒以上的说明"
    return absent(rule, scene, (MISSED if long and wanted.given else HEARD) * scene.role_factor, told)


def explanations(turns: Sequence[Turn], listener: Role) -> list[Explanation]:
    """Runs of the other side's turns between which the listener only shows that it listens."""
    runs: list[list[Turn]] = [[]]
    for turn in turns:
        taken_over = turn.role is not listener.opposite and not is_backchannel(turn.text)
        if taken_over or (runs[-1] and turn.span.gap(_covered(runs[-1])) > PAUSE_MS):
            runs.append([])
        if not taken_over:
            runs[-1].append(turn)
    made = (_explanation(run, listener) for run in runs)
    return [explanation for explanation in made if explanation.told]


def _covered(run: Sequence[Turn]) -> Span:
    return Span(run[0].span.start, max(turn.span.end for turn in run))


def _explanation(run: Sequence[Turn], listener: Role) -> Explanation:
    told = tuple(turn for turn in run if turn.role is listener.opposite)
    if not told:
        return Explanation((), ())
    start, end = told[0].span.start, max(turn.span.end for turn in told)
    own = (turn for turn in run if turn.role is listener and turn.words)
    return Explanation(told, tuple(t for t in own if start < t.span.start < end - EDGE_MS))


def _may_hide(scene: Scene, explanation: Explanation) -> bool:
    """Whether a back-channel may have been said there without being heard."""
    transcript = scene.call.transcript
    return not transcript.overlaps_audible or any(u.overlaps(explanation.span) for u in transcript.unclear)


def _present(rule: Rule, scene: Scene, explanation: Explanation) -> Finding:
    teller = explanation.told[0].role
    seconds = explanation.span.duration / 1000
    said = "、".join(f"“{turn.text.rstrip('，。')}”" for turn in explanation.responses)
    answer = f"{teller.opposite.chinese}回应了{said}" if said else f"{teller.opposite.chinese}没有回应"
    told = f"{rule.title}：{explanation.span} {teller.chinese}说了 {seconds:.1f} 秒，{answer}。"
    evidence = [timing(t.span, t.role, turn=t.index, quote=t.text) for t in explanation.responses]
    evidence = evidence or [timing(explanation.span, teller, turn=explanation.told[0].index)]
    confidence = (HEARD if explanation.responses else MISSED) * scene.role_factor
    return scene.finding(rule, Outcome.PRESENT, evidence, told, confidence)


DETECTOR = Detector(parameters=BackchannelParameters, detect=detect)
