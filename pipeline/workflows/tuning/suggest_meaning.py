"""Candidate examples and counter-examples for a rule of meaning, compared by their vectors."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.detect.detectors.similar import SimilarParameters
from pipeline.detect.sound import sounds_of
from pipeline.meaning import Head, Meaning
from pipeline.vectors import Vectors
from pipeline.workflows.meaning import KnownVectors
from pipeline.workflows.tuning.archive import Archive
from pipeline.workflows.tuning.candidates import Candidate, Origin
from pipeline.workflows.tuning.gather import EXAMPLES, Collected, Example
from pipeline.workflows.tuning.places import Place, plain
from pipeline.workflows.tuning.sources import Draft

SHOWN = 10
WEIGHED = 3 * SHOWN
ALIKE = 0.8
"""Sentences whose vectors have this cosine say the same."""
LEAST = 3
"""Characters."""


def by_meaning(draft: Draft, collected: Collected, archive: Archive) -> tuple[Candidate, ...]:
    """Sentences just under the threshold, what is said near confirmed findings, and what was rejected."""
    meaning, understanding = draft.ruleset.meaning, archive.understanding
    given = draft.rule.parameters
    if meaning is None or understanding is None or not isinstance(given, SimilarParameters):
        return ()
    desk = _Desk(meaning, meaning.heads[draft.rule.id], understanding.known_vectors(), collected)
    known = {sounds_of(text) for text in given.examples + given.confirmed + given.unlike + given.rejected}
    found: list[Candidate] = []
    for one in (*_under(desk, collected), *_beside(desk, collected), *_rejected(desk, collected)):
        if sounds_of(one.text) not in known:
            known.add(sounds_of(one.text))
            found.append(one)
    return tuple(found)


class _Desk:
    """The rule's head and the sentences of ordinary calls, for comparing with."""

    def __init__(self, meaning: Meaning, head: Head, known: KnownVectors, collected: Collected) -> None:
        self.meaning, self.head, self.known = meaning, head, known
        self.ordinary = [vectors for vectors in collected.vectors if len(vectors)]

    def confidences(self, texts: Sequence[str]) -> list[float]:
        """How sure the rule is of each text."""
        heard = [self.meaning.weighed_runs(sounds_of(text)) for text in texts]
        return [self.head.confidence(s) for s in self.head.scores(self.known.encode(texts), heard)]

    def elsewhere(self, text: str) -> int:
        """In how many ordinary calls something like it is said."""
        one = self.known.encode([text])
        return sum(bool((alike(vectors, one) >= ALIKE).any()) for vectors in self.ordinary)

    def near(self, text: str) -> str:
        """The example that is most like it."""
        return self.head.nearest(self.known.encode([text])[0])[0]


def alike(some: Vectors, others: Vectors) -> NDArray[np.float32]:
    """Cosines, shape (some, others)."""
    left, right = some.astype(np.float32), others.astype(np.float32)
    lengths = np.linalg.norm(left, axis=1)[:, None] * np.linalg.norm(right, axis=1)[None, :]
    return np.asarray(left @ right.T / np.maximum(lengths, 1.0), np.float32)


def _under(desk: _Desk, collected: Collected) -> Iterator[Candidate]:
    """Sentences that the rule nearly finds; what inspectors called missed comes first."""
    listed = [(text, near) for text, near in collected.near.items() if len(text) >= LEAST]
    listed.sort(key=lambda kv: (-kv[1].missed, -len(kv[1].recordings), kv[1].distance, kv[0]))
    for text, near in listed[:SHOWN]:
        yield Candidate(
            text=text,
            origin=Origin.NEAR_MISS,
            calls=len(near.recordings),
            missed=near.missed,
            elsewhere=desk.elsewhere(text),
            z=None,
            near=near.phrase,
            examples=tuple(near.examples),
        )


def _beside(desk: _Desk, collected: Collected) -> Iterator[Candidate]:
    """What is said in the same matter as confirmed findings, closest to the examples first; sentences that
    say the same are one."""
    said: dict[str, list[Example]] = {}
    for place in collected.sources:
        for clause in place.clauses:
            example = Example(recording=place.recording, start=clause.span.start, text=clause.text)
            said.setdefault(clause.text, []).append(example)
    texts = [text for text in said if len(text) >= LEAST]
    if not texts:
        return
    pairs = sorted(zip(desk.confidences(texts), texts, strict=True), key=lambda pair: (-pair[0], pair[1]))
    chosen = [text for confidence, text in pairs[:WEIGHED] if confidence < 0.5]
    for text, group in _grouped(desk, chosen)[:SHOWN]:
        yield Candidate(
            text=text,
            origin=Origin.WORDS,
            calls=len({example.recording.id for one in group for example in said[one]}),
            missed=0,
            elsewhere=desk.elsewhere(text),
            z=None,
            near=desk.near(text),
            examples=tuple(example for one in group for example in said[one])[:EXAMPLES],
        )


def _grouped(desk: _Desk, texts: Sequence[str]) -> list[tuple[str, list[str]]]:
    """Each text with those after it that say the same; these have no group of their own."""
    if not texts:
        return []
    vectors = desk.known.encode(texts)
    same = alike(vectors, vectors) >= ALIKE
    taken: set[int] = set()
    groups: list[tuple[str, list[str]]] = []
    for i, text in enumerate(texts):
        if i not in taken:
            members = [j for j in range(i, len(texts)) if same[i, j] and j not in taken]
            taken.update(members)
            groups.append((text, [texts[j] for j in members]))
    return groups


def _rejected(desk: _Desk, collected: Collected) -> Iterator[Candidate]:
    """What inspectors rejected, as counter-examples; not what they confirmed elsewhere."""
    wrong: dict[str, list[Place]] = {}
    right = {sounds_of(place.quote) for place in collected.decided if place.decided}
    for place in collected.decided:
        text = plain(place.quote)
        if place.decided is False and sounds_of(text) not in right and len(text) >= LEAST:
            wrong.setdefault(text, []).append(place)
    ordered = sorted(wrong.items(), key=lambda kv: (-len(kv[1]), kv[0]))
    for text, places in ordered[:SHOWN]:
        yield Candidate(
            text=text,
            origin=Origin.REJECTED,
            calls=len({place.recording.id for place in places}),
            missed=0,
            elsewhere=desk.elsewhere(text),
            z=None,
            near=desk.near(text),
            examples=tuple(_examples(places)),
        )


def _examples(places: Iterable[Place]) -> Iterator[Example]:
    for place in list(places)[:EXAMPLES]:
        yield Example(recording=place.recording, start=place.finding.span.start, text=place.quote)
