"""Rows of characters reduced to how they sound, so that native code can compare them."""

from functools import cache

from pypinyin.contrib.tone_convert import to_finals, to_initials

from pipeline.detect.sound import syllables

_INITIALS = {"zh": "z", "ch": "c", "sh": "s", "n": "l", "f": "h"}
_FINALS = {"ang": "an", "eng": "en", "ing": "in", "iang": "ian", "uang": "uan"}


@cache
def sound_of(char: str) -> str:
    """The toneless syllable with the sounds that are most often confused made one; a letter stays.

    `sound_of("政") == sound_of("真") == "zen"`.
    """
    read = syllables(char)
    if not read:
        return char
    initial = to_initials(read[0], strict=True)
    final = to_finals(read[0], strict=True, v_to_u=False)
    return _INITIALS.get(initial, initial) + _FINALS.get(final, final)


def sounds(text: str) -> tuple[str, ...]:
    """One sound for each character."""
    return tuple(map(sound_of, text))
