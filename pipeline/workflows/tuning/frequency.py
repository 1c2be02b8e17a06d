"""Wordings that are said near findings and not elsewhere: log-odds ratio with an informative prior
(Monroe, Colaresi and Quinn, "Fightin' Words", 2008). Pure."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import log, sqrt

from pipeline.detect.segment import cut

PRIOR_WEIGHT = 500.0
"""The prior counts as much as so many clauses of ordinary speech."""
SHORTEST, LONGEST = 3, 10
MOST_WORDS = 5
SURE = 1.96
"""z from here on is not chance, at 95 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """`near` of the clauses near findings hold it, `elsewhere` of the others; `z` is the log-odds ratio in
    standard deviations."""

    text: str
    near: int
    elsewhere: int
    z: float


def grams(clause: str) -> Iterator[str]:
    """Runs of whole words within a clause, SHORTEST to LONGEST characters."""
    words = list(cut(clause))
    for start in range(len(words)):
        for end in range(start + 1, min(start + MOST_WORDS, len(words)) + 1):
            text = "".join(words[start:end])
            if SHORTEST <= len(text) <= LONGEST:
                yield text


def count_near(clauses: Iterable[str]) -> Counter[str]:
    """In how many clauses each wording is."""
    return Counter(gram for clause in clauses for gram in set(grams(clause)))


def count_elsewhere(clauses: Iterable[str], known: frozenset[str]) -> Counter[str]:
    """The same for the `known` wordings alone, by plain text: no word boundaries are needed."""
    lengths = sorted({len(text) for text in known})
    counts: Counter[str] = Counter()
    for clause in clauses:
        windows = {clause[i : i + n] for n in lengths for i in range(len(clause) - n + 1)}
        counts.update(windows & known)
    return counts


def compare(
    near: Mapping[str, int], near_clauses: int, elsewhere: Mapping[str, int], other_clauses: int
) -> tuple[Wording, ...]:
    """Wordings by z, the most telling first; parts of a longer one that is said as often are left out."""
    found = [
        Wording(
            text=text,
            near=count,
            elsewhere=elsewhere.get(text, 0),
            z=_z(count, near_clauses, elsewhere.get(text, 0), other_clauses),
        )
        for text, count in near.items()
    ]
    found.sort(key=lambda w: (-w.z, -len(w.text), w.text))
    return tuple(_whole(found))


def _z(near: int, near_clauses: int, elsewhere: int, other_clauses: int) -> float:
    prior = PRIOR_WEIGHT * (near + elsewhere) / (near_clauses + other_clauses)
    ratio = _odds(near + prior, near_clauses + PRIOR_WEIGHT) - _odds(
        elsewhere + prior, other_clauses + PRIOR_WEIGHT
    )
    return ratio / sqrt(1 / (near + prior) + 1 / (elsewhere + prior))


def _odds(count: float, total: float) -> float:
    return log(count / max(total - count, 0.5))


def _whole(found: list[Wording]) -> Iterator[Wording]:
    kept: list[Wording] = []
    for wording in sorted(found, key=lambda w: (-len(w.text), w.text)):
        if not any(wording.text in longer.text and wording.near <= longer.near for longer in kept):
            kept.append(wording)
    yield from sorted(kept, key=lambda w: (-w.z, -len(w.text), w.text))
