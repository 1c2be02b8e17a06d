"""How recognition writes what agents of labelled calls said: the chances in benchmarks/misheard.py.

    callscore evaluate FOLDER --database sqlite:///DATABASE
    python benchmarks/mishearing.py FOLDER DATABASE

Every character of an agent is right, another one of the same syllable, of a sound-alike one or of another,
or lost. No words of the calls are printed.
"""

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from benchmarks.misheard import KINDS, Kind
from pipeline.detect.sound import UNRELATED, parts, readings, syllable_cost, syllables
from pipeline.storage.store import Store
from pipeline.timeline import Role, Transcript, Word
from pipeline.workflows.evaluate import read_truths
from pipeline.workflows.metrics import Truth, TruthTurn, normalise

TENTHS = 10


class Fate(NamedTuple):
    """What became of one character, and how many were written before it that nobody said."""

    said: str
    heard: str
    kind: Kind
    added: int


class Counts(NamedTuple):
    """`after`: kinds by the kind before, None at the start of a turn; `sure`: words by whether they are right
    and by tenths of their probability; `shared`: what other sounds share; `added` of `characters`."""

    after: Counter[tuple[Kind | None, Kind]]
    sure: Counter[tuple[bool, int]]
    shared: Counter[str]
    added: Counter[bool]


def kind_of(said: str, heard: str) -> Kind:
    """What a character is to another one that was said."""
    costs = (syllable_cost(one, other) for one in syllables(said) for other in syllables(heard))
    cost = min(costs, default=UNRELATED)
    if said == heard:
        return Kind.RIGHT
    return Kind.OTHER if cost >= UNRELATED else Kind.NEAR if cost else Kind.SAME


def fates(said: str, heard: str) -> list[Fate]:
    """One for each character that was said."""
    found: list[Fate] = []
    added = 0
    for tag, start, end, at, until in Levenshtein.opcodes(said, heard):
        if tag == "insert":
            added += until - at
        for i in range(start, end):
            written = heard[at + i - start] if tag != "delete" else ""
            kind = kind_of(said[i], written) if written else Kind.LOST
            found.append(Fate(said[i], written, kind, added))
            added = 0
    return found


def count(calls: Iterable[tuple[Truth, Transcript]]) -> Counts:
    """Over the agents of all calls; mono calls are aligned as a whole, which tells who said it."""
    counts = Counts(Counter(), Counter(), Counter(), Counter())
    for truth, transcript in calls:
        mono = truth.agent_channel is None or all(turn.channel is None for turn in transcript.turns)
        turns = sorted(truth.turns, key=lambda turn: turn.span)
        said = [turn for turn in turns if mono or turn.role is Role.AGENT]
        words = [w for t in transcript.turns if mono or t.channel == truth.agent_channel for w in t.words]
        _count_call(said, sorted(words, key=lambda word: word.span), counts)
    return counts


def _count_call(said: list[TruthTurn], words: list[Word], counts: Counts) -> None:
    heard = [(char, word.probability) for word in words for char in normalise(word.text)]
    text = "".join(char for char, _ in heard)
    found = iter(fates("".join(normalise(turn.text) for turn in said), text))
    for turn in said:
        here = [next(found) for _ in normalise(turn.text)]
        if turn.role is Role.AGENT:
            _count_turn(here, counts)
    right = {i for *_, at, until in _equal(said, text) for i in range(at, until)}
    counts.sure.update((i in right, min(int(p * TENTHS), TENTHS - 1)) for i, (_, p) in enumerate(heard))


def _equal(said: list[TruthTurn], heard: str) -> Iterator[tuple[int, int]]:
    for tag, _, _, at, until in Levenshtein.opcodes("".join(normalise(turn.text) for turn in said), heard):
        if tag == "equal":
            yield at, until


def _count_turn(here: list[Fate], counts: Counts) -> None:
    kinds = [None, *(fate.kind for fate in here)]
    counts.after.update((before, kind) for before, kind in pairwise(kinds) if kind)
    counts.shared.update(_shared(fate) for fate in here if fate.kind is Kind.OTHER)
    for fate in here:
        counts.added.update({True: fate.added, False: 1})


def _shared(fate: Fate) -> str:
    if not (readings(fate.said) and readings(fate.heard)):
        return "nothing"
    (initial, final), (initial2, final2) = (parts(readings(one)[0][:-1]) for one in (fate.said, fate.heard))
    return "initial" if initial == initial2 else "final" if final == final2 else "nothing"


def lines(counts: Counts) -> Iterator[str]:
    """The chances as text."""
    yield "AFTER " + " ".join(KINDS)
    for before in (None, *KINDS):
        yield f"{before or 'start'} " + _shares(counts.after[before, kind] for kind in KINDS)
    yield f"ADDED {counts.added[True] / max(counts.added[False], 1):.4f} of {counts.added[False]}"
    yield "OTHERS initial final nothing " + _shares(
        counts.shared[part] for part in ("initial", "final", "nothing")
    )
    for right in (True, False):
        yield f"SURE {'right' if right else 'wrong'} " + _shares(counts.sure[right, i] for i in range(TENTHS))


def _shares(numbers: Iterable[int]) -> str:
    listed = list(numbers)
    return ", ".join(f"{number / max(sum(listed), 1):.3f}" for number in listed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("database", type=Path)
    options = parser.parse_args()
    truths = {truth.name: truth for truth in read_truths(options.folder)}
    with Store.open(f"sqlite:///{options.database}") as store:
        named = {s.recording.call_id or Path(s.recording.path).stem: s.transcript for s in store.stored()}
    both = ((truths[name], transcript) for name, transcript in named.items() if name in truths)
    print("\n".join(lines(count(both))))


if __name__ == "__main__":
    main()
