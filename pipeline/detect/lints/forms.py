"""What is wrong with a scorecard: its sums, its choice among others, items that nobody fills."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from itertools import combinations
from typing import Any

from pipeline.detect.document import Location
from pipeline.detect.lints.notice import Level, Notice
from pipeline.detect.lints.subject import Subject
from pipeline.scope import Applies, Effective
from pipeline.template import Fill, Item, Template, Total, Use


def placed_items(template: Template) -> Iterator[tuple[Item, Location]]:
    """Every item with where it is written."""
    for i, section in enumerate(template.sections):
        for j, item in enumerate(section.items):
            yield item, ("sections", i, "items", j)


def sums(subject: Subject) -> Iterator[Notice]:
    """Points and weights that do not add up to what is printed."""
    for template in subject.ruleset.templates:
        yield from _printed_sections(subject, template)
        yield from _printed_total(subject, template)
        yield from _weights(subject, template)
        yield from _pass_mark(subject, template)
        for item, location in placed_items(template):
            yield from _levels(subject, template, item, location)


def _printed_sections(subject: Subject, template: Template) -> Iterator[Notice]:
    written = subject.document(template).values["sections"]
    for i, section in enumerate(template.sections):
        printed = written[i].get("points")
        total = _sum(section.items)
        if printed is not None and Decimal(str(printed)) != total:
            message = f"found items that add up to {_number(total)}, "
            message += f"expected the section's printed {_number(printed)}"
            yield _error(subject, template, ("sections", i, "points"), message)


def _printed_total(subject: Subject, template: Template) -> Iterator[Notice]:
    printed = subject.document(template).values.get("points")
    total = _sum(template.items)
    if printed is not None and template.full is None and Decimal(str(printed)) != total:
        message = f"found items that add up to {_number(total)}, expected the printed {_number(printed)}, "
        yield _error(subject, template, ("points",), message + f"or `full: {_number(printed)}` to normalise")


def _weights(subject: Subject, template: Template) -> Iterator[Notice]:
    weights = [section.weight for section in template.sections if section.weight is not None]
    if weights and sum(weights, Decimal(0)) != 100:
        message = f"found weights that add up to {_number(sum(weights, Decimal(0)))}, expected 100"
        yield _error(subject, template, ("sections", 0, "weight"), message)
    if template.total is not Total.WEIGHTED:
        return
    counted = [(item, location) for item, location in placed_items(template) if not item.bonus]
    for item, location in counted:
        if item.points != counted[0][0].points:
            message = f"found {_number(item.points)} points, expected {_number(counted[0][0].points)} "
            message += "as in the other items of a weighted form"
            yield _warning(subject, template, (*location, "points"), message)


def _pass_mark(subject: Subject, template: Template) -> Iterator[Notice]:
    full = template.full or (template.points if template.total is Total.POINTS else None)
    if template.pass_mark is not None and full is not None and template.pass_mark > full:
        message = (
            f"found a pass mark of {_number(template.pass_mark)}, expected at most the full {_number(full)}"
        )
        yield _error(subject, template, ("pass_mark",), message)


def _levels(subject: Subject, template: Template, item: Item, location: Location) -> Iterator[Notice]:
    if item.levels and not item.deductions and max(one.points for one in item.levels) != item.points:
        highest = max(one.points for one in item.levels)
        message = (
            f"found a highest level of {_number(highest)} points, expected the item's {_number(item.points)}"
        )
        yield _error(subject, template, (*location, "points"), message)
    for k, (before, level) in enumerate(zip(item.levels, item.levels[1:], strict=False), start=1):
        if level.points >= before.least:
            message = f"found {_number(level.points)} points, "
            message += f"expected fewer than {before.title}'s {_number(before.least)}"
            yield _error(subject, template, (*location, "levels", k, "points"), message)


def _sum(items: tuple[Item, ...]) -> Decimal:
    return sum((item.points for item in items if not item.bonus), Decimal(0))


def nobody_fills(subject: Subject) -> Iterator[Notice]:
    """Items that no rule decides and that do not say why."""
    for template in subject.ruleset.templates:
        for item, location in placed_items(template):
            if message := _unfilled(item):
                yield _error(subject, template, (*location, "fill"), f"found {message}")


def _unfilled(item: Item) -> str:
    by_levels = any(level.when for level in item.levels)
    if by_levels and item.deductions:
        return "levels with `when` and `deductions`, expected one of them"
    if item.fill is Fill.AUTO and not by_levels and not item.deductions:
        return "`auto` without `when` or `deductions`, expected one, or `assist` or `manual`"
    if item.fill is Fill.ASSIST and not item.evidence_rules():
        return "`assist` without any rule, expected `rules:`, or `manual`"
    if item.fill is Fill.MANUAL and not item.manual_because:
        return "`manual` without a reason, expected `manual_because:`"
    return ""


def ambiguous_choice(subject: Subject) -> Iterator[Notice]:
    """Two scorecards that are meant for the same calls, none more than the other."""
    chosen = [template for template in subject.ruleset.templates if template.use is Use.ALWAYS]
    for first, second in combinations(chosen, 2):
        if first.specificity == second.specificity and _meet(first, second):
            message = f"found calls that `{first.id}` is meant for as much, expected another "
            message += "direction, business or days, or `use: on_request`"
            yield _error(subject, second, ("applies",), message)


def _meet(first: Template, second: Template) -> bool:
    return _share(first.applies, second.applies) and _overlap(first.effective, second.effective)


def _share(one: Applies, other: Applies) -> bool:
    pairs: tuple[tuple[tuple[Any, ...], tuple[Any, ...]], ...] = (
        (one.directions, other.directions),
        (one.businesses, other.businesses),
    )
    return all(not left or not right or set(left) & set(right) for left, right in pairs)


def _overlap(one: Effective, other: Effective) -> bool:
    first = max(one.first or date.min, other.first or date.min)
    return first <= min(one.last or date.max, other.last or date.max)


def _error(subject: Subject, template: Template, location: Location, message: str) -> Notice:
    return subject.notice(Level.ERROR, subject.place(template, location), message)


def _warning(subject: Subject, template: Template, location: Location, message: str) -> Notice:
    return subject.notice(Level.WARNING, subject.place(template, location), message)


def _number(value: Decimal | float) -> str:
    """`4` for 4.0."""
    return f"{float(value):g}"
