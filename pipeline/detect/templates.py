"""Scorecard files -> Template."""

import hashlib
from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import Any

from pydantic import ValidationError

from pipeline.detect.document import Document, Location, did_you_mean, shown, unknown_id
from pipeline.detect.template_schema import (
    DeductionFile,
    FatalFile,
    ItemFile,
    LevelFile,
    SectionFile,
    TemplateFile,
)
from pipeline.errors import RuleError
from pipeline.template import (
    Condition,
    Deduction,
    Fatal,
    Fill,
    Item,
    Level,
    Per,
    Section,
    Template,
    Total,
    Use,
    Zero,
)
from pipeline.units import points

LEAVES = ("absent", "present")
NODES = ("all", "any", "none")
EXPECTED = "`always`，或 `present`、`absent`（规则的 id）、`all`、`any`、`none`（列表）之一"


class Reader:
    """Reads one scorecard file and collects its faults. `rules`: the ids that it may name."""

    def __init__(self, document: Document, rules: Collection[str]) -> None:
        self.document, self.rules = document, rules
        self.faults: list[RuleError] = []

    def read(self) -> Template | None:
        """The template, or None when the file has faults."""
        try:
            file = TemplateFile.model_validate(self.document.values)
        except ValidationError as error:
            self.faults.extend(self.document.faults(error, TemplateFile))
            return None
        template = self._template(file)
        self._check_ids(template)
        return None if self.faults else template

    def _template(self, file: TemplateFile) -> Template:
        return Template(
            id=file.id,
            title=file.title,
            version=file.version,
            origin=file.origin,
            applies=file.applies.value(),
            sections=tuple(self._section(file, i, section) for i, section in enumerate(file.sections)),
            digest=hashlib.sha256(self.document.text.encode()).hexdigest()[:16],
            source=self.document.source(),
            use=Use(file.use),
            effective=file.applies.effective(),
            total=Total(file.total),
            full=_points(file.full),
            pass_mark=_points(file.pass_mark),
            target=file.target.value(),
            reviews=file.reviews.value(),
            appeal_days=file.appeal.days if file.appeal else None,
            fatal=tuple(self._fatal(fatal, ("fatal", i)) for i, fatal in enumerate(file.fatal)),
            accept_from=file.accept_from,
        )

    def _section(self, file: TemplateFile, index: int, section: SectionFile) -> Section:
        location: Location = ("sections", index)
        if file.total == "weighted" and section.weight is None:
            self._fault(location, "发现少了 `weight`，应为每个维度都写：总分按权重算")
        items = (
            self._item(section.title, item, (*location, "items", j), file)
            for j, item in enumerate(section.items)
        )
        return Section(
            id=section.id or f"s{index + 1}",
            title=section.title,
            weight=_points(section.weight),
            items=tuple(items),
        )

    def _item(self, section: str, item: ItemFile, location: Location, file: TemplateFile) -> Item:
        for k, rule in enumerate(item.rules):
            self._check(rule, (*location, "rules", k))
        levels = (self._level(level, (*location, "levels", k)) for k, level in enumerate(item.levels))
        deductions = enumerate(item.deductions)
        return Item(
            id=item.id,
            title=item.title,
            section=section,
            points=points(item.points),
            fill=Fill(item.fill),
            levels=tuple(levels),
            deductions=tuple(self._deduction(one, (*location, "deductions", k)) for k, one in deductions),
            applicable=self._optional(item.applicable, (*location, "applicable")),
            rules=item.rules,
            note=item.note,
            completed=item.completed,
            manual_because=item.manual_because,
            accept_from=_either(item.accept_from, file.accept_from),
            accept_absent_from=_either(item.accept_absent_from, file.accept_absent_from),
            places=item.places,
            bonus=item.bonus,
        )

    def _level(self, level: LevelFile, location: Location) -> Level:
        if level.lowest is not None and level.lowest > level.points:
            message = f"发现 {level.lowest:g}，应为不高于本级的分数 {level.points:g}"
            self._fault((*location, "lowest"), message)
        return Level(
            title=level.title,
            points=points(level.points),
            text=level.text,
            when=self._optional(level.when, (*location, "when")),
            lowest=_points(level.lowest),
        )

    def _deduction(self, deduction: DeductionFile, location: Location) -> Deduction:
        self._check(deduction.rule, (*location, "rule"))
        return Deduction(
            rule=deduction.rule,
            points=points(deduction.points),
            text=deduction.text,
            per=Per(deduction.per),
            cap=_points(deduction.cap),
        )

    def _fatal(self, fatal: FatalFile, location: Location) -> Fatal:
        if (fatal.zero == "section") != (fatal.section is not None):
            found = "少了 `section`" if fatal.section is None else " `zero: card` 也写了 `section`"
            self._fault(location, f"发现{found}，应为 `zero: section` 时要写、否则不写")
        when = self._optional(fatal.when, (*location, "when"))
        return Fatal(id=fatal.id, title=fatal.title, when=when, zero=Zero(fatal.zero), section=fatal.section)

    def _check_ids(self, template: Template) -> None:
        """Items and fatal items share their ids, since reviews name both; sections have their own."""
        sections = [section.id for section in template.sections]
        self._once("维度", [(id_, ("sections", i)) for i, id_ in enumerate(sections)])
        items = [
            (item.id, ("sections", i, "items", j))
            for i, section in enumerate(template.sections)
            for j, item in enumerate(section.items)
        ]
        self._once("项目", [*items, *((one.id, ("fatal", i)) for i, one in enumerate(template.fatal))])
        for i, fatal in enumerate(template.fatal):
            if fatal.section is not None and fatal.section not in sections:
                self._fault(("fatal", i, "section"), unknown_id("维度", fatal.section, sections))

    def _once(self, kind: str, named: Iterable[tuple[str, Location]]) -> None:
        seen: set[str] = set()
        for id_, location in named:
            if id_ in seen:
                self._fault((*location, "id"), f"发现{kind} `{id_}` 写了第二遍，应为不重复的 id")
            seen.add(id_)

    def _optional(self, value: Any, location: Location) -> Condition | None:
        return None if value is None else self._condition(value, location)

    def _condition(self, value: Any, location: Location) -> Condition:
        if value == "always":
            return Condition(kind="always")
        if not isinstance(value, dict) or len(value) != 1:
            self._fault(location, f"发现{shown(value)}，应为 {EXPECTED}")
            return Condition(kind="always")
        ((kind, inner),) = value.items()
        if kind in LEAVES and isinstance(inner, str):
            self._check(inner, (*location, kind))
            return Condition(kind=kind, rule=inner)
        if kind in NODES and isinstance(inner, list) and inner:
            parts = (self._condition(part, (*location, kind, i)) for i, part in enumerate(inner))
            return Condition(kind=kind, parts=tuple(parts))
        hint = "" if kind in LEAVES + NODES else did_you_mean(kind, LEAVES + NODES)
        self._fault((*location, kind), f"发现 `{kind}:` 后面是{shown(inner)}，应为 {EXPECTED}{hint}")
        return Condition(kind="always")

    def _check(self, rule: str, location: Location) -> None:
        if rule not in self.rules:
            self._fault(location, unknown_id("规则", rule, self.rules))

    def _fault(self, location: Location, message: str) -> None:
        self.faults.append(self.document.error(location, message))


def _either(own: float | None, general: float) -> float:
    return general if own is None else own


def _points(value: float | None) -> Decimal | None:
    return None if value is None else points(value)
