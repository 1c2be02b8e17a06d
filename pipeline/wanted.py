"""What was found and what was expected, in Chinese, and what pydantic says of it."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

KINDS = {
    "int_parsing": "整数",
    "int_type": "整数",
    "int_from_float": "整数",
    "float_parsing": "数",
    "float_type": "数",
    "bool_parsing": "true 或 false",
    "bool_type": "true 或 false",
    "string_type": "文字",
    "dict_type": "列名的对应，如 {a = 'b'}",
}
BOUNDS = {
    "greater_than_equal": "不小于 {ge} 的数",
    "greater_than": "大于 {gt} 的数",
    "less_than_equal": "不大于 {le} 的数",
    "less_than": "小于 {lt} 的数",
}
LONGEST = 40
"""Characters that are shown of a text."""
_QUOTED = re.compile(r"'([^']*)'")
_CHOICE = re.compile(r"is not one of (?P<choices>'.*')")


def wanted(fault: ErrorDetails, kinds: Mapping[str, str] = KINDS) -> str:
    """What stands behind “应为”, by the type of the fault; pydantic's own words where there are no Chinese
    ones."""
    kind, values = fault["type"], fault.get("ctx", {})
    if kind in BOUNDS:
        return BOUNDS[kind].format_map(_plain(values))
    if allowed := choices(fault):
        return one_of(allowed)
    return spaced(kinds.get(kind) or fault["msg"].removeprefix("Value error, "))


def choices(fault: ErrorDetails) -> tuple[str, ...]:
    """The texts that may stand where another one was found; none where that is not what is wrong."""
    if fault["type"] == "literal_error":
        return tuple(_QUOTED.findall(str(fault["ctx"]["expected"])))
    choice = _CHOICE.search(fault["msg"])
    return tuple(_QUOTED.findall(choice["choices"])) if choice else ()


def one_of(allowed: Iterable[str]) -> str:
    """`one_of(["a", "b"]) == " a、b 之一"`: what stands behind “应为”."""
    listed = tuple(allowed)
    return spaced("、".join(listed)) + (" 之一" if len(listed) > 1 else "")


def quoted(text: str) -> str:
    """A text as it was found, on one line; the rest of a long one is left out."""
    shown = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    return f"“{''.join(c if c.isprintable() else repr(c)[1:-1] for c in shown)}”"


def spaced(text: str) -> str:
    """A text to stand behind a Chinese character: a blank before letters and figures."""
    return f" {text}" if text[:1].isascii() and not text[:1].isspace() else text


def _plain(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: f"{value:g}" for name, value in values.items()}
