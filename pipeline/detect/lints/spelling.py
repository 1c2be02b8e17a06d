"""Patterns written out: which words would match one, as somebody would say them."""

from collections.abc import Iterator, Sequence
from math import gcd

from pipeline.detect.pattern import Char, Choice, Gap, Node, Pattern, Pause, Slot

SAID = {
    "amount": ("三百块钱", "50元"),
    "name": ("晓东", "小李"),
    "number": ("一零三五六七八九", "8820153"),
    "org": ("恒通", "城北供水"),
    "surname": ("王", "欧阳"),
    "time": ("明天下午三点", "两个工作日"),
}
"""What fills a slot. One whose words nobody can guess, such as {phrase}, is not written out."""
PASSED = "某某"
"""What stands in a gap."""
GOLDEN = 0.618
"""Steps of this share of the whole come back to no place soon."""


def count(pattern: Pattern, *, gaps: bool = False) -> int:
    """How many wordings `spelled` could write; 0: a slot that cannot be written out."""
    return _count(pattern.nodes, gaps=gaps)


def spelled(pattern: Pattern, most: int, *, gaps: bool = False) -> tuple[str, ...]:
    """Up to `most` different wordings, spread over all of them; `gaps`: each gap empty and filled."""
    total = count(pattern, gaps=gaps)
    step = next((n for n in range(round(total * GOLDEN) or 1, total) if gcd(n, total) == 1), 1)
    indices = (k * step % total for k in range(min(most, total)))
    return tuple(dict.fromkeys("".join(_spell(pattern.nodes, i, gaps=gaps)) for i in indices))


def _count(nodes: Sequence[Node], *, gaps: bool) -> int:
    total = 1
    for node in nodes:
        total *= _ways(node, gaps=gaps)
    return total


def _ways(node: Node, *, gaps: bool) -> int:
    match node:
        case Choice(options):
            return sum(_count(option, gaps=gaps) for option in options)
        case Slot(name, _):
            return len(SAID.get(name, ()))
        case Gap():
            return 1 + gaps
    return 1


def _spell(nodes: Sequence[Node], index: int, *, gaps: bool) -> Iterator[str]:
    for node in nodes:
        ways = _ways(node, gaps=gaps)
        index, own = divmod(index, ways)
        yield from _said(node, own, gaps=gaps)


def _said(node: Node, index: int, *, gaps: bool) -> Iterator[str]:
    match node:
        case Char(char):
            yield char
        case Pause():
            yield "，"
        case Gap(most):
            yield PASSED[:most] if index else ""
        case Slot(name, _):
            yield SAID[name][index]
        case Choice(options):
            for option in options:
                ways = _count(option, gaps=gaps)
                if index < ways:
                    yield from _spell(option, index, gaps=gaps)
                    return
                index -= ways
