"""Example sentences -> classifiers: one logistic regression a rule over vectors and sounds.

What the examples are told from: the rule's counter-examples, ordinary call speech, and the examples of the
other rules of its label. Thresholds come from cross-validation: the folds follow from the texts, so adding
an example moves no other, and the same files give the same heads.
"""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.detect.detectors.similar import SimilarParameters
from pipeline.detect.ordinary import ordinary
from pipeline.detect.sound import sounds_of
from pipeline.meaning import Example, Head, Meaning, runs
from pipeline.ruleset import Rule, RuleSet
from pipeline.vectors import Vectors

Encode = Callable[[Sequence[str]], Vectors]

_Floats = NDArray[np.float64]

VERSION = 6
"""Raised when the same examples would teach something else."""
FOLDS = 5
SOUNDS_WEIGHT = 2.0
"""How much the sounds count beside the vector."""
STRENGTH = 10.0
"""Inverse of the regularisation."""
ORDINARY_ALARMS = 0.001
"""The share of ordinary sentences that may be mistaken: about one in fifty calls."""
RARITY = 0.045
"""The share of what a rule finds among the sentences that it weighs in calls. It is another one among the
sentences that it learns from; the least threshold makes up for the difference."""
LEAST_SEEN = 2
"""Runs of sounds in fewer sentences are left out."""
LENGTH = 127.0
SCALE = 4096.0
DECIMALS, SOUND_DECIMALS = 4, 2
FAINT = 0.03
"""Runs of sounds that weigh less are forgotten."""
STEPS, NEAR_ENOUGH = 300, 1e-3
"""Steps at most, and the slope at which a fit is done: far less than what rounding hides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sheet:
    """All sentences that any rule learns from, a row each in `dense` (vectors of length 1) and in `sounds`
    (sparse, a column for each run of sounds in `names`)."""

    texts: tuple[str, ...]
    row: Mapping[str, int]
    vectors: Vectors
    names: tuple[str, ...]
    rarity: Mapping[str, float]
    dense: _Floats
    sounds: Any


def learners(ruleset: RuleSet) -> tuple[Rule, ...]:
    """The rules that learn from examples, by id."""
    return tuple(rule for rule in ruleset.rules if isinstance(rule.parameters, SimilarParameters))


def texts_of(ruleset: RuleSet) -> tuple[str, ...]:
    """Every sentence that training looks at, each once."""
    listed = [text for rule in learners(ruleset) for text in _examples(rule) + _unlike(rule)]
    return tuple(dict.fromkeys((*listed, *plain_texts())))


def plain_texts() -> tuple[str, ...]:
    """Sentences of ordinary calls, each once."""
    return tuple(dict.fromkeys(line.text for line in ordinary()))


def material(ruleset: RuleSet) -> str:
    """Everything that decides what is learned, as JSON."""
    rules = [(r.id, r.label, _examples(r), _unlike(r), _precision(r)) for r in learners(ruleset)]
    return json.dumps((VERSION, rules, plain_texts()), ensure_ascii=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What one rule learned: its head, and what each sentence scores with a classifier that did not learn
    from it. `rarity` as in Meaning."""

    head: Head
    rarity: Mapping[str, float]
    held_out: Mapping[str, float]


def train(
    ruleset: RuleSet, encoder: str, encode: Encode, wanted: Collection[str] | None = None
) -> Meaning | None:
    """The heads of the rules that learn, or of those `wanted` among them: each the same either way. None
    where no rule learns. `encoder` names the model of `encode`."""
    rules = learners(ruleset)
    if not rules:
        return None
    sheet = _sheet(texts_of(ruleset), encode)
    chosen = [rule for rule in rules if wanted is None or rule.id in wanted]
    heads = {rule.id: _learned(rule, rules, sheet).head for rule in chosen}
    return Meaning(encoder=encoder, rarity=sheet.rarity, heads=heads)


def lesson(ruleset: RuleSet, rule: Rule, encode: Encode) -> Lesson:
    """What one rule of the set learns."""
    return _learned(rule, learners(ruleset), _sheet(texts_of(ruleset), encode))


def _examples(rule: Rule) -> tuple[str, ...]:
    """Sentences that mean it, those that inspectors confirmed included."""
    given = rule.parameters
    return given.examples + given.confirmed if isinstance(given, SimilarParameters) else ()


def _unlike(rule: Rule) -> tuple[str, ...]:
    given = rule.parameters
    return given.unlike + given.rejected if isinstance(given, SimilarParameters) else ()


