"""A laid-out page as a workbook: a sheet for each table. Text is typed as text, so that nothing that was
said in a call can become a formula."""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from io import BytesIO
from typing import Any
from unicodedata import east_asian_width
from zipfile import ZIP_DEFLATED, ZipFile

from openpyxl import Workbook
from openpyxl.cell import Cell as SheetCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.writer.excel import ExcelWriter

from pipeline.units import clock
from pipeline.workflows.report.cells import (
    Cell,
    Heading,
    Lines,
    Named,
    Number,
    Page,
    Percent,
    Table,
    Time,
    text,
)

LONGEST_NAME = 31
LEAST_WIDTH, MOST_WIDTH = 8, 60
FOREVER = datetime(2000, 1, 1)
"""In the file's properties, so that the same report gives the same bytes."""

_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\]")
HEAD = PatternFill("solid", fgColor="DCE6F1")


def workbook(page: Page) -> bytes:
    """The bytes of the .xlsx file."""
    book = Workbook()
    book.remove(book.active)
    for block in page.blocks:
        if isinstance(block, Table):
            _sheet(book, page, block.title, block)
        elif isinstance(block, Lines):
            lines = tuple((line,) for line in block.lines)
            _sheet(book, page, block.title, Table(title=block.title, headings=(), rows=lines))
    book.properties.title = f"{page.title} {page.subtitle}"
    book.properties.created = book.properties.modified = FOREVER
    buffer = BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        ExcelWriter(book, archive).save()  # Workbook.save would write the time into it
    return buffer.getvalue()


def _sheet(book: Any, page: Page, title: str, table: Table) -> None:
    sheet = book.create_sheet(_name(title, book.sheetnames))
    _put(sheet.cell(1, 1), f"{page.title}　{page.subtitle}　{title}")
    sheet.cell(1, 1).font = Font(bold=True, size=13)
    top = 3
    for column, heading in enumerate(table.headings, start=1):
        cell = sheet.cell(top, column)
        _put(cell, heading.title)
        cell.font, cell.fill = Font(bold=True), HEAD
        cell.alignment = Alignment(horizontal="right" if heading.figure else "left", vertical="top")
    for number, row in enumerate(table.rows, start=top + bool(table.headings)):
        for column, value in enumerate(row, start=1):
            _put(sheet.cell(number, column), value)
            sheet.cell(number, column).alignment = _alignment(table.headings, column)
    if table.note:
        _put(sheet.cell(top + len(table.rows) + 2, 1), table.note)
    _shape(sheet, table, top)


def _name(title: str, taken: Sequence[str]) -> str:
    """The name of a sheet: what a workbook allows, and none twice."""
    name = _NOT_IN_NAMES.sub(" ", title)[:LONGEST_NAME]
    if name not in taken:
        return name
    return f"{name[: LONGEST_NAME - 4]} {len(taken)}"


def _alignment(headings: tuple[Heading, ...], column: int) -> Alignment:
    figure = bool(headings) and headings[column - 1].figure
    return Alignment(horizontal="right" if figure else "left", vertical="top", wrap_text=not figure)


def _put(cell: SheetCell, value: Cell) -> None:
    """A figure as a number with its format, everything else as text."""
    match value:
        case None | Percent(None) | Number(None) | Time(None):
            return
        case Percent(float() | int() as rate):
            cell.value, cell.number_format = rate, "0.0%"
        case Number(float() | int() as figure, decimals):
            cell.value, cell.number_format = figure, "#,##0" + ("." + "0" * decimals if decimals else "")
        case Time(float() | int() as ms):
            _text(cell, clock(round(ms)))
        case int() as count:
            cell.value, cell.number_format = count, "#,##0"
        case Named(shown):
            _put(cell, shown)
        case _:
            _text(cell, text(value))


def _text(cell: SheetCell, text: str) -> None:
    cell.value = _ILLEGAL.sub("", text)
    cell.data_type = "s"
    cell.number_format = "@"
    cell.quotePrefix = True


def _shape(sheet: Any, table: Table, top: int) -> None:
    for column, widths in enumerate(zip(*_widths(table), strict=True), start=1):
        width = min(MOST_WIDTH, max(LEAST_WIDTH, *widths) + 2)
        sheet.column_dimensions[get_column_letter(column)].width = width
    if table.headings:
        sheet.freeze_panes = sheet.cell(top + 1, 1)
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True


def _widths(table: Table) -> Iterator[list[int]]:
    """Of every row; wide characters take two columns."""
    if table.headings:
        yield [_width(heading.title) for heading in table.headings]
    for row in table.rows:
        yield [_width(text(cell)) for cell in row]


def _width(text: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
