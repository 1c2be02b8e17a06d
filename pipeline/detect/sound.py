"""How alike two characters sound: readings, syllables and the cost of hearing one for the other.

Costs: 0 the same character, 0.1 the same syllable and tone, 0.3 the same syllable in another tone,
0.4 to 0.8 sound-alike syllables (zh/z, n/l, an/ang ...), 1 anything else, and `FORBIDDEN` where the
exchange would change what was meant (a negation or a person replaced by another word).
"""

from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path

from pypinyin import Style, pinyin
from pypinyin.constants import PINYIN_DICT
from pypinyin.contrib.tone_convert import to_finals, to_initials, to_tone3

SAME_SYLLABLE = 0.1
SAME_BUT_TONE = 0.3
NEAR_BASE = 0.35
NEAR_LIMIT = 0.8
NEGATED = 0.45
"""A negation and another word of the same syllable: one of them was misheard."""
UNRELATED = 1.0
FORBIDDEN = 9.0

NEUTRAL_TONE = "5"
NEGATIONS = frozenset("不没别未无非勿")
PERSONS = frozenset("我你您他她它咱")
LIGHT = frozenset("的地了呢啊呀嘛哦嗯呃额哎诶唉哈哟")
"""Characters that are dropped, added or swallowed without a change of meaning."""
FILLERS = frozenset("嗯呃额啊哦噢哎诶唉呀哈那这个就吧呢嘛")

_EQUAL_GROUPS: tuple[str, ...] = ("0零〇", "1一幺", "2二两", "3三", "4四", "5五", "6六", "7七", "8八", "9九")
_EQUAL_GROUPS += ("他她它", "的地得", "作做", "像象", "吗嘛", "帐账", "哪那", "你您", "唯维", "啊呀")
_EQUAL: Mapping[str, int] = {char: i for i, group in enumerate(_EQUAL_GROUPS) for char in group}

_INITIALS = {
    0.1: "zh-z ch-c sh-s",
    0.15: "n-l",
    0.2: "f-h r-l",
    0.25: "b-p d-t g-k z-c zh-ch j-q j-zh q-ch x-sh",
    0.3: "m-n h-k x-s q-c j-z r-0 sh-ch z-ch zh-c",
    0.35: "g-h w-0 h-0 l-d b-m p-f j-x q-x",
}
_FINALS = {
    0.05: "o-uo",
    0.1: "an-ang en-eng in-ing",
    0.15: "uan-uang eng-ong",
    0.2: "ian-iang e-uo o-e ei-uei ong-iong",
    0.25: "uen-ong ai-ei ou-uo i-v ie-ve ao-iao ou-iou an-uan ang-uang van-ian vn-in i-in",
    0.3: "an-ian ang-iang ao-ou a-ia a-ua en-an eng-ang i-ing en-uen ai-uai u-ou uo-u a-e ia-ie en-in",
    0.35: "eng-ing i-ei u-v e-ie vn-iong uen-vn van-uan ve-uo e-en ie-ian a-an a-ang i-ie ong-ang",
}


def _symmetric(table: Mapping[float, str]) -> dict[tuple[str, str], float]:
    pairs: dict[tuple[str, str], float] = {}
    for penalty, listed in table.items():
        for pair in listed.split():
            first, second = (part.replace("0", "") for part in pair.split("-"))
            pairs[first, second] = pairs[second, first] = penalty
    return pairs


_INITIAL_PENALTY = _symmetric(_INITIALS)
_FINAL_PENALTY = _symmetric(_FINALS)


def is_han(char: str) -> bool:
    """Whether the character is a Chinese one (〇 included)."""
    return "\u4e00" <= char <= "\u9fff" or char == "〇"


@cache
def _heteronyms() -> dict[str, tuple[str, ...]]:
    lines = (Path(__file__).parent / "data" / "heteronyms.txt").read_text(encoding="utf-8").splitlines()
    rows = (line.split() for line in lines if not line.startswith("#"))
    return {row[0]: tuple(row[1:]) for row in rows}


@cache
def readings(char: str) -> tuple[str, ...]:
    """Common readings as syllable and tone, `readings("行") == ("xing2", "hang2")`; none for a letter."""
    if char == "1":
        return ("yi1", "yao1")
    char = _EQUAL_GROUPS[_EQUAL[char]][1] if char.isdigit() and char in _EQUAL else char
    if not is_han(char):
        return ()
    known = _heteronyms().get(char)
    if known:
        return known
    marked = PINYIN_DICT.get(ord(char))
    if marked:
        return (_with_number(marked.partition(",")[0]),)
    return (pinyin(char, style=Style.TONE3, neutral_tone_with_five=True, v_to_u=False)[0][0],)


