"""Which sentences of many calls may mean what the examples of a rule mean: all rules and calls at once.

The scores are those of `Head.scores` but for rounding, so a call that is ruled out holds nothing.
"""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from pipeline.detect.archive.compact import Unpacked
from pipeline.detect.scene import NEARLY
from pipeline.detect.sound import sounds_of
from pipeline.meaning import LONGEST_RUN, Meaning
from pipeline.vectors import Rows

MARGIN = 1e-3
"""Scores here may be off by so much."""
NO_RUN = -1
SKIPPED, STRANGE = 0, 1
"""What takes no part, and a sound that no run holds."""

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class Said(NamedTuple):
    """A call's words and its sentences with their vectors."""

    words: Unpacked
    sentences: Rows


class _Runs(NamedTuple):
    """The numbers of runs: of one sound, of two (by `first * size + second`), and of three, the numbers
    `firsts[pair]` to `firsts[pair + 1]` behind those, with their last sounds."""

    single: NDArray[np.int32]
    pairs: NDArray[np.int32]
    firsts: NDArray[np.int32]
    lasts: NDArray[np.int32]
    behind: int


class Likely:
    """The heads of some rules, laid out for many sentences. `rules` are the columns of every table."""

    def __init__(self, meaning: Meaning, rules: Sequence[str]) -> None:
        heads = [meaning.heads[rule_id] for rule_id in rules]
        self._weights = np.array([np.array(h.weights) / h.scale for h in heads], np.float32).T
        self._biases = np.array([head.bias for head in heads])
        self._thresholds = np.array([head.threshold for head in heads])
        self._slopes = np.array([head.slope for head in heads])
        self._sounds = {sound: i for i, sound in enumerate(_sounds(meaning.rarity), start=STRANGE + 1)}
        self._size = len(self._sounds) + 2
        keys = np.array([self._key(run.split(" ")) for run in meaning.rarity], np.int64)
        order = np.argsort(keys)
        listed = list(meaning.rarity)
        names = [listed[i] for i in order]
        self._table = _laid_by(keys[order], self._size)
        self._rarity = np.array([meaning.rarity[name] for name in names])
        self._heard = np.array([[head.sounds.get(name, 0.0) for head in heads] for name in names])
        self._known = np.full(0x110000, -1, np.int32)

    def needed(self, match_confidence: float) -> Floats:
        """For each rule the least score from which a sentence may be found, or told as nearly found."""
        least = NEARLY * match_confidence
        odds = math.log(least / (1.0 - least)) if least > 0 else -math.inf
        return self._thresholds + odds / self._slopes - MARGIN

    def scores(self, calls: Sequence[Said]) -> tuple[Floats, Ints]:
        """One score for each sentence and rule; and the number of the call of each sentence."""
        laid = [self._laid_out(call) for call in calls]
        ends = np.cumsum([0, *(len(sounds) for sounds, _ in laid)])
        places = np.concatenate([places + end for (_, places), end in zip(laid, ends[:-1], strict=True)])
        runs = self._runs(np.concatenate([sounds for sounds, _ in laid]))
        made = np.concatenate([call.sentences.vectors for call in calls]).astype(np.float32) @ self._weights
        found = made.astype(np.float64) + self._biases
        _add_heard(places, runs, self._rarity, self._heard, found)
        return found, np.repeat(np.arange(len(calls)), [len(call.sentences.vectors) for call in calls])

    def _laid_out(self, call: Said) -> tuple[NDArray[np.int32], Ints]:
        """The sounds of a call, and where each sentence begins and ends among them."""
        codes, begins, firsts = call.words.spoken()
        sounds = self._sounds_of(codes)
        before = np.concatenate(([0], np.cumsum(sounds != SKIPPED)))
        words = call.sentences.places[:, 1:] + firsts[call.sentences.places[:, 0]][:, None]
        return sounds[sounds != SKIPPED], before[begins[words]]

    def _sounds_of(self, codes: NDArray[np.uint32]) -> NDArray[np.int32]:
        found = self._known[codes]
        if (found < 0).any():
            for code in np.unique(codes[found < 0]).tolist():
                heard = sounds_of(chr(code))
                self._known[code] = self._sounds.get(heard[0], STRANGE) if heard else SKIPPED
            found = self._known[codes]
        return np.asarray(found, np.int32)

    def _runs(self, sounds: NDArray[np.int32]) -> NDArray[np.int32]:
        """For each place and length the number of the run that begins there."""
        found = np.full((len(sounds), LONGEST_RUN), NO_RUN, np.int32)
        _find_runs(sounds, self._size, self._table, found)
        return found

    def _key(self, sounds: Iterable[str]) -> int:
        key = 0
        for sound in sounds:
            key = key * self._size + self._sounds[sound]
        return key


def _laid_by(keys: Ints, size: int) -> _Runs:
    """Runs by their keys, ascending: shorter runs have smaller keys."""
    single, pairs = np.full(size, NO_RUN, np.int32), np.full(size * size, NO_RUN, np.int32)
    one, two = np.searchsorted(keys, (size, size * size))
    single[keys[:one]] = np.arange(one)
    pairs[keys[one:two]] = np.arange(one, two)
    before, lasts = np.divmod(keys[two:], size)
    firsts = np.searchsorted(before, np.arange(size * size + 1)).astype(np.int32)
    return _Runs(single, pairs, firsts, lasts.astype(np.int32), int(two))


@njit(cache=True)
def _find_runs(sounds: Any, size: int, table: Any, found: Any) -> None:  # pragma: no cover  (compiled)
    for at in range(sounds.shape[0]):
        found[at, 0] = table.single[sounds[at]]
        if at + 1 < sounds.shape[0]:
            pair = sounds[at] * size + sounds[at + 1]
            found[at, 1] = table.pairs[pair]
            if at + 2 < sounds.shape[0]:
                for i in range(table.firsts[pair], table.firsts[pair + 1]):
                    if table.lasts[i] == sounds[at + 2]:
                        found[at, 2] = table.behind + i


def _sounds(names: Iterable[str]) -> list[str]:
    return sorted({sound for name in names for sound in name.split(" ")})


@njit(cache=True)
def _add_heard(places: Any, runs: Any, rarity: Any, heard: Any, found: Any) -> None:  # pragma: no cover
    """Add what the runs of each sentence weigh, each run once, together of length 1."""
    seen = np.full(rarity.shape[0], -1, np.int64)
    rules = heard.shape[1]
    total = np.zeros(rules)
    for i in range(places.shape[0]):
        first, last = places[i, 0], places[i, 1]
        length = 0.0
        total[:] = 0.0
        for at in range(first, last):
            for n in range(min(runs.shape[1], last - at)):
                run = runs[at, n]
                if run >= 0 and seen[run] != i:
                    seen[run] = i
                    length += rarity[run] * rarity[run]
                    for rule in range(rules):
                        total[rule] += heard[run, rule] * rarity[run]
        if length > 0.0:
            for rule in range(rules):
                found[i, rule] += total[rule] / np.sqrt(length)
