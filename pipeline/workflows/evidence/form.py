"""The scorecard of a case: its sections added up, what was deducted, what is fatal."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from pipeline.scorecard import DecidedBy, Deducted, FatalCause, Scorecard, ScoredItem
from pipeline.workflows.card_document import SectionPart, section_part, standing, takes


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An item, with the numbers of the exhibits that it rests on. `deductions`: each in words."""

    item: ScoredItem
    exhibits: tuple[int, ...]
    deductions: tuple[str, ...]

    @property
    def gained(self) -> str:
        points = "—" if self.item.points is None else str(self.item.points)
        return f"{points}/{self.item.points_possible}"

    @property
    def judged(self) -> str:
        return self.item.level or self.item.verdict.chinese


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A section of the form; `score` None: the card is from before sections were added up."""

    title: str
    score: SectionPart | None
    rows: tuple[Row, ...]

    @property
    def gained(self) -> str:
        return f"{self.score.points:.1f}/{self.score.possible:.1f}" if self.score else ""

    @property
    def told(self) -> str:
        """Its weight, how much of what is decided was reached, and what is open."""
        return standing(self.score) if self.score else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fatal:
    """A fatal item or a red line that holds or that nobody can know."""

    title: str
    told: str
    reason: str
    holds: bool
    exhibits: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """`exhibits`: the number of each finding that the case shows, by id."""

    card: Scorecard
    exhibits: dict[str, int]

    @property
    def sections(self) -> tuple[Section, ...]:
        """In print order."""
        scores = {score.title: section_part(score) for score in self.card.sections}
        return tuple(
            Section(
                title=title,
                score=scores.get(title),
                rows=tuple(self._row(item) for item in items),
            )
            for title, items in groupby(self.card.items, key=lambda item: item.section)
        )

    @property
    def fatals(self) -> tuple[Fatal, ...]:
        return tuple(map(self._fatal, self.card.fatals))

    def _row(self, item: ScoredItem) -> Row:
        return Row(
            item=item,
            exhibits=self._numbers(item.findings),
            deductions=tuple(self._deductions(item)),
        )

    def _deductions(self, item: ScoredItem) -> Iterator[str]:
        before = "规则原本" if item.decided_by is DecidedBy.REVIEW else ""
        for one in item.deductions:
            yield before + self._deducted(one)

    def _deducted(self, one: Deducted) -> str:
        numbers = "、".join(map(str, self._numbers(one.findings)))
        because = f"：{one.text}" if one.text else ""
        return f"扣 {one.points} 分{because}（规则 {one.rule}{f'，证据 {numbers}' if numbers else ''}）"

    def _fatal(self, cause: FatalCause) -> Fatal:
        return Fatal(
            title=cause.title,
            told=takes(cause) if cause.holds else "无法判断，待复核",
            reason=cause.reason,
            holds=bool(cause.holds),
            exhibits=self._numbers(cause.findings),
        )

    def _numbers(self, findings: tuple[str, ...]) -> tuple[int, ...]:
        return tuple(sorted(self.exhibits[name] for name in findings if name in self.exhibits))
