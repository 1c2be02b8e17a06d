"""What pydantic expected of a value, in Chinese."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic_core import ErrorDetails

KINDS = {
    "int_parsing": "整数",
    "int_type": "整数",
    "int_from_float": "整数",
    "float_parsing": "数",
    "float_type": "数",
    "bool_parsing": " true 或 false",
    "bool_type": " true 或 false",
    "string_type": "文字",
    "dict_type": "列名的对应，如 {a = 'b'}",
}
BOUNDS = {
    "greater_than_equal": "不小于 {ge} 的数",
    "greater_than": "大于 {gt} 的数",
    "less_than_equal": "不大于 {le} 的数",
    "less_than": "小于 {lt} 的数",
}
_QUOTED = re.compile(r"'([^']*)'")
_CHOICE = re.compile(r"is not one of (?P<choices>'.*')")


def wanted(fault: ErrorDetails) -> str:
    """What stands behind “应为”; pydantic's own words where there are no Chinese ones."""
    kind, values = fault["type"], fault.get("ctx", {})
    if kind in BOUNDS:
        return BOUNDS[kind].format_map(_plain(values))
    if kind == "literal_error":
        return _one_of(str(values["expected"]))
    if choice := _CHOICE.search(fault["msg"]):
        return _one_of(choice["choices"])
    return KINDS.get(kind) or fault["msg"].removeprefix("Value error, ")


def _plain(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: f"{value:g}" for name, value in values.items()}


def _one_of(quoted: str) -> str:
    choices = _QUOTED.findall(quoted)
    return f" {'、'.join(choices)}" + (" 之一" if len(choices) > 1 else "")
