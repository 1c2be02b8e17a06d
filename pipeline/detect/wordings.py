"""A pattern as the matcher walks it: routes of pieces between gaps, and the wordings of a piece.

`你(怎么|连)…不懂` is one route of two pieces; the first has the wordings 你怎么 and 你连. Each wording has
its own length and so its own budget. Wordings are written out only where something like them was heard.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache

from pipeline.detect.costs import LEAST_EDIT, LOOSE, ROUNDING, SHORT, budget, piece_limit
from pipeline.detect.pattern import (
    SLOT_WORTH,
    Char,
    Choice,
    Gap,
    Node,
    Pattern,
    Pause,
    Sequence,
    Slot,
    extent,
)

MOST_EDITS = 9
Atom = Char | Pause | Slot


@dataclass(frozen=True, slots=True, eq=False)
class Wording:
    """One flat row of atoms. `limit` is its cost limit, `edits` how many unrelated characters that allows.
    `short`: one character of it may sound alike for less if it was hardly heard. `last`: where its last
    character or slot stands, -1: it has none."""

    atoms: tuple[Atom, ...]
    letters: int
    limit: float
    edits: int
    short: bool
    last: int

    @property
    def ends_in_pause(self) -> bool:
        return 0 <= self.last < len(self.atoms) - 1


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """What stands between two gaps. `edits` and `most` bound those of its wordings; `spare` edits come on
    top of what the length of a wording allows.

    `groups`: the nodes cut into more parts than there can be edits, so that one part has none.
    `firsts`: characters of which one, or one that sounds alike, opens a match; None: a slot opens it.
    """

    nodes: Sequence
    alone: bool
    spare: int
    cap: int
    edits: int
    most: int
    groups: tuple[Sequence, ...]
    firsts: frozenset[str] | None


Route = tuple[Piece | Gap, ...]


@cache
def routes(pattern: Pattern, cap: int, spare: int = 0) -> tuple[Route, ...]:
    """Every route through a pattern, with at most `cap` unrelated characters in each piece."""
    return tuple(_route(row, cap, spare) for row in _without_inner_gaps(pattern.nodes))


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


def _route(row: Sequence, cap: int, spare: int) -> Route:
    groups: list[list[Node]] = [[]]
    gaps: list[Gap] = []
    for node in row:
        if isinstance(node, Gap):
            gaps.append(node)
            groups.append([])
        else:
            groups[-1].append(node)
    pieces = [_piece(tuple(group), cap, spare, alone=not gaps) for group in groups]
    route: list[Piece | Gap] = [pieces[0]]
    for gap, piece in zip(gaps, pieces[1:], strict=True):
        route += [gap, piece]
    return tuple(route)


def _piece(nodes: Sequence, cap: int, spare: int, *, alone: bool) -> Piece:
    edits = min(edits_of(letters(nodes), alone=alone, spare=spare), cap)
    firsts, _ = opening(nodes, 1 + (edits if alone else 0))
    return Piece(nodes, alone, spare, cap, edits, extent(nodes)[1], _groups(nodes, edits + 1), firsts)


@cache
def limit_of(length: int, *, alone: bool, spare: int) -> float:
    """The cost that a wording of `length` characters may have, near misses included."""
    return spare * LEAST_EDIT + (LOOSE * budget(length) + ROUNDING if alone else piece_limit(length))


@lru_cache(maxsize=1 << 16)
def letters(nodes: Sequence) -> int:
    """The greatest length among the wordings, slots counted by their worth."""
    return sum(_node_letters(node) for node in nodes)


def _node_letters(node: Node) -> int:
    match node:
        case Char():
            return 1
        case Slot(name, _):
            return SLOT_WORTH[name]
        case Choice(options):
            return max(letters(option) for option in options)
    return 0


def edits_of(length: int, *, alone: bool, spare: int) -> int:
    """How many unrelated characters a wording of `length` characters may have."""
    return int(limit_of(length, alone=alone, spare=spare) / LEAST_EDIT)


@lru_cache(maxsize=1 << 16)
def wording(atoms: tuple[Atom, ...], *, alone: bool, spare: int) -> Wording:
    """A wording with its limits."""
    length = letters(atoms)
    limit = limit_of(length, alone=alone, spare=spare)
    short = alone and length == SHORT
    last = max((i for i, atom in enumerate(atoms) if not isinstance(atom, Pause)), default=-1)
    return Wording(atoms, length, limit, edits_of(length, alone=alone, spare=spare), short, last)


def _groups(nodes: Sequence, parts: int) -> tuple[Sequence, ...]:
    """The nodes cut into `parts` rows, each with a character that cannot be left out; else nothing."""
    needed = [_needed(node) for node in nodes]
    whole = sum(needed)
    groups: list[Sequence] = []
    row: list[Node] = []
    seen = 0
    for node, count in zip(nodes, needed, strict=True):
        row.append(node)
        seen += count
        if seen * parts >= whole * (len(groups) + 1) and len(groups) < parts - 1:
            groups.append(tuple(row))
            row = []
    groups.append(tuple(row))
    enough = len(groups) == parts and all(sum(map(_needed, group)) for group in groups)
    return tuple(groups) if enough else ()


def _needed(node: Node) -> int:
    """How many characters of a node must be heard: light ones may be missing."""
    match node:
        case Char():
            return not node.light
        case Slot(name, _):
            return int(name != "phrase")
        case Choice(options):
            return min(sum(map(_needed, option)) for option in options)
    return 0


def opening(nodes: Sequence, depth: int) -> tuple[frozenset[str] | None, int]:
    """Every character that can be among the first `depth` of a wording (None: a slot can open it),
    and how many of the `depth` are still open behind these nodes."""
    chars: set[str] = set()
    for node in nodes:
        found, depth = _node_opening(node, depth)
        if found is None:
            return None, 0
        chars |= found
        if depth <= 0:
            break
    return frozenset(chars), depth


def _node_opening(node: Node, depth: int) -> tuple[frozenset[str] | None, int]:
    match node:
        case Char(char):
            return frozenset(char), depth if node.light else depth - 1
        case Choice(options):
            opened = [opening(option, depth) for option in options]
            if any(chars is None for chars, _ in opened):
                return None, 0
            found = frozenset(char for chars, _ in opened for char in chars or ())
            return found, max(left for _, left in opened)
        case Slot():
            return None, 0
    return frozenset(), depth
