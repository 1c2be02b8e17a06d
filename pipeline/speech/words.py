"""Decoder tokens with times -> words: one Han character or digit each, simplified, punctuation attached."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Protocol

from opencc import OpenCC
from rapidfuzz.distance import Levenshtein

_BROKEN = "\ufffd"
_FULL_WIDTH = {
    ",": "，", ".": "。", "?": "？", "!": "！", ":": "：", ";": "；", "｡": "。", "､": "、", "．": "。",
}  # fmt: skip
_MARKS = frozenset("，。？！：；、…")
_DROPPED = frozenset("「」『』“”\"'‘’()（）[]【】《》<>·~～-—_*#♪^`|{}")
_LATIN = re.compile(r"[A-Za-z]")


class Decoder(Protocol):
    """The one thing needed of a tokenizer."""

    def decode(self, tokens: list[int]) -> str:
        """The text of some tokens; U+FFFD where they end inside a character."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound:
    """A piece of text and when it is heard: seconds from the start of the window."""

    text: str
    start: float
    end: float
    probability: float


def spell(
    decoder: Decoder, tokens: Sequence[int], edges: Sequence[float], probabilities: Sequence[float]
) -> tuple[Sound, ...]:
    """Characters in order. `edges` are seconds, one more than tokens: token i sounds from i to i + 1.

    Han characters and digits stand alone, Latin letters stay together as a word that keeps a space
    before it if another Latin word precedes. Numbers stay as the model wrote them, Arabic or Chinese.
    """
    units = _units(decoder, tokens, edges, probabilities)
    return tuple(_attached(_simplified(_latin_joined(c for unit in units for c in _characters(unit)))))


def simplified(text: str) -> str:
    """Traditional characters replaced by simplified ones."""
    return str(_converter().convert(text))


def with_marks(sounds: Sequence[Sound], text: str) -> tuple[Sound, ...]:
    """The sounds with the punctuation that another text of the same speech has where they have none.

    `你 好 我 是` with `你好，我事。` gives `你 好， 我 是。`
    """
    characters, marks = _marked(text)
    owners = [index for index, sound in enumerate(sounds) for c in sound.text if c.isalnum()]
    said = "".join(c for sound in sounds for c in sound.text if c.isalnum())
    out = list(sounds)
    for step in Levenshtein.opcodes(said, characters):
        if step.tag in ("equal", "replace"):
            for i in range(step.src_start, step.src_end):
                mark, sound = marks[step.dest_start + i - step.src_start], out[owners[i]]
                if mark and sound.text[-1].isalnum() and owners[i : i + 2] != [owners[i]] * 2:
                    out[owners[i]] = replace(sound, text=sound.text + mark)
    return tuple(out)


def _marked(text: str) -> tuple[str, list[str]]:
    """The letters, digits and characters of a text, and the mark after each, or ""."""
    characters, marks = "", list[str]()
    for index, character in enumerate(text):
        if character.isalnum():
            characters += character
            marks.append("")
        elif marks and not marks[-1]:
            mark = in_full_width(character, text[index - 1], text[index + 1 : index + 2])
            marks[-1] = mark if mark in _MARKS else ""
    return characters, marks


def in_full_width(marks: str, before: str, after: str) -> str:
    """One punctuation mark as Chinese prints it; inside numbers and Latin words it stays (3.5, 10:30)."""
    inside = before[-1:].isascii() and before[-1:].isalnum() and after[:1].isascii() and after[:1].isalnum()
    return marks if inside else _FULL_WIDTH.get(marks, marks)


@cache
def _converter() -> OpenCC:
    return OpenCC("t2s")


def _units(
    decoder: Decoder, tokens: Sequence[int], edges: Sequence[float], probabilities: Sequence[float]
) -> Iterable[Sound]:
    """Runs of tokens that make whole characters."""
    first = 0
    for index in range(len(tokens)):
        text = decoder.decode(list(tokens[first : index + 1]))
        if text.endswith(_BROKEN) and index + 1 < len(tokens) and index - first < 3:
            continue
        probability = sum(probabilities[first : index + 1]) / (index + 1 - first)
        yield Sound(
            text=text.replace(_BROKEN, ""),
            start=edges[first],
            end=edges[index + 1],
            probability=min(max(probability, 0.0), 1.0),
        )
        first = index + 1


def _characters(unit: Sound) -> Iterable[Sound]:
    """A unit's characters share its time evenly; marks take none of it."""
    share = (unit.end - unit.start) / max(1, sum(c.isalnum() for c in unit.text))
    at = unit.start
    for character in unit.text:
        after = at + share if character.isalnum() else at
        yield replace(unit, text=character, start=at, end=after)
        at = after


def _latin_joined(sounds: Iterable[Sound]) -> Iterable[Sound]:
    """Letters next to each other become one word."""
    word: Sound | None = None
    for sound in sounds:
        if _LATIN.match(sound.text):
            word = sound if word is None else _joined(word, sound)
            continue
        if word is not None:
            yield word
            word = None
        yield sound
    if word is not None:
        yield word


def _joined(word: Sound, letter: Sound) -> Sound:
    mean = (word.probability * len(word.text) + letter.probability) / (len(word.text) + 1)
    return replace(word, text=word.text + letter.text, end=letter.end, probability=mean)


def _simplified(sounds: Iterable[Sound]) -> Iterable[Sound]:
    """All texts converted together, since the conversion looks at neighbours."""
    items = list(sounds)
    whole = simplified("".join(item.text for item in items))
    if len(whole) != sum(len(item.text) for item in items):
        return [replace(item, text=simplified(item.text)) for item in items]
    at = 0
    out = []
    for item in items:
        out.append(replace(item, text=whole[at : at + len(item.text)]))
        at += len(item.text)
    return out


def _attached(sounds: Iterable[Sound]) -> Iterable[Sound]:
    """Marks join the word before them; spaces go, save between Latin words."""
    items = [sound for sound in sounds if sound.text not in _DROPPED]
    words: list[Sound] = []
    spaced = False
    for index, item in enumerate(items):
        if item.text.isspace():
            spaced = True
            continue
        if item.text[0].isalnum() or item.text == "%":
            words.append(_spaced(item, words) if spaced else item)
        elif words and words[-1].text[-1] not in _MARKS:
            after = items[index + 1].text if index + 1 < len(items) else ""
            mark = in_full_width(item.text, words[-1].text, after)
            words[-1] = replace(words[-1], text=words[-1].text + mark)
        spaced = False
    return words


def _spaced(item: Sound, words: Sequence[Sound]) -> Sound:
    latin = bool(words) and _LATIN.match(words[-1].text.strip()) and _LATIN.match(item.text)
    return replace(item, text=f" {item.text}") if latin else item
