"""What is learned from a rule's example sentences: a small classifier, and how it weighs a sentence.

A sentence is its vector and its sounds: runs of one to three syllables in which sounds that recognition
confuses are one. All arithmetic is on whole numbers or exactly rounded, so a stored head gives the same
answer on every machine.
"""

import base64
import gzip
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from pipeline.vectors import Vectors

LONGEST_RUN = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A sentence of a rule and its vector's bytes."""

    text: str
    vector: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The classifier of one rule.

    A sentence's score is `bias`, its vector's product with `weights` divided by `scale`, and the weighed
    sum of its runs of sounds; `threshold` is the score where confidence is one half.
    """

    weights: tuple[int, ...]
    scale: float
    sounds: Mapping[str, float]
    bias: float
    threshold: float
    slope: float
    examples: tuple[Example, ...]

    def scores(self, vectors: Vectors, sounds: Iterable[Mapping[str, float]]) -> tuple[float, ...]:
        """One score a sentence; `sounds` as from `weighed_runs`."""
        products = vectors.astype(np.int64) @ np.array(self.weights, np.int64)
        pairs = zip(products.tolist(), sounds, strict=True)
        return tuple(self.bias + product / self.scale + self._heard(runs) for product, runs in pairs)

    def confidence(self, score: float) -> float:
        """In [0, 1]; one half at the threshold."""
        return 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, self.slope * (score - self.threshold)))))

    def nearest(self, vector: Vectors) -> tuple[str, float]:
        """The example whose vector is most like this one, and their cosine."""
        rows = np.frombuffer(b"".join(e.vector for e in self.examples), np.int8).reshape(
            len(self.examples), -1
        )
        wide, one = rows.astype(np.int64), vector.astype(np.int64)
        products = wide @ one
        lengths = np.sqrt((wide**2).sum(axis=1) * float((one**2).sum()))
        cosines = products / np.maximum(lengths, 1.0)
        best = int(np.argmax(cosines))
        return self.examples[best].text, round(float(cosines[best]), 4)

    def _heard(self, runs: Mapping[str, float]) -> float:
        known = self.sounds
        return math.fsum(known[run] * value for run, value in runs.items() if run in known)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """The heads of a rule set, by rule. `rarity` weighs runs of sounds, `encoder` names the model."""

    encoder: str
    rarity: Mapping[str, float]
    heads: Mapping[str, Head]

    def weighed_runs(self, sounds: tuple[str, ...]) -> dict[str, float]:
        """The runs of a sentence with their weights, together of length 1."""
        found = {run: self.rarity[run] for run in runs(sounds) if run in self.rarity}
        length = math.sqrt(math.fsum(value * value for value in found.values()))
        return {run: value / length for run, value in found.items()} if length else {}

    def packed(self) -> bytes:
        """Canonical JSON, compressed: the same heads give the same bytes."""
        plain = {**asdict(self), "heads": {name: asdict(self.heads[name]) for name in sorted(self.heads)}}
        text = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=_plain)
        return gzip.compress(text.encode(), mtime=0)

    @classmethod
    def unpacked(cls, body: bytes) -> "Meaning":
        """The inverse of `packed`. Raises ValueError for other bytes."""
        try:
            plain = json.loads(gzip.decompress(body))
            heads = {name: _head(head) for name, head in plain["heads"].items()}
            return cls(encoder=plain["encoder"], rarity=plain["rarity"], heads=heads)
        except (OSError, EOFError, KeyError, TypeError) as error:
            raise ValueError("not packed heads") from error


def _plain(value: Any) -> str:
    return base64.b64encode(value).decode()


def _head(plain: Mapping[str, Any]) -> Head:
    examples = (
        Example(text=example["text"], vector=base64.b64decode(example["vector"]))
        for example in plain["examples"]
    )
    return Head(**{**plain, "weights": tuple(plain["weights"]), "examples": tuple(examples)})


def runs(sounds: tuple[str, ...]) -> tuple[str, ...]:
    """Every run of one to three sounds, each once: `runs(("a", "b")) == ("a", "b", "a b")`."""
    lengths = range(1, LONGEST_RUN + 1)
    found = (" ".join(sounds[i : i + n]) for n in lengths for i in range(len(sounds) - n + 1))
    return tuple(dict.fromkeys(found))
