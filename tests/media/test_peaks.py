from pathlib import Path

import numpy as np
import pytest
from sounds import ENCODINGS, bursts, tone, write
from test_decode import with_garbage

from pipeline.media.decode import decode
from pipeline.media.peaks import STEP, peaks, peaks_of_file
from pipeline.samples import Samples
from pipeline.settings import Settings


def drawn(data: np.ndarray) -> tuple[bytes, ...]:
    return peaks(Samples(data.astype(np.float32))).channels


def test_a_point_is_the_loudest_sample_of_its_step_up_or_down() -> None:
    data = np.zeros((2, 1600))
    data[0, 100], data[0, 799], data[0, 800], data[1, 1599] = 0.25, -1.0, 0.04, -0.25
    assert drawn(data) == (bytes([255, 51]), bytes([0, 128]))


def test_what_is_left_at_the_end_has_a_point_of_its_own() -> None:
    data = np.zeros((1, 801))
    data[0, 800] = 1.0
    assert drawn(data) == (bytes([0, 255]),)


def test_nothing_has_no_points() -> None:
    assert drawn(np.zeros((1, 0))) == (b"",)


@pytest.mark.parametrize("name", sorted(ENCODINGS))
def test_a_file_gives_the_peaks_of_its_samples(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name, bursts(3, (1.0, 2.0), ENCODINGS[name][3]))
    assert peaks_of_file(path) == peaks(decode(path).samples)


def test_what_is_lost_in_the_middle_is_drawn_as_silence(tmp_path: Path) -> None:
    path = with_garbage(write(tmp_path, "lame.mp3", tone(20)), 0.5, 4000)
    decoded = decode(path, Settings(max_lost_percent=100))
    (found,) = peaks_of_file(path).channels
    (lost,) = decoded.lost
    assert not any(found[lost.start // STEP + 1 : lost.end // STEP - 1])
    assert peaks_of_file(path) == peaks(decoded.samples)


def test_fewer_points_keep_what_is_loud_in_its_place() -> None:
    made = peaks(Samples(np.concatenate([np.zeros((1, 8000)), np.ones((1, 800))], axis=1, dtype=np.float32)))
    few = made.at_most(4)
    assert (few.step, few.channels) == (3 * STEP, (bytes([0, 0, 0, 255]),))
    assert made.at_most(11) == made


def test_half_an_hour_in_stereo_is_a_few_kilobytes_for_one_screen() -> None:
    hour = peaks(Samples(np.zeros((2, 16_000 * 1800), np.float32)))
    assert [len(channel) for channel in hour.channels] == [36_000, 36_000]
    assert sum(map(len, hour.at_most(2 * 1366).channels)) < 6_000
