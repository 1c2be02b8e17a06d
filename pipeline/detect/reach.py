"""The first step of matching: where can a pattern end? All places of the call at once, as bit masks.

`level[j]` holds the positions that are reached with `j` unrelated characters. No place is missed that
`pipeline.detect.match` would accept, and nearly everything else is ruled out.
"""

from collections.abc import Iterator
from typing import NamedTuple

from pipeline.detect import slots
from pipeline.detect.costs import SKIPS
from pipeline.detect.heard import Heard, Spans
from pipeline.detect.pattern import Char, Choice, Gap, Sequence, Slot
from pipeline.detect.wordings import Atom, Piece, Route, Wording, edits_of, letters, wording

Levels = tuple[int, ...]


def route_ends(heard: Heard, route: Route, starts: int, phrases: Spans) -> int:
    """Positions where a match of the route may end when it begins at one of `starts`."""
    for part in route:
        starts = (
            gap_ends(heard, part, starts) if isinstance(part, Gap) else _piece(heard, part, starts, phrases)
        )
        if not starts:
            return 0
    return starts


def closer_ends(heard: Heard, route: Route, starts: int, phrases: Spans) -> int:
    """As `route_ends`, by what each wording may cost: fewer positions for more time."""
    for part in route:
        if isinstance(part, Gap):
            starts = gap_ends(heard, part, starts)
            continue
        opened, starts = openings(heard, part, starts, phrases), 0
        for made, reached in _Walk(heard, part, phrases).written_out(
            part.nodes, (opened,) + (0,) * part.edits, ()
        ):
            for level in reached[: made.edits + 1]:
                starts |= level
    return starts


def _piece(heard: Heard, piece: Piece, starts: int, phrases: Spans) -> int:
    starts = openings(heard, piece, starts, phrases)
    if not starts:
        return 0
    reached = _along(heard, piece.nodes, (starts,) + (0,) * piece.edits, phrases)
    ends = 0
    for level in reached:
        ends |= level
    return ends


def openings(heard: Heard, piece: Piece, starts: int, phrases: Spans) -> int:
    """The starts from which the piece can be matched: its first character was heard there, or one that
    sounds alike, and close by a part of it without any unrelated character."""
    if piece.firsts is not None:
        starts &= heard.openings.get(piece.firsts) or _like(heard, piece.firsts)
    if starts and piece.edits and piece.groups:
        starts &= _seeds(heard, piece, phrases)
    return starts


def _like(heard: Heard, chars: frozenset[str]) -> int:
    like = 0
    for char in chars:
        like |= heard.sounds[char]
    heard.openings[chars] = like
    return like


def _seeds(heard: Heard, piece: Piece, phrases: Spans) -> int:
    key = (piece, phrases)
    known = heard.seeds.get(key)
    if known is None:
        ends = 0
        for group in piece.groups:
            ends |= sum(_along(heard, group, (heard.words,), phrases))
        known = heard.seeds[key] = _before(ends, piece.most * (1 + SKIPS))
    return known


def _before(mask: int, distance: int) -> int:
    """The positions up to `distance` before those of the mask, themselves included."""
    reach = 1
    while reach <= distance:
        mask |= mask >> min(reach, distance + 1 - reach)
        reach *= 2
    return mask


def _along(heard: Heard, nodes: Sequence, levels: Levels, phrases: Spans) -> Levels:
    for node in nodes:
        match node:
            case Char():
                levels = _char(heard, node, levels)
            case Choice():
                ways = [
                    _along(heard, option, levels, phrases) for option in _open_options(heard, node, levels)
                ]
                levels = _union(ways) if ways else (0,) * len(levels)
            case Slot():
                levels = tuple([_slot(heard, node, level, phrases) for level in levels])
        if not any(levels):
            break
    return levels


def _open_options(heard: Heard, choice: Choice, levels: Levels) -> Iterator[Sequence]:
    """The options that can go on from here: without edits, their first character must be heard."""
    if len(levels) > 1:
        yield from choice.options
        return
    ahead = levels[0]
    for _ in range(SKIPS):
        ahead |= (ahead & heard.light) << 1
    for option in choice.options:
        first = option[0] if option else None
        if not isinstance(first, Char) or first.light or ahead & heard.sounds[first.char]:
            yield option


def _union(found: list[Levels]) -> Levels:
    merged = list(found[0])
    for levels in found[1:]:
        for i, level in enumerate(levels):
            merged[i] |= level
    return tuple(merged)


