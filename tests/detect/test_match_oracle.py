"""The matcher against an oracle that writes out every wording and tries every alignment at every place."""

from collections.abc import Iterator

from calls import call_of
from hypothesis import given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Levenshtein

from pipeline.detect import costs
from pipeline.detect.heard import Heard
from pipeline.detect.match import Fit, Matcher
from pipeline.detect.pattern import Char, Choice, Gap, Node, parse
from pipeline.detect.sound import UNRELATED, char_cost

ALPHABET = "部不步门们文归贵我您的了管官急几"
Atoms = tuple[Char | Gap, ...]


def wordings(nodes: tuple[Node, ...]) -> Iterator[Atoms]:
    """Every flat row that a pattern of characters, gaps and choices stands for."""
    if not nodes:
        yield ()
        return
    first, rest = nodes[0], nodes[1:]
    if isinstance(first, Choice):
        for option in first.options:
            yield from wordings((*option, *rest))
        return
    assert isinstance(first, Char | Gap)
    for row in wordings(rest):
        yield (first, *row)


class Oracle:
    """Least cost of a flat row ending at each position of a text heard with one probability."""

    def __init__(self, row: Atoms, text: str, probability: float) -> None:
        self.row, self.text, self.probability = row, text, probability
        self.alone = not any(isinstance(atom, Gap) for atom in row)
        self.letters = sum(isinstance(atom, Char) for atom in row)
        self.best: dict[int, float] = {}

    def run(self) -> dict[int, float]:
        """Cost by the position behind the match, within LOOSE times the budget."""
        for start in range(len(self.text)):
            self._try(0, start, start, 0.0, 0.0)
        limit = costs.LOOSE * costs.budget(self.letters) + costs.ROUNDING
        return {end: cost for end, cost in self.best.items() if cost <= limit}

    def _try(self, i: int, start: int, at: int, cost: float, gaps: float) -> None:
        """`cost` is that of the piece since the last gap, `gaps` everything before it."""
        if cost > self._limit(i):
            return
        if i == len(self.row):
            if at > start:
                self.best[at] = min(cost + gaps, self.best.get(at, 99.0))
            return
        atom = self.row[i]
        if isinstance(atom, Gap):
            for passed in range(min(atom.most, len(self.text) - at - 1) + 1):
                self._try(i + 1, start, at + passed, 0.0, gaps + cost + costs.GAP_CHAR_COST * passed)
            return
        opens = i == 0 or isinstance(self.row[i - 1], Gap)
        closes = i + 1 == len(self.row) or isinstance(self.row[i + 1], Gap)
        swallowed = i == 0 and self.alone
        if atom.light or not (closes or (opens and not swallowed)):
            self._try(i + 1, start, at, cost + costs.missing(atom.char, light=atom.light), gaps)
        opens = opens or at == start
        for position in range(at, min(at + costs.SKIPS + 1, len(self.text))):
            base = char_cost(atom.char, self.text[position])
            if base < UNRELATED or not (opens or closes):
                charged = costs.difference(base, self.probability) if base else 0.0
                if self.alone and self.letters == costs.SHORT and not cost:
                    charged = costs.forgiven(base, charged, self.probability)
                self._try(i + 1, start, position + 1, cost + charged, gaps)
            if opens:
                break
            cost += costs.inserted(self.text[position], self.probability)

    def _limit(self, i: int) -> float:
        """What the piece around the i-th atom may have cost so far."""
        first = max((j + 1 for j in range(i) if isinstance(self.row[j], Gap)), default=0)
        behind = (j for j in range(i, len(self.row)) if isinstance(self.row[j], Gap))
        length = next(behind, len(self.row)) - first
        whole = (
            costs.LOOSE * costs.budget(length) + costs.ROUNDING if self.alone else costs.piece_limit(length)
        )
        return min(whole, costs.prefix_limit(i - first)) if i > first else whole


class FreeEdges(Heard):
    """Words without inner places: the oracle does not know the dictionary."""

    def is_word_edge(self, position: int) -> bool:
        return True


