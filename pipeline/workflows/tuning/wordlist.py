"""A word list as call centres keep it: XLSX, CSV or TXT -> entries, and every fault with its row."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.detect.pattern import PAUSES, PatternError, matchable, parse
from pipeline.errors import BadInput, NotFound, UsageError
from pipeline.workflows.spreadsheet import Cells, csv_rows, xlsx_rows

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "category": ("category", "类别", "分类", "类型", "种类", "大类"),
    "phrase": (
        "phrase", "word", "keyword",
        "说法", "禁语", "禁用语", "敏感词", "关键词", "词", "词语", "话术", "短语",
    ),
    "severity": ("severity", "level", "严重程度", "严重性", "级别", "等级"),
    "example": ("example", "sentence", "示例", "例句", "例子", "举例"),
}  # fmt: skip
"""What each column may be called; others are left alone."""

HEADINGS = {"category": "类别", "phrase": "说法", "severity": "严重程度", "example": "例句"}
SEVERITIES = {
    "minor": "minor",
    "轻微": "minor",
    "轻": "minor",
    "major": "major",
    "严重": "major",
    "重": "major",
    "fatal": "fatal",
    "致命": "fatal",
    "红线": "fatal",
    "一票否决": "fatal",
}
SHORTEST = 2
HEADING_ROWS = 10
MARKS = frozenset("[]【】(){}|…")
"""Signs of the pattern language; a word list holds words as they are said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One phrase of a list. `row` counts as the spreadsheet or the editor does."""

    row: int
    category: str
    phrase: str
    severity: str = "major"
    example: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowFault:
    """Why a row cannot be used."""

    row: int
    message: str

    def __str__(self) -> str:
        return f"第 {self.row} 行：{self.message}"


@dataclass(frozen=True, slots=True, kw_only=True)
class WordList:
    """The usable entries of a file in its order, and the faults of the others."""

    path: Path
    entries: tuple[Entry, ...]
    faults: tuple[RowFault, ...]


def read_wordlist(path: Path, *, patterns: bool = False) -> WordList:
    """The list in a file. `patterns`: phrases are written as in rule files, groups and gaps allowed.

    Raises NotFound: no such file. UsageError: another kind of file. BadInput: not readable, no headings.
    """
    if not path.is_file():
        raise NotFound(f"{path}：没有这个文件", hint="给出词表文件")
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise UsageError(f"{path}：不认得的文件，应为 {'、'.join(READERS)}", hint="在 Excel 里另存为 .xlsx")
    entries: list[Entry] = []
    faults: list[RowFault] = []
    seen: dict[str, int] = {}
    for found in reader(path):
        problem = _problem(found, seen, patterns=patterns)
        if problem:
            faults.append(RowFault(row=found.row, message=problem))
        else:
            seen.setdefault(found.phrase, found.row)
            severity = SEVERITIES[found.severity.lower()] if found.severity else "major"
            entries.append(
                Entry(
                    row=found.row,
                    category=found.category,
                    phrase=found.phrase,
                    severity=severity,
                    example=found.example,
                )
            )
    return WordList(path=path, entries=tuple(entries), faults=tuple(faults))


def _problem(found: Entry, seen: Mapping[str, int], *, patterns: bool) -> str:
    """What is wrong with a row; empty when nothing is."""
    if not found.phrase:
        return "说法是空的，应写一句话"
    if not found.category:
        return "类别是空的，应写类别"
    if found.severity and found.severity.lower() not in SEVERITIES:
        return f"发现严重程度“{found.severity}”，应为 轻微、严重 或 致命"
    if found.phrase in seen:
        return f"“{found.phrase}”与第 {seen[found.phrase]} 行重复"
    strange = "" if patterns else _strange(found.phrase)
    if strange:
        return strange
    try:
        pattern = parse(found.phrase)
    except PatternError as error:
        return f"“{found.phrase}”第 {error.column + 1} 个字：{error}"
    if pattern.least < SHORTEST:
        return f"“{found.phrase}”太短，到处都会碰上；应至少 {SHORTEST} 个字"
    return ""


def _strange(phrase: str) -> str:
    """What is wrong with the signs in a phrase that is to be taken literally."""
    for char in phrase:
        if char in MARKS:
            return f"“{phrase}”里有“{char}”，是规则的记号；应只写原话，或加 --patterns 按规则的写法读"
        if not matchable(char) and char not in PAUSES:
            return f"“{phrase}”里有“{char}”；应只有字、数字、字母和逗号句号"
    return ""


# readers


def _from_table(cells: Iterable[Cells], path: Path) -> Iterator[Entry]:
    """Rows below the first one that names the phrase column, which must be among the first few."""
    columns: dict[str, int] | None = None
    for row, texts in cells:
        if columns is None:
            columns = _columns(texts)
            if columns is None and row >= HEADING_ROWS:
                break
            continue
        values = {name: _cell(texts, at) for name, at in columns.items()}
        if any(values.values()):
            yield Entry(
                row=row,
                category=values.get("category", path.stem),
                phrase=values["phrase"],
                severity=values.get("severity", ""),
                example=values.get("example", ""),
            )
    if columns is None:
        names = "、".join(COLUMNS["phrase"])
        raise BadInput(f"{path}：前 {HEADING_ROWS} 行里没有列名，应有一列叫 {names} 之一", hint="加一行列名")


def _columns(texts: Sequence[str]) -> dict[str, int] | None:
    named = [text.strip().lower() for text in texts]
    found = {
        name: next((at for at, text in enumerate(named) if text in titles), None)
        for name, titles in COLUMNS.items()
    }
    known = {name: at for name, at in found.items() if at is not None}
    return known if "phrase" in known else None


def _cell(texts: Sequence[str], at: int) -> str:
    return texts[at].strip() if at < len(texts) else ""


def _csv(path: Path) -> Iterator[Entry]:
    return _from_table(csv_rows(path), path)


def _xlsx(path: Path) -> Iterator[Entry]:
    return _from_table(xlsx_rows(path), path)


def _txt(path: Path) -> Iterator[Entry]:
    """One phrase a line; `# 类别` begins a category, before the first one it is the file's name."""
    category = path.stem
    for row, line in enumerate(_decoded(path).splitlines(), 1):
        text = line.strip()
        if text.startswith("#"):
            category = text.lstrip("# ").strip()
        elif text:
            yield Entry(row=row, category=category, phrase=text)


