"""How many voices, and what each sounds like: embeddings are split in two as long as the split is clear.

A split starts from the direction in which the embeddings differ most, and is refined as two spherical means.
Two voices of a call give two clusters that lie apart (cosine of their means 0.3 to 0.75) and are tight
(distance over spread above 6); the two halves of one voice do not (above 0.76, below 5.5).
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from pipeline.speech.embedding import Embeddings, unit

APART, PERHAPS_APART = 0.75, 0.85
"""Cosine of two means below which they are two voices, or are if each is tight as well."""

TIGHT = 6.0
"""Distance of two means over the spread around them."""

THIRD_APART, THIRD_SECONDS, THIRD_TOGETHER = 0.65, 4.0, 0.8
"""A third voice is below this cosine to both others, is heard so long, and this much of it in one stretch."""

_ROUNDS = 20

Seconds = NDArray[np.float64]
Members = NDArray[np.bool_]
FindVoices = Callable[[Embeddings, Seconds, int], Embeddings]
"""What `voice_centroids` does."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Split:
    """Two groups of windows: `second`, shape (windows,), says which belong to the second."""

    second: Members
    centroids: Embeddings
    tightness: float

    @property
    def cosine(self) -> float:
        return float(self.centroids[0] @ self.centroids[1])

    @property
    def is_two_voices(self) -> bool:
        return self.cosine < APART or (self.cosine < PERHAPS_APART and self.tightness > TIGHT)


def voice_centroids(embeddings: Embeddings, seconds: Seconds, most: int = 3) -> Embeddings:
    """One unit vector per voice, shape (voices, 192), 1 <= voices <= `most`.

    `embeddings` in order of time; `seconds`: how much speech each stands for, which is its weight.
    """
    whole = _mean(embeddings, seconds)[None]
    two = split(embeddings, seconds)
    if most < 2 or two is None or not two.is_two_voices:
        return whole
    third = _third(embeddings, seconds, two) if most > 2 else None
    return two.centroids if third is None else third


def split(embeddings: Embeddings, seconds: Seconds) -> Split | None:
    """The best two groups; None where all embeddings fall into one."""
    second = _principal_side(embeddings, seconds)
    for _ in range(_ROUNDS):
        if second.all() or not second.any():
            return None
        centroids = np.stack([_mean(embeddings[side], seconds[side]) for side in (~second, second)])
        nearer = embeddings @ (centroids[1] - centroids[0]) > 0
        if (nearer == second).all():
            break
        second = nearer
    return Split(second=second, centroids=centroids, tightness=_tightness(embeddings, second, centroids))


def _principal_side(embeddings: Embeddings, seconds: Seconds) -> Members:
    """The side of the weighted mean on which each embedding lies, along the direction of most variance."""
    centred = embeddings - np.average(embeddings, axis=0, weights=seconds)
    _, _, directions = np.linalg.svd(centred * np.sqrt(seconds)[:, None], full_matrices=False)
    return np.asarray(centred @ directions[0] > 0)


def _tightness(embeddings: Embeddings, second: Members, centroids: Embeddings) -> float:
    along = embeddings @ (centroids[1] - centroids[0])
    sides = along[~second], along[second]
    spread = np.sqrt((sides[0].var() + sides[1].var()) / 2)
    return float((sides[1].mean() - sides[0].mean()) / max(spread, 1e-6))


def _third(embeddings: Embeddings, seconds: Seconds, two: Split) -> Embeddings | None:
    """Three centroids if one of the two groups clearly holds two voices (an announcement, a transfer)."""
    for side, other in ((two.second, two.centroids[0]), (~two.second, two.centroids[1])):
        inner = split(embeddings[side], seconds[side]) if side.sum() > 1 else None
        if inner is None:
            continue
        halves = (_within(side, inner.second), _within(side, ~inner.second))
        if _apart(inner, other) and any(_is_clear(half, seconds) for half in halves):
            return np.concatenate((inner.centroids, other[None]))
    return None


def _within(side: Members, part: Members) -> Members:
    """`part` of the windows of `side`, as members of all windows."""
    members = np.zeros(len(side), np.bool_)
    members[np.flatnonzero(side)[part]] = True
    return members


def _apart(inner: Split, other: NDArray[np.float32]) -> bool:
    return max(inner.cosine, *(float(mean @ other) for mean in inner.centroids)) < THIRD_APART


def _is_clear(members: Members, seconds: Seconds) -> bool:
    """Heard for long, and nearly all of it in one stretch: an announcement, or whoever took the call over."""
    heard = float(seconds[members].sum())
    return heard >= THIRD_SECONDS and _longest_stretch(members, seconds) >= THIRD_TOGETHER * heard


def _longest_stretch(members: Members, seconds: Seconds) -> float:
    """Seconds in the longest run of consecutive members."""
    edges = np.flatnonzero(np.diff(members.astype(np.int8), prepend=0, append=0))
    return max((float(seconds[a:b].sum()) for a, b in list(pairwise(edges.tolist()))[::2]), default=0.0)


def _mean(embeddings: Embeddings, seconds: Seconds) -> NDArray[np.float32]:
    return unit(np.average(embeddings, axis=0, weights=seconds).astype(np.float32))
