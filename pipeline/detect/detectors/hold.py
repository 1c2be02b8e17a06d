"""hold: the customer waits, with music or without; how long, and what was said before and after."""

from collections.abc import Iterable, Sequence
from typing import cast

from pydantic import Field

from pipeline.detect.detectors.base import Detector, Parameters
from pipeline.detect.scene import DOUBTFUL_PROBABILITY, DOUBTFUL_SHARE, Scene, timing
from pipeline.detect.telling import absent, cannot_tell
from pipeline.findings import Evidence, Finding, Outcome
from pipeline.ruleset import Rule
from pipeline.timeline import Hold, Role, Span, total
from pipeline.units import Ms, clock, to_ms

CONFIDENCE = 0.9
"""Music is told from speech by its sound, a silent wait by the announcement before it."""

UPDATE_MS: Ms = 15_000
"""Two waits with at most this much talk between them are one wait with an update."""

EDGE_MS: Ms = 1_000
"""Words and music overlap by up to this much where a wait begins or ends."""


class HoldParameters(Parameters):
    """客户等待的时段：多长，有没有音乐，之前、之后有没有说该说的话（由别的规则来听）。

    静音等待是凭坐席的告知认出来的，所以“没有告知”只能查有音乐的等待。之前、之后没有坐席的话
    （如排队音乐、等待中挂断），就谈不上该说没说，不算。附近的话没听清，结果是“无法判断”。
    """

    music: bool | None = Field(None, description="true 有音乐的，false 没有音乐的；不写都算")
    longer_than_seconds: float = Field(0.0, ge=0, description="等待超过几秒")
    joined: bool = Field(False, description="中间只隔着坐席回来说明一下的几段，合起来算一次")
    preceded_by: tuple[str, ...] = Field((), description="规则编号：开始之前有其中一条的发现")
    not_preceded_by: tuple[str, ...] = Field((), description="规则编号：开始之前没有其中任何一条的发现")
    followed_by: tuple[str, ...] = Field((), description="规则编号：结束之后有其中一条的发现")
    not_followed_by: tuple[str, ...] = Field((), description="规则编号：结束之后没有其中任何一条的发现")
    reach_turns: int = Field(1, ge=1, description="之前、之后看坐席的几轮话")
    reach_seconds: float = Field(30.0, gt=0, description="之前、之后最多看几秒")

    def needs(self) -> tuple[str, ...]:
        return (*self.preceded_by, *self.not_preceded_by, *self.followed_by, *self.not_followed_by)


Wait = tuple[Span, ...]


