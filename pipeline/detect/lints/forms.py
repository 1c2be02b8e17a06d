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
            message = f"发现各项相加是 {_number(total)}，应为本维度印的 {_number(printed)}"
            yield _error(subject, template, ("sections", i, "points"), message)


def _printed_total(subject: Subject, template: Template) -> Iterator[Notice]:
    printed = subject.document(template).values.get("points")
    total = _sum(template.items)
    if printed is not None and template.full is None and Decimal(str(printed)) != total:
        message = f"发现各项相加是 {_number(total)}，应为印的总分 {_number(printed)}；"
        yield _error(subject, template, ("points",), message + f"要折合就写 `full: {_number(printed)}`")


def _weights(subject: Subject, template: Template) -> Iterator[Notice]:
    weights = [section.weight for section in template.sections if section.weight is not None]
    if weights and sum(weights, Decimal(0)) != 100:
        message = f"发现权重相加是 {_number(sum(weights, Decimal(0)))}，应为 100"
        yield _error(subject, template, ("sections", 0, "weight"), message)
    if template.total is not Total.WEIGHTED:
        return
    counted = [(item, location) for item, location in placed_items(template) if not item.bonus]
    for item, location in counted:
        if item.points != counted[0][0].points:
            message = f"发现 {_number(item.points)} 分，应为 {_number(counted[0][0].points)} 分："
            message += "按权重算总分的表，各项满分一样"
            yield _warning(subject, template, (*location, "points"), message)


def _pass_mark(subject: Subject, template: Template) -> Iterator[Notice]:
    full = template.full or (template.points if template.total is Total.POINTS else None)
    if template.pass_mark is not None and full is not None and template.pass_mark > full:
        message = f"发现合格线 {_number(template.pass_mark)} 分，应为不高于满分 {_number(full)} 分"
        yield _error(subject, template, ("pass_mark",), message)


def _levels(subject: Subject, template: Template, item: Item, location: Location) -> Iterator[Notice]:
    if item.levels and not item.deductions and max(one.points for one in item.levels) != item.points:
        highest = max(one.points for one in item.levels)
        message = f"发现最高一级是 {_number(highest)} 分，应为本项目的满分 {_number(item.points)} 分"
        yield _error(subject, template, (*location, "points"), message)
    for k, (before, level) in enumerate(zip(item.levels, item.levels[1:], strict=False), start=1):
        if level.points >= before.least:
            least = _number(before.least)
            message = f"发现 {_number(level.points)} 分，应为低于上一级“{before.title}”的 {least} 分"
            yield _error(subject, template, (*location, "levels", k, "points"), message)


def _sum(items: tuple[Item, ...]) -> Decimal:
    return sum((item.points for item in items if not item.bonus), Decimal(0))


def nobody_fills(subject: Subject) -> Iterator[Notice]:
    """Items that no rule decides and that do not say why."""
    for template in subject.ruleset.templates:
        for item, location in placed_items(template):
            if message := _unfilled(item):
                yield _error(subject, template, (*location, "fill"), f"发现 {message}")


def _unfilled(item: Item) -> str:
    by_levels = any(level.when for level in item.levels)
    if by_levels and item.deductions:
        return "`deductions` 和写了 `when` 的等级都有，应为二者之一"
    if item.fill is Fill.AUTO and not by_levels and not item.deductions:
        return "`auto` 而 `when`、`deductions` 都没有，应为写一种，或 `assist`、`manual`"
    if item.fill is Fill.ASSIST and not item.evidence_rules():
        return "`assist` 而没有一条规则，应为写 `rules:`，或 `manual`"
    if item.fill is Fill.MANUAL and not item.manual_because:
        return "`manual` 而没有理由，应为写 `manual_because:`"
    return ""


def ambiguous_choice(subject: Subject) -> Iterator[Notice]:
    """Two scorecards that are meant for the same calls, none more than the other."""
    chosen = [template for template in subject.ruleset.templates if template.use is Use.ALWAYS]
    for first, second in combinations(chosen, 2):
        if first.specificity == second.specificity and _meet(first, second):
            message = f"发现这些通话也同样归评分表 `{first.id}`，应为不同的方向、业务或日期，"
            message += "或 `use: on_request`"
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
