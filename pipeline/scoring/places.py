"""What was said once is paid for once, however many rules of an item found it."""

from collections.abc import Sequence
from typing import NamedTuple

from pipeline.findings import Finding
from pipeline.timeline import Span


class Claim(NamedTuple):
    """A finding that asks for so many tenths of a point; `line` is its deduction's, in print order."""

    points: int
    line: int
    finding: Finding


def paid(claims: Sequence[Claim]) -> tuple[Claim, ...]:
    """The claims that count: of those about the same time of the call, the dearest, then the one that ends
    first, then the one that is printed first. A finding without evidence has no place, and always counts."""
    if len(claims) < 2:
        return tuple(claims)
    taken: list[Span] = []
    kept = []
    for claim in sorted(claims, key=_rank):
        spans = [evidence.span for evidence in claim.finding.evidence]
        if not any(span.overlaps(other) for span in spans for other in taken):
            kept.append(claim)
            taken += spans
    return tuple(kept)


def _rank(claim: Claim) -> tuple[int, int, int, int, str]:
    span = claim.finding.span
    return -claim.points, span.end, claim.line, -span.start, claim.finding.id