def _decoded(path: Path) -> str:
    data = path.read_bytes()
    for encoding in ("utf-8-sig", "gb18030", "utf-16"):
        if encoding != "utf-16" and data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            continue
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadInput(f"{path}：认不出的文字编码，应为 UTF-8 或 GB18030", hint="另存为 UTF-8")


READERS: Mapping[str, Callable[[Path], Iterator[Entry]]] = {".xlsx": _xlsx, ".csv": _csv, ".txt": _txt}


def write_wordlist(entries: Iterable[Entry], path: Path) -> int:
    """Write a list that `read_wordlist` reads back; how many rows. Raises UsageError."""
    rows = [(entry.category, entry.phrase, entry.severity, entry.example) for entry in entries]
    table = [tuple(HEADINGS.values()), *rows]
    if path.suffix.lower() == ".xlsx":
        _write_xlsx(table, path)
    elif path.suffix.lower() == ".csv":
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            csv.writer(file).writerows(table)
    else:
        raise UsageError(f"{path}：不认得的文件，应为 .xlsx 或 .csv", hint="例：-o 词表.xlsx")
    return len(rows)


def _write_xlsx(table: Sequence[tuple[str, ...]], path: Path) -> None:
    from openpyxl import Workbook

    book = Workbook()
    sheet = book.active
    if sheet is None:
        raise BadInput(f"{path}：写不了")
    sheet.title = "词表"
    for line in table:
        sheet.append(line)
    sheet.freeze_panes = "A2"
    for column, width in zip("ABCD", (16, 60, 12, 50), strict=True):
        sheet.column_dimensions[column].width = width
    book.save(path)
