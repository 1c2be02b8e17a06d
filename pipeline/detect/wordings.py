"""A pattern written out: every way to say it, as flat rows of characters between gaps.

`你(怎么|连)…不懂` is one route of two pieces; the first has the wordings 你怎么 and 你连.
Written out, each wording has its own length and so its own budget.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise, product

from pipeline.detect.costs import LEAST_EDIT, LOOSE, ROUNDING, budget, piece_limit
from pipeline.detect.pattern import (
    SLOT_WORTH,
    Char,
    Choice,
    Gap,
    Node,
    Pattern,
    PatternError,
    Pause,
    Sequence,
    Slot,
)
from pipeline.detect.sound import LIGHT

MOST_WORDINGS = 20_000

Atom = Char | Pause | Slot


@dataclass(frozen=True, slots=True, eq=False)
class Wording:
    """One flat row. `limit` is its cost limit, `edits` how many unrelated characters that allows.

    `firsts`: the characters one of which, or one that sounds alike, must open a match; None: a slot opens.
    `blocks`: rows of characters of which one must be heard without an unrelated character.
    """

    atoms: tuple[Atom, ...]
    letters: int
    limit: float
    edits: int
    firsts: frozenset[str] | None
    blocks: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """The wordings between two gaps, by the characters that can open them."""

    wordings: tuple[Wording, ...]
    by_first: Mapping[str, tuple[Wording, ...]]
    others: tuple[Wording, ...]


Route = tuple[Piece | Gap, ...]


@cache
def routes(pattern: Pattern) -> tuple[Route, ...]:
    """Every route through a pattern. Raises PatternError: too many wordings."""
    rows = list(_without_inner_gaps(pattern.nodes))
    return tuple(_route(row) for row in rows)


def _without_inner_gaps(nodes: Sequence) -> Iterator[Sequence]:
    """The rows that result from writing out every choice that holds a gap."""
    for i, node in enumerate(nodes):
        if isinstance(node, Choice) and any(map(_has_gap, node.options)):
            for option in node.options:
                yield from _without_inner_gaps((*nodes[:i], *option, *nodes[i + 1 :]))
            return
    yield nodes


def _has_gap(nodes: Sequence) -> bool:
    return any(
        isinstance(node, Gap) or (isinstance(node, Choice) and any(map(_has_gap, node.options)))
        for node in nodes
    )


def _route(row: Sequence) -> Route:
    groups: list[list[Node]] = [[]]
    gaps: list[Gap] = []
    for node in row:
        if isinstance(node, Gap):
            gaps.append(node)
            groups.append([])
        else:
            groups[-1].append(node)
    pieces = [_piece(tuple(group), alone=not gaps) for group in groups]
    route: list[Piece | Gap] = [pieces[0]]
    for gap, piece in zip(gaps, pieces[1:], strict=True):
        route += [gap, piece]
    return tuple(route)


def _piece(nodes: Sequence, *, alone: bool) -> Piece:
    if count(nodes) > MOST_WORDINGS:
        message = f"found {count(nodes)} ways to read this, expected at most {MOST_WORDINGS}; use two phrases"
        raise PatternError(message, 0)
    wordings = tuple(_wording(atoms, alone=alone) for atoms in dict.fromkeys(_written_out(nodes)))
    by_first: dict[str, list[Wording]] = {}
    others = []
    for wording in wordings:
        if wording.firsts is None:
            others.append(wording)
        for char in wording.firsts or ():
            by_first.setdefault(char, []).append(wording)
    listed = {char: tuple(found) for char, found in by_first.items()}
    return Piece(wordings, listed, tuple(others))


def count(nodes: Sequence) -> int:
    """How many ways there are to read the nodes."""
    ways = 1
    for node in nodes:
        if isinstance(node, Choice):
            ways *= sum(count(option) for option in node.options)
    return ways


def _written_out(nodes: Sequence) -> Iterator[tuple[Atom, ...]]:
    choices = [list(_ways(node)) for node in nodes]
    for picked in product(*choices):
        yield tuple(atom for part in picked for atom in part)


def _ways(node: Node) -> Iterator[tuple[Atom, ...]]:
    if isinstance(node, Choice):
        for option in node.options:
            yield from _written_out(option)
    elif not isinstance(node, Gap):
        yield (node,)


def _wording(atoms: tuple[Atom, ...], *, alone: bool) -> Wording:
    letters = sum(
        SLOT_WORTH[atom.name] if isinstance(atom, Slot) else isinstance(atom, Char) for atom in atoms
    )
    limit = LOOSE * budget(letters) + ROUNDING if alone else piece_limit(letters)
    edits = int(limit / LEAST_EDIT)
    firsts = _firsts(atoms, edits if alone else 0)
    return Wording(atoms, letters, limit, edits, firsts, _blocks(atoms, edits + 1))


def _blocks(atoms: tuple[Atom, ...], parts: int) -> tuple[str, ...]:
    """The wording cut into parts: with fewer edits than parts, one of them has no edit. Of each part,
    the longest row without a slot. Nothing where a part has no characters."""
    solid = [atom for atom in atoms if not isinstance(atom, Pause)]
    edges = [len(solid) * i // parts for i in range(parts + 1)]
    cut = (solid[start:end] for start, end in pairwise(edges))
    blocks = tuple(_longest_row(part) for part in cut)
    return blocks if all(blocks) else ()


def _longest_row(atoms: list[Char | Slot]) -> str:
    row = "".join(atom.char if isinstance(atom, Char) else " " for atom in atoms)
    return max(row.split(), key=len, default="")


def _firsts(atoms: tuple[Atom, ...], edits: int) -> frozenset[str] | None:
    """Characters that can be heard first when up to `edits` of the first ones are missing."""
    firsts = []
    for atom in atoms:
        if isinstance(atom, Slot):
            return None
        if isinstance(atom, Char):
            firsts.append(atom.char)
            edits -= atom.char not in LIGHT
            if edits < 0:
                return frozenset(firsts)
    return None
