"""What may stand in a scorecard file: checked by pydantic once, here."""

from typing import Annotated, Any, Literal

from pydantic import Field

from pipeline.detect.schema import AppliesFile, Day, File
from pipeline.scope import Effective
from pipeline.template import ACCEPT_ABSENT_FROM, ACCEPT_FROM, Combine, Reviewing, Target

ID = r"^[a-z][a-z0-9_]*$"
Points = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Percent = Annotated[float, Field(ge=0, le=100)]


class TemplateAppliesFile(AppliesFile):
    """Which calls a scorecard is for: by direction, business and day."""

    first: Day = Field(default=None, alias="from", description="从哪一天的通话起（含）")
    last: Day = Field(default=None, alias="until", description="到哪一天的通话止（含）")

    def effective(self) -> Effective:
        return Effective(first=self.first, last=self.last)


class LevelFile(File):
    title: str = Field(min_length=1, description="等级")
    points: Points = Field(description="规则给的分；印的是范围时写最高分")
    lowest: Points | None = Field(default=None, description="印的是范围时的最低分，质检员可在其间给分")
    text: str = Field(default="", description="这一级的描述，照原文")
    when: Any = Field(default=None, description="什么情况下是这一级；不写：只有人能选")


class DeductionFile(File):
    rule: str = Field(description="规则的 id")
    points: Annotated[float, Field(gt=0)] = Field(description="扣几分")
    per: Literal["finding", "call"] = Field(
        default="finding", description="finding：每次都扣；call：只扣一次"
    )
    cap: Annotated[float, Field(gt=0)] | None = Field(default=None, description="最多扣几分")
    text: str = Field(default="", description="扣分说明，照原文")


class ItemFile(File):
    id: str = Field(pattern=ID, description="本表内不重复的名称")
    title: str = Field(min_length=1, description="项目，照原文")
    points: Points = Field(description="满分")
    fill: Literal["auto", "assist", "manual"] = Field(
        description="auto：规则定级；assist：规则给线索，质检员定；manual：只能由人判断"
    )
    applicable: Any = Field(default=None, description="什么情况下本项适用；不写：总是适用")
    rules: tuple[str, ...] = Field(default=(), description="另外给线索的规则")
    note: str = Field(default="", description="给质检员的提示")
    completed: str = Field(default="", description="原文没有、由我们补上的项目：说明缘由")
    places: tuple[str, ...] = Field(default=(), description="标准里的出处；“出处：词”只指该处含这个词的要求")
    manual_because: str = Field(default="", description="为什么规则填不了（manual）或只能帮忙（assist）")
    accept_from: Share | None = Field(default=None, description="把握不低于此数才可直接采信；不写：用全表的")
    accept_absent_from: Share | None = Field(
        default=None, description="依据“没有听到”时，每一处的把握也不低于此数才可直接采信；不写：用全表的"
    )
    bonus: bool = Field(default=False, description="加分项：不进满分")
    levels: tuple[LevelFile, ...] = Field(default=(), description="等级，从高到低")
    deductions: tuple[DeductionFile, ...] = Field(default=(), description="从满分里扣的分")


class SectionFile(File):
    id: str | None = Field(default=None, pattern=ID, description="不写：按顺序 s1、s2……")
    title: str = Field(min_length=1, description="维度，照原文")
    weight: Percent | None = Field(default=None, description="权重（百分数）")
    points: Points | None = Field(default=None, description="原文印的本维度满分，用来核对")
    items: tuple[ItemFile, ...] = Field(min_length=1, description="项目")


class FatalFile(File):
    """一票否决."""

    id: str = Field(pattern=ID, description="本表内不重复的名称")
    title: str = Field(min_length=1, description="一票否决的情形，照原文")
    when: Any = Field(default=None, description="什么情况下成立；不写：只有人能认定")
    zero: Literal["card", "section"] = Field(
        default="card", description="card：全表零分；section：一个维度零分"
    )
    section: str | None = Field(default=None, description="zero: section 时，哪个维度（id）")


class TargetFile(File):
    pass_rate: Percent | None = Field(default=None, description="质检合格率（%）")
    answered_rate: Percent | None = Field(default=None, description="接通率（%）")
    handling_minutes: Points | None = Field(default=None, description="平均通话时长（分钟）")
    tickets_in_time: Percent | None = Field(default=None, description="工单及时完成率（%）")

    def value(self) -> Target:
        return Target(**self.model_dump())


class ReviewsFile(File):
    blind: bool = Field(default=False, description="复核时看不到前一位的评分")
    combine: Literal["average", "final"] = Field(
        default="final", description="average：各人最新决定的平均；final：以最后的决定为准"
    )

    def value(self) -> Reviewing:
        return Reviewing(blind=self.blind, combine=Combine(self.combine))


class AppealFile(File):
    days: int = Field(ge=0, description="评分后几天内可以申诉")


class TemplateFile(File):
    """One scorecard."""

    id: str = Field(pattern=ID, description="不能和别的评分表重复")
    title: str = Field(min_length=1, description="给人看的标题")
    version: int = Field(ge=1, description="改了就加一")
    origin: str = Field(default="", description="出自哪份标准")
    use: Literal["always", "on_request"] = Field(
        default="always", description="on_request：从不自动选用，只在点名时用"
    )
    applies: TemplateAppliesFile = Field(default=TemplateAppliesFile(), description="用于哪些通话")
    total: Literal["points", "weighted"] = Field(
        default="points", description="points：各项相加；weighted：各维度平均分乘权重相加"
    )
    full: Annotated[float, Field(gt=0)] | None = Field(default=None, description="折合成满分几分")
    points: Points | None = Field(default=None, description="原文印的总分，用来核对")
    pass_mark: Points | None = Field(default=None, description="折合后几分合格")
    target: TargetFile = Field(default=TargetFile(), description="原文印的目标")
    reviews: ReviewsFile = Field(default=ReviewsFile(), description="复核")
    appeal: AppealFile | None = Field(default=None, description="申诉")
    accept_from: Share = Field(default=ACCEPT_FROM, description="自动项把握不低于此数才可直接采信")
    accept_absent_from: Share = Field(
        default=ACCEPT_ABSENT_FROM, description="依据“没有听到”时，每一处的把握也不低于此数才可直接采信"
    )
    fatal: tuple[FatalFile, ...] = Field(default=(), description="一票否决")
    sections: tuple[SectionFile, ...] = Field(min_length=1, description="维度")
