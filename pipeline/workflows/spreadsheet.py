"""A spreadsheet as rows of text: the first sheet of an XLSX file, or a CSV file."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from zipfile import BadZipFile

from pipeline.errors import BadInput, NotFound, UsageError
from pipeline.media.table import open_table

Cells = tuple[int, Sequence[str]]
"""The number of a row as the spreadsheet counts, and its cells."""


def rows_of(path: Path) -> Iterator[Cells]:
    """Every row of an XLSX or CSV file. Raises NotFound, UsageError (another kind of file), BadInput."""
    if not path.is_file():
        raise NotFound(f"{path}：没有这个文件", hint="给出表格文件")
    if path.suffix.lower() == ".xlsx":
        return xlsx_rows(path)
    if path.suffix.lower() == ".csv":
        return csv_rows(path)
    raise UsageError(f"{path}：不认得的文件，应为 .xlsx 或 .csv", hint="在 Excel 里另存为 .xlsx")


def csv_rows(path: Path) -> Iterator[Cells]:
    table = open_table(path)
    yield table.header_row, table.header
    for row, cells in table.rows():
        if isinstance(cells, csv.Error):
            raise BadInput(f"{table.path}：第 {row} 行不是 CSV（{cells}）", hint="在 Excel 里另存为 .xlsx")
        yield row, cells


def xlsx_rows(path: Path) -> Iterator[Cells]:
    """The first sheet. A merged cell counts for every row that it covers."""
    from openpyxl import load_workbook  # takes a moment to load

    try:
        sheet = load_workbook(path, data_only=True).worksheets[0]
    except (OSError, KeyError, ValueError, BadZipFile) as error:
        raise BadInput(f"{path}：打不开，应为 Excel 的 .xlsx 文件", hint="在 Excel 里另存为 .xlsx") from error
    merged = {
        (row, column): (area.min_row, area.min_col)
        for area in sheet.merged_cells.ranges
        for row in range(area.min_row, area.max_row + 1)
        for column in range(area.min_col, area.max_col + 1)
    }

    def value(row: int, column: int) -> str:
        found = sheet.cell(*merged.get((row, column), (row, column))).value
        return "" if found is None else str(found)

    columns = range(1, sheet.max_column + 1)
    return ((row, [value(row, column) for column in columns]) for row in range(1, sheet.max_row + 1))
