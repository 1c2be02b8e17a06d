"""A scorecard as a document for other programs: the card in what `show --json` prints."""

from collections.abc import Iterator
from decimal import Decimal

from pydantic import BaseModel, ConfigDict, Field

from pipeline.scorecard import FIRST_FORM, Deducted, FatalCause, Scorecard, ScoredItem, SectionScore, Verdict
from pipeline.template import Fill
from pipeline.workflows.report.told import Told

ZEROES = {"card": "全表零分", "section": "本维度零分", "none": "本评分表没有列为一票否决，不清零"}


class Part(BaseModel):
    """A part of a document: nothing in it but its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class DeductedPart(Part):
    rule: str
    points: float
    text: str = Field(description="as printed")
    findings: list[str] = Field(description="ids of findings")


class ItemPart(Part):
    id: str
    section: str
    title: str
    fill: str | None = Field(description="auto | assist | manual; null: a card from before this was kept")
    bonus: bool = Field(description="comes on top, in no denominator")
    verdict: str = Field(description="pass | fail | graded | not_applicable | needs_review | manual")
    level: str | None
    suggested: str | None = Field(description="the level that rules would choose where a person decides")
    points: float | None = Field(description="null: nobody decided yet, or the item does not apply")
    points_possible: float
    lowest: float = Field(description="the fewest points that it can still get")
    deductions: list[DeductedPart]
    decided_by: str = Field(description="rules | review | nobody")
    reviewers: list[str]
    confidence: float
    accept_from: float | None = Field(description="the confidence from which rules are trusted here")
    acceptable: bool = Field(description="decided, and surely enough")
    reason: str
    findings: list[str] = Field(description="ids of findings")


class SectionPart(Part):
    id: str
    title: str
    weight: float | None = Field(description="percent, where the total is weighted")
    points: float
    open: float = Field(description="points that undecided items can still add")
    possible: float
    rate: float | None = Field(description="percent of what is decided; null: nothing is")


class FatalPart(Part):
    id: str
    title: str
    zero: str = Field(description="card | section | none (the form does not name it)")
    section: str | None
    holds: bool | None = Field(description="null: nobody can know from the recording")
    confidence: float
    reason: str
    findings: list[str] = Field(description="ids of findings")


class ScorecardPart(Part):
    template: str
    template_title: str
    template_version: int
    ruleset_digest: str
    sections: list[SectionPart]
    items: list[ItemPart]
    total: float = Field(description="points scored so far, as printed on the form")
    open_points: float = Field(description="points that undecided items can still add")
    points_possible: float = Field(description="without the items that do not apply")
    full: float = Field(
        description="what the normalised total can reach; 0: a card from before this was kept"
    )
    lowest: float = Field(description="the normalised total at the worst")
    highest: float = Field(description="the normalised total at the best")
    final: float | None = Field(description="the normalised total; null while anything is open")
    pass_mark: float | None
    passed: bool | None = Field(description="null: no pass mark, or still open")
    fatal: bool
    fatals: list[FatalPart] = Field(description="fatal items that hold or that nobody can know")
    acceptable: bool = Field(description="the auto items can be accepted as they are")
    doubts: list[str] = Field(description="why not, in Chinese")


def scorecard_part(card: Scorecard) -> ScorecardPart:
    return ScorecardPart(
        template=card.template_id,
        template_title=card.template_title,
        template_version=card.template_version,
        ruleset_digest=card.ruleset_digest,
        sections=[section_part(section) for section in card.sections],
        items=[item_part(item) for item in card.items],
        total=float(card.total),
        open_points=float(card.open_points),
        points_possible=float(card.points_possible),
        full=float(card.full),
        lowest=float(card.lowest),
        highest=float(card.highest),
        final=_number(card.final),
        pass_mark=_number(card.pass_mark),
        passed=card.passed,
        fatal=card.fatal,
        fatals=[fatal_part(cause) for cause in card.fatals],
        acceptable=card.acceptable,
        doubts=list(doubts(card)),
    )


def doubts(card: Scorecard) -> Iterator[str]:
    """Why a card cannot be accepted as it is, item by item; nothing for one of the first form."""
    if card.acceptable or card.form == FIRST_FORM:
        return
    for cause in card.fatals:
        if cause.holds is None:
            yield Told("一票否决拿不准：{title}", title=cause.title)
        elif cause.confidence < 1.0:
            sure = f"{cause.confidence:.0%}"
            yield Told("红线要人确认：{title}（把握 {sure}）", title=cause.title, sure=sure)
    for item in card.items:
        if told := _doubt(item):
            yield told


def _doubt(item: ScoredItem) -> str:
    if item.verdict is Verdict.NEEDS_REVIEW:
        return Told("待复核：{title}", title=item.title)
    if item.fill is not Fill.AUTO or item.acceptable:
        return ""
    if item.verdict is Verdict.MANUAL:
        return Told("规则定不了级：{title}", title=item.title)
    sure, needed = f"{item.confidence:.0%}", item.accept_from or 0.0
    if item.confidence < needed:
        least = f"{needed:.0%}"
        return Told("把握不够：{title}（{sure}，要 {least}）", title=item.title, sure=sure, least=least)
    return Told("把握不够：{title}（{sure}，依据是没有听到，要更有把握）", title=item.title, sure=sure)


def standing(section: SectionPart) -> str:
    """Its weight, how much of what is decided was reached, and what is open, in words."""
    told = [] if section.weight is None else [f"权重 {section.weight:g}%"]
    if section.rate is not None:
        told.append(f"得分率 {section.rate:.1f}%" + ("（已定的）" if section.open else ""))
    return "，".join([*told, *([f"待定 {section.open:.1f}"] if section.open else [])])


def takes(cause: FatalCause | FatalPart) -> str:
    """What a fatal item takes, in words."""
    return ZEROES[cause.zero]


def section_part(section: SectionScore) -> SectionPart:
    return SectionPart(
        id=section.id,
        title=section.title,
        weight=_number(section.weight),
        points=float(section.points),
        open=float(section.open),
        possible=float(section.possible),
        rate=_number(section.rate),
    )


def item_part(item: ScoredItem) -> ItemPart:
    return ItemPart(
        id=item.id,
        section=item.section,
        title=item.title,
        fill=item.fill,
        bonus=item.bonus,
        verdict=item.verdict,
        level=item.level,
        suggested=item.suggested,
        points=_number(item.points),
        points_possible=float(item.points_possible),
        lowest=float(item.lowest),
        deductions=[_deducted(deducted) for deducted in item.deductions],
        decided_by=item.decided_by,
        reviewers=list(item.reviewers),
        confidence=round(item.confidence, 3),
        accept_from=item.accept_from,
        acceptable=item.acceptable,
        reason=item.reason,
        findings=list(item.findings),
    )


def _deducted(deducted: Deducted) -> DeductedPart:
    return DeductedPart(
        rule=deducted.rule,
        points=float(deducted.points),
        text=deducted.text,
        findings=list(deducted.findings),
    )


def fatal_part(cause: FatalCause) -> FatalPart:
    return FatalPart(
        id=cause.id,
        title=cause.title,
        zero=cause.zero,
        section=cause.section,
        holds=cause.holds,
        confidence=round(cause.confidence, 3),
        reason=cause.reason,
        findings=list(cause.findings),
    )


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
