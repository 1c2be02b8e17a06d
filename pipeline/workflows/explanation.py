"""Why an item or a fatal item of a card is as it is, as a document for people and other programs."""

from pydantic import BaseModel, Field

from pipeline.workflows.card_document import FatalPart, ItemPart, Part


class NodePart(Part):
    kind: str = Field(description="present | absent | all | any | none | always")
    rule: str | None
    title: str | None
    holds: bool | None = Field(description="null: nobody can know")
    in_force: bool = Field(description="false: its rules are for other calls, so it is left out")
    parts: list["NodePart"]


class LevelPart(Part):
    title: str
    points: float
    text: str = Field(description="as printed")
    tried: bool = Field(description="false: an earlier level decided, or only a person can choose it")
    chosen: bool
    condition: NodePart | None


class WordsPart(Part):
    start_ms: int
    end_ms: int
    time: str = Field(description="mm:ss.s")
    role: str
    quote: str = Field(description="as heard")
    phrase: str = Field(description="what it was held against")
    how: str
    distance: float = Field(description="0: exact")
    detail: str = Field(description="the syllables that differ")


class FoundPart(Part):
    id: str
    outcome: str
    confidence: float
    explanation: str
    words: list[WordsPart] = Field(description="of an absence: what came nearest")


class RulePart(Part):
    id: str
    title: str
    why: str
    detector: str
    file: str
    role: str | None
    settings: dict[str, str] = Field(description="thresholds and other settings of the rule, by name")
    status: str
    deduction: str | None = Field(description="what it takes, where the item has deductions")
    findings: list[FoundPart]


class ChangePart(Part):
    rule: str
    title: str
    heard: bool = Field(description="true: if it were heard; false: if it were not")
    nearest: list[WordsPart] = Field(description="what came nearest, or what would have to fall away")


class WhatIfPart(Part):
    level: str | None
    points: float
    better: bool
    changes: list[ChangePart]


class FlipPart(Part):
    holds: bool = Field(description="whether the fatal item would hold")
    changes: list[ChangePart]


class FatalSeen(Part):
    """A fatal item; one that does not hold too."""

    cause: FatalPart
    reviewers: list[str] = Field(description="who said whether it holds")
    condition: NodePart | None = Field(description="null: only a person can say so")
    flips: list[FlipPart]


class DayPart(Part):
    """What held on the day of the scoring for every rule."""

    thresholds: dict[str, float] | None = Field(description="settings by name; null: they were not kept")
    role_confidence: float = Field(description="how sure it is who the agent is")
    role_reason: str


class Explanation(BaseModel):
    """One item, or one fatal item, of one call."""

    call: str
    template: str
    template_title: str
    template_version: int
    ruleset_digest: str
    day: DayPart
    item: ItemPart | None = Field(default=None, description="null: a fatal item was asked for")
    fatal: FatalSeen | None = Field(default=None, description="null: an item was asked for")
    note: str = ""
    manual_because: str = ""
    applicable: NodePart | None = Field(default=None, description="null: always")
    levels: list[LevelPart] = []
    rules: list[RulePart]
    what_if: list[WhatIfPart] = []