def _char(heard: Heard, char: Char, levels: Levels) -> Levels:
    same, words, light = heard.sounds[char.char], heard.words, heard.light
    if len(levels) == 1:
        return (_unedited(levels[0], same, light, char),)
    reached = []
    fewer = 0
    for level in levels:
        skipped = level | (fewer & words) << 1
        for _ in range(SKIPS):
            skipped |= (skipped & light) << 1
        out = (skipped & same) << 1 | fewer | (fewer & words) << 1
        reached.append(out | level if char.light else out)
        fewer = skipped
    return tuple(reached)


def _unedited(level: int, same: int, light: int, char: Char) -> int:
    skipped = level
    for _ in range(SKIPS):
        passed = skipped & light
        if not passed:
            break
        skipped |= passed << 1
    out = (skipped & same) << 1
    return out | level if char.light else out


def _first(heard: Heard, char: Char, levels: Levels) -> Levels:
    """A match begins with a character that sounds alike, or the first one is missing."""
    start = levels[0]
    reached = [(start & heard.sounds[char.char]) << 1 | (start if char.light else 0)]
    return tuple([*reached, start, *(0 for _ in levels)][: len(levels)])


def gap_ends(heard: Heard, gap: Gap, level: int) -> int:
    """Positions up to the gap's length away, across one written stop at most."""
    open_, soft = heard.words & ~heard.stops, heard.soft_stops
    once = level & open_ & soft
    none = level & open_ & ~soft
    reached = none | once
    for _ in range(gap.most):
        once = (once << 1 & ~soft | none << 1 & soft) & open_
        none = none << 1 & open_ & ~soft
        reached |= none | once
    return reached


def _slot(heard: Heard, slot: Slot, level: int, phrases: Spans) -> int:
    if slot.name != "phrase":
        return slots.reach(heard, level, slot)
    reached = 0
    for start, end in phrases:
        if level >> start & 1:
            reached |= 1 << end
    return reached


def wordings(heard: Heard, piece: Piece, starts: int, phrases: Spans) -> Iterator[Wording]:
    """The wordings of a piece that can be matched from one of its `openings`."""
    walk = _Walk(heard, piece, phrases)
    levels = (starts,) + (0,) * piece.edits
    for made, reached in walk.written_out(piece.nodes, levels, ()):
        if any(reached[: made.edits + 1]):
            yield made


def onward(heard: Heard, wording: Wording) -> tuple[Levels, ...]:
    """Before each atom of a wording and behind the last: the positions from which it can be matched to its
    end with so many unrelated characters, by level. None is missed."""
    everywhere = (1 << len(heard) + 1) - 1
    levels: Levels = (everywhere,) * (wording.edits + 1)
    found = [levels]
    for atom in reversed(wording.atoms):
        if isinstance(atom, Char):
            levels = _char_before(heard, atom, levels)
        elif isinstance(atom, Slot):
            levels = tuple([slots.before(heard, level, atom) for level in levels])
        found.append(levels)
    return tuple(reversed(found))


def _char_before(heard: Heard, char: Char, levels: Levels) -> Levels:
    """From where the levels are reached by one character of a pattern, and what is skipped before it."""
    same, words, light = heard.sounds[char.char], heard.words, heard.light
    reached, fewer = [], [0] * (SKIPS + 1)
    edited = 0
    for level in levels:
        steps = [level >> 1 & same | edited | edited >> 1 & words | (level if char.light else 0)]
        for less in fewer[:SKIPS]:
            last = steps[-1]
            steps.append(last | last >> 1 & light | less >> 1 & words)
        reached.append(steps[-1])
        fewer, edited = steps, level
    return tuple(reached)


class _Walk(NamedTuple):
    """Writes out the wordings of a piece, leaving each branch as soon as nothing like it was heard."""

    heard: Heard
    piece: Piece
    phrases: Spans

    def written_out(
        self, nodes: Sequence, levels: Levels, atoms: tuple[Atom, ...]
    ) -> Iterator[tuple[Wording, Levels]]:
        """Depth first through the choices; `atoms` is what was written so far."""
        count = letters(atoms)
        for i, node in enumerate(nodes):
            longest = count + letters(nodes[i:])
            most = edits_of(longest, alone=self.piece.alone, spare=self.piece.spare)
            levels = levels[: 1 + min(self.piece.cap, most)]
            if isinstance(node, Choice):
                for option in _open_options(self.heard, node, levels):
                    yield from self.written_out((*option, *nodes[i + 1 :]), levels, atoms)
                return
            if not isinstance(node, Gap):
                levels = self._onward(node, levels, opens=not count)
                atoms, count = (*atoms, node), count + letters((node,))
            if not any(levels):
                return
        yield wording(atoms, alone=self.piece.alone, spare=self.piece.spare), levels

    def _onward(self, atom: Atom, levels: Levels, *, opens: bool) -> Levels:
        if opens and isinstance(atom, Char):
            return _first(self.heard, atom, levels)
        return _along(self.heard, (atom,), levels, self.phrases)
