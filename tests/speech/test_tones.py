import numpy as np
import pytest
from tone_sounds import join, melody, noise, silence, tone, voice

from pipeline.samples import Samples
from pipeline.speech.spectrum import spectrum_of
from pipeline.speech.tones import (
    Hearing,
    Tone,
    holds_of,
    listen,
    rings_of,
    silences_of,
    with_silent_holds,
    without_tones,
)
from pipeline.timeline import Hold, Span


def mono(*parts):
    audio = join(*parts)
    return Samples((audio + noise(len(audio) / 16_000, -60))[None].astype(np.float32)[:, : len(audio)])


def close(span, start, end, by=120):
    return abs(span.start - start) <= by and abs(span.end - end) <= by


def test_ringing_before_the_call_is_found_to_a_twentieth_of_a_second():
    samples = mono(tone(1, 450), silence(4), tone(1, 450), silence(0.7), voice(3, 1))
    heard = listen(samples, [[Span(6_700, 9_700)]])
    assert all(close(r, *at, by=50) for r, at in zip(heard.rings, [(0, 1_000), (5_000, 6_000)], strict=True))
    assert heard.speech == ((Span(6_700, 9_700),),)


@pytest.mark.parametrize("hz", [(425,), (450,), (440, 480)])
def test_ringing_of_other_exchanges_is_ringing(hz):
    samples = mono(tone(1.2, *hz), silence(3), voice(3, 2))
    assert len(listen(samples, [[Span(4_200, 7_200)]]).rings) == 1


def test_a_busy_tone_is_not_ringing():
    beeps = [tone(0.35, 450), silence(0.35)] * 4
    assert listen(mono(*beeps, voice(3, 1)), [[Span(2_800, 5_800)]]).rings == ()


def test_ringing_in_the_middle_of_the_call_is_a_transfer():
    samples = mono(voice(12, 1), tone(1, 450), silence(2), voice(3, 2))
    assert listen(samples, [[Span(0, 12_000), Span(15_000, 18_000)]]).rings == ()


def test_an_announcement_may_come_before_the_ringing():
    ring = Tone(span=Span(4_000, 5_000), hz=450)
    assert rings_of([ring], [], [Span(0, 3_500), Span(6_000, 9_000)]) == (ring.span,)


def test_music_before_anybody_speaks_stands_for_ringing():
    samples = mono(melody(8), silence(0.5), voice(3, 1))
    heard = listen(samples, [[Span(8_500, 11_500)]])
    assert len(heard.rings) == 1
    assert close(heard.rings[0], 0, 8_000, by=400)
    assert heard.holds == ()


def test_tones_that_the_detector_took_for_speech_are_removed():
    samples = mono(tone(0.4, 1_000), silence(0.6), tone(0.1, 770, 1_336), silence(0.9), voice(3, 1))
    heard = listen(samples, [[Span(0, 480), Span(950, 1_160), Span(2_000, 5_000)]])
    assert heard.speech == ((Span(2_000, 5_000),),)


def test_a_tone_inside_speech_does_not_cut_it_when_short():
    spans = (Span(0, 3_000),)
    assert without_tones(spans, [Tone(span=Span(1_000, 1_250), hz=400)]) == spans
    assert without_tones(spans, [Tone(span=Span(0, 1_000), hz=450)]) == (Span(1_000, 3_000),)


def test_hold_music_is_a_hold_and_not_speech():
    samples = mono(voice(4, 1), silence(0.4), melody(10), silence(0.4), voice(4, 2))
    called_speech = [Span(0, 4_000), Span(6_000, 7_500), Span(14_800, 18_800)]
    heard = listen(samples, [called_speech])
    assert [h.music for h in heard.holds] == [True]
    assert close(heard.holds[0].span, 4_400, 14_400, by=400)
    assert heard.speech == ((called_speech[0], called_speech[2]),)


