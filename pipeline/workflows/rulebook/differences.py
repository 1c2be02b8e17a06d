"""Two texts of a file, line by line."""

import difflib
from dataclasses import dataclass

ADDED, REMOVED, PLACE, SAME = "added", "removed", "place", "same"


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a unified diff; `kind` is one of the four above."""

    kind: str
    text: str


def lines_between(before: str, after: str) -> tuple[Line, ...]:
    """What must be changed in `before` to come to `after`; nothing where they are the same."""
    found = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=3)
    return tuple(_line(text) for text in list(found)[2:])


def lines_of(diff: str) -> tuple[Line, ...]:
    """A unified diff as git prints it, from its first place on."""
    lines = diff.splitlines()
    first = next((n for n, line in enumerate(lines) if line.startswith("@@")), len(lines))
    return tuple(_line(text) for text in lines[first:])


def _line(text: str) -> Line:
    kinds = {"+": ADDED, "-": REMOVED, "@": PLACE}
    return Line(kind=kinds.get(text[:1], SAME), text=text)
