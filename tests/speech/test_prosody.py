import time

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from pipeline.samples import RATE, Mono
from pipeline.speech.prosody import loudness_dbfs, pitch_hz
from pipeline.timeline import Span

SECOND = Span(0, 1000)


def voice(hz: float, seconds: float = 1.0, *, glide: float = 0.0, noise_db: float = -60.0) -> Mono:
    """A buzz with falling harmonics whose pitch moves by `glide` of itself, through the telephone's band."""
    time_axis = np.arange(round(seconds * RATE)) / RATE
    pitch = hz * (1 + glide * np.sin(2 * np.pi * 2 * time_axis))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    buzz = sum(np.sin(k * phase) / k**0.5 for k in range(1, int(3800 / hz)))
    telephone = sosfilt(butter(6, [300, 3400], "bandpass", fs=RATE, output="sos"), buzz)
    telephone = 0.1 * telephone / np.sqrt(np.mean(telephone**2))
    noise = np.random.default_rng(5).normal(0, 0.1 * 10 ** (noise_db / 20), len(time_axis))
    return np.asarray(telephone + noise, dtype=np.float32)


def noise(seconds: float = 2.0) -> Mono:
    return np.random.default_rng(9).normal(0, 0.1, round(seconds * RATE)).astype(np.float32)


@pytest.mark.parametrize("hz", [80, 105, 140, 190, 250, 330])
def test_pitch_is_found_though_the_telephone_cuts_it_off(hz: float) -> None:
    assert pitch_hz(voice(hz), SECOND) == pytest.approx(hz, rel=0.02)


@pytest.mark.parametrize("hz", [110, 220])
def test_pitch_holds_in_noise_and_while_it_moves(hz: float) -> None:
    assert pitch_hz(voice(hz, glide=0.05, noise_db=-10), SECOND) == pytest.approx(hz, rel=0.06)


def test_noise_silence_and_scraps_have_no_pitch() -> None:
    assert pitch_hz(noise(), Span(0, 2000)) is None
    assert pitch_hz(np.zeros(RATE, dtype=np.float32), SECOND) is None
    assert pitch_hz(voice(200), Span(500, 540)) is None
    assert pitch_hz(voice(200), Span(5000, 6000)) is None


def test_pauses_do_not_pull_the_pitch() -> None:
    quiet = noise(1.0) * 0.001
    audio = np.concatenate([voice(150), quiet, voice(150), quiet])
    assert pitch_hz(audio, Span(0, 4000)) == pytest.approx(150, rel=0.02)


def test_only_the_span_counts() -> None:
    audio = np.concatenate([voice(120), voice(240)])
    assert pitch_hz(audio, Span(0, 1000)) == pytest.approx(120, rel=0.02)
    assert pitch_hz(audio, Span(1000, 2000)) == pytest.approx(240, rel=0.02)


def test_pitch_does_not_depend_on_loudness() -> None:
    loud = voice(180, glide=0.05, noise_db=-20)
    assert pitch_hz(loud * 0.01, SECOND) == pytest.approx(pitch_hz(loud, SECOND), rel=1e-3)


def test_loudness_is_the_level_below_full_scale() -> None:
    full = np.ones(RATE, dtype=np.float32)
    assert loudness_dbfs(full, SECOND) == pytest.approx(0.0)
    assert loudness_dbfs(voice(200), SECOND) == pytest.approx(-20.0, abs=0.1)


def test_half_the_amplitude_is_six_decibels_less() -> None:
    audio = voice(200)
    whole, half = loudness_dbfs(audio, SECOND), loudness_dbfs(audio * 0.5, SECOND)
    assert whole is not None
    assert half == pytest.approx(whole - 6.02, abs=0.01)


def test_digital_silence_and_nothing_have_no_loudness() -> None:
    assert loudness_dbfs(np.zeros(RATE, dtype=np.float32), SECOND) is None
    assert loudness_dbfs(voice(200), Span(9000, 9500)) is None


def test_prosody_is_quick() -> None:
    audio = voice(200, seconds=30.0)
    started = time.process_time()
    pitch_hz(audio, Span(0, 30_000))
    loudness_dbfs(audio, Span(0, 30_000))
    assert time.process_time() - started < 30 * 0.02