@cache
def _with_number(marked: str) -> str:
    """`_with_number("zhōng") == "zhong1"`."""
    return to_tone3(marked, neutral_tone_with_five=True, v_to_u=False)


@cache
def parts(syllable: str) -> tuple[str, str]:
    """Initial and final of a toneless syllable. `parts("zhong") == ("zh", "ong")`."""
    return to_initials(syllable, strict=True), to_finals(syllable, strict=True, v_to_u=False)


@cache
def syllable_cost(one: str, other: str) -> float:
    """Cost between two toneless syllables: 0 same, NEAR_BASE..NEAR_LIMIT sound-alike, 1 unrelated."""
    if one == other:
        return 0.0
    (initial, final), (initial2, final2) = parts(one), parts(other)
    cost = NEAR_BASE
    if initial != initial2:
        cost += _INITIAL_PENALTY.get((initial, initial2), UNRELATED)
    if final != final2:
        cost += _FINAL_PENALTY.get((final, final2), UNRELATED)
    return cost if cost <= NEAR_LIMIT else UNRELATED


@cache
def reading_cost(one: str, other: str) -> float:
    """Cost between two readings with tones. `reading_cost("gui1", "gui4") == 0.3`."""
    base = syllable_cost(one[:-1], other[:-1])
    if base:
        return base
    same_tone = one[-1] == other[-1] or NEUTRAL_TONE in (one[-1], other[-1])
    return SAME_SYLLABLE if same_tone else SAME_BUT_TONE


@lru_cache(maxsize=1 << 17)
def char_cost(meant: str, heard: str) -> float:
    """Cost of hearing `heard` where `meant` was said."""
    if meant == heard or (meant in _EQUAL and _EQUAL.get(heard) == _EQUAL[meant]):
        return 0.0
    pairs = ((one, other) for one in readings(meant) for other in readings(heard))
    cost = min((reading_cost(one, other) for one, other in pairs), default=UNRELATED)
    if meant in PERSONS and heard in PERSONS:
        return FORBIDDEN
    if meant in NEGATIONS or heard in NEGATIONS:
        return NEGATED if cost <= SAME_BUT_TONE else FORBIDDEN
    return FORBIDDEN if meant in PERSONS and cost > SAME_BUT_TONE else cost


@cache
def daily_characters() -> str:
    """The 3755 characters in daily use, by their code in GB 2312."""
    rows = (bytes((high, low)) for high in range(0xB0, 0xD8) for low in range(0xA1, 0xFF))
    return "".join(row.decode("gb2312", "ignore") for row in rows)


@cache
def _all_syllables() -> tuple[str, ...]:
    """Syllables of the characters in daily use."""
    return tuple(sorted({reading[:-1] for char in daily_characters() for reading in readings(char)}))


@cache
def neighbours(syllable: str) -> tuple[str, ...]:
    """Toneless syllables that sound like this one, itself included. Expects a syllable of `readings`."""
    near = (other for other in _all_syllables() if syllable_cost(syllable, other) < UNRELATED)
    return tuple(dict.fromkeys((syllable, *near)))


def equals(char: str) -> str:
    """Characters written for the same word, itself included: `equals("两") == "2二两"`."""
    return _EQUAL_GROUPS[_EQUAL[char]] if char in _EQUAL else char


@cache
def syllables(char: str) -> tuple[str, ...]:
    """Toneless readings, each once."""
    return tuple(dict.fromkeys(reading[:-1] for reading in readings(char)))


@cache
def alike_syllables(char: str) -> tuple[str, ...]:
    """Toneless syllables that sound like one of the character's, each once."""
    return tuple(dict.fromkeys(near for syllable in syllables(char) for near in neighbours(syllable)))


_ALIKE_INITIALS = {"zh": "z", "ch": "c", "sh": "s", "n": "l", "r": "l", "h": "f"}
_ALIKE_FINALS = {"ang": "an", "eng": "en", "ing": "in", "uang": "uan", "iang": "ian", "uo": "o", "ong": "en"}


@cache
def coarse(char: str) -> str:
    """The sound of a character with what recognition confuses made one; "0" for a digit.

    `coarse("中") == coarse("怎") == "zen"`: zh/z, ch/c, sh/s, n/l/r, h/f; an/ang, en/eng/ong, in/ing, o/uo.
    """
    known = readings(char)
    if char.isdigit() or not known:
        return "0" if char.isdigit() else char
    initial, final = parts(known[0][:-1])
    return _ALIKE_INITIALS.get(initial, initial) + _ALIKE_FINALS.get(final, final)


def sounds_of(text: str) -> tuple[str, ...]:
    """The coarse sounds of a text, punctuation left out."""
    return tuple(coarse(char.lower()) for char in text if is_han(char) or char.isalnum())
