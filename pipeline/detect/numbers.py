"""Numbers read out digit by digit: rows of digits in a call's words, and what they identify.

`rows` lays the digits of one side out over pauses, turns and the other side's 嗯; `numbers` finds mobile
phones, identity cards and bank cards in a row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from pipeline.detect.heard import Heard, Mark
from pipeline.detect.listening import is_backchannel
from pipeline.detect.sound import FILLERS, LIGHT, syllables
from pipeline.timeline import Role
from pipeline.units import Ms

DIGITS = {
    char: digit
    for digit, chars in enumerate(
        ("0零〇洞", "1一幺", "2二两", "3三", "4四", "5五", "6六", "7七拐", "8八", "9九勾")
    )
    for char in chars
}
SPOKEN = {
    "ling": 0, "dong": 0, "yi": 1, "yao": 1, "er": 2, "liang": 2, "san": 3, "si": 4, "wu": 5, "liu": 6,
    "qi": 7, "guai": 7, "ba": 8, "jiu": 9,
}  # fmt: skip
CHECK_X = 10
"""The X that ends some identity card numbers."""
BETWEEN = FILLERS | LIGHT | frozenset("然后面是再杠横空格")
"""Characters that may stand between the digits of one number."""
MOST_BETWEEN = 3
PAUSE_MS: Ms = 6_000
SURE_SHARE = 0.7
"""Share of a number's digits that must be written as digits; the others may only sound like one."""
GIVEN_EDITS = 2


class Kind(StrEnum):
    """What a number identifies."""

    PHONE = "phone"
    ID_CARD = "id_card"
    BANK_CARD = "bank_card"

    @property
    def chinese(self) -> str:
        return {"phone": "手机号", "id_card": "身份证号", "bank_card": "银行卡号"}[self.value]


class Digit(NamedTuple):
    """`at` is its place among the call's characters; not `sure`: another character of the same sound."""

    value: int
    at: int
    sure: bool
    probability: float