def detect(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """One present finding for each wait that fits; see `Detect`."""
    wanted = cast(HoldParameters, rule.parameters)
    long = [w for w in _waits(rule, scene) if sum(s.duration for s in w) > to_ms(wanted.longer_than_seconds)]
    fits = [(wait, _fits(rule, scene, wait)) for wait in long]
    fitting = [wait for wait, fit in fits if fit]
    doubtful = [wait for wait, fit in fits if fit is None]
    if fitting:
        return tuple(_present(rule, scene, wait) for wait in fitting)
    if doubtful:
        where = "、".join(clock(wait[0].start) for wait in doubtful)
        evidence = [timing(span, Role.OTHER) for wait in doubtful for span in wait]
        return cannot_tell(rule, scene, f"{where} 开始的等待，前后的话听不准", evidence)
    return absent(rule, scene, CONFIDENCE)


def _waits(rule: Rule, scene: Scene) -> list[Wait]:
    wanted = cast(HoldParameters, rule.parameters)
    searched = scene.searched(rule)
    holds = [h for h in scene.call.transcript.holds if h.span.start in searched]
    return _joined([h for h in holds if wanted.music in (None, h.music)], joined=wanted.joined)


def _joined(holds: Sequence[Hold], *, joined: bool) -> list[Wait]:
    waits: list[Wait] = []
    for hold in holds:
        if joined and waits and hold.span.gap(waits[-1][-1]) <= UPDATE_MS:
            waits[-1] = (*waits[-1], hold.span)
        else:
            waits.append((hold.span,))
    return waits


def _fits(rule: Rule, scene: Scene, wait: Wait) -> bool | None:
    """Whether what was said around the wait is as the rule wants it; None: not to be known."""
    wanted = cast(HoldParameters, rule.parameters)
    if not wanted.needs():
        return True
    if not scene.roles_known:
        return None
    before, after = _before(rule, scene, wait[0]), _after(rule, scene, wait[-1])
    answers = [
        _wanted(scene, wanted.preceded_by, before, there=True),
        _wanted(scene, wanted.not_preceded_by, before, there=False),
        _wanted(scene, wanted.followed_by, after, there=True),
        _wanted(scene, wanted.not_followed_by, after, there=False),
    ]
    return False if False in answers else None if None in answers else True


def _wanted(scene: Scene, rules: Iterable[str], reach: Span | None, *, there: bool) -> bool | None:
    """Whether one of the rules found something in reach, compared with what is wanted."""
    listed = tuple(rules)
    if not listed:
        return True
    if reach is None:
        return False
    found = [finding for rule_id in listed for finding in scene.found.get(rule_id, ())]
    if any(f.outcome is Outcome.PRESENT and _touches(f, reach) for f in found):
        return there
    nearly = any(f.outcome is not Outcome.PRESENT and _touches(f, reach) for f in found)
    return None if nearly or _misheard(scene, reach) else not there


def _touches(finding: Finding, reach: Span) -> bool:
    return any(evidence.span.overlaps(reach) for evidence in finding.evidence)


def _misheard(scene: Scene, reach: Span) -> bool:
    """Whether too little of the agent's words in reach was understood."""
    spoken = [m for m in scene.heard.marks if m.role is Role.AGENT and m.span.middle in reach]
    heard = sum(mark.span.duration for mark in spoken)
    doubtful = sum(m.span.duration for m in spoken if m.probability < DOUBTFUL_PROBABILITY)
    unclear = total(part & reach for part in scene.call.transcript.unclear)
    return doubtful + unclear > DOUBTFUL_SHARE * (heard + unclear)


def _before(rule: Rule, scene: Scene, hold: Span) -> Span | None:
    """Where the last words of the agent before the wait count; None: the agent had not spoken yet."""
    wanted = cast(HoldParameters, rule.parameters)
    said = [span for span in _agent_spans(scene) if span.start < hold.start][-wanted.reach_turns :]
    if not said:
        return None
    return Span(max(said[0].start, hold.start - to_ms(wanted.reach_seconds)), hold.start + EDGE_MS)


def _after(rule: Rule, scene: Scene, hold: Span) -> Span | None:
    """Where the first words of the agent after the wait count; None: the agent does not speak again."""
    wanted = cast(HoldParameters, rule.parameters)
    start = hold.end - EDGE_MS
    said = [span for span in _agent_spans(scene) if span.start >= start][: wanted.reach_turns]
    if not said:
        return None
    return Span(start, min(max(span.end for span in said), hold.end + to_ms(wanted.reach_seconds)))


def _agent_spans(scene: Scene) -> list[Span]:
    """What the agent says without an interruption, by time."""
    turns = scene.call.transcript.turns
    groups = [group for group in scene.groups if turns[group[0]].role is Role.AGENT]
    return sorted(Span(turns[g[0]].span.start, max(turns[i].span.end for i in g)) for g in groups)


def _present(rule: Rule, scene: Scene, wait: Wait) -> Finding:
    seconds = sum(span.duration for span in wait) / 1000
    where = "，".join(str(span) for span in wait)
    told = f"{rule.title}：等待 {seconds:.1f} 秒（{where}）。"
    return scene.finding(rule, Outcome.PRESENT, _evidence(wait), told, CONFIDENCE)


def _evidence(wait: Wait) -> list[Evidence]:
    return [timing(span, Role.OTHER) for span in wait]


DETECTOR = Detector(parameters=HoldParameters, detect=detect)
