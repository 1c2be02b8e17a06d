from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from faster_whisper.audio import decode_audio
from tone_sounds import join, noise, silence, tone

from pipeline.samples import RATE
from pipeline.settings import Settings
from pipeline.speech.vad import speech_spans
from pipeline.timeline import Span, subtract, total

CLIP = Path(__file__).parents[1] / "data" / "speech" / "agent_8khz.flac"
TURNS = [Span(890, 7897), Span(12066, 13966), Span(17474, 19404), Span(21672, 28133)]
SETTINGS = Settings()


@pytest.fixture(scope="module")
def clip():
    """An agent's channel of a synthetic call: Kokoro voice, street noise, 8 kHz."""
    return decode_audio(str(CLIP), sampling_rate=RATE)


def test_silence_has_no_speech():
    assert speech_spans(silence(3), SETTINGS) == ()


def test_an_empty_channel_has_no_speech():
    assert speech_spans(silence(0), SETTINGS) == ()


def test_a_recording_shorter_than_a_frame_has_no_speech():
    assert speech_spans(noise(0.005, -20), SETTINGS) == ()


@pytest.mark.parametrize("dbfs", [-60, -40, -20])
def test_line_noise_is_not_speech(dbfs):
    assert total(speech_spans(noise(6, dbfs), SETTINGS)) == 0


def test_a_held_chord_is_not_speech():
    chord = join(tone(2, 262, 330, 392), tone(2, 294, 370, 440), tone(2, 330, 415, 494))
    assert total(speech_spans(chord, SETTINGS)) == 0


def test_a_turn_begins_where_the_voice_begins(clip):
    spans = speech_spans(clip, SETTINGS)
    for turn in TURNS:
        assert min(abs(span.start - turn.start) for span in spans) <= 60


def test_all_that_is_said_is_found_and_little_else(clip):
    spans = speech_spans(clip, SETTINGS)
    assert total(subtract(spans, [turn.pad(200) for turn in TURNS])) == 0
    assert total(subtract(TURNS, spans)) < 0.2 * total(TURNS)


def test_spans_are_in_order_disjoint_and_inside(clip):
    spans = speech_spans(clip[: 12 * RATE + 4000], SETTINGS)
    assert all(a.end < b.start for a, b in pairwise(spans))
    assert spans[0].start >= 0
    assert spans[-1].end <= 12_250


def test_a_quiet_recording_gives_the_same_speech(clip):
    loud, quiet = speech_spans(clip, SETTINGS), speech_spans(clip * np.float32(0.03), SETTINGS)
    assert total(subtract(loud, quiet)) < 0.1 * total(loud)


@pytest.mark.parametrize("seconds", [20, 60])
@pytest.mark.parametrize("dbfs", [-25, -10])
def test_after_hold_music_all_that_is_said_is_found(clip, seconds, dbfs):
    music = np.tile(join(tone(0.5, 262, 330, 392, dbfs=dbfs), tone(0.5, 349, 440, 523, dbfs=dbfs)), seconds)
    before, after = len(music) * 1000 // RATE, speech_spans(join(music, clip), SETTINGS)
    found = [span.shift(-before) for span in after if span.start >= before]
    assert total(subtract(speech_spans(clip, SETTINGS), found)) < 0.1 * total(TURNS)


def test_a_quiet_hold_makes_no_speech_of_the_noise_around_it(clip):
    street = np.tile(clip[: int(0.85 * RATE)], 20)
    call = join(street, clip, noise(60, -65), clip, street)
    length, wait = len(clip) * 1000 // RATE, len(street) * 1000 // RATE
    said = [turn.shift(at) for at in (wait, wait + length + 60_000) for turn in TURNS]
    spans = speech_spans(call, SETTINGS)
    assert total(subtract(spans, [turn.pad(200) for turn in said])) < 500
    assert total(subtract(said, spans)) < 0.2 * total(said)


def test_many_voices_in_the_background_are_not_speech(clip):
    voices = sum(np.roll(clip[::-1], n * len(clip) // 16) for n in range(16))
    babble = voices * np.float32(10 ** (-22 / 20) / 16**0.5)
    spans = speech_spans(join(babble, clip + babble, babble), SETTINGS)
    length = len(clip) * 1000 // RATE
    assert total(subtract(spans, [Span(length, 2 * length)])) < 1_500
    assert total(spans) > 0.7 * total(TURNS)


def test_the_result_is_the_same_each_time(clip):
    assert speech_spans(clip, SETTINGS) == speech_spans(clip, SETTINGS)