Digits = tuple[Digit, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number found. `fault` says why it may be none, empty where it passes every check."""

    kind: Kind
    digits: Digits
    fault: str = ""

    @property
    def checked(self) -> bool:
        return not self.fault

    @property
    def confidence(self) -> float:
        """From how well the digits were heard; a check digit that fits speaks for them, too."""
        heard = sum(digit.probability * (1.0 if digit.sure else 0.5) for digit in self.digits)
        base = {Kind.PHONE: 0.9, Kind.ID_CARD: 0.98, Kind.BANK_CARD: 0.95}[self.kind]
        return base * (0.6 + 0.4 * heard / len(self.digits)) * (1.0 if self.checked else 0.5)

    @property
    def masked(self) -> str:
        """First and last digits with stars between: `138****1021`."""
        text = "".join("X" if digit.value == CHECK_X else str(digit.value) for digit in self.digits)
        ends = 3 if self.kind is Kind.PHONE else 4
        return text[:ends] + "*" * (len(text) - ends - 4) + text[-4:]


def rows(heard: Heard, role: Role) -> Iterator[Digits]:
    """The rows of digits that one side reads out, in order of time."""
    row: list[Digit] = []
    between = 0
    positions = [i for i, mark in enumerate(heard.marks) if mark.stretch >= 0 and mark.role is role]
    for at in positions:
        digit = _digit(heard.marks[at], at)
        if digit and row and not _runs_on(heard, row[-1].at, at):
            yield tuple(row)
            row, between = [], 0
        if digit:
            row.append(digit)
            between = 0
        elif row:
            between += 1
            if between > MOST_BETWEEN or heard.marks[at].char not in BETWEEN:
                yield tuple(row)
                row, between = [], 0
    if row:
        yield tuple(row)


def _digit(mark: Mark, at: int) -> Digit | None:
    if mark.char in DIGITS:
        return Digit(DIGITS[mark.char], at, True, mark.probability)
    if mark.char in ("x", "叉"):
        return Digit(CHECK_X, at, True, mark.probability)
    if mark.char in BETWEEN:
        return None
    values = {SPOKEN[syllable] for syllable in syllables(mark.char) if syllable in SPOKEN}
    return Digit(values.pop(), at, False, mark.probability) if len(values) == 1 else None


def _runs_on(heard: Heard, before: int, at: int) -> bool:
    """Whether a number may go on from one character to the next of the same side."""
    one, other = heard.marks[before], heard.marks[at]
    if other.span.start - one.span.end > PAUSE_MS:
        return False
    said = "".join(
        mark.char
        for mark in heard.marks[before + 1 : at]
        if mark.stretch >= 0 and mark.role is not one.role and mark.char not in DIGITS
    )
    return is_backchannel(said)


def numbers(row: Digits, kinds: Sequence[Kind]) -> list[Number]:
    """The numbers of these kinds in a row of digits, at most one, the best."""
    found = [number for kind in kinds for number in _FINDERS[kind](row)]
    found = [n for n in found if sum(d.sure for d in n.digits) >= SURE_SHARE * len(n.digits)]
    found.sort(key=lambda number: (not number.checked, -number.confidence))
    return found[:1]


def _windows(row: Digits, length: int) -> Iterator[Digits]:
    """Stretches of the row with no digit beside them that is surely one."""
    for start in range(len(row) - length + 1):
        beside = (*row[max(0, start - 1) : start], *row[start + length : start + length + 1])
        if not any(digit.sure for digit in beside):
            yield row[start : start + length]


def _values(digits: Digits) -> list[int]:
    return [digit.value for digit in digits]


def _phones(row: Digits) -> Iterator[Number]:
    for length in (11, 10, 12):
        for window in _windows(row, length):
            values = _values(window)
            if values[0] == 1 and 3 <= values[1] <= 9 and CHECK_X not in values:
                fault = "" if length == 11 else f"{length} 位，应为 11 位"
                yield Number(kind=Kind.PHONE, digits=window, fault=fault)


def _id_cards(row: Digits) -> Iterator[Number]:
    for window in _windows(row, 18):
        values = _values(window)
        if CHECK_X in values[:-1]:
            continue
        born = "".join(map(str, values[6:14]))
        if id_checksum(values[:17]) == values[17] and _is_date(born):
            yield Number(kind=Kind.ID_CARD, digits=window)
        elif 1 <= values[0] <= 8 and (_is_date(born) or values[17] == CHECK_X):
            yield Number(kind=Kind.ID_CARD, digits=window, fault="校验码不符")


def _bank_cards(row: Digits) -> Iterator[Number]:
    for length in range(16, 20):
        for window in _windows(row, length):
            values = _values(window)
            if CHECK_X in values or (length == 18 and any(n.checked for n in _id_cards(window))):
                continue
            if passes_luhn(values):
                yield Number(kind=Kind.BANK_CARD, digits=window)
            elif length in (16, 19):
                yield Number(kind=Kind.BANK_CARD, digits=window, fault="校验位不符")


_FINDERS = {Kind.PHONE: _phones, Kind.ID_CARD: _id_cards, Kind.BANK_CARD: _bank_cards}


def id_checksum(values: Sequence[int]) -> int:
    """The last digit that belongs to the first 17 of an identity card (GB 11643); CHECK_X for X."""
    total = sum(value << (17 - i) for i, value in enumerate(values))
    return (12 - total % 11) % 11


def passes_luhn(values: Sequence[int]) -> bool:
    """Whether the last digit is the check digit of the others (ISO/IEC 7812)."""
    doubled = (
        value if i % 2 == 0 else sum(divmod(2 * value, 10)) for i, value in enumerate(reversed(values))
    )
    return sum(doubled) % 10 == 0


def _is_date(text: str) -> bool:
    try:
        return 1900 <= date(int(text[:4]), int(text[4:6]), int(text[6:])).year <= 2100
    except ValueError:
        return False


def said_before(row: Digits, number: Number, heard: Heard) -> bool:
    """Whether a row of the other side, spoken earlier, holds the number, up to what may be misheard."""
    began = heard.marks[number.digits[0].at].span.start
    earlier = [digit.value for digit in row if heard.marks[digit.at].span.end <= began]
    wanted, size = _values(number.digits), len(number.digits)
    parts = (earlier[i : i + size] for i in range(max(1, len(earlier) - size + 1)))
    return any(Levenshtein.distance(part, wanted, score_cutoff=GIVEN_EDITS) <= GIVEN_EDITS for part in parts)
