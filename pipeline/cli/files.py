"""Answers that go into a file: the kind follows the name."""

import csv
from collections.abc import Callable, Iterable, Mapping
from io import StringIO
from pathlib import Path
from typing import Annotated

import typer

from pipeline.errors import UsageError
from pipeline.workflows.report.cells import Page, Table, text

Makers = Mapping[str, Callable[[], str | bytes]]
Force = Annotated[bool, typer.Option("--force", help="覆盖已有的文件。")]


def check_name(output: Path | None, endings: Iterable[str], *, force: bool) -> None:
    """Before the work: what cannot be written is said at once. Raises UsageError."""
    if output is None:
        return
    if output.suffix.lower() not in endings:
        raise UsageError(f"{output}：不认识的文件类型", hint=f"以 {' 或 '.join(endings)} 结尾")
    check_new(output, force=force)


def check_new(output: Path, *, force: bool) -> None:
    """Before the work: a file that is there is only replaced on request. Raises UsageError."""
    check_folder(output)
    if output.exists() and not force:
        raise UsageError(f"已经有 {output}", hint="换一个名字，或加 --force 覆盖")


def check_folder(output: Path) -> None:
    """Before the work: a file cannot be written into a folder that is not there. Raises UsageError."""
    if not output.parent.is_dir():
        raise UsageError(f"{output.parent}：文件夹不存在", hint="检查路径，或先建好这个文件夹")


def write(output: Path, makers: Makers) -> None:
    """Make what the ending of the name asks for, and write it whole. Raises UsageError."""
    save(output, makers[output.suffix.lower()]())


def save(output: Path, made: str | bytes) -> None:
    """Raises UsageError."""
    data = made.encode() if isinstance(made, str) else made
    try:
        output.write_bytes(data)
    except OSError as error:
        hint = "换一个存在而且能写的文件夹"
        raise UsageError(f"{output}：写不进去（{error.strerror}）", hint=hint) from error


def csv_of(page: Page) -> str:
    """The last table of a page; with the mark by which spreadsheets know UTF-8. Cells that a spreadsheet
    would take for a formula get an apostrophe."""
    table = [block for block in page.blocks if isinstance(block, Table)][-1]
    buffer = StringIO()
    writer = csv.writer(buffer)
    writer.writerow([heading.title for heading in table.headings])
    writer.writerows([harmless(text(cell)) for cell in row] for row in table.rows)
    return "\ufeff" + buffer.getvalue()


def harmless(cell: str) -> str:
    return "'" + cell if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
