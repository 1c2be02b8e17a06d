"""Changes to the text of a rule file that leave everything else as its author wrote it."""

import difflib
import json
from collections.abc import Sequence

from ruamel.yaml.comments import CommentedSeq

from pipeline.detect.document import Document

SAFE = frozenset("…，。、！？；：|()（）")
"""Punctuation of patterns that may stand unquoted, except at the beginning."""


def with_entries(document: Document, key: str, entries: Sequence[str]) -> str:
    """The text with `entries` at the end of the list under `key`, which is made where there is none."""
    if not entries:
        return document.text
    lines = document.text.removesuffix("\n").split("\n")
    found = document.root.get(key)
    if not isinstance(found, CommentedSeq):
        at = _line_of(document, "cases", len(lines))
        lines[at:at] = [f"{key}:", *(f"  - {written(entry)}" for entry in entries)]
    elif found.fa.flow_style():
        line, column = _closing(lines, *document.root.lc.value(key))
        inner = lines[line][:column].rstrip().rstrip(",")
        added = ", ".join(map(_quoted, entries))
        separator = "" if inner.endswith("[") else ", "
        lines[line] = f"{inner}{separator}{added}{lines[line][column:]}"
    else:
        _append(lines, found, entries)
    return "\n".join(lines) + "\n"


def _line_of(document: Document, key: str, default: int) -> int:
    return int(document.root.lc.key(key)[0]) if key in document.root else default


def _append(lines: list[str], found: CommentedSeq, entries: Sequence[str]) -> None:
    """Behind the last entry, which goes on as long as lines are indented deeper than its dash."""
    last = int(found.lc.item(len(found) - 1)[0])
    dash = len(lines[last]) - len(lines[last].lstrip())
    end = last + 1
    while end < len(lines) and lines[end].strip() and _indent(lines[end]) > dash:
        end += 1
    lines[end:end] = [f"{' ' * dash}- {written(entry)}" for entry in entries]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _closing(lines: list[str], line: int, column: int) -> tuple[int, int]:
    """Where the flow list that opens at a place is closed."""
    depth, quote = 0, ""
    while line < len(lines):
        for at in range(column, len(lines[line])):
            char = lines[line][at]
            if quote:
                quote = "" if char == quote else quote
            elif char in "\"'":
                quote = char
            else:
                depth += (char in "[{") - (char in "]}")
                if not depth:
                    return line, at
        line, column = line + 1, 0
    return len(lines) - 1, len(lines[-1])


def written(entry: str) -> str:
    """A text as YAML: plain where that is safe, else in double quotes."""
    plain = entry[:1].isalnum() and all(char.isalnum() or char in SAFE for char in entry)
    return entry if plain and not entry.isascii() else _quoted(entry)


def _quoted(entry: str) -> str:
    """JSON is YAML, but for signs that cannot be seen."""
    quoted = json.dumps(entry, ensure_ascii=False)
    return "".join(char if char.isprintable() else _escaped(char) for char in quoted)


def _escaped(char: str) -> str:
    return f"\\U{ord(char):08x}"


def patch(path: str, before: str, after: str) -> str:
    """The change as a unified diff that `patch -p1` and `git apply` take."""
    lines = difflib.unified_diff(
        before.splitlines(keepends=True),
        after.splitlines(keepends=True),
        fromfile=f"a/{path}",
        tofile=f"b/{path}",
    )
    return "".join(lines)
