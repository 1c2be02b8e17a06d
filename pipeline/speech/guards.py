"""What Whisper writes that nobody said: doubts about a decoded window, and stock phantom sentences."""

import re
import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rapidfuzz import fuzz

from pipeline.settings import Settings
from pipeline.units import MS_PER_SECOND, Ms


class Doubt(StrEnum):
    """Why a decoded window is not believed."""

    NO_SPEECH = "no speech"
    UNLIKELY = "low probability"
    COMPRESSIBLE = "compresses too well"
    REPEATED = "repeats itself"
    TOO_LONG = "more tokens than the speech can hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """What the decoder wrote for one window. `logprob` is the mean over tokens, end of text included."""

    text: str
    tokens: tuple[int, ...]
    logprob: float
    no_speech: float


_MIN_COMPRESSIBLE_BYTES = 60
_SPARE_TOKENS = 12
_LONG_TEXT = 20
_LOOP = re.compile(r"(\D)\1{6,}|(\D{2})\2{4,}|(\D{3})\3{3,}|(\D{4,20})\4{2,}")
"""Characters that come back in direct succession more often than people say them; digits are numbers."""

_PHANTOMS = (
    r"字幕(由|[:：]|制作|志愿|by|組|组|提供|校对|翻译).*",
    r".*(中文|简体|繁体|官方)?字幕(志愿者|组|由|制作).*",
    r".*(Amara|amara)\s*\.?\s*(org|ORG|社[区群]).*",
    r".*(请不吝|不吝).*(点赞|订阅|转发|打赏).*",
    r".*(点赞|订阅|转发|打赏|关注).{0,4}(点赞|订阅|转发|打赏|关注).*",
    r".*明镜(与|和|需要|新闻|电视|火拍)?.{0,2}(点点|栏目|您的支持|电视).*",
    r".*(谢谢|感谢|多谢)(您|你们|你|大家|各位)?的?(观看|收看|收听|观赏)(本.*|.{0,2}(视频|节目|频道))?",
    r".*(下期|下次|下集|下個|下个)(视频|影片|节目|再见).*",
    r".*(本集|本期|本节目|本视频)(完|结束|到此).*",
    r".*(by|BY|By)索兰娅.*",
    r".*(作词|作曲|编曲|词曲|演唱|制作人|监制|李宗盛)[:：\s].*",
    r".*(优优独播|独播剧场|YoYo Television|yoyo television).*",
    r".*(欢迎|请|记得|别忘了)(大家|您|你)?(订阅|关注)(我们|我)?的?(频道|节目).*",
    r".*(MING\s*PAO|ming\s*pao|明報|明报)(加拿大|多伦多).*",
    r".*(音乐|掌声|笑声|鼓掌)[)）\]】♪]*",
    r"(Thank you|Thanks)( so much| very much)? for watching.*",
)
PHANTOM = re.compile("|".join(f"(?:{pattern})" for pattern in _PHANTOMS), re.IGNORECASE)
"""Sentences learned from subtitles; no call-centre conversation holds them."""

SENTENCE_MARKS = "，。！？；、…"

_ECHO_LIKENESS = 80.0
_ECHO_CHARACTERS = 5
_SOUNDLESS = re.compile(r"[\W_]+")


def doubts(decoded: Decoded, duration: Ms, settings: Settings) -> tuple[Doubt, ...]:
    """All reasons not to believe what was decoded for a window with `duration` of speech; empty: believed."""
    found = []
    unlikely = decoded.logprob < settings.logprob_threshold
    if unlikely and decoded.no_speech > settings.no_speech_threshold:
        found.append(Doubt.NO_SPEECH)
    elif unlikely:
        found.append(Doubt.UNLIKELY)
    if compression_ratio(decoded.text) > settings.compression_threshold:
        found.append(Doubt.COMPRESSIBLE)
    if repeats(decoded.text):
        found.append(Doubt.REPEATED)
    if len(decoded.tokens) > token_bound(duration, settings):
        found.append(Doubt.TOO_LONG)
    return tuple(found)


def token_bound(duration: Ms, settings: Settings) -> int:
    """How many tokens that much speech can give."""
    return int(duration * settings.max_tokens_per_second / MS_PER_SECOND) + _SPARE_TOKENS


def compression_ratio(text: str) -> float:
    """Bytes divided by compressed bytes; 1 for texts too short to tell."""
    raw = text.encode()
    return len(raw) / len(zlib.compress(raw)) if len(raw) >= _MIN_COMPRESSIBLE_BYTES else 1.0


def repeats(text: str) -> bool:
    """Whether a stretch of characters comes back in direct succession as nobody says it.

    Digits may repeat: they are numbers.
    """
    plain = _SOUNDLESS.sub("", text)
    return bool(_LOOP.search(plain)) or _mostly_one_character(plain)


def _mostly_one_character(plain: str) -> bool:
    if len(plain) < _LONG_TEXT:
        return False
    return Counter(plain).most_common(1)[0][1] * 2 > len(plain)


def is_phantom(sentence: str, prompt: str = "") -> bool:
    """Whether a sentence is a stock phantom, or an echo of the prompt the decoder started from."""
    stripped = sentence.strip(" ，。！？、,.!?~…")
    if PHANTOM.fullmatch(stripped):
        return True
    plain = _SOUNDLESS.sub("", stripped)
    return any(_echo(plain, _SOUNDLESS.sub("", part)) for part in re.split("[，。！？,.!?]", prompt))


def _echo(plain: str, part: str) -> bool:
    if min(len(plain), len(part)) < _ECHO_CHARACTERS:
        return False
    return fuzz.ratio(plain, part) >= _ECHO_LIKENESS


def sentence_bounds(texts: Sequence[str]) -> list[tuple[int, int]]:
    """(from, to) of each run of words that ends with punctuation.

    `["好，", "再", "见。"]` gives (0, 1) and (1, 3).
    """
    bounds, start = [], 0
    for index, text in enumerate(texts):
        if text[-1:] in SENTENCE_MARKS or index == len(texts) - 1:
            bounds.append((start, index + 1))
            start = index + 1
    return bounds
