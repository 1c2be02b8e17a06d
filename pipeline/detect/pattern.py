"""The pattern language of phrases: text -> tree.

    不归我们管          these words
    你找[别的|其他]部门   any one of the words in brackets, or none of them
    (打|拨)这个电话      exactly one of the words in parentheses
    你…不懂             a gap of up to 6 characters (`…12`: up to 12), never across the end of a sentence
    工号{number}        a slot: number, surname, name, org, time, amount (`{number:2}`: at least 2 digits)
    办{product}         a slot of a named word list; `pipeline.detect.wordlists` writes it out

Punctuation in a pattern marks a place where a pause costs nothing; at the end it demands one. Groups nest.
"""

from dataclasses import dataclass
from functools import cache

from pipeline.detect.document import nearest, suggestion
from pipeline.detect.sound import LIGHT, is_han
from pipeline.wanted import one_of, quoted

DEFAULT_GAP = 6
MAX_GAP = 30
PAUSES = frozenset("，。、！？；：,.!?;: 　")
SLOTS = {"amount": 1, "name": 1, "number": 3, "org": 2, "phrase": 1, "surname": 1, "time": 1}
"""Slot names and the least number of characters each stands for."""
NO_WORDS = "发现一个字不说也算的写法，应为至少有一个必须说的字"
LONGEST_SLOT = 40
SLOT_WORTH = {"amount": 2, "name": 1, "number": 3, "org": 2, "phrase": 1, "surname": 1, "time": 2}
"""How many characters of certainty a filled slot is worth."""


class PatternError(ValueError):
    """`column` counts characters of the pattern from 0."""

    def __init__(self, message: str, column: int) -> None:
        super().__init__(message)
        self.column = column


@dataclass(frozen=True, slots=True, eq=False)
class Char:
    """One character, folded. `light`: it may go unheard."""

    char: str
    light: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Pause:
    """A pause may be heard here at no cost."""


@dataclass(frozen=True, slots=True, eq=False)
class Gap:
    """Up to `most` characters of anything within the sentence."""

    most: int


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """A kind of words; `least` is the least number of characters."""

    name: str
    least: int


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """One of the options; an empty option makes it optional."""

    options: tuple["Sequence", ...]


