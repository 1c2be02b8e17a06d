"""A scorecard file to begin with, made from a spreadsheet."""

import json
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from pipeline.detect.rule_schema import stamped
from pipeline.workflows.template_sheet import SheetItem, SheetLevel, SheetSection, read_sheet

HEAD = """# 由 {file} 生成的评分表，放进 rules/scorecards/ 就能用。接着要做的：
# 1. 改 id、title、origin；use: on_request 表示只在点名时用，改成 always 并写 applies 才会自动选用。
# 2. 每一项现在都由人判断（fill: manual）：写 manual_because 说明为什么，
#    或改成 auto 并给等级写 when、给整项写 deductions，或改成 assist 并写 rules。
# 3. 跑 callscore rules lint，直到没有错误。
"""


def new_template(path: Path, name: str | None = None) -> str:
    """The text of a scorecard file with what a spreadsheet says. `name`: its id, made from the file's name
    where none is given. Raises NotFound, UsageError, BadInput."""
    sections = read_sheet(path)
    template_id = name or _id_of(path)
    lines = [*_head(path, template_id, sections), "sections:"]
    numbers = iter(range(1, 10_000))
    for section in sections:
        lines += _section(section, numbers)
    return stamped(f"scorecards/{template_id}.yml", "\n".join(lines) + "\n")


def _id_of(path: Path) -> str:
    """Small letters and figures of the file's name, or `new_form`."""
    found = re.sub(r"[^a-z0-9]+", "_", path.stem.lower()).strip("_")
    return found if re.match("[a-z]", found) else "new_form"


def _head(path: Path, template_id: str, sections: Sequence[SheetSection]) -> Iterator[str]:
    yield HEAD.format(file=path.name).rstrip("\n")
    yield f"id: {template_id}"
    yield f"title: {_text(path.stem)}"
    yield "version: 1"
    yield f"origin: {_text(path.name)}"
    yield "use: on_request"
    if _is_weighted(sections):
        yield "total: weighted"


def _is_weighted(sections: Sequence[SheetSection]) -> bool:
    """Weights that the items' points do not add up to already."""
    return any(
        section.weight is not None
        and section.weight != sum((item.points or 0 for item in section.items), Decimal(0))
        for section in sections
    )


def _section(section: SheetSection, numbers: Iterator[int]) -> Iterator[str]:
    yield f"  - title: {_text(section.title)}"
    if section.weight is not None:
        yield f"    weight: {_number(section.weight)}"
    yield "    items:"
    for item in section.items:
        yield from _item(item, next(numbers))


def _item(item: SheetItem, number: int) -> Iterator[str]:
    yield f"      - id: i{number}"
    yield f"        title: {_text(item.title)}"
    yield f"        points: {_number(item.points)}"
    yield "        fill: manual"
    if item.note:
        yield f"        note: {_text(item.note)}"
    if item.levels:
        yield "        levels:"
        yield from map(_level, item.levels)


def _level(level: SheetLevel) -> str:
    parts = [f"title: {_text(level.title)}", f"points: {_number(level.points)}"]
    parts += [f"lowest: {_number(level.lowest)}"] if level.lowest is not None else []
    parts += [f"text: {_text(level.text)}"] if level.text else []
    return f"          - {{{', '.join(parts)}}}"


def _text(text: str) -> str:
    return json.dumps(" ".join(text.split()), ensure_ascii=False)


def _number(value: Decimal | None) -> str:
    return f"{float(value or 0):g}"
