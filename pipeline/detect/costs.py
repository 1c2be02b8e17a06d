"""How much a match may cost, and what each kind of difference costs: the numbers of the matcher."""

from pipeline.detect.sound import FORBIDDEN, LIGHT, NEGATED, NEGATIONS, UNRELATED

LIGHT_COST = 0.35
"""A light character that came or went."""
CUT_COST = 0.25
"""A match that begins or ends inside a word."""
GAP_CHAR_COST = 0.02
GAP_STOP_COST = 0.15
"""A gap over a full stop without a silence."""
RAN_ON_FACTOR = 1.5
"""Running on across a pause costs this much more when the sounds differ, too."""
SURE = 0.8
"""A negation, or another word for one, that was heard with this probability was said."""
LEAST_WEIGHT = 0.7
LEAST_EDIT = 1.0
PREFIX_EDIT = 1.05
"""How far the cost may run ahead of the budget while a match is not complete: about one edit."""
MAX_BUDGET = 2.4
LOOSE = 1.1
"""Candidates up to this much over the budget are told as near misses."""
_PIECE_LIMIT = {0: 0.0, 1: 0.1, 2: 0.3, 3: 0.45}
SHORT = 3
"""A phrase of this length may have one doubtful character of a near sound, between word edges."""
DOUBTED, CLOSE = 0.6, 0.55
FORGIVEN_COST = 0.25
SKIPS = 2
"""At most so many extra characters between two of the pattern's."""
ROUNDING = 1e-9


def budget(length: int) -> float:
    """The cost a match of `length` characters may have: 2 -> 0.15, 3 -> 0.3, 4 -> 0.6, 6 -> 0.9, 8 -> 1.2."""
    if length <= 2:
        return 0.15 * max(0, length - 1)
    return min(0.3 * (length - 2) if length <= 4 else 0.15 * length, MAX_BUDGET)


def piece_limit(length: int) -> float:
    """The cost that the words on one side of a gap may have."""
    return _PIECE_LIMIT.get(length, budget(length)) + ROUNDING


def prefix_limit(length: int) -> float:
    """The cost that the first `length` characters of a match may have."""
    return LOOSE * budget(length) + PREFIX_EDIT


def weight(probability: float) -> float:
    """Factor on the cost of a difference: a character heard for certain is probably what was said."""
    return LEAST_WEIGHT + 0.5 * probability + 2.0 * max(0.0, probability - 0.8)


def difference(base: float, probability: float) -> float:
    """Cost of a difference in sound; one between unrelated sounds never costs less than LEAST_EDIT,
    and a negation heard for sure is one."""
    if base == NEGATED and probability > SURE:
        return FORBIDDEN
    cost = base * weight(probability)
    return max(cost, LEAST_EDIT) if base >= UNRELATED else cost


def forgiven(base: float, cost: float, probability: float) -> float:
    """Cost of the only difference in a short phrase: less for a near sound that was hardly heard."""
    near = base <= CLOSE and base != NEGATED and probability < DOUBTED
    return min(cost, FORGIVEN_COST) if near else cost


def missing(char: str, *, light: bool) -> float:
    """Cost of not hearing a character of the pattern."""
    if light:
        return LIGHT_COST
    return FORBIDDEN if char in NEGATIONS or char in LIGHT else UNRELATED


def inserted(char: str, probability: float) -> float:
    """Cost of a character that the pattern does not have."""
    if char in LIGHT:
        return LIGHT_COST
    return difference(FORBIDDEN if char in NEGATIONS else UNRELATED, probability)
