"""The languages of the page: what a person reads is written in Chinese in the templates; English is looked up
under the Chinese words in `english.toml`."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from pipeline.workflows.report.told import Told

CHINESE, ENGLISH = "zh-CN", "en"
LANGUAGES = {CHINESE: "中文", ENGLISH: "English"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """`words("已得 {points}", points="3.0")`: the words in the reader's language, filled in."""

    language: str = CHINESE
    known: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, text: str, **values: object) -> str:
        if isinstance(text, Told) and text.values:
            filled = {name: self(v) if isinstance(v, Told) else v for name, v in text.values.items()}
            return self(text.pattern, **filled)
        return self.known.get(text, text).format(**values) if values else self.known.get(text, text)


def words_in(language: str) -> Words:
    """Words of a language; Chinese for any that is not known."""
    if language != ENGLISH:
        return Words()
    return Words(language=ENGLISH, known=english())


@cache
def english() -> Mapping[str, str]:
    """English by Chinese."""
    text = (Path(__file__).parent / "english.toml").read_text(encoding="utf-8")
    known = tomllib.loads(text)
    return {chinese: found for table in known.values() for chinese, found in table.items()}
