"""A template made ready for scoring many calls: points as whole tenths, rules by item."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from pipeline.ruleset import RuleSet, Severity, Status
from pipeline.template import Condition, Deduction, Fatal, Item, Level, Per, Section, Template, Total
from pipeline.units import from_tenths, points, tenths


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelPlan:
    level: Level
    points: Decimal
    when: Condition | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeductionPlan:
    """`points` and `cap` in tenths. `once`: however often it was found."""

    deduction: Deduction
    rule: str
    once: bool
    points: int
    cap: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemPlan:
    """`possible` and `least` in tenths of a point."""

    item: Item
    possible: int
    least: int
    points: Decimal
    lowest: Decimal
    levels: tuple[LevelPlan, ...]
    deductions: tuple[DeductionPlan, ...]
    deciding: tuple[str, ...]
    evidence: tuple[str, ...]

    @classmethod
    def of(cls, item: Item) -> "ItemPlan":
        possible, least = tenths(item.points), tenths(item.least)
        return cls(
            item=item,
            possible=possible,
            least=least,
            points=from_tenths(possible),
            lowest=from_tenths(least),
            levels=tuple(
                LevelPlan(level=level, points=points(level.points), when=level.when) for level in item.levels
            ),
            deductions=tuple(map(_deduction, item.deductions)),
            deciding=item.deciding_rules(),
            evidence=item.evidence_rules(),
        )

    def level_at(self, given: Decimal) -> Level | None:
        """The level that so many points stand for."""
        levels = self.item.levels
        return next((level for level in levels if level.least <= given <= level.points), None)

    def level_named(self, title: str) -> Level | None:
        return next((level for level in self.item.levels if level.title == title), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionPlan:
    """`share`: its weight as a part of the whole; `first` and `behind` bound its items among those of the
    template."""

    id: str
    title: str
    weight: Decimal | None
    share: Fraction
    first: int
    behind: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`fatal_rules` are those of severity fatal that no fatal item of the template names. `full` in tenths
    of a point; `rules` are all that can matter."""

    template: Template
    items: tuple[ItemPlan, ...]
    sections: tuple[SectionPlan, ...]
    fatal: tuple[Fatal, ...]
    fatal_rules: tuple[tuple[str, str], ...]
    drafts: frozenset[str]
    rules: frozenset[str]
    full: int


class _Pair:
    """The same two objects, not equal ones: comparing templates takes longer than planning one."""

    __slots__ = ("ruleset", "template")

    def __init__(self, template: Template, ruleset: RuleSet) -> None:
        self.template, self.ruleset = template, ruleset

    def __hash__(self) -> int:
        return hash((id(self.template), id(self.ruleset)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Pair) and other.template is self.template and other.ruleset is self.ruleset


def plan_of(template: Template, ruleset: RuleSet) -> Plan:
    """The plan of a template under a rule set; made once for the same two objects."""
    return _made(_Pair(template, ruleset))


@lru_cache(maxsize=64)
def _made(pair: _Pair) -> Plan:
    template, ruleset = pair.template, pair.ruleset
    items = tuple(ItemPlan.of(item) for item in template.items)
    named = {rule for fatal in template.fatal if fatal.when for rule in fatal.when.rules()}
    fatal = [rule for rule in ruleset.rules if rule.severity is Severity.FATAL and rule.id not in named]
    return Plan(
        template=template,
        items=items,
        sections=_sections(template),
        fatal=template.fatal,
        fatal_rules=tuple((rule.id, rule.title) for rule in fatal),
        drafts=frozenset(rule.id for rule in ruleset.rules if rule.status is Status.DRAFT),
        rules=frozenset((*_named(items), *named, *(rule.id for rule in fatal))),
        full=tenths(template.full) if template.full else _printed(template),
    )


def _named(items: Iterable[ItemPlan]) -> Iterable[str]:
    return (rule for item in items for rule in item.evidence)


def _sections(template: Template) -> tuple[SectionPlan, ...]:
    made, first = [], 0
    for section in template.sections:
        made.append(_section(section, first))
        first = made[-1].behind
    return tuple(made)


def _section(section: Section, first: int) -> SectionPlan:
    return SectionPlan(
        id=section.id,
        title=section.title,
        weight=section.weight,
        share=Fraction(section.weight or 0) / 100,
        first=first,
        behind=first + len(section.items),
    )


def _printed(template: Template) -> int:
    """What the printed form can reach: its points added up, or its sections' means weighted."""
    return _weighted(template) if template.total is Total.WEIGHTED else tenths(template.points)


def _weighted(template: Template) -> int:
    total = Decimal(0)
    for section in template.sections:
        counted = [item.points for item in section.items if not item.bonus]
        if counted:
            total += (section.weight or 0) * sum(counted, Decimal(0)) / len(counted)
    return tenths(total / 100)


def _deduction(deduction: Deduction) -> DeductionPlan:
    taken = tenths(deduction.points)
    cap = tenths(deduction.cap) if deduction.cap is not None else 1 << 30
    once = deduction.per is Per.CALL
    return DeductionPlan(deduction=deduction, rule=deduction.rule, once=once, points=taken, cap=cap)