def _precision(rule: Rule) -> float:
    parameters = rule.parameters
    return parameters.precision if isinstance(parameters, SimilarParameters) else 1.0


def _sheet(texts: tuple[str, ...], encode: Encode) -> _Sheet:
    from scipy.sparse import csr_matrix  # takes a moment to load, and only learning needs it

    vectors = encode(texts)
    found = [runs(sounds_of(text)) for text in texts]
    seen = Counter(run for row in found for run in row)
    names = tuple(sorted(run for run, count in seen.items() if count >= LEAST_SEEN))
    rarity = {run: round(float(np.log(len(texts) / seen[run])) + 1.0, DECIMALS) for run in names}
    bare = Meaning(encoder="", rarity=rarity, heads={})
    weighed = [bare.weighed_runs(sounds_of(text)) for text in texts]
    column = {run: i for i, run in enumerate(names)}
    data = [value for row in weighed for value in row.values()]
    indices = [column[run] for row in weighed for run in row]
    ends = np.cumsum([0, *(len(row) for row in weighed)])
    sounds = csr_matrix((data, indices, ends), shape=(len(texts), len(names)))
    return _Sheet(
        texts=texts,
        row={text: i for i, text in enumerate(texts)},
        vectors=vectors,
        names=names,
        rarity=rarity,
        dense=vectors.astype(np.float64) / LENGTH,
        sounds=(SOUNDS_WEIGHT * sounds).tocsr(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Material:
    """What one rule learns from: rows of the sheet, 1 for its examples, and which of the others are its
    counter-examples and which are ordinary. The rest are what the other rules of its label learn from."""

    rows: NDArray[np.int64]
    wanted: _Floats
    alike: NDArray[np.bool_]
    ordinary: NDArray[np.bool_]


def _learned(rule: Rule, rules: Iterable[Rule], sheet: _Sheet) -> Lesson:
    about = _material(rule, rules, sheet)
    whole = _fit(sheet, about.rows, about.wanted, None)
    held_out = _held_out(sheet, about.rows, about.wanted, whole)
    threshold, slope = _calibrated(held_out, about, rule)
    head = _rounded(whole, threshold, slope, sheet, about.rows[about.wanted > 0].tolist())
    texts = (sheet.texts[row] for row in about.rows)
    return Lesson(head=head, rarity=sheet.rarity, held_out=dict(zip(texts, held_out.tolist(), strict=True)))


def _material(rule: Rule, rules: Iterable[Rule], sheet: _Sheet) -> _Material:
    own, unlike = dict.fromkeys(_examples(rule)), dict.fromkeys(_unlike(rule))
    others = (r for r in rules if r.label == rule.label and r.id != rule.id)
    siblings = dict.fromkeys(text for other in others for text in _examples(other) + _unlike(other))
    groups: list[list[str]] = []
    known: set[str] = set()
    for texts in (own, unlike, siblings, dict.fromkeys(plain_texts())):
        groups.append([text for text in texts if text not in known])
        known.update(texts)
    kind = np.repeat(range(len(groups)), [len(group) for group in groups])
    return _Material(
        rows=np.array([sheet.row[text] for group in groups for text in group]),
        wanted=(kind == 0).astype(np.float64),
        alike=kind == 1,
        ordinary=kind == 3,
    )


def _held_out(sheet: _Sheet, rows: NDArray[np.int64], wanted: _Floats, whole: _Floats) -> _Floats:
    """The score that each sentence gets from a classifier which did not learn from it."""
    fold = np.array([_fold(sheet.texts[row]) for row in rows])
    scores = np.zeros(len(rows))
    for one in range(FOLDS):
        inside = fold == one
        if inside.any():
            fitted = _fit(sheet, rows[~inside], wanted[~inside], whole)
            scores[inside] = _scores(sheet, rows[inside], fitted)
    return scores


def _scores(sheet: _Sheet, rows: NDArray[np.int64], weights: _Floats) -> _Floats:
    numbers = sheet.dense.shape[1]
    found = sheet.dense[rows] @ weights[:numbers] + sheet.sounds[rows] @ weights[numbers:-1] + weights[-1]
    return np.asarray(found)


def _fold(text: str) -> int:
    return hashlib.sha256(text.encode()).digest()[0] % FOLDS


def _fit(sheet: _Sheet, rows: NDArray[np.int64], wanted: _Floats, start: _Floats | None) -> _Floats:
    """Weights and, last, the bias of an L2-regularised logistic regression, by Newton's method in a trust
    region (Lin, Weng and Keerthi 2008). `start` only saves steps."""
    from scipy.optimize import minimize  # takes a moment to load

    loss = _Loss(sheet.dense[rows], sheet.sounds[rows], wanted)
    begin = np.zeros(loss.size) if start is None else start
    options = {"maxiter": STEPS, "gtol": NEAR_ENOUGH}
    found = minimize(loss, begin, jac=True, hessp=loss.bent, method="trust-ncg", options=options)
    return np.asarray(found.x)


class _Loss:
    """What a fit makes small, as a function of the weights; called, its value and slope."""

    def __init__(self, dense: _Floats, sounds: Any, wanted: _Floats) -> None:
        self._dense, self._sounds, self._wanted = dense, sounds, wanted
        self._turned = sounds.T.tocsr()
        self._numbers = dense.shape[1]
        self.size = self._numbers + sounds.shape[1] + 1
        self._at: tuple[_Floats, _Floats] | None = None

    def __call__(self, weights: _Floats) -> tuple[float, _Floats]:
        from scipy.special import expit

        scores = self._scores(weights)
        signed = np.where(self._wanted > 0, -scores, scores)
        value = STRENGTH * float(np.logaddexp(0.0, signed).sum()) + 0.5 * float(weights[:-1] @ weights[:-1])
        return value, self._back(STRENGTH * (expit(scores) - self._wanted)) + _but_bias(weights)

    def bent(self, weights: _Floats, along: _Floats) -> _Floats:
        """The Hessian times a vector."""
        if self._at is None or self._at[0] is not weights:
            self._at = weights, self._curvature(weights)
        return self._back(self._at[1] * self._scores(along)) + _but_bias(along)

    def _curvature(self, weights: _Floats) -> _Floats:
        from scipy.special import expit

        likely = expit(self._scores(weights))
        return np.asarray(STRENGTH * likely * (1.0 - likely))

    def _scores(self, weights: _Floats) -> _Floats:
        numbers = self._numbers
        return np.asarray(self._dense @ weights[:numbers] + self._sounds @ weights[numbers:-1] + weights[-1])

    def _back(self, of_rows: _Floats) -> _Floats:
        return np.concatenate((of_rows @ self._dense, self._turned @ of_rows, [of_rows.sum()]))


def _but_bias(weights: _Floats) -> _Floats:
    """What is regularised: all but the bias."""
    return np.append(weights[:-1], 0.0)


def _calibrated(scores: _Floats, about: _Material, rule: Rule) -> tuple[float, float]:
    """The lowest threshold that keeps false alarms rare, and how sharply confidence rises from there.

    Held-out scores of few examples are low, so at least half of them count as found. Ordinary speech fills a
    call, what sounds alike does not: the former may be mistaken far less often.
    """
    right, like, plain = scores[about.wanted > 0], scores[about.alike], scores[about.ordinary]
    share = (1.0 - _precision(rule)) / _precision(rule)
    threshold = float(scores.max())
    for one in np.unique(scores)[::-1]:
        mistaken = share * max(int((right >= one).sum()), len(right) / 2)
        if (like >= one).sum() > max(mistaken, 1) or (plain >= one).sum() > ORDINARY_ALARMS * len(plain):
            break
        threshold = float(one)
    spread = max(float(np.std(right)), 0.5)
    least = math.log(len(right) / max(len(like) + len(plain), 1)) - math.log(RARITY / (1.0 - RARITY))
    return round(max(threshold, least), DECIMALS), round(2.0 / spread, DECIMALS)


def _rounded(fitted: _Floats, threshold: float, slope: float, sheet: _Sheet, positive: Sequence[int]) -> Head:
    numbers = sheet.vectors.shape[1]
    dense, sounds, bias = fitted[:numbers], fitted[numbers:-1], float(fitted[-1])
    kept = {
        name: round(SOUNDS_WEIGHT * float(w), SOUND_DECIMALS)
        for name, w in zip(sheet.names, sounds, strict=True)
    }
    examples = (Example(text=sheet.texts[row], vector=sheet.vectors[row].tobytes()) for row in positive)
    return Head(
        weights=tuple(int(w) for w in np.rint(dense / LENGTH * SCALE * LENGTH)),
        scale=SCALE * LENGTH,
        sounds={name: weight for name, weight in kept.items() if abs(weight) >= FAINT},
        bias=round(bias, DECIMALS),
        threshold=threshold,
        slope=slope,
        examples=tuple(examples),
    )
