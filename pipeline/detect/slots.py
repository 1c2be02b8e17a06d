"""What the slots of a pattern stand for: where in a call's words a number, a name or a time lies."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from pipeline.detect.heard import Heard
from pipeline.detect.pattern import Slot
from pipeline.detect.sound import UNRELATED, reading_cost, readings

SOUND_COST = 0.1
NEAR_COST = 0.2
"""A surname that was misheard: `NEAREST_SOUNDS` takes other tones, an/ang and zh/z, and nothing further."""
NEAREST_SOUNDS, DOUBTED = 0.5, 0.75
TITLES = frozenset(("先生", "女士", "小姐", "太太"))
UNUSUAL_COST = 0.3
UNBOUNDED_COST = 0.15
DIGITS = "0123456789零〇一二三四五六七八九十百千万亿两幺点"
_TIME = (
    "今天|明天|后天|昨天|今晚|明晚|今早|明早|当天|当日|上午|下午|中午|晚上|早上|傍晚|凌晨|"
    "(?:这|本|下|上)?(?:周|星期|礼拜)[一二三四五六日天末]|月底|月初|年底|"
    f"[{DIGITS}半几]+(?:个)?(?:工作日|小时|钟头|分钟|分|秒钟|秒|点钟|点|号|日|天|周|星期|月|年|刻)半?"
)
_AMOUNT = f"[{DIGITS}半几]+(?:块|元|毛|角|万|千|百|折|个点|成)(?:[{DIGITS}]*)(?:钱|人民币)?|百分之[{DIGITS}]+"
RUNS = {
    "number": re.compile(f"[{DIGITS[:-1]}a-z]+"),
    "time": re.compile(f"(?:{_TIME})+"),
    "amount": re.compile(_AMOUNT),
}
LONGEST_NAME = 3
_NOT_IN_NAMES = frozenset(
    "的是不说想要在这那我你您他她它有没什么吗呢了就会能给到去来跟对把被让问帮请很还也都"
)
_NOT_IN_ORGS = frozenset("的是不我你您他她它咱没什么哪谁吗呢吧了请问这那让把被给跟说帮怎很啊呃嗯喂")
LONGEST_ORG = 12
_LENGTHS = {"name": LONGEST_NAME, "org": LONGEST_ORG, "surname": 2}
_BEFORE_TITLES = frozenset("请位好嗯啊呃从家全单称")
_AFTER_NAMES = frozenset("为请很有竭就您你我给来跟负工继由")
_NICKNAMES = frozenset("小老阿")

Ends = Iterator[tuple[int, float]]


class Place(NamedTuple):
    """A slot in a pattern. `first`: nothing comes before it, so it starts where its words do.
    `last`: nothing follows, so a name must end at a boundary."""

    slot: Slot
    first: bool
    last: bool


@cache
def surnames() -> frozenset[str]:
    """Chinese surnames, compound ones included."""
    lines = (Path(__file__).parent / "data" / "surnames.txt").read_text(encoding="utf-8").splitlines()
    words = [word for line in lines if not line.startswith("#") for word in line.split()]
    single = {char for word in words if len(word) > 2 or len(word) == 1 for char in word}
    return frozenset(single | {word for word in words if len(word) == 2})


@cache
def _surname_readings() -> frozenset[str]:
    return frozenset(reading for name in surnames() if len(name) == 1 for reading in readings(name)[:1])


def _surname_cost(char: str) -> float | None:
    if char in surnames():
        return 0.0
    return SOUND_COST if _surname_readings() & set(readings(char)) else None


def _misheard_surname_cost(heard: Heard, start: int) -> float | None:
    """Before a title, a doubtful word of one character may be a surname of another tone or a near sound."""
    mark = heard.marks[start]
    if mark.probability >= DOUBTED or mark.char in _NOT_IN_NAMES or mark.char in _BEFORE_TITLES:
        return None
    titled = heard.text[start + 1 : start + 3] in TITLES
    if not titled or not (heard.is_word_edge(start) and heard.is_word_edge(start + 1)):
        return None
    near = (reading_cost(name, one) for name in _surname_readings() for one in readings(mark.char))
    return NEAR_COST if min(near, default=UNRELATED) <= NEAREST_SOUNDS else None


def _surname_ends(heard: Heard, start: int, at: Place) -> Ends:
    cost = _surname_cost(heard.text[start])
    if cost is None:
        cost = _misheard_surname_cost(heard, start)
    if cost is not None:
        yield start + 1, cost
    if heard.text[start : start + 2] in surnames():
        yield start + 2, 0.0


def _name_ends(heard: Heard, start: int, at: Place) -> Ends:
    first = heard.text[start]
    sound = 0.0 if first in _NICKNAMES else _surname_cost(first)
    cost = UNUSUAL_COST if sound is None else sound
    for end in range(start + 1, start + 1 + LONGEST_NAME):
        char = heard.text[end - 1]
        if char in _NOT_IN_NAMES or heard.marks[end - 1].stretch < 0:
            return
        if not at.last or heard.breaks[end] > 0 or heard.text[end] in _AFTER_NAMES:
            yield end, cost
        elif end - start > 1 and heard.is_word_edge(end):
            yield end, cost + UNBOUNDED_COST
        if heard.breaks[end] > 0:
            return


def _org_runs(heard: Heard) -> tuple[tuple[int, int], ...]:
    """Where the name of a firm or a department may lie: no pause inside, and no pronoun or particle."""
    if "org" not in heard.runs:
        found: list[tuple[int, int]] = []
        start = 0
        for at, mark in enumerate(heard.marks):
            barred = mark.stretch < 0 or mark.char in _NOT_IN_ORGS
            if (barred or heard.breaks[at] > 0) and start < at:
                found.append((start, at))
                start = at
            start = at + 1 if barred else start
        heard.runs["org"] = (*found, (start, len(heard.marks)))
    return heard.runs["org"]


def _org_ends(heard: Heard, start: int, at: Place) -> Ends:
    behind = next((end for begin, end in _org_runs(heard) if begin <= start < end), start)
    for end in range(start + at.slot.least, min(behind, start + LONGEST_ORG) + 1):
        if not at.last or heard.breaks[end] > 0 or heard.text[end : end + 1] in _AFTER_NAMES:
            yield end, 0.0
        elif heard.is_word_edge(end):
            yield end, UNBOUNDED_COST


def runs(heard: Heard, name: str) -> tuple[tuple[int, int], ...]:
    """Where numbers, times or amounts lie, as positions; kept with the call's words."""
    if name not in heard.runs:
        heard.runs[name] = tuple(found.span() for found in RUNS[name].finditer(heard.text))
    return heard.runs[name]