Node = Char | Pause | Gap | Slot | Choice
Sequence = tuple[Node, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """A parsed pattern. It covers `least` to `most` characters."""

    text: str
    nodes: Sequence
    least: int
    most: int


def fold(char: str) -> str:
    """Full-width and capital letters made plain: `fold("Ａ") == "a"`."""
    code = ord(char)
    return (chr(code - 0xFEE0) if 0xFF01 <= code <= 0xFF5E else char).lower()


def matchable(char: str) -> bool:
    """Whether a character takes part in matching: Chinese characters, letters and digits."""
    return is_han(char) or char.isalnum()


@cache
def parse(text: str, lists: frozenset[str] = frozenset()) -> Pattern:
    """Parse a pattern; `lists` names the word lists that it may use. Raises PatternError."""
    nodes = _Parser(text, lists).parse()
    least, most = extent(nodes)
    if not least:
        raise PatternError(NO_WORDS, 0)
    return Pattern(text, nodes, least, most)


def extent(nodes: Sequence) -> tuple[int, int]:
    """Least and most characters covered; gaps count for the most only, slots up to 24."""
    least = most = 0
    for node in nodes:
        low, high = _node_extent(node)
        least, most = least + low, most + high
    return least, most


def _node_extent(node: Node) -> tuple[int, int]:
    match node:
        case Char():
            return 1, 1
        case Gap(most):
            return 0, most
        case Slot(_, least):
            return least, max(least, LONGEST_SLOT)
        case Choice(options):
            extents = [extent(option) for option in options]
            return min(low for low, _ in extents), max(high for _, high in extents)
        case Pause():
            return 0, 0


def gaps_meet(nodes: Sequence) -> bool:
    """Whether one gap may run into the next: nothing can be matched there."""
    return _meeting(nodes, in_gap=False)[0]


def _meeting(nodes: Sequence, *, in_gap: bool) -> tuple[bool, bool]:
    """Whether gaps meet, and whether the nodes may end in a gap."""
    for node in nodes:
        match node:
            case Gap() if in_gap:
                return True, True
            case Choice(options):
                ends = [_meeting(option, in_gap=in_gap) for option in options]
                if any(meet for meet, _ in ends):
                    return True, True
                in_gap = any(end for _, end in ends)
            case Pause():
                continue
            case _:
                in_gap = isinstance(node, Gap)
    return False, in_gap


def _bound(option: Sequence) -> Sequence:
    """An option that must be heard although it is made of light characters only, as in `(哎|唉)`."""
    if not all(isinstance(node, Char) and node.light for node in option):
        return option
    return tuple(Char(node.char) for node in option if isinstance(node, Char))


class _Parser:
    """Recursive descent over one pattern."""

    def __init__(self, text: str, lists: frozenset[str]) -> None:
        self.text, self.lists, self.at = text, lists, 0

    def parse(self) -> Sequence:
        nodes = self._sequence("")
        if self.at < len(self.text):
            raise PatternError(f"发现“{self.text[self.at]}”前面没有另一半，应为成对的括号", self.at)
        self._refuse_edge_gaps(nodes)
        return nodes

    def _refuse_edge_gaps(self, nodes: Sequence) -> None:
        if nodes and (isinstance(nodes[0], Gap) or isinstance(nodes[-1], Gap)):
            column = 0 if isinstance(nodes[0], Gap) else len(self.text) - 1
            raise PatternError("发现间隔 … 写在开头或末尾，应为两边都有字", column)

    def _sequence(self, closing: str) -> Sequence:
        nodes: list[Node] = []
        while self.at < len(self.text) and self.text[self.at] not in "|])）】" + closing:
            nodes.append(self._node())
        return tuple(nodes)

    def _node(self) -> Node:
        char = self.text[self.at]
        if char in "[【":
            return self._group("]】", optional=True)
        if char in "(（":
            return self._group(")）", optional=False)
        if char == "{":
            return self._slot()
        if char == "…" or self.text.startswith("...", self.at):
            return self._gap()
        self.at += 1
        if char in PAUSES:
            return Pause()
        if not matchable(char):
            raise PatternError(
                f"发现{quoted(char)}，应为字、括号、间隔 …，或 {{number}} 这样的花括号", self.at - 1
            )
        return Char(fold(char), light=fold(char) in LIGHT)

    def _group(self, closing: str, *, optional: bool) -> Choice:
        opened = self.at
        self.at += 1
        options = [self._sequence(closing)]
        while self.at < len(self.text) and self.text[self.at] == "|":
            self.at += 1
            options.append(self._sequence(closing))
        if self.at >= len(self.text) or self.text[self.at] not in closing:
            raise PatternError(f"发现“{self.text[opened]}”没有“{closing[0]}”配对，应为成对的括号", opened)
        self.at += 1
        if not all(options):
            raise PatternError("发现空的选项，应为括号里、每个 | 两边都有字", opened)
        return Choice((*options, ()) if optional else tuple(map(_bound, options)))

    def _gap(self) -> Gap:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] in "….":
            self.at += 1
        size = self._digits()
        if size is not None and not 1 <= size <= MAX_GAP:
            raise PatternError(f"发现间隔 {size} 个字，应为 1 到 {MAX_GAP}", start)
        return Gap(size or DEFAULT_GAP)

    def _digits(self) -> int | None:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] in "0123456789":
            self.at += 1
        return int(self.text[start : self.at]) if self.at > start else None

    def _slot(self) -> Slot:
        start, end = self.at, self.text.find("}", self.at)
        if end < 0:
            raise PatternError("发现“{”没有“}”配对，应为成对的花括号", start)
        self.at = end + 1
        written = self.text[start : self.at]
        name, _, least = (part.strip() for part in written[1:-1].partition(":"))
        if name not in self.lists and name not in SLOTS:
            raise PatternError(f"发现{quoted(written)}，应为{_slots(name, self.lists)}", start)
        if name in self.lists and least:
            raise PatternError(f"发现{quoted(written)}，应为 {{{name}}}；词表后面不写字数", start)
        if least and not least.isdigit():
            raise PatternError(f"发现{quoted(written)}，应为整数的字数，如 {{{name}:2}}", start)
        return Slot(name, int(least or SLOTS.get(name, 1)))


def _slots(found: str, lists: frozenset[str]) -> str:
    """The slots that there are, and which of them is meant."""
    known = (*SLOTS, *sorted(lists))
    meant = nearest(found, known)
    return one_of(f"{{{slot}}}" for slot in known) + (suggestion(f"{{{meant}}}") if meant else "")
