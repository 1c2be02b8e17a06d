"""Lines of Chinese break between any two characters, never within a time, a number or a word of letters."""

import re

from rich import _wrap
from rich.text import Text

CLOSING = "，。；：、？！”’）》〉】〕…%"
OPENING = "“‘（《〈【〔"
WIDE = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
WORD = re.compile(
    rf"\s*(?:[{OPENING}]*(?:[{WIDE}]|[^\s{WIDE}{OPENING}{CLOSING}]+)[{CLOSING}]*|[{OPENING}{CLOSING}]+)\s*"
)
"""What stays on one line: a Chinese character, or a run of others, with the marks before and after it."""


def break_between_characters() -> None:
    """Rich takes words to end at spaces, and counts characters where it should count cells: Chinese then
    breaks too early, or is cut off."""
    _wrap.re_word = WORD
    setattr(Text, "rstrip_end", _rstrip_end)  # noqa: B010


def _rstrip_end(text: Text, size: int) -> None:
    """No spaces beyond `size` cells."""
    spaces = len(text.plain) - len(text.plain.rstrip())
    too_many = min(spaces, text.cell_len - size)
    if too_many > 0:
        text.right_crop(too_many)