def _run_ends(heard: Heard, start: int, at: Place) -> Ends:
    for begin, end in runs(heard, at.slot.name):
        inside = begin == start if at.first else begin <= start < end
        if inside and end - start >= at.slot.least:
            yield end, 0.0


_ENDS: Mapping[str, Callable[[Heard, int, Place], Ends]] = {
    "amount": _run_ends,
    "name": _name_ends,
    "number": _run_ends,
    "org": _org_ends,
    "surname": _surname_ends,
    "time": _run_ends,
}


def ends(heard: Heard, start: int, at: Place) -> Ends:
    """Positions where the slot can end when it starts here, each with its cost."""
    if heard.marks[start].stretch < 0:
        return iter(())
    return _ENDS[at.slot.name](heard, start, at)


def reach(heard: Heard, states: int, slot: Slot) -> int:
    """Bit mask of every position where the slot may end; may hold more than `ends` yields."""
    if slot.name == "org":
        return _org_reach(heard, states, slot.least)
    if slot.name in RUNS:
        found = 0
        for begin, end in runs(heard, slot.name):
            if (states >> begin) & ((1 << (end - begin)) - 1):
                found |= 1 << end
        return found
    if slot.name == "surname":
        return _surname_reach(heard, states)
    found = 0
    for _ in range(LONGEST_NAME):
        states = (states & heard.words) << 1
        found |= states
    return found


def before(heard: Heard, states: int, slot: Slot) -> int:
    """Bit mask of every position from which the slot may reach one of these; may hold more."""
    if slot.name in RUNS:
        found = 0
        for begin, end in runs(heard, slot.name):
            if states >> end & 1:
                found |= (1 << end) - (1 << begin)
        return found
    if slot.name not in _LENGTHS:
        return (1 << states.bit_length()) - 1
    found = 0
    for length in range(1, _LENGTHS[slot.name] + 1):
        found |= states >> length
    return found


def _surname_reach(heard: Heard, states: int) -> int:
    """Behind what sounds like a surname or stands before a title, and behind compound surnames."""
    alone = heard.where(_sounds_like_surname) | _before_titles(heard)
    compound = (states & heard.where(_opens_compound)) << 1 & heard.words
    return (states & alone & heard.words) << 1 | compound << 1


def _before_titles(heard: Heard) -> int:
    """The characters behind which one of the TITLES is written."""
    found = 0
    for title in TITLES:
        found |= heard.with_char(title[0]) & heard.with_char(title[1]) >> 1
    return found >> 1


@cache
def _sounds_like_surname(char: str) -> bool:
    return _surname_cost(char) is not None


def _opens_compound(char: str) -> bool:
    return char in _openings_of_compounds()


@cache
def _openings_of_compounds() -> frozenset[str]:
    return frozenset(name[0] for name in surnames() if len(name) > 1)


def _org_reach(heard: Heard, states: int, least: int) -> int:
    inside = heard.words & ~heard.where(_NOT_IN_ORGS.__contains__)
    onward, found = inside & ~heard.broken, 0
    states = (states & inside) << 1
    for length in range(1, LONGEST_ORG + 1):
        if length >= least:
            found |= states
        states = (states & onward) << 1
    return found
