"""The first step of matching: where can a wording end? All places of the call at once, as bit masks.

It never misses a place that `pipeline.detect.match` would accept, and rules out nearly everything else.
"""

from functools import cache

from pipeline.detect import slots
from pipeline.detect.costs import SKIPS
from pipeline.detect.heard import Heard
from pipeline.detect.pattern import Char, Gap, Slot
from pipeline.detect.sound import LIGHT
from pipeline.detect.wordings import Atom, Piece, Route, Wording

Spans = tuple[tuple[int, int], ...]


def route_ends(heard: Heard, route: Route, starts: int, phrases: Spans) -> int:
    """Positions where a match of the route may end when it begins at one of `starts`, by sound."""
    for part in route:
        starts = (
            gap_ends(heard, part, starts) if isinstance(part, Gap) else _piece(heard, part, starts, phrases)
        )
        if not starts:
            return 0
    return starts


def _piece(heard: Heard, piece: Piece, starts: int, phrases: Spans) -> int:
    reached = 0
    for wording in likely(heard, piece, starts):
        reached |= wording_ends(heard, wording, starts, phrases)
    return reached


def likely(heard: Heard, piece: Piece, starts: int) -> dict[Wording, None]:
    """The wordings that one of the starts can open, in their order."""
    found = dict.fromkeys(piece.others)
    for first, wordings in piece.by_first.items():
        if starts & heard.with_sound(first):
            found.update(dict.fromkeys(wordings))
    return found


def wording_ends(heard: Heard, wording: Wording, starts: int, phrases: Spans) -> int:
    """Positions where the wording may end."""
    if wording.blocks and not any(is_heard(heard, block) for block in wording.blocks):
        return 0
    if not wording.edits:
        return _without_edits(heard, wording.atoms, starts, phrases)
    levels = [starts] + [0] * wording.edits
    opened = False
    for atom in wording.atoms:
        if isinstance(atom, Char):
            levels = _char(heard, atom.char, levels, opened=opened)
            opened = True
        elif isinstance(atom, Slot):
            levels = [_slot(heard, atom, level, phrases) for level in levels]
            opened = True
    reached = 0
    for level in levels:
        reached |= level
    return reached


def is_heard(heard: Heard, block: str) -> bool:
    """Whether the characters, or ones that sound alike, were heard in a row; kept with the call's words."""
    known = heard.blocks.get(block)
    if known is None:
        known = heard.blocks[block] = bool(_without_edits(heard, atoms_of(block), heard.words, ()))
    return known


@cache
def atoms_of(block: str) -> tuple[Atom, ...]:
    """The characters of a block as atoms."""
    return tuple(map(Char, block))


def _without_edits(heard: Heard, atoms: tuple[Atom, ...], level: int, phrases: Spans) -> int:
    opened = False
    for atom in atoms:
        if isinstance(atom, Char):
            before = level
            if opened:
                level = _skipped(heard, level)
            level = (level & heard.with_sound(atom.char)) << 1
            if atom.char in LIGHT:
                level |= before
        elif isinstance(atom, Slot):
            level = _slot(heard, atom, level, phrases)
        else:
            continue
        if not level:
            return 0
        opened = True
    return level


def _skipped(heard: Heard, level: int) -> int:
    """The positions, and those behind light characters that follow them."""
    for _ in range(SKIPS):
        level |= (level & heard.light) << 1
    return level


def _char(heard: Heard, char: str, levels: list[int], *, opened: bool) -> list[int]:
    same, words = heard.with_sound(char), heard.words
    reached: list[int] = []
    fewer = 0
    for level in levels:
        inserted = level
        if opened:
            level = _skipped(heard, level | (fewer & words) << 1)
        out = (level & same) << 1 | fewer
        if opened:
            out |= (fewer & words) << 1
        if char in LIGHT:
            out |= inserted
        reached.append(out)
        fewer = level
    return reached


def gap_ends(heard: Heard, gap: Gap, level: int) -> int:
    """Positions up to the gap's length away, within the sentence."""
    level &= ~heard.stops
    reached = level
    for _ in range(gap.most):
        level = (level & heard.words) << 1 & ~heard.stops
        reached |= level
    return reached


def _slot(heard: Heard, slot: Slot, level: int, phrases: Spans) -> int:
    if slot.name != "phrase":
        return slots.reach(heard, level, slot)
    reached = 0
    for start, end in phrases:
        if level >> start & 1:
            reached |= 1 << end
    return reached
