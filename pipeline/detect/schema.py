"""What may stand in the files of the rules folder: checked by pydantic once, here."""

from dataclasses import replace
from datetime import date
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from pipeline.detect.wordlists import checked, one_word
from pipeline.ruleset import Near, Of, Window
from pipeline.scope import Applies, Effective
from pipeline.timeline import Direction


def _as_list(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Several = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
"""One text, or a list of them."""


class File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class NearFile(File):
    """So close to a finding of another rule."""

    rule: str = Field(description="另一条规则的 id")
    seconds: float | None = Field(default=None, gt=0, description="离它最多几秒")
    turns: int | None = Field(default=None, ge=1, description="离它最多几轮（本规则角色的轮）")

    @model_validator(mode="after")
    def _one_measure(self) -> Self:
        if self.seconds is not None and self.turns is not None:
            raise PydanticCustomError("two_measures", "只写 `seconds` 或 `turns` 之一")
        return self

    def value(self) -> Near:
        return Near(rule=self.rule, seconds=self.seconds, turns=self.turns)


class WindowNearFile(NearFile):
    """A part of the call that another rule's findings open."""

    of: Literal["first", "any", "every"] = Field(
        default="any", description="first：只看第一处；any：任何一处旁边有就算；every：每一处旁边都要有"
    )

    def value(self) -> Near:
        return replace(super().value(), of=Of(self.of))


class WindowFile(File):
    """Which part of the call is looked at; every key given must hold."""

    first_seconds: float | None = Field(default=None, gt=0, description="接通后的前几秒")
    last_seconds: float | None = Field(default=None, gt=0, description="结束前的几秒")
    first_turns: int | None = Field(default=None, ge=1, description="本角色的前几轮")
    last_turns: int | None = Field(default=None, ge=1, description="本角色的最后几轮")
    first_percent: float | None = Field(default=None, gt=0, le=100, description="全程的前百分之几")
    last_percent: float | None = Field(default=None, gt=0, le=100, description="全程的后百分之几")

    before: WindowNearFile | None = Field(default=None, description="在另一条规则的结果之前")
    after: WindowNearFile | None = Field(default=None, description="在另一条规则的结果之后")
    within: WindowNearFile | None = Field(
        default=None, description="在另一条规则的结果前后（不写距离：就在其中）"
    )

    def value(self) -> Window:
        near = ("before", "after", "within")
        plain = self.model_dump(exclude=set(near))
        opened = {name: getattr(self, name).value() for name in near if getattr(self, name)}
        return Window(**plain, **opened)


def _day(value: Any) -> Any:
    try:
        return value if value is None else date.fromisoformat(str(value))
    except ValueError as error:
        raise PydanticCustomError("day", "日期，如 2026-01-31") from error


Day = Annotated[date | None, BeforeValidator(_day)]


class EffectiveFile(File):
    """The days on which a rule is in force, first and last included."""

    first: Day = Field(default=None, alias="from", description="从哪一天起（含）")
    last: Day = Field(default=None, alias="until", description="到哪一天止（含）")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first and self.last and self.last < self.first:
            raise PydanticCustomError("order", "不早于 `from` 的 `until`")
        return self

    def value(self) -> Effective:
        return Effective(first=self.first, last=self.last)


def _exception(text: str, info: ValidationInfo) -> str:
    return checked(text, info, phrase_slot=True)


def _kind(value: Any) -> str:
    return "rule" if isinstance(value, dict) else "pattern"


ExceptionFile = Annotated[
    Annotated[str, AfterValidator(_exception), Tag("pattern")] | Annotated[NearFile, Tag("rule")],
    Discriminator(_kind),
]
"""Words, or a finding of another rule close by."""


class AppliesFile(File):
    """Which calls a rule or a scorecard is for."""

    direction: Annotated[tuple[Literal["inbound", "outbound"], ...], BeforeValidator(_as_list)] = Field(
        default=(), description="呼入 inbound、呼出 outbound"
    )
    business: Several = Field(default=(), description="业务线，一条或几条")

    def value(self) -> Applies:
        return Applies(directions=tuple(map(Direction, self.direction)), businesses=self.business)


class CaseFile(File):
    """One of `hit` and `miss`; the rest describes the call around the words."""

    hit: str | None = Field(default=None, description="必须听出来的一通话，一行一轮")
    miss: str | None = Field(default=None, description="不许误报的一通话，一行一轮")
    direction: Literal["inbound", "outbound"] | None = Field(default=None, description="呼入、呼出")
    duration: float | None = Field(default=None, gt=0, description="全长（秒）")
    answered: float | None = Field(default=None, ge=0, description="振铃到第几秒接通")
    business: str | None = Field(default=None, description="业务线")
    agent_id: str | None = Field(default=None, description="坐席工号")
    queue_wait_seconds: float | None = Field(default=None, ge=0, description="排队几秒")
    ring_count: int | None = Field(default=None, ge=0, description="振铃几次")
    is_complaint: bool | None = Field(default=None, description="是不是投诉")
    started_at: str | None = Field(default=None, description="通话开始的日期或时间，例如 2026-03-01")

    @property
    def text(self) -> str:
        """The call as `pipeline.detect.script` reads it, with a `# key value` line for each extra key."""
        extras = self.model_dump(exclude={"hit", "miss"}, exclude_none=True)
        facts = (
            f"# {key} {str(value).lower() if value is True or value is False else value}"
            for key, value in extras.items()
        )
        return "\n".join((*facts, (self.hit if self.hit is not None else self.miss or "").strip()))


class RuleFile(File):
    """The keys that every rule has; the others belong to its detector."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$", description="`领域.名称`，不能重复")
    title: str = Field(min_length=1, description="给人看的标题")
    label: str = Field(min_length=1, description="对通话下的结论用什么词")
    category: str | None = Field(default=None, description="结论的细类")
    why: str = Field(min_length=1, description="为什么有这条规则")
    severity: Literal["minor", "major", "fatal"] = Field(default="major", description="轻重")
    status: Literal["active", "draft"] = Field(
        default="active", description="draft：会运行、会显示，从不计分"
    )
    detector: str = Field(description="用什么方法听")
    role: Literal["agent", "customer", "any"] = Field(default="any", description="谁说的才算")
    window: WindowFile = Field(default=WindowFile(), description="只看通话的哪一段")
    applies: AppliesFile = Field(default=AppliesFile(), description="只用于哪些通话")
    effective: EffectiveFile = Field(default=EffectiveFile(), description="从哪天到哪天有效")
    exceptions: tuple[ExceptionFile, ...] = Field(
        default=(), alias="except", description="什么情况下找到的不算：说法，或另一条规则的结果"
    )
    guards: tuple[str, ...] = Field(default=(), description="引用 rules/guards/ 里共用的例外")
    cases: tuple[CaseFile, ...] = Field(default=(), description="例句")


class GuardFile(File):
    """A shared list of exceptions that rules name in `guards`."""

    id: str = Field(min_length=1)
    title: str = Field(min_length=1)
    why: str = ""
    patterns: tuple[Annotated[str, AfterValidator(_exception)], ...] = Field(min_length=1)


class WordsFile(File):
    """A named list of words that patterns may use as a slot: the file words/product.yml is `{product}`."""

    title: str = Field(min_length=1, description="这些词是什么")
    why: str = Field(default="", description="为什么列在一起")
    words: tuple[Annotated[str, AfterValidator(one_word)], ...] = Field(
        min_length=1, description="词，一行一个"
    )
