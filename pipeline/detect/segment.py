"""Where words begin and end in Chinese text: jieba's dictionary and the terms that a rule set adds.

Every set of terms has a tokenizer of its own, so that no rule set changes what another one finds and the
answer never depends on what ran before.
"""

from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from typing import Any

import jieba

jieba.setLogLevel(60)

LEAST_TERM = 2
"""Shorter terms say nothing about boundaries."""
KEPT = 4
"""Tokenizers of this many rule sets are kept."""


def terms_of(words: Iterable[str]) -> frozenset[str]:
    """The words that are worth adding to the dictionary."""
    return frozenset(word for word in words if len(word) >= LEAST_TERM)


def cut(text: str, terms: frozenset[str] = frozenset()) -> Iterator[str]:
    """The words of a text, in order; together they are the text."""
    words: Iterator[str] = _tokenizer(terms).cut(text, HMM=False)
    return words


def load() -> None:
    """Read the dictionary now, so that processes that are split off share it."""
    _plain()


@cache
def _plain() -> Any:
    tokenizer = jieba.Tokenizer()
    tokenizer.initialize()
    return tokenizer


@lru_cache(maxsize=KEPT)
def _tokenizer(terms: frozenset[str]) -> Any:
    plain = _plain()
    if not terms:
        return plain
    tokenizer = jieba.Tokenizer()
    tokenizer.FREQ, tokenizer.total, tokenizer.initialized = dict(plain.FREQ), plain.total, True
    for term in sorted(terms):
        tokenizer.add_word(term)
    return tokenizer
