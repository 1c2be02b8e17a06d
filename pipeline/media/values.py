"""What PBX exports write into the cells of their columns, and what it means.

Each function takes the text of one cell, stripped and not empty, and returns the value or raises
ValueError with what was expected, in Chinese.
"""

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipeline.errors import SettingsError
from pipeline.timeline import AgentChannel, Direction

_T = TypeVar("_T")

EMPTY = frozenset(("", "-", "--", "null", "none", "n/a", "nan", "\\n", "无", "空"))
"""Cells (case-folded) that say nothing."""

LONGEST_EMPTY = max(map(len, EMPTY))

DIRECTIONS: Mapping[str, Direction] = {
    "inbound": Direction.INBOUND,
    "in": Direction.INBOUND,
    "incoming": Direction.INBOUND,
    "呼入": Direction.INBOUND,
    "来电": Direction.INBOUND,
    "outbound": Direction.OUTBOUND,
    "out": Direction.OUTBOUND,
    "outgoing": Direction.OUTBOUND,
    "呼出": Direction.OUTBOUND,
    "外呼": Direction.OUTBOUND,
    "去电": Direction.OUTBOUND,
}
"""Numbers are refused: exports disagree on what 0 and 1 mean."""

CHANNELS: Mapping[str, AgentChannel] = {
    "left": AgentChannel.LEFT,
    "l": AgentChannel.LEFT,
    "0": AgentChannel.LEFT,
    "左": AgentChannel.LEFT,
    "左声道": AgentChannel.LEFT,
    "right": AgentChannel.RIGHT,
    "r": AgentChannel.RIGHT,
    "1": AgentChannel.RIGHT,
    "右": AgentChannel.RIGHT,
    "右声道": AgentChannel.RIGHT,
    "mixed": AgentChannel.MIXED,
    "mono": AgentChannel.MIXED,
    "mix": AgentChannel.MIXED,
    "混合": AgentChannel.MIXED,
    "混音": AgentChannel.MIXED,
    "单声道": AgentChannel.MIXED,
}
"""0 and 1 number the channels from the left."""

TRUTHS: Mapping[str, bool] = {
    "1": True,
    "true": True,
    "yes": True,
    "y": True,
    "是": True,
    "有": True,
    "0": False,
    "false": False,
    "no": False,
    "n": False,
    "否": False,
}

_TIME = re.compile(
    r"(\d{4})[-/.年]?(\d{1,2})[-/.月]?(\d{1,2})日?[ T]*"
    r"(?:(\d{1,2})[:时点]?(\d{1,2})(?:[:分]?(\d{1,2})秒?)?(?:[.,](\d{1,6})\d*)?分?)?"
    r"\s*(Z|[+-]\d{2}:?\d{2})?"
)
_EPOCH = re.compile(r"\d{10}(?:\d{3})?(?:\.\d+)?")
_YEARS = range(1990, 2101)
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):([0-5]?\d(?:\.\d+)?)")


def direction(cell: str) -> Direction:
    return _one_of(DIRECTIONS, cell, "呼入/呼出（或 inbound/outbound）")


def agent_channel(cell: str) -> AgentChannel:
    return _one_of(CHANNELS, cell, "left/right/mixed（或 左/右/混合）")


def truth(cell: str) -> bool:
    return _one_of(TRUTHS, cell, "是/否（或 1/0、true/false）")


def _one_of(table: Mapping[str, _T], cell: str, expected: str) -> _T:
    value = table.get(cell.casefold())
    if value is None:
        raise ValueError(expected)
    return value


def seconds(cell: str) -> float:
    """`"48"`, `"48.5"`, `"0:48"`, `"00:01:30"`."""
    match = _CLOCK.fullmatch(cell)
    if match:
        hours, minutes, rest = match.groups()
        return int(hours or 0) * 3600 + int(minutes) * 60 + float(rest)
    value = _number(cell.removesuffix("秒").removesuffix("s"))
    if not math.isfinite(value) or value < 0:
        raise ValueError(_SECONDS)
    return value


_SECONDS = "不小于 0 的秒数（48）或 时:分:秒（00:00:48）"


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        raise ValueError(_SECONDS) from None


def count(cell: str) -> int:
    """`"3"`, `"3.0"`, `"3次"`."""
    text = cell.removesuffix("次").removesuffix(".0")
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise ValueError("0 到 9999 的整数")
    return int(text)


def moment(cell: str, zone: tzinfo) -> datetime:
    """`"2024-05-06 09:12:33"`, `"2024/5/6 9:12"`, `"20240506091233"`, `"2024年5月6日 9时12分"`, ISO 8601
    with an offset, seconds or milliseconds since 1970. Without an offset it is local to `zone`."""
    try:
        found = _epoch(cell) if _EPOCH.fullmatch(cell) else _written(cell, zone)
    except (ValueError, OverflowError, OSError):
        found = None
    if found is None or found.year not in _YEARS:
        raise ValueError("日期和时间，如 2024-05-06 09:12:33")
    return found


def _epoch(cell: str) -> datetime:
    value = float(cell)
    return datetime.fromtimestamp(value / 1000 if value >= 1e11 else value, tz=UTC)


def _written(cell: str, zone: tzinfo) -> datetime | None:
    match = _TIME.fullmatch(cell)
    if not match:
        return None
    *parts, fraction, offset = match.groups()
    numbers = [int(part or 0) for part in parts]
    micro = int((fraction or "0").ljust(6, "0"))
    local = datetime(*numbers, micro, tzinfo=_offset(offset) if offset else zone)  # type: ignore[arg-type,misc]
    return local.astimezone(UTC)


def _offset(text: str) -> tzinfo:
    if text == "Z":
        return UTC
    hours, minutes = int(text[1:3]), int(text[-2:])
    return timezone((-1 if text[0] == "-" else 1) * timedelta(hours=hours, minutes=minutes))


def time_zone(name: str) -> tzinfo:
    """The named zone; China's is known even where the system has no zone data. Raises SettingsError."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        if name == "Asia/Shanghai":
            return timezone(timedelta(hours=8), name)
        raise SettingsError(
            f"设置 time_zone：发现 {name!r}，应为时区的名称", hint="例：Asia/Shanghai"
        ) from error
