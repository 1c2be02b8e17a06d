"""A scorecard as a spreadsheet -> sections, items and levels, or every fault with its cell."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from pipeline.errors import BadInput
from pipeline.workflows.spreadsheet import rows_of

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "section": ("维度", "评估维度", "评分维度", "评价维度", "模块", "大项", "类别", "一级指标"),
    "weight": ("权重", "权重占比", "占比", "比重"),
    "item": (
        "项目", "评分项", "评分项目", "质检项", "质检项目", "考核项", "指标", "评估指标", "二级指标", "小项",
    ),
    "points": ("分值", "满分", "标准分", "配分", "项目分值"),
    "level": ("等级", "级别", "档次", "评级"),
    "level_points": ("等级分", "等级分值", "得分", "分数", "对应分数", "分数范围"),
    "text": ("描述", "等级描述", "标准", "评分标准", "评分细则", "说明"),
    "note": ("备注", "提示"),
}  # fmt: skip
"""What each column may be called; others are left alone."""
NEEDED = ("item", "points")
HEADING_ROWS = 10
SUMS = frozenset({"合计", "总分", "总计", "小计"})
NUMBER = r"\d+(?:\.\d+)?"
POINTS = re.compile(rf"({NUMBER})\s*[分%％]?")
RANGE = re.compile(rf"({NUMBER})\s*分?(?:\s*[-–—~～至到]\s*({NUMBER})\s*分?)?")
NAMED = re.compile(rf"(.+?)\s*[（(]\s*({NUMBER}\s*分?(?:\s*[-–—~～至到]\s*{NUMBER}\s*分?)?)\s*[)）]")
"""A level with its points: 良（3-4分）."""


@dataclass(slots=True, kw_only=True)
class SheetLevel:
    title: str
    points: Decimal | None
    lowest: Decimal | None
    text: str


@dataclass(slots=True, kw_only=True)
class SheetItem:
    """`place` is the cell that its points stand in."""

    title: str
    points: Decimal | None
    place: str
    note: str = ""
    levels: list[SheetLevel] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class SheetSection:
    title: str
    weight: Decimal | None
    place: str
    items: list[SheetItem] = field(default_factory=list)


@dataclass(slots=True)
class _Reading:
    path: Path
    columns: dict[str, int] = field(default_factory=dict)
    sections: list[SheetSection] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def place(self, row: int, column: str) -> str:
        """`C5（分值）`."""
        at = self.columns.get(column)
        return f"第 {row} 行" if at is None else f"{_letters(at)}{row}（{COLUMNS[column][0]}）"

    def fault(self, place: str, message: str) -> None:
        self.faults.append(f"{place}：{message}")


def read_sheet(path: Path) -> list[SheetSection]:
    """The sections of a scorecard that a spreadsheet holds. Raises NotFound, UsageError, BadInput with every
    fault, each with its cell."""
    reading = _Reading(path)
    for row, cells in rows_of(path):
        if reading.columns:
            _row(reading, row, cells)
        elif not (columns := _columns(cells)) and row >= HEADING_ROWS:
            break
        else:
            reading.columns = columns
    if not reading.columns:
        names = "；".join("、".join(COLUMNS[name][:4]) for name in NEEDED)
        message = f"{path}：前 {HEADING_ROWS} 行里没有列名，每组至少要有一个：{names}"
        raise BadInput(message, hint="加一行列名，例如 维度、项目、分值、等级、等级分、描述")
    _check(reading)
    if reading.faults:
        raise BadInput(f"{path}：\n" + "\n".join(reading.faults), hint="改好表格再来")
    return reading.sections


def _columns(cells: Sequence[str]) -> dict[str, int]:
    """Where each known column is; empty for a row that is no heading."""
    named = [re.sub(r"[\s（(].*", "", cell.strip()) for cell in cells]
    found = {
        name: next((at for at, text in enumerate(named) if text in titles), None)
        for name, titles in COLUMNS.items()
    }
    known = {name: at for name, at in found.items() if at is not None}
    return known if all(name in known for name in NEEDED) else {}


def _row(reading: _Reading, row: int, cells: Sequence[str]) -> None:
    values = {name: cells[at].strip() if at < len(cells) else "" for name, at in reading.columns.items()}
    if not any(values.values()) or values.get("section") in SUMS or values["item"] in SUMS:
        return
    _section(reading, row, values)
    item = _item(reading, row, values)
    if item is not None and (values.get("level") or values.get("level_points")):
        item.levels.append(_level(reading, row, values))
    elif item is not None and values.get("text"):
        item.note = item.note or values["text"]


def _section(reading: _Reading, row: int, values: Mapping[str, str]) -> None:
    """An empty cell, or the same title again, goes on with the section above."""
    title = values.get("section", "")
    if reading.sections and title in ("", reading.sections[-1].title):
        return
    weight = _number(reading, row, "weight", values.get("weight", ""))
    place = reading.place(row, "weight")
    reading.sections.append(SheetSection(title=title or reading.path.stem, weight=weight, place=place))


def _item(reading: _Reading, row: int, values: Mapping[str, str]) -> SheetItem | None:
    items = reading.sections[-1].items
    title = values["item"]
    if items and title in ("", items[-1].title):
        return items[-1]
    if not title:
        reading.fault(reading.place(row, "item"), "是空的，应写项目")
        return None
    points = _number(reading, row, "points", values["points"])
    place = reading.place(row, "points")
    items.append(SheetItem(title=title, points=points, place=place, note=values.get("note", "")))
    return items[-1]


def _level(reading: _Reading, row: int, values: Mapping[str, str]) -> SheetLevel:
    title, written = values.get("level", ""), values.get("level_points", "")
    column = "level_points"
    if not written and (named := NAMED.fullmatch(title)):
        title, written, column = named[1], named[2], "level"
    lowest = highest = None
    if written:
        found = RANGE.fullmatch(written)
        if found is None:
            reading.fault(reading.place(row, column), f"发现“{written}”，应为分数，例如 5 或 3-4")
        else:
            ends = sorted(Decimal(end) for end in found.groups() if end is not None)
            lowest, highest = (ends[0] if len(ends) > 1 else None), ends[-1]
    title = title or written
    return SheetLevel(title=title, points=highest, lowest=lowest, text=values.get("text", ""))


def _number(reading: _Reading, row: int, column: str, written: str) -> Decimal | None:
    if not written:
        return None
    found = POINTS.fullmatch(written)
    if found is None:
        reading.fault(reading.place(row, column), f"发现“{written}”，应为数字")
        return None
    return Decimal(found[1])


def _check(reading: _Reading) -> None:
    """What is written is whole and adds up; weights become percent."""
    if not reading.sections and not reading.faults:
        reading.fault(str(reading.path), "列名下面没有内容")
    _check_weights(reading)
    for section in reading.sections:
        for item in section.items:
            _check_item(reading, item)


def _check_weights(reading: _Reading) -> None:
    weights = [section.weight for section in reading.sections]
    given = [weight for weight in weights if weight is not None]
    if not given:
        return
    if sum(given) == 1:
        for section in reading.sections:
            section.weight = None if section.weight is None else section.weight * 100
    elif sum(given) != 100:
        reading.fault(reading.sections[0].place, f"各维度权重加起来是 {float(sum(given)):g}，应为 100")
    for section in reading.sections:
        if section.weight is None:
            reading.fault(section.place, f"“{section.title}”没有权重，其他维度有")


def _check_item(reading: _Reading, item: SheetItem) -> None:
    _spread(item)
    item.levels.sort(key=lambda level: -(level.points or 0))
    highest = item.levels[0].points if item.levels else None
    if item.points is None:
        item.points = highest
    if item.points is None:
        reading.fault(item.place, f"“{item.title}”没有分值，应为数字")
    elif highest is not None and highest != item.points:
        reading.fault(
            item.place, f"“{item.title}”的最高等级是 {float(highest):g} 分，应等于分值 {float(item.points):g}"
        )
    for before, level in zip(item.levels, item.levels[1:], strict=False):
        least = before.points if before.lowest is None else before.lowest
        if level.points is not None and least is not None and level.points >= least:
            message = f"“{item.title}”的等级“{level.title}”与“{before.title}”的分数重叠，应从高到低分开"
            reading.fault(item.place, message)


def _spread(item: SheetItem) -> None:
    """Levels without any points: evenly from the full points to none, for a person to put right."""
    if item.points is None or not item.levels or any(level.points is not None for level in item.levels):
        return
    steps = max(len(item.levels) - 1, 1)
    for number, level in enumerate(item.levels):
        level.points = (item.points * (steps - number) / steps).quantize(Decimal("0.1"))


def _letters(column: int) -> str:
    """`_letters(2) == "C"`."""
    name = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        name = chr(65 + rest) + name
    return name
