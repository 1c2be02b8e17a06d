"""What must have been heard wherever a pattern matches: phrase rules -> targets and parts.

A target is one wording of a piece of a pattern with the cost that it may have. A wording of six characters
may have no unrelated character, so all of it is heard in a row. One of seven may have one, which costs most
of the budget: then one half of it is heard in a row, for what is left. Such rows are the parts. Light
characters come and go: parts and calls are compared without them, and a character of a rule for which a light
one may have been heard is left out in a variant.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import NamedTuple, cast

from pipeline.detect.archive.classes import SCALE, alike, softest
from pipeline.detect.costs import LEAST_EDIT
from pipeline.detect.detectors.phrase import PhraseParameters
from pipeline.detect.match import Fit
from pipeline.detect.pattern import Char, Choice, Pause, Sequence, Slot, parse
from pipeline.detect.wordings import MOST_EDITS, Atom, Piece, Route, letters, limit_of, routes, wording
from pipeline.ruleset import Rule

MOST_WORDINGS = 2000
"""A piece with more wordings is searched by a row of its nodes that has fewer."""
LONGEST = 12
"""A part has no more characters."""
MOST_VARIANTS = 32
MOST_NEEDED = 100
"""A piece beside another that has more targets is not looked for."""


class Part(NamedTuple):
    """Characters heard in a row, light ones aside. `limit`: what they may cost together, in hundredths.
    `soft`: one of these light characters stands before character `at`, or none is asked for."""

    chars: str
    limit: int
    short: bool = False
    soft: str = ""
    at: int = 0


class Target(NamedTuple):
    """A row of characters, a space for a slot, that may cost `limit` with all its edits. `light[i]`:
    character `i` may be left out for nothing. No characters: only the part that was heard is known.
    `needs`: what else is heard in the same stretch."""

    chars: str = ""
    light: tuple[bool, ...] = ()
    limit: int = 0
    short: bool = False
    needs: tuple["Need", ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Need:
    """One of these is heard."""

    targets: tuple[Target, ...]


ANYTHING = Target()
Clause = dict[Part, set[Target]]
"""One of the parts is heard, near it one of its targets."""
SLOT = " "


def can_be_sieved(rule: Rule) -> bool:
    """Whether the rule answers from the words around its phrases alone, and with an absence without them."""
    parameters = rule.parameters
    if not isinstance(parameters, PhraseParameters) or rule.window.near or rule.cancelling:
        return False
    by_text = parameters.match == "text" and bool(parameters.max_edits)
    return not (parameters.regex or parameters.none_of or by_text or parameters.needed != 1)


def clauses_of(rule: Rule) -> tuple[tuple[str, Clause | None], ...]:
    """For each way that a phrase rule can match, its phrase and what is heard then; None: nothing certain."""
    parameters = cast(PhraseParameters, rule.parameters)
    sounds = Fit(parameters.match) is Fit.SOUND
    cap = 0 if not sounds else MOST_EDITS if parameters.max_edits is None else parameters.max_edits
    found: list[tuple[str, Clause | None]] = []
    for text in parameters.phrases:
        for route in routes(parse(text), cap):
            found.append((text, _clause_of_route(route, sounds=sounds)))
    return tuple(found)


def _clause_of_route(route: Route, *, sounds: bool) -> Clause | None:
    """What is heard of the piece that says most, with the targets of the other pieces beside it."""
    pieces = (part for part in route if isinstance(part, Piece))
    known = [clause for clause in (_clause(piece, sounds=sounds) for piece in pieces) if clause]
    if not known:
        return None
    best = max(known, key=_selectivity)
    needs = tuple(need for clause in known if clause is not best for need in _needs(clause))
    if not needs:
        return best
    return {part: {target._replace(needs=needs) for target in targets} for part, targets in best.items()}


def _needs(clause: Clause) -> Iterator[Need]:
    """The targets of which one is heard; nothing: too many, or not known."""
    targets = tuple(dict.fromkeys(target for targets in clause.values() for target in targets))
    if ANYTHING not in targets and len(targets) <= MOST_NEEDED:
        yield Need(targets)


def _selectivity(clause: Clause) -> tuple[int, int]:
    return min(len(part.chars) for part in clause), -len(clause)


def _clause(piece: Piece, *, sounds: bool) -> Clause | None:
    clause: Clause = {}
    for run, limit, target in _runs(piece, sounds=sounds):
        made = _variants(run, limit, short=target.short)
        if not made:
            return None
        for part in made:
            clause.setdefault(part, set()).add(target)
    return clause


def _runs(piece: Piece, *, sounds: bool) -> Iterator[tuple[tuple[Char, ...], int, Target]]:
    """Rows of characters of which one is heard without an unrelated one, and what it may cost."""
    if _count(piece.nodes) > MOST_WORDINGS:
        yield from _runs_of_many(piece, sounds=sounds)
        return
    for atoms in _written_out(piece.nodes):
        made = wording(atoms, alone=piece.alone, spare=piece.spare)
        edits = min(made.edits, piece.cap) if sounds else 0
        limit = _scaled(made.limit) if sounds else 0
        target = _target(atoms, limit, short=made.short)
        for spent in range(edits + 1):
            for group in _cut(atoms, spent + 1):
                yield _longest_run(group), limit - _scaled(spent * LEAST_EDIT), target


def _runs_of_many(piece: Piece, *, sounds: bool) -> Iterator[tuple[tuple[Char, ...], int, Target]]:
    groups = piece.groups if piece.edits else (piece.nodes,)
    limit = (
        limit_of(letters(piece.nodes), alone=piece.alone, spare=piece.spare) / (piece.edits + 1)
        if sounds
        else 0.0
    )
    for nodes in groups or ((),):
        for atoms in _written_out(_selective(nodes)):
            yield _longest_run(atoms), _scaled(limit), ANYTHING


def _scaled(cost: float) -> int:
    return int(cost * SCALE)


def _target(atoms: Iterable[Atom], limit: int, *, short: bool) -> Target:
    spoken = [atom for atom in atoms if not isinstance(atom, Pause)]
    return Target(
        chars="".join(atom.char if isinstance(atom, Char) else SLOT for atom in spoken),
        light=tuple(isinstance(atom, Char) and atom.light for atom in spoken),
        limit=limit,
        short=short,
    )


def _count(nodes: Sequence) -> int:
    total = 1
    for node in nodes:
        if isinstance(node, Choice):
            total *= sum(map(_count, node.options))
    return total


def _written_out(nodes: Sequence) -> Iterator[tuple[Atom, ...]]:
    for i, node in enumerate(nodes):
        if isinstance(node, Choice):
            for option in node.options:
                yield from _written_out((*nodes[:i], *option, *nodes[i + 1 :]))
            return
    yield cast(tuple[Atom, ...], nodes)


def _selective(nodes: Sequence) -> Sequence:
    """The neighbouring nodes with the most needed characters among those with few enough wordings."""
    rows = [nodes[i:j] for i in range(len(nodes)) for j in range(i + 1, len(nodes) + 1)]
    few = [row for row in rows if _count(row) <= MOST_WORDINGS]
    return max(few, key=lambda row: min(map(len, map(_longest_run, _written_out(row)))), default=())


def _cut(atoms: tuple[Atom, ...], parts: int) -> tuple[tuple[Atom, ...], ...]:
    """The atoms in `parts` rows, each with a character that must be heard; else one empty row."""
    if parts == 1:
        return (atoms,) if any(map(_needed, atoms)) else ((),)
    needed = [_needed(atom) for atom in atoms]
    whole, seen, cuts, last = sum(needed), 0, [0], 0
    for i, count in enumerate(needed):
        if len(cuts) < parts and seen * parts >= whole * len(cuts) and seen > last:
            cuts.append(i)
            last = seen
        seen += count
    enough = len(cuts) == parts and seen > last
    return tuple(atoms[i:j] for i, j in pairwise([*cuts, len(atoms)])) if enough else ((),)


def _needed(atom: Atom) -> int:
    return int(isinstance(atom, Char) and not atom.light)


def _longest_run(atoms: tuple[Atom, ...]) -> tuple[Char, ...]:
    """The most characters in a row without a slot between them."""
    if all(type(atom) is Char for atom in atoms):
        return cast(tuple[Char, ...], atoms[:LONGEST])
    runs: list[list[Char]] = [[]]
    for atom in atoms:
        if isinstance(atom, Slot):
            runs.append([])
        elif isinstance(atom, Char):
            runs[-1].append(atom)
    return tuple(max(runs, key=lambda run: sum(map(_needed, run)))[:LONGEST])


def _variants(run: tuple[Char, ...], limit: int, *, short: bool) -> tuple[Part, ...]:
    """The run without light characters, and without those that a light one may have been heard for.
    Nothing: everything may be left out."""
    costs = [0 if char.light else softest(char.char, short=short) for char in run]
    loose = [i for i, cost in enumerate(costs) if cost <= limit]
    if 1 << len(loose) > MOST_VARIANTS:
        return _variants(run[:-1], limit, short=short)
    text, made = "".join([char.char for char in run]), dict[Part, None]()
    for count in range(len(loose) + 1):
        for dropped in combinations(loose, count):
            left = limit - sum([costs[i] for i in dropped])
            if left >= 0 and count == len(run):
                return ()
            if left >= 0:
                made[Part(_without(text, dropped), left, short, *_asked(run, dropped))] = None
    return tuple(made)


def _without(text: str, dropped: tuple[int, ...]) -> str:
    return "".join([char for i, char in enumerate(text) if i not in dropped]) if dropped else text


def _asked(run: tuple[Char, ...], dropped: tuple[int, ...]) -> tuple[str, int]:
    """Light characters of which one is heard for the first character that is dropped, and where; "": none
    need be."""
    for before, i in enumerate(dropped):
        if not run[i].light:
            return alike(run[i].char), i - before
    return "", 0
