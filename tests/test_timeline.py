from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.timeline import Span, merge, subtract, total

spans = st.tuples(st.integers(0, 500), st.integers(0, 100)).map(lambda pair: Span(pair[0], pair[0] + pair[1]))


def covered(found: list[Span] | tuple[Span, ...]) -> set[int]:
    return {time for span in found for time in range(span.start, span.end)}


def test_a_span_cannot_end_before_it_starts() -> None:
    with pytest.raises(ValueError, match="ends before it starts"):
        Span(5, 4)


@given(spans, spans)
def test_intersection_holds_exactly_the_common_times(one: Span, other: Span) -> None:
    assert covered([one & other]) == covered([one]) & covered([other])


@given(st.lists(spans))
def test_merging_keeps_the_covered_time_and_leaves_no_overlap(given_spans: list[Span]) -> None:
    merged = merge(given_spans)
    assert covered(merged) == covered(given_spans)
    assert all(before.end < after.start for before, after in pairwise(merged))
    assert total(given_spans) == len(covered(given_spans))


@given(st.lists(spans), st.lists(spans))
def test_subtracting_removes_exactly_the_holes(given_spans: list[Span], holes: list[Span]) -> None:
    assert covered(subtract(given_spans, holes)) == covered(given_spans) - covered(holes)
