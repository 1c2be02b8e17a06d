"""metadata: what the telephone system says of the call, not what is heard in it."""

from collections.abc import Iterator
from typing import Annotated, Any, Self, cast

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from pipeline.detect.detectors.base import Detector, Parameters, at_least_one
from pipeline.detect.scene import Scene
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Rule
from pipeline.timeline import Direction, Recording


class Bounds(BaseModel):
    """一个数的范围，写了的都要满足。"""

    model_config = ConfigDict(extra="forbid", frozen=True)

    more_than: float | None = Field(None, description="大于")
    at_least: float | None = Field(None, description="不小于")
    less_than: float | None = Field(None, description="小于")
    at_most: float | None = Field(None, description="不大于")

    @model_validator(mode="after")
    def _some(self) -> Self:
        if not self.model_fields_set:
            raise at_least_one(type(self).model_fields)
        return self

    def hold(self, value: float) -> bool:
        """Whether the number lies within."""
        return not (
            (self.more_than is not None and value <= self.more_than)
            or (self.at_least is not None and value < self.at_least)
            or (self.less_than is not None and value >= self.less_than)
            or (self.at_most is not None and value > self.at_most)
        )

    def __str__(self) -> str:
        words = {"more_than": "大于", "at_least": "不小于", "less_than": "小于", "at_most": "不大于"}
        return "且".join(
            f"{words[name]} {value:g}" for name, value in self.model_dump(exclude_none=True).items()
        )


def _several(value: Any) -> Any:
    return value if isinstance(value, tuple) else (value,)


Texts = Annotated[tuple[str, ...], BeforeValidator(_several)]
"""One text, or a list of which any one fits."""


class MetadataParameters(Parameters):
    """话单里怎么写的；写了的几项都要符合。话单里没有的值，结果是“无法判断”。"""

    queue_wait_seconds: Bounds | None = Field(None, description="排队几秒，例如 {more_than: 30}")
    ring_count: Bounds | None = Field(None, description="振铃几次，例如 {at_least: 4}")
    is_complaint: bool | None = Field(None, description="是不是投诉：true 或 false")
    business: Texts = Field((), description="业务线，一条或几条")
    direction: Texts = Field((), description="呼入 inbound、呼出 outbound")
    agent_id: Texts = Field((), description="坐席工号，一个或几个")

    @model_validator(mode="after")
    def _something_known(self) -> Self:
        if not self.model_fields_set:
            raise at_least_one(type(self).model_fields)
        for direction in self.direction:
            if direction not in set(Direction):
                raise PydanticCustomError("direction", "`direction` 写 inbound、outbound 之一")
        return self


_NAMES = {
    "queue_wait_seconds": "排队秒数",
    "ring_count": "振铃次数",
    "is_complaint": "投诉",
    "business": "业务线",
    "direction": "方向",
    "agent_id": "工号",
}


def detect(rule: Rule, scene: Scene) -> tuple[Finding, ...]:
    """One finding for the call, without a place in it; see `Detect`."""
    parameters = cast(MetadataParameters, rule.parameters)
    answers = list(_answers(parameters, scene.call.recording))
    told = "；".join(text for _, text in answers)
    held = [holds for holds, _ in answers]
    outcome = Outcome.PRESENT
    if False in held:
        outcome = Outcome.ABSENT
    elif None in held:
        outcome = Outcome.CANNOT_TELL
    confidence = 0.0 if outcome is Outcome.CANNOT_TELL else 1.0
    return (scene.finding(rule, outcome, (), f"{rule.title}：{told}。", confidence),)


def _answers(parameters: MetadataParameters, recording: Recording) -> Iterator[tuple[bool | None, str]]:
    """Whether each thing asked for holds (None: the metadata does not say), and how that is told."""
    for name in type(parameters).model_fields:
        wanted = getattr(parameters, name)
        if wanted is None or wanted == ():
            continue
        value = getattr(recording, name)
        if value is None:
            yield None, f"话单没有{_NAMES[name]}"
        else:
            yield _holds(wanted, value), f"{_NAMES[name]} {_shown(value)}（要求 {_shown(wanted)}）"


def _holds(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, Bounds):
        return wanted.hold(float(value))
    return bool(value in wanted if isinstance(wanted, tuple) else value == wanted)


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, tuple):
        return "、".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


DETECTOR = Detector(parameters=MetadataParameters, detect=detect)
