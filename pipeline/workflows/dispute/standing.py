"""Which corrections of a call still stand, and which a new hearing could not take over."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from pipeline.errors import UsageError
from pipeline.storage.records import Change, Correction, Subject
from pipeline.timeline import Recording
from pipeline.units import Ms

AGENT = "坐席"
"""What a change of the roles is about."""
NEAR_MS: Ms = 3_000
"""Words to be corrected are looked for so far around the time that was named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """A column of the metadata as a person left it: `first` what it was before anybody changed it."""

    first: str
    value: str
    by: Correction


def pinned(corrections: Iterable[Correction]) -> dict[str, Pinned]:
    """By field of a Recording. Put back to what it was at first, it follows the metadata again."""
    found: dict[str, Pinned] = {}
    for correction in corrections:
        for change in correction.changes if correction.subject is Subject.METADATA else ():
            first = found[change.what].first if change.what in found else change.before
            if change.after == first:
                found.pop(change.what, None)
            else:
                found[change.what] = Pinned(first=first, value=change.after, by=correction)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A change that a night could not take over; `place` is that of the record among the corrections, `dealt`
    whether a person put something right there since."""

    place: int
    change: Change
    record: Correction
    dealt: bool


def lost(corrections: Sequence[Correction]) -> tuple[Lost, ...]:
    """Everything that ever could not be taken over, oldest first."""
    return tuple(
        Lost(
            place=place,
            change=change,
            record=record,
            dealt=any(_deals_with(later, change) for later in corrections[place + 1 :]),
        )
        for place, record in enumerate(corrections)
        if record.subject is Subject.NOT_CARRIED
        for change in record.changes
    )


def standing(corrections: Sequence[Correction]) -> tuple[Correction, ...]:
    """Corrections of words and roles that a new hearing has to show, oldest first: without those that could
    not be taken over once and that a person has dealt with since."""
    dealt = [found for found in lost(corrections) if found.dealt]
    return tuple(
        correction
        for place, correction in enumerate(corrections)
        if correction.subject in (Subject.WORDS, Subject.ROLES)
        and not any(place < found.place and found.change in correction.changes for found in dealt)
    )


def marks(corrections: Sequence[Correction]) -> tuple[str, ...]:
    """What `Recording.unsettled` says of what could not be taken over and nobody has dealt with since."""
    return tuple(_mark(found) for found in lost(corrections) if not found.dealt)


def settled(recording: Recording, corrections: Sequence[Correction]) -> Recording:
    """The recording without the marks that a person has dealt with."""
    left = marks(corrections)
    return replace(recording, unsettled=tuple(mark for mark in recording.unsettled if mark in left))


def _mark(found: Lost) -> str:
    what = "角色" if found.change.what == AGENT else f"{found.change.what} 的文字"
    return f"{what}改正未能沿用，请人核对：{found.record.reason}"


def _deals_with(later: Correction, change: Change) -> bool:
    """Whether a person put something right at the same place."""
    if change.what == AGENT or later.subject is not Subject.WORDS:
        return change.what == AGENT and later.subject is Subject.ROLES
    at = clock_time(change.what)
    return any(abs(clock_time(own.what) - at) <= NEAR_MS for own in later.changes)


def text_of(value: object) -> str:
    """A value of the metadata as corrections keep it."""
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, datetime) else str(value)


def clock_time(text: str, option: str = "--at") -> Ms:
    """`12.3`, `1:12.3`, `01:02:12.3` as milliseconds. Raises UsageError."""
    try:
        numbers = [float(part) for part in text.replace("：", ":").split(":")]
        if len(numbers) > 3 or any(number < 0 or not math.isfinite(number) for number in numbers):
            raise ValueError(text)
    except ValueError:
        raise UsageError(
            f"{option}：看不懂“{text}”，应为录音里的时间", hint="例：00:12.3，show 里每轮前面就是"
        ) from None
    seconds = 0.0
    for number in numbers:
        seconds = seconds * 60 + number
    return round(seconds * 1000)
