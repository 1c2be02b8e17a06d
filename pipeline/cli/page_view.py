"""A laid-out page on a terminal: tables with wide characters aligned, sentences; plots are left out."""

from rich import box
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from pipeline.workflows.report.cells import Lines, Page, Table, text

LEAST_FOLDED = 12
"""Columns that fold keep so much width."""


def print_page(page: Page, out: Console) -> None:
    out.print(Text(page.title, style="bold") + Text(f"　{page.subtitle}", style="not bold"))
    for block in page.blocks:
        if isinstance(block, Table):
            _print_table(block, out)
        elif isinstance(block, Lines):
            _print_lines(block, out)


def _print_table(block: Table, out: Console) -> None:
    out.print()
    table = RichTable(
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        title=Text(block.title, style="bold not italic"),
        title_justify="left",
    )
    for heading in block.headings:
        table.add_column(
            heading.title,
            justify="right" if heading.figure else "left",
            no_wrap=heading.figure,
            overflow="fold",
            min_width=LEAST_FOLDED if heading.wide else None,
        )
    for row in block.rows:
        table.add_row(*(Text(text(cell)) for cell in row))
    out.print(table)
    if block.note:
        out.print(Text(block.note, style="dim"))


def _print_lines(block: Lines, out: Console) -> None:
    out.print()
    out.print(Text(block.title, style="bold"))
    for line in block.lines:
        out.print(Text(line))
