from itertools import accumulate, combinations, pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.samples import RATE
from pipeline.speech.packing import SIZES, Window, pack
from pipeline.timeline import Span, subtract, total

LIMIT = 29_800


def quiet(ms):
    return np.zeros(ms * RATE // 1000, dtype=np.float32)


@st.composite
def speeches(draw):
    lengths = draw(st.lists(st.tuples(st.integers(1, 3_000), st.integers(50, 45_000)), max_size=12))
    at, spans = 0, []
    for pause, length in lengths:
        spans.append(Span(at + pause, at + pause + length))
        at += pause + length
    return spans, at + draw(st.integers(0, 2_000))


@settings(max_examples=60, deadline=None)
@given(speeches(), st.integers(0, 400))
def test_every_moment_of_speech_is_in_exactly_one_window(speech, pad):
    spans, end = speech
    windows = pack(quiet(end), spans, pad)
    cores = [core for window in windows for core in window.speech]
    assert subtract(spans, cores) == ()
    assert total(cores) == sum(core.duration for core in cores) == total(spans)


@settings(max_examples=60, deadline=None)
@given(speeches(), st.integers(0, 400))
def test_no_window_is_longer_than_the_limit(speech, pad):
    spans, end = speech
    for window in pack(quiet(end), spans, pad):
        assert 0 < window.duration <= LIMIT
        assert len(window.render(quiet(end))) == pytest.approx(window.duration * 16, abs=16 * 12)


@settings(max_examples=60, deadline=None)
@given(speeches(), st.integers(0, 400), st.integers(0, 29_000), st.integers(0, 2_000))
def test_a_time_of_a_window_maps_into_the_speech_of_one_piece(speech, pad, start, length):
    spans, end = speech
    for window in pack(quiet(end), spans, pad):
        piece = window.piece_at(start)
        span = piece.to_recording(start, start + length)
        assert span.duration > 0
        assert piece.core.start <= span.start
        assert span.end <= piece.core.end


def test_times_inside_a_piece_move_by_its_offset():
    (window,) = pack(quiet(20_000), [Span(1_000, 2_000), Span(10_000, 11_000)], 200)
    second = window.pieces[1]
    assert second.at == 1_400
    assert window.piece_at(1_700) is second
    assert second.to_recording(1_700, 1_900) == Span(10_100, 10_300)


def test_neighbouring_pieces_share_the_pause_between_them():
    (window,) = pack(quiet(9_000), [Span(1_000, 2_000), Span(2_100, 3_000)], 200)
    assert [piece.cut for piece in window.pieces] == [Span(800, 2_050), Span(2_050, 3_200)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(500, 12_000), min_size=1, max_size=9))
def test_no_other_division_of_the_pieces_costs_less(lengths):
    ends = list(accumulate(lengths))
    spans = [Span(end - length, end) for length, end in zip(lengths, ends, strict=True)]
    found = [window.duration for window in pack(quiet(ends[-1]), spans, 0)]
    others = (
        [sum(lengths[a:b]) for a, b in pairwise([0, *cuts, len(lengths)])]
        for count in range(len(lengths))
        for cuts in combinations(range(1, len(lengths)), count)
    )
    assert cost(found) == min(cost(other) for other in others if max(other) <= LIMIT)


def cost(durations):
    """Each window filled up to its size, and four seconds for being one more."""
    return sum(min(size for size in SIZES if length <= size) + 4_000 for length in durations)


def test_a_long_piece_is_split_where_it_is_quiet():
    audio = np.random.default_rng(0).normal(0, 0.1, 40 * RATE).astype(np.float32)
    audio[22 * RATE : 22 * RATE + RATE // 5] = 0
    windows = pack(audio, [Span(0, 40_000)], 200)
    assert len(windows) == 2
    assert windows[0].speech[-1].end == pytest.approx(22_100, abs=60)


def test_speech_past_the_end_of_the_audio_is_cut_off():
    (window,) = pack(quiet(2_000), [Span(1_000, 5_000), Span(6_000, 7_000)], 200)
    assert window.speech == (Span(1_000, 2_000),)


def test_no_speech_gives_no_window():
    assert pack(quiet(2_000), [], 200) == ()


def test_halves_hold_the_same_pieces():
    (window,) = pack(quiet(20_000), [Span(0, 4_000), Span(5_000, 6_000), Span(7_000, 10_000)], 0)
    first, second = window.halves()
    assert first.speech + second.speech == window.speech
    assert second.pieces[0].at == 0


def test_a_window_of_one_piece_stays_whole():
    (window,) = pack(quiet(5_000), [Span(0, 4_000)], 0)
    assert window.halves() == (window,)
    assert Window.of(window.pieces) == window
