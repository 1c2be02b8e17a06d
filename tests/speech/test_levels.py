import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from tone_sounds import join, noise, silence, tone

from pipeline.speech.levels import floor_dbfs, levels_dbfs


def test_levels_are_in_dbfs():
    assert levels_dbfs(tone(1, 1000, dbfs=-10)).mean() == pytest.approx(-13, abs=0.1)
    assert levels_dbfs(silence(1)).max() <= -99


def test_the_noise_of_a_line_is_background_up_to_the_edge_of_a_quiet_hold():
    floor = floor_dbfs(levels_dbfs(join(noise(20, -40), noise(60, -65), noise(20, -40))))
    steps = floor[np.r_[0:2000, 8000:10000]]
    assert steps == pytest.approx(-40, abs=2)
    assert floor[4000:6000] == pytest.approx(-65, abs=2)


def test_what_is_said_now_and_then_is_no_background():
    said = join(*(join(noise(1, -40), tone(2, 300, dbfs=-15)) for _ in range(20)))
    assert floor_dbfs(levels_dbfs(said)).max() < -38


def test_digital_silence_is_no_background():
    floor = floor_dbfs(levels_dbfs(join(noise(12, -40), silence(60), noise(12, -40))))
    assert floor == pytest.approx(-40, abs=2)


@given(arrays(np.float32, st.integers(0, 3_000), elements=st.floats(-100, 0, width=32)))
def test_each_step_has_a_floor_that_was_heard(levels):
    floor = floor_dbfs(levels)
    assert floor.shape == levels.shape
    assert not len(levels) or (floor.min() >= levels.min() and floor.max() <= levels.max())
