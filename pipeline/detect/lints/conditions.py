"""Levels and fatal items of a scorecard that can never hold, by truth tables over the rules they name."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from pipeline.detect.document import Location
from pipeline.detect.lints.forms import placed_items
from pipeline.detect.lints.notice import Level, Notice
from pipeline.detect.lints.subject import Subject
from pipeline.template import Condition, Item, Template

MOST_RULES = 12
"""Conditions over more rules than that are not tried: their truth table is too long."""


def unreachable_levels(subject: Subject) -> Iterator[Notice]:
    """A level whose condition cannot hold, or only where an earlier level holds already."""
    for template in subject.ruleset.templates:
        for item, location in placed_items(template):
            yield from _of_item(subject, template, item, location)
        for i, fatal in enumerate(template.fatal):
            if fatal.when and _never(fatal.when):
                source = subject.place(template, ("fatal", i, "when"))
                yield subject.notice(Level.ERROR, source, NEVER)


NEVER = "发现永远不成立的条件，应为能成立的条件"


def _of_item(subject: Subject, template: Template, item: Item, location: Location) -> Iterator[Notice]:
    earlier: list[tuple[str, Condition]] = []
    for k, level in enumerate(item.levels):
        if level.when is None:
            continue
        source = subject.place(template, (*location, "levels", k, "when"))
        if _never(level.when):
            yield subject.notice(Level.ERROR, source, NEVER)
        elif blocking := _blocking(earlier, level.when):
            message = f"发现只有“{blocking}”也成立时才成立的条件，而它排在前面，"
            yield subject.notice(Level.ERROR, source, message + "应为轮得到的条件；改条件，或换次序")
        earlier.append((level.title, level.when))


def _blocking(earlier: Sequence[tuple[str, Condition]], when: Condition) -> str:
    """Titles of the earlier levels that together hold wherever this condition holds; empty: it is reached."""
    for title, condition in earlier:
        if condition == when or _implied(when, [condition]):
            return title
    if earlier and _implied(when, [condition for _, condition in earlier]):
        return "、".join(title for title, _ in earlier)
    return ""


def _never(condition: Condition) -> bool:
    return _implied(condition, [])


def _implied(condition: Condition, others: Sequence[Condition]) -> bool:
    """Whether one of the others holds wherever the condition does."""
    rules = sorted({rule for one in (condition, *others) for rule in one.rules()})
    if len(rules) > MOST_RULES:
        return False
    for heard in product((False, True), repeat=len(rules)):
        said = dict(zip(rules, heard, strict=True))
        if holds(condition, said) and not any(holds(other, said) for other in others):
            return False
    return True


def holds(condition: Condition, said: Mapping[str, bool]) -> bool:
    """Whether a condition holds in a call of which everything is known."""
    match condition.kind:
        case "present":
            return said[condition.rule or ""]
        case "absent":
            return not said[condition.rule or ""]
        case "all":
            return all(holds(part, said) for part in condition.parts)
        case "any":
            return any(holds(part, said) for part in condition.parts)
        case "none":
            return not any(holds(part, said) for part in condition.parts)
    return True
