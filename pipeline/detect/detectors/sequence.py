"""sequence: one thing and then another, or one thing and not the other after it."""

from collections.abc import Iterable
from typing import Self, cast

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from pipeline.detect.detectors.base import Detector, Parameters
from pipeline.detect.scene import Scene
from pipeline.findings import Evidence, Finding, Outcome
from pipeline.ruleset import Rule
from pipeline.units import Ms, clock, to_ms


class SequenceParameters(Parameters):
    """先有一件事，接着有（或没有）另一件事；两件事各是一条规则的结果。"""

    first: str = Field(description="先发生的：一条规则的 id")
    then: str | None = Field(None, description="接着要有的：一条规则的 id")
    without: str | None = Field(None, description="接着没有才算的：一条规则的 id")
    max_seconds: float | None = Field(None, gt=0, description="最多隔几秒")
    max_turns: int | None = Field(None, ge=1, description="最多隔几轮（本规则角色的轮）")

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.then is None) == (self.without is None):
            raise PydanticCustomError("then", "`then`、`without` 写一个，也只写一个")
        if self.max_seconds is not None and self.max_turns is not None:
            raise PydanticCustomError("two_measures", "只写 `max_seconds` 或 `max_turns` 之一")
        return self

    @property
    def second(self) -> str:
        return self.then or self.without or ""

    def needs(self) -> tuple[str, ...]:
        return self.first, self.second


def detect(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """One present finding for each first thing that is followed as the rule asks; see `Detect`."""
    parameters = cast(SequenceParameters, rule.parameters)
    span = scene.searched(rule)
    firsts = [f for f in _present(scene.found[parameters.first]) if f.span.start in span]
    seconds = _present(scene.found[parameters.second])
    if not firsts:
        return (_without_first(rule, scene),)
    pairs = [(one, _follower(rule, scene, one, seconds)) for one in firsts]
    wanted = parameters.then is not None
    fitting = [(one, other) for one, other in pairs if (other is not None) == wanted]
    unsure = _is_unsure(scene.found[parameters.second])
    if not fitting or (unsure and not wanted):
        return (_other(rule, scene, [one for one, _ in pairs], unsure=unsure),)
    return tuple(_finding(rule, scene, one, other) for one, other in fitting)


def _present(findings: Iterable[Finding]) -> list[Finding]:
    return sorted((f for f in findings if f.outcome is Outcome.PRESENT), key=lambda f: (f.span, f.id))


def _is_unsure(findings: Iterable[Finding]) -> bool:
    return any(f.outcome is Outcome.CANNOT_TELL for f in findings)


def _follower(rule: Rule, scene: Scene, one: Finding, seconds: list[Finding]) -> Finding | None:
    until = _until(rule, scene, one)
    return next((s for s in seconds if one.span.start < s.span.start < until), None)


def _until(rule: Rule, scene: Scene, one: Finding) -> Ms:
    """When the second thing must have begun."""
    parameters = cast(SequenceParameters, rule.parameters)
    if parameters.max_seconds is not None:
        return one.span.end + to_ms(parameters.max_seconds) + 1
    return scene.turns_after(rule.role, parameters.max_turns, one.span) + 1


def _without_first(rule: Rule, scene: Scene) -> Finding:
    first = cast(SequenceParameters, rule.parameters).first
    found = scene.found[first]
    unsure = _is_unsure(found)
    why = f"{rule.title}：{'不能确定有没有' if unsure else '没有'}“{scene.title(first)}”。"
    outcome = Outcome.CANNOT_TELL if unsure else Outcome.ABSENT
    return scene.finding(rule, outcome, (), why, min((f.confidence for f in found), default=1.0))


def _other(rule: Rule, scene: Scene, firsts: list[Finding], *, unsure: bool) -> Finding:
    """The first thing happened, and what followed is not what the rule asks for, or cannot be known."""
    parameters = cast(SequenceParameters, rule.parameters)
    times = "、".join(clock(one.span.start) for one in firsts)
    followed = f"“{scene.title(parameters.second)}”"
    ends = f"不知道有没有{followed}" if unsure else f"{'没有' if parameters.then else '都有'}{followed}"
    why = f"{rule.title}：“{scene.title(parameters.first)}”（{times}）之后{ends}。"
    outcome = Outcome.CANNOT_TELL if unsure else Outcome.ABSENT
    evidence = [piece for one in firsts for piece in one.evidence]
    return scene.finding(rule, outcome, evidence, why, _least(scene, firsts, parameters.second))


def _finding(rule: Rule, scene: Scene, one: Finding, other: Finding | None) -> Finding:
    parameters = cast(SequenceParameters, rule.parameters)
    told = f"“{scene.title(parameters.first)}”在 {clock(one.span.start)}，"
    named = f"“{scene.title(parameters.second)}”"
    told += f"{named}在 {clock(other.span.start)}" if other else f"之后没有{named}"
    evidence: tuple[Evidence, ...] = (*one.evidence, *(other.evidence if other else ()))
    confidence = _least(scene, [one, other] if other else [one], "" if other else parameters.second)
    return scene.finding(rule, Outcome.PRESENT, evidence, f"{rule.title}：{told}。", confidence)


def _least(scene: Scene, parts: list[Finding], absent: str) -> float:
    """How sure the parts are, and the absence of a rule that ought to be there."""
    sure = [f.confidence for f in parts]
    sure += [f.confidence for f in scene.found.get(absent, ()) if f.outcome is Outcome.ABSENT]
    return min(sure)


DETECTOR = Detector(parameters=SequenceParameters, detect=detect)
