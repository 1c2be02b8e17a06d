"""Words of the program in a report or on a card, kept apart from what comes out of the data: a page says them
in the language of the reader."""

from collections.abc import Mapping, Sequence
from typing import Self


class Told(str):
    """Chinese with what is filled in: `Told("{count} 个坐席", count=3)` reads "3 个坐席". `pattern` and
    `values` are what it was made of; what was told already stays as it is."""

    pattern: str
    values: Mapping[str, object]

    def __new__(cls, pattern: str, **values: object) -> Self:
        if isinstance(pattern, cls):
            return pattern
        made = super().__new__(cls, pattern.format(**values) if values else pattern)
        made.pattern, made.values = pattern, values
        return made


def joined(parts: Sequence[str], pattern: str = "{first}，{rest}") -> str:
    """The parts, one behind the other, as the pattern puts two together; "": there are none."""
    if not parts:
        return ""
    return parts[0] if len(parts) == 1 else Told(pattern, first=parts[0], rest=joined(parts[1:], pattern))
