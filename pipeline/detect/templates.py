"""Scorecard files -> Template."""

import hashlib
from collections.abc import Collection, Iterator
from typing import Any

from pydantic import ValidationError

from pipeline.detect.document import Document, Location, did_you_mean
from pipeline.detect.schema import ItemFile, LevelFile, TemplateFile
from pipeline.errors import RuleError
from pipeline.ruleset import Condition, Fill, Item, Level, Template
from pipeline.units import points

LEAVES = ("absent", "present")
NODES = ("all", "any", "none")
EXPECTED = "`always`, or one of `present`, `absent` (a rule id), `all`, `any`, `none` (a list)"


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
        items = tuple(self._items(file))
        if self.faults:
            return None
        return Template(
            id=file.id,
            title=file.title,
            version=file.version,
            origin=file.origin,
            applies=file.applies.value(),
            items=items,
            digest=hashlib.sha256(self.document.text.encode()).hexdigest()[:16],
            source=self.document.source(),
        )

    def _items(self, file: TemplateFile) -> Iterator[Item]:
        seen: set[str] = set()
        for i, section in enumerate(file.sections):
            for j, item in enumerate(section.items):
                location: Location = ("sections", i, "items", j)
                if item.id in seen:
                    self._fault((*location, "id"), f"found item `{item.id}` twice, expected each id once")
                seen.add(item.id)
                yield self._item(section.title, item, location)

    def _item(self, section: str, item: ItemFile, location: Location) -> Item:
        for k, rule in enumerate(item.rules):
            self._check(rule, (*location, "rules", k))
        levels = (self._level(level, (*location, "levels", k)) for k, level in enumerate(item.levels))
        return Item(
            id=item.id,
            title=item.title,
            section=section,
            points=points(item.points),
            fill=Fill(item.fill),
            levels=tuple(levels),
            applicable=self._optional(item.applicable, (*location, "applicable")),
            rules=item.rules,
            note=item.note,
        )

    def _level(self, level: LevelFile, location: Location) -> Level:
        when = self._optional(level.when, (*location, "when"))
        return Level(title=level.title, points=points(level.points), text=level.text, when=when)

    def _optional(self, value: Any, location: Location) -> Condition | None:
        return None if value is None else self._condition(value, location)

    def _condition(self, value: Any, location: Location) -> Condition:
        if value == "always":
            return Condition(kind="always")
        if not isinstance(value, dict) or len(value) != 1:
            self._fault(location, f"found {value!r}, expected {EXPECTED}")
            return Condition(kind="always")
        ((kind, inner),) = value.items()
        if kind in LEAVES and isinstance(inner, str):
            self._check(inner, (*location, kind))
            return Condition(kind=kind, rule=inner)
        if kind in NODES and isinstance(inner, list) and inner:
            parts = (self._condition(part, (*location, kind, i)) for i, part in enumerate(inner))
            return Condition(kind=kind, parts=tuple(parts))
        hint = "" if kind in LEAVES + NODES else did_you_mean(kind, LEAVES + NODES)
        self._fault((*location, kind), f"found `{kind}: {inner}`, expected {EXPECTED}{hint}")
        return Condition(kind="always")

    def _check(self, rule: str, location: Location) -> None:
        if rule not in self.rules:
            hint = did_you_mean(rule, self.rules)
            self._fault(location, f"found rule `{rule}`, expected the id of a rule{hint}")

    def _fault(self, location: Location, message: str) -> None:
        self.faults.append(self.document.error(location, message))
