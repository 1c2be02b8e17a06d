"""Which silences are announced waits: a hold without music, not dead air."""

import re
from collections.abc import Sequence

from pipeline.timeline import Role, Span, Turn

ANNOUNCEMENT = re.compile(
    r"[稍少烧捎][等候后微]|[等待][一]?[下会]|等我|等候|请.{0,3}[等候]|[别不]要?挂[机断]?|(需要|大概|大约).{0,8}(秒|分钟)"
)
"""Wordings that ask the customer to wait, with characters that recognition often writes for them."""

LAST_CHARACTERS = 30


def announcing(turns: Sequence[Turn]) -> tuple[Span, ...]:
    """Spans of the turns whose last words ask the customer to wait."""
    asked = (Role.AGENT, Role.UNKNOWN)
    return tuple(t.span for t in turns if t.role in asked and ANNOUNCEMENT.search(t.text[-LAST_CHARACTERS:]))
