"""A CSV file as rows of text, whatever encoding and delimiter its writer used."""

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from pipeline.errors import MetadataError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_DELIMITERS = (",", ";", "\t", "|")
_CHUNK = 1 << 20
UNDECODABLE = "\ufffd"
"""Stands in a cell where the bytes are no text in the file's encoding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """`header` stripped, from row `header_row` (1 unless Excel's `sep=` line precedes it)."""

    path: Path
    encoding: str
    delimiter: str
    header: tuple[str, ...]
    header_row: int

    def rows(self) -> Iterator[tuple[int, list[str] | csv.Error]]:
        """(row number as a spreadsheet counts, cells), streamed; blank rows count but are left out.

        A row that is no CSV comes as the error.
        """
        with _text(self.path, self.encoding) as file:
            reader = csv.reader(file, delimiter=self.delimiter)
            number = 0
            while True:
                number += 1
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield number, error
                    continue
                if number > self.header_row and any(cells):
                    yield number, cells


def open_table(path: Path) -> Table:
    """Find out encoding, delimiter and header. Raises MetadataError: no file, no header."""
    try:
        encoding = _encoding(path)
        with _text(path, encoding) as file:
            lines = [file.readline(_CHUNK) for _ in range(2)]
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise MetadataError(
            f"{path}：打不开（{reason}），应为可读的 CSV 文件", hint="检查路径和权限"
        ) from error
    skipped = lines[0].lower().startswith("sep=")
    header_line = lines[1] if skipped else lines[0]
    delimiter = max(_DELIMITERS, key=header_line.count)
    header = next(csv.reader([header_line], delimiter=delimiter), [])
    if not any(cell.strip() for cell in header):
        raise MetadataError(f"{path}：第一行是空的，应为列名", row=1, hint="从录音系统重新导出，带列名")
    return Table(
        path=path,
        encoding=encoding,
        delimiter=delimiter,
        header=tuple(cell.strip() for cell in header),
        header_row=2 if skipped else 1,
    )


def _text(path: Path, encoding: str) -> TextIO:
    return path.open(encoding=encoding, errors="replace", newline="")


def _encoding(path: Path) -> str:
    """UTF-8 where the whole file is UTF-8, UTF-16 by its mark or its zero bytes, else GB18030."""
    with path.open("rb") as file:
        head = file.read(4096)
        for mark, encoding in _BOMS:
            if head.startswith(mark):
                return encoding
        even, odd = head[::2].count(0), head[1::2].count(0)
        if max(even, odd) > len(head) // 8:
            return "utf-16-le" if odd > even else "utf-16-be"
        file.seek(0)
        decoder = codecs.getincrementaldecoder("utf-8")()
        try:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return "gb18030"
    return "utf-8"
