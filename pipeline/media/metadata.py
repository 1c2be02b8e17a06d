"""What the PBX says about recordings: its CSV export, row by row, each fault in one clear line."""

import csv
import ntpath
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, create_model

from pipeline.errors import MetadataError
from pipeline.media import values
from pipeline.media.places import address, names_in, place, real
from pipeline.media.rows import Names, Row, Rows
from pipeline.media.table import UNDECODABLE, Table, open_table
from pipeline.timeline import AgentChannel, Direction

REQUIRED = ("call_id", "file")
COLUMNS = (
    *REQUIRED,
    "agent_id",
    "customer",
    "direction",
    "business",
    "start_time",
    "agent_channel",
    "queue_wait_seconds",
    "ring_count",
    "is_complaint",
)
"""The columns that are read; every other column of an export is left alone."""

_LONGEST_TEXT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing wrong with the export. `unusable`: the whole row is left out, else only the value.

    `path` is the recording that the row means, where that much is known.
    """

    csv: str
    row: int
    column: str
    found: str
    expected: str
    action: str
    unusable: bool
    call_id: str | None = None
    path: str | None = None

    def __str__(self) -> str:
        where = f"{self.csv} 第 {self.row} 行" + (f" {self.column} 列" if self.column else "")
        return f"{where}：{self.found}，应为{self.expected}；{self.action}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """Usable rows by the path of their recording, and what was wrong; `unusable` are the faults by the
    path of the recording that has no row for them."""

    csv: str
    rows: Rows
    faults: tuple[Fault, ...]
    unusable: Mapping[str, Fault]

    def row_for(self, path: Path) -> Row | None:
        """The row that names this file, whatever way it is written here."""
        return self.rows.get(canonical(os.fspath(path)))

    def fault_for(self, path: Path) -> Fault | None:
        """Why this file has no usable row, where a row names it."""
        return self.unusable.get(canonical(os.fspath(path)))


def canonical(path: str) -> str:
    """Absolute, with the links of its folder followed (a recording that is itself a link keeps its name)."""
    folder, name = os.path.split(address(place(path)))
    return os.path.join(real(folder), name)


def read_metadata(
    csv_path: Path, columns: Mapping[str, str] | None = None, time_zone: str = "Asia/Shanghai"
) -> Metadata:
    """Read a PBX export. `columns` names its columns by ours: `{"call_id": "录音流水号"}`.

    Raises MetadataError: not a table, or without the columns `call_id` and `file`. Every smaller
    fault is in `faults`.
    """
    table = open_table(csv_path)
    positions, faults = _positions(table, columns or {})
    reader = _RowReader(table, positions, _row_model(time_zone))
    rows = Rows()
    for row in reader.rows():
        fault = _repeated(reader, row, rows)
        if fault:
            reader.faults.append(fault)
        else:
            rows.add(row)
    ordered = sorted(chain(faults, reader.faults), key=lambda fault: fault.row)
    unusable = {fault.path: fault for fault in ordered if fault.unusable and fault.path}
    return Metadata(csv=str(csv_path), rows=rows, faults=tuple(ordered), unusable=unusable)


def parsed(cells: Mapping[str, str], time_zone: str = "Asia/Shanghai") -> dict[str, Any]:
    """Values by the field of a Row, from texts by our column; an empty text is None.

    Raises MetadataError: an unknown column, `file`, or a value that cannot be.
    """
    known = [name for name in COLUMNS if name != "file"]
    for name in cells:
        if name not in known:
            raise MetadataError(f"没有列 {name}，应为 {'、'.join(known)}", hint="例：agent_id=1022")
    filled = {
        name: cell.strip() for name, cell in cells.items() if cell.strip().casefold() not in values.EMPTY
    }
    try:
        model = _row_model(time_zone).model_validate({"call_id": "-", **filled, "file": "-"})
    except ValidationError as error:
        name, told = str(error.errors()[0]["loc"][0]), error.errors()[0]["msg"].removeprefix("Value error, ")
        raise MetadataError(f"{name}：发现“{_short(cells[name])}”，应为{told}") from error
    fields = {name: "started_at" if name == "start_time" else name for name in cells}
    return {fields[name]: getattr(model, name) if name in filled else None for name in cells}


def _positions(table: Table, columns: Mapping[str, str]) -> tuple[dict[str, int], list[Fault]]:
    """Where each of our columns stands in the table. Raises MetadataError: a required one is missing."""
    unknown = sorted(set(columns) - set(COLUMNS))
    if unknown:
        raise MetadataError(
            f"设置 columns 里有不认识的列：{'、'.join(unknown)}，应为 {'、'.join(COLUMNS)}",
            hint="写法：{call_id = '录音流水号'}，左边是这里的列名，右边是导出文件的列名",
        )
    header = [name.casefold() for name in table.header]
    wanted = {ours: columns.get(ours, ours) for ours in COLUMNS}
    positions = {
        o: header.index(t.strip().casefold()) for o, t in wanted.items() if t.strip().casefold() in header
    }
    missing = [wanted[ours] for ours in REQUIRED if ours not in positions]
    if missing:
        raise MetadataError(
            f"{table.path} 第 {table.header_row} 行：缺少列 {'、'.join(missing)}，"
            f"现有列：{'、'.join(name for name in table.header if name)}",
            row=table.header_row,
            hint="列名不同时，在设置 columns 里写明，如 {call_id = '录音流水号', file = '文件名'}",
        )
    lost = [(ours, wanted[ours]) for ours in columns if ours not in positions]
    return positions, [_no_column(table, ours, theirs) for ours, theirs in lost]


def _no_column(table: Table, ours: str, theirs: str) -> Fault:
    return Fault(
        csv=str(table.path),
        row=table.header_row,
        column=ours,
        found=f"没有设置 columns 所说的列“{theirs}”",
        expected=f"{'、'.join(name for name in table.header if name)} 之一",
        action="这一列按空处理",
        unusable=False,
    )


def _check(parse: Callable[[str], object]) -> BeforeValidator:
    """The parser as a validator; an export repeats the same few values over and over."""
    return BeforeValidator(lru_cache(maxsize=4096)(parse))


def _row_model(time_zone: str) -> type[BaseModel]:
    """The pydantic model of the cells of one row, all text and not empty."""
    text = Annotated[str, BeforeValidator(_short_text)]
    repeated = Annotated[str, _check(_short_text)]
    moment = partial(values.moment, zone=values.time_zone(time_zone))
    fields: dict[str, Any] = {
        "call_id": (text, ...),
        "file": (Annotated[str, BeforeValidator(_clean_text)], ...),
        "agent_id": (repeated | None, None),
        "customer": (text | None, None),
        "direction": (Annotated[Direction, _check(values.direction)] | None, None),
        "business": (repeated | None, None),
        "start_time": (Annotated[datetime, _check(moment)] | None, None),
        "agent_channel": (Annotated[AgentChannel, _check(values.agent_channel)] | None, None),
        "queue_wait_seconds": (Annotated[float, _check(values.seconds)] | None, None),
        "ring_count": (Annotated[int, _check(values.count)] | None, None),
        "is_complaint": (Annotated[bool, _check(values.truth)] | None, None),
    }
    return create_model("Cells", __config__=ConfigDict(extra="forbid", frozen=True), **fields)


def _short_text(cell: str) -> str:
    if len(cell) > _LONGEST_TEXT:
        raise ValueError(f"不超过 {_LONGEST_TEXT} 个字")
    return _clean_text(cell)


def _clean_text(cell: str) -> str:
    if UNDECODABLE in cell or not cell.isprintable():
        raise ValueError("能读出的文字（UTF-8 或 GB18030），没有换行")
    return cell


class _RowReader:
    """Rows of the table that name an existing recording; everything else becomes a fault."""

    def __init__(self, table: Table, positions: Mapping[str, int], model: type[BaseModel]) -> None:
        self.table, self.positions, self.model = table, positions, model
        self.faults: list[Fault] = []
        self._width = len(table.header)
        self._base = real(address(table.path.parent))
        self._folders: dict[str, tuple[int, str]] = {}
        self._names = Names()

    def rows(self) -> Iterator[Row]:
        for number, cells in self.table.rows():
            row = self._row(number, cells)
            if row:
                yield row

    def fault(self, number: int, column: str, found: str, expected: str, **more: Any) -> Fault:
        """A fault that makes the row unusable, unless `more` says otherwise."""
        shown = self.table.header[self.positions[column]] if column in self.positions else column
        about: dict[str, Any] = {"action": "这一行不用，修改后重跑", "unusable": True} | more
        return Fault(
            csv=str(self.table.path), row=number, column=shown, found=found, expected=expected, **about
        )

    def _row(self, number: int, cells: list[str] | csv.Error) -> Row | None:
        if isinstance(cells, csv.Error):
            self.faults.append(self.fault(number, "", "这一行不是完整的 CSV", "引号成对的一行"))
            return None
        if any(cell.strip() for cell in cells[self._width :]):
            found, expected = f"有 {len(cells)} 格", f"{self._width} 格（同列名一样多）"
            self.faults.append(self.fault(number, "", found, f"{expected}，含分隔符的内容加引号"))
            return None
        known = self._validated(number, self._cells(cells))
        return self._located(number, known) if known else None

    def _cells(self, cells: list[str]) -> dict[str, str]:
        """Our columns that say something."""
        known: dict[str, str] = {}
        for name, position in self.positions.items():
            cell = cells[position].strip() if position < len(cells) else ""
            if len(cell) > values.LONGEST_EMPTY or (cell and cell.casefold() not in values.EMPTY):
                known[name] = cell
        return known

    def _validated(self, number: int, cells: dict[str, str]) -> BaseModel | None:
        try:
            return self.model.model_validate(cells)
        except ValidationError as error:
            bad = {str(e["loc"][0]): e["msg"].removeprefix("Value error, ") for e in error.errors()}
        fatal = next((name for name in REQUIRED if name in bad), None)
        if fatal:
            found = f"发现“{_short(cells[fatal])}”" if fatal in cells else "是空的"
            expected = bad[fatal] if fatal in cells else "不空的内容"
            self.faults.append(self.fault(number, fatal, found, expected, call_id=cells.get("call_id")))
            return None
        self.faults += [self._lost_value(number, name, cells, bad[name]) for name in bad]
        return self._validated(number, {name: cell for name, cell in cells.items() if name not in bad})

    def _lost_value(self, number: int, name: str, cells: Mapping[str, str], expected: str) -> Fault:
        found = f"发现“{_short(cells[name])}”"
        more: dict[str, Any] = {
            "action": "这个值按空处理，录音照常评分",
            "unusable": False,
            "call_id": cells["call_id"],
        }
        return self.fault(number, name, found, expected, **more)

    def _located(self, number: int, cells: BaseModel) -> Row | None:
        named = dict(cells.__dict__)
        file, started_at = named.pop("file"), named.pop("start_time")
        folder, slash, name = _local(file).rpartition(os.sep)
        if "://" in file or not name:
            expected = "本机上的录音文件，路径相对于这个 CSV"
            self.faults.append(
                self.fault(number, "file", f"发现“{_short(file)}”", expected, call_id=named["call_id"])
            )
            return None
        which, there = self._folder(folder + slash)
        path = f"{there}{os.sep}{name}"
        if not self._names.has(which, name):
            found = f"文件“{_short(file)}”不存在"
            expected = f"{self._base} 下的录音文件"
            self.faults.append(
                self.fault(number, "file", found, expected, call_id=named["call_id"], path=path)
            )
            return None
        return Row(number=number, path=path, started_at=started_at, **named)

    def _folder(self, folder: str) -> tuple[int, str]:
        """The number and the real path of a folder that rows name; the names in it are read once."""
        if folder not in self._folders:
            which, named = len(self._folders), real(os.path.join(self._base, folder)).rstrip(os.sep)
            self._folders[folder] = (which, named)
            self._names.add(which, names_in(named or os.sep))
        return self._folders[folder]


def _local(file: str) -> str:
    """The path as this system writes it: Windows exports use backslashes."""
    return file if os.sep == ntpath.sep else file.replace(ntpath.sep, os.sep)


def _short(text: str, limit: int = 60) -> str:
    shown = "".join(c if c.isprintable() else "␣" for c in text)
    return shown if len(shown) <= limit else shown[:limit] + "…"


def _repeated(reader: _RowReader, row: Row, rows: Rows) -> Fault | None:
    """A second row for one file or one call_id: the first one stands, and people hear of it."""
    if first := rows.get(row.path):
        found, column = f"同一文件在第 {first.number} 行已有", "file"
    elif first := rows.of_call(row.call_id):
        found, column = f"“{_short(row.call_id)}”与第 {first.number} 行重复", "call_id"
    else:
        return None
    expected = "每个文件一行" if column == "file" else "不重复的编号"
    path = None if column == "file" else row.path
    return reader.fault(row.number, column, found, expected, call_id=row.call_id, path=path)
