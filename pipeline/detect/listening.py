"""Back-channels: what one says to show that one listens, without taking the turn over."""

import re

from pipeline.detect.pattern import matchable

LONGEST = 10
"""Characters; a longer row of such words is an answer."""

_WORDS = (
    "原来如此|没问题|我明白|我知道|我理解|我了解|我懂|明白|知道|了解|理解|清楚|没错|没事|可以|是吗|是吧|"
    "对吧|好吧|这样|您说|你说|请说|请讲|您讲|你讲|继续|[嗯恩唔哼啊哦噢喔呃额诶哎欸对是好行懂的了呢吧呀嘛]|ok"
)
_BACKCHANNEL = re.compile(f"(?:{_WORDS})+")


def is_backchannel(text: str) -> bool:
    """Whether the words only show that one listens; also true of no words. `is_backchannel("嗯，好的。")`."""
    said = "".join(char for char in text.lower() if matchable(char))
    return len(said) <= LONGEST and (not said or _BACKCHANNEL.fullmatch(said) is not None)