def test_quiet_music_in_noise_is_still_a_hold():
    audio = join(voice(4, 1), melody(10, dbfs=-35), voice(4, 2)) + noise(18, -48)
    heard = listen(Samples(audio[None].astype(np.float32)), [[Span(0, 4_000), Span(14_000, 18_000)]])
    assert len(heard.holds) == 1
    assert heard.holds[0].span.duration > 9_000


def test_music_with_drums_over_it_is_still_music():
    drums = noise(12, -24, seed=5) * (np.arange(12 * 16_000) % 8_000 < 2_500)
    heard = Hearing(join(melody(12, dbfs=-26) + drums, silence(1)), [])
    assert len(heard.music) == 1
    assert close(heard.music[0], 0, 12_000, by=800)


def test_an_announcement_over_music_stays_speech():
    music = melody(20, dbfs=-30)
    music[8 * 16_000 : 11 * 16_000] += voice(3, 3, dbfs=-18)
    heard = listen(mono(voice(4, 1), music), [[Span(0, 4_000), Span(12_000, 15_000)]])
    assert Span(12_000, 15_000) in heard.speech[0]
    assert len(heard.holds) == 2


def test_speech_is_never_music():
    heard = Hearing(join(*(voice(6, seed, pitch=100 + 20 * seed) for seed in range(8))), [])
    assert heard.music == ()


def test_a_steady_whine_is_not_music():
    audio = tone(20, 1_187, 2_375, dbfs=-30) + noise(20, -60)
    assert Hearing(audio.astype(np.float32), []).music == ()


@pytest.mark.parametrize("dbfs", [-60, -30])
def test_noise_is_not_music(dbfs):
    assert Hearing(noise(20, dbfs), []).music == ()


def test_a_customer_who_asks_into_the_music_does_not_end_the_hold():
    agent = join(voice(3, 1), melody(15), voice(3, 2))
    customer = join(silence(9), voice(1, 3), silence(11)) + noise(21, -60)
    samples = Samples(np.stack([agent, customer]).astype(np.float32))
    heard = listen(samples, [[Span(0, 3_000), Span(18_000, 21_000)], [Span(9_000, 10_000)]])
    assert len(heard.holds) == 1
    assert close(heard.holds[0].span, 3_000, 18_000, by=400)
    assert heard.speech[1] == (Span(9_000, 10_000),)


def test_a_pause_in_the_music_belongs_to_the_hold():
    music = [Span(5_000, 15_000), Span(20_000, 30_000)]
    assert holds_of(music, [Span(0, 4_000)]) == (Hold(span=Span(5_000, 30_000), music=True),)


def test_short_music_is_no_hold():
    assert holds_of([Span(5_000, 8_000)], [Span(0, 4_000)]) == ()


def test_hold_music_is_not_dead_air():
    hold = Hold(span=Span(5_000, 30_000), music=True)
    speech = [Span(0, 4_500), Span(30_500, 33_000), Span(42_000, 45_000)]
    assert silences_of(speech, 45_000, min_ms=8_000, holds=[hold]) == (Span(33_000, 42_000),)


def test_the_ringing_is_not_silence():
    assert silences_of([Span(12_000, 15_000)], 15_000, min_ms=2_000, start=11_000) == ()


def test_a_silence_right_after_an_announced_wait_is_a_hold():
    silences = [Span(10_400, 40_000), Span(60_000, 70_000)]
    holds = with_silent_holds((), silences, [Span(8_000, 10_000)])
    assert holds == (Hold(span=Span(10_400, 40_000), music=False),)


def test_an_empty_or_very_short_recording_holds_nothing():
    for seconds in (0, 0.03, 0.2):
        heard = listen(Samples(silence(seconds)[None]), [[]])
        assert (heard.rings, heard.music, heard.holds, heard.speech) == ((), (), (), ((),))


def test_the_level_of_a_frame_is_its_rms_in_dbfs():
    level = spectrum_of(tone(1, 1_000, dbfs=-20)).level()
    assert np.median(level) == pytest.approx(-23, abs=0.3)
