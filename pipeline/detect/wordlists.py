"""Patterns as rule files write them: checked, and the slots of named word lists written out.

`rules/words/product.yml` makes `{product}` stand for any one of its words, as `(宽带|流量包)` would.
"""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationInfo
from pydantic_core import PydanticCustomError

from pipeline.detect.pattern import SLOTS, PatternError, parse

Lists = Mapping[str, tuple[str, ...]]
_SLOT = re.compile(r"\{\s*([a-z_][a-z0-9_]*)\s*\}")
_NOT_IN_WORDS = re.compile(r"[…{}|()（）\[\]【】]|\.\.\.")


def expand(text: str, lists: Lists) -> str:
    """The pattern with each named list written out as a choice. Raises PatternError: not a pattern, or a
    slot that is neither one of the language nor a list."""
    parse(text, frozenset(lists))
    return _SLOT.sub(lambda slot: _written_out(slot, lists), text)


def _written_out(slot: re.Match[str], lists: Lists) -> str:
    if slot[1] in SLOTS or slot[1] not in lists:
        return slot[0]
    return f"({'|'.join(lists[slot[1]])})"


def checked(text: str, info: ValidationInfo, *, phrase_slot: bool = False) -> str:
    """A pattern of a rule file, for pydantic: its lists come with the context, its faults with a column."""
    lists: Lists = (info.context or {}).get("words", {})
    try:
        if not phrase_slot and "{phrase}" in text.replace(" ", ""):
            raise PatternError(
                "发现 {phrase}，应为普通的说法；{phrase} 只能写在 `except` 里", text.index("{")
            )
        return expand(text, lists)
    except PatternError as error:
        raise at_column(str(error), error.column) from error


def one_word(text: str) -> str:
    """An entry of a word list, for pydantic: plain words."""
    if other := _NOT_IN_WORDS.search(text):
        raise at_column(f"发现词表里有“{other[0]}”，应为普通的词；一行一个", other.start())
    try:
        parse(text)
    except PatternError as error:
        raise at_column(str(error), error.column) from error
    return text


def at_column(message: str, column: int) -> PydanticCustomError:
    """A fault inside a text value; `column` counts its characters from 0."""
    context: dict[str, Any] = {"message": message, "column": column}
    return PydanticCustomError("pattern", "{message}", context)