def search(pattern: str, text: str, probability: float) -> dict[int, float]:
    heard = FreeEdges.of(call_of(f"坐席 1.0 {text}", probability=probability))
    found = Matcher(heard=heard).search(parse(pattern), heard.words)
    return {match.end - 1: round(match.slack, 3) for match in found}


def tried(pattern: str, text: str, probability: float) -> dict[int, float]:
    expected: dict[int, float] = {}
    for row in wordings(parse(pattern).nodes):
        letters = sum(isinstance(atom, Char) for atom in row)
        for end, cost in Oracle(row, text, probability).run().items():
            slack = round(costs.budget(letters) - cost, 3)
            expected[end] = max(slack, expected.get(end, -9.0))
    return expected


words = st.text(ALPHABET, min_size=1, max_size=4)
choices = st.tuples(st.lists(words, min_size=1, max_size=3), st.booleans()).map(
    lambda drawn: f"[{'|'.join(drawn[0])}]" if drawn[1] else f"({'|'.join(drawn[0])})"
)
parts = st.lists(st.one_of(words, choices), min_size=1, max_size=3).map("".join)
gaps = st.sampled_from(["…", "…1", "…2", "…4"])
with_gap = st.tuples(words, parts, gaps, words, parts).map("".join)
patterns = st.one_of(st.tuples(words, words, parts).map("".join), with_gap)


@st.composite
def near_texts(draw: st.DrawFn) -> tuple[str, str]:
    """A pattern, and a text that holds something like it."""
    pattern = draw(patterns)
    rows = list(wordings(parse(pattern).nodes))
    row = rows[draw(st.integers(0, len(rows) - 1))]
    spelled = "".join(
        draw(st.text(ALPHABET, max_size=3)) if isinstance(atom, Gap) else atom.char for atom in row
    )
    kept = list(spelled)
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(kept)))
        kept[at : at + draw(st.integers(0, 1))] = draw(st.text(ALPHABET, max_size=1))
    return pattern, (
        draw(st.text(ALPHABET, max_size=4)) + "".join(kept) + draw(st.text(ALPHABET, max_size=3))
    )


probabilities = st.sampled_from([0.1, 0.6, 1.0])


@settings(max_examples=400, deadline=None, derandomize=True)
@given(near_texts(), probabilities)
def test_the_matcher_finds_what_trying_everything_finds(drawn: tuple[str, str], probability: float) -> None:
    pattern, text = drawn
    assert not text or search(pattern, text, probability) == tried(pattern, text, probability)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(patterns, st.text(ALPHABET, min_size=1, max_size=14), probabilities)
def test_and_nothing_else_in_any_text(pattern: str, text: str, probability: float) -> None:
    assert search(pattern, text, probability) == tried(pattern, text, probability)


PLAIN = "部门步文归贵管官急几"
"""Neither light nor a negation nor a person: by text each is one edit."""


def edited(pattern: str, text: str, edits: int) -> bool:
    """Whether a part of the text is so many edits away, its ends being those of the pattern."""
    parts = [
        (i, j) for i in range(len(text)) for j in range(i + 1, len(text) + 1) if text[j - 1] == pattern[-1]
    ]
    return any(
        swallowed + Levenshtein.distance(pattern[swallowed:], text[i:j]) <= edits
        for swallowed in range(len(pattern))
        for i, j in parts
        if text[i] == pattern[swallowed]
    )


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.text(PLAIN, min_size=3, max_size=7),
    st.text(PLAIN, min_size=1, max_size=10),
    st.integers(0, 2),
    st.booleans(),
)
def test_by_text_the_edits_are_counted_as_levenshtein_does(
    pattern: str, text: str, edits: int, embedded: bool
) -> None:
    text = text[:3] + pattern[:2] + text[3:6] + pattern[2:] + text[6:] if embedded else text
    heard = FreeEdges.of(call_of(f"坐席 1.0 {text}"))
    found = Matcher(heard=heard, fit=Fit.TEXT, max_edits=edits).search(parse(pattern), heard.words)
    assert any(match.fits for match in found) is edited(pattern, text, edits)
