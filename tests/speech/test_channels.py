import numpy as np
import pytest
from tone_sounds import join, noise, silence, voice

from pipeline.samples import Samples
from pipeline.speech.channels import dual_mono, leak_of, one_channel, own_speech
from pipeline.timeline import Span, subtract, total

FIRST, SECOND = [Span(0, 4_000), Span(9_000, 13_000)], [Span(4_500, 8_500), Span(12_000, 15_000)]


def two_people(loud=-22, other=-22):
    """Turn by turn; from 12.0 to 13.0 s both speak. Each on a channel of their own."""
    one = join(voice(4, 1, loud), silence(5), voice(4, 2, loud), silence(3))
    two = join(silence(4.5), voice(4, 3, other, 230), silence(3.5), voice(3, 4, other, 230), silence(1))
    return np.stack([one, two])


def line(data, dbfs=-65):
    hiss = np.stack([noise(data.shape[1] / 16_000, dbfs, seed) for seed in (7, 8)])
    return Samples((data + hiss).astype(np.float32))


def leaking(data, db, delay_ms):
    shift = delay_ms * 16
    copies = np.pad(data[::-1], ((0, 0), (shift, 0)))[:, : data.shape[1]]
    return data + copies * 10 ** (db / 20)


def echoing(data, db, delay_ms):
    """A leak that rings on for some 60 ms, as acoustic echo does."""
    tail = np.random.default_rng(3).standard_normal(1_000) * np.exp(-np.arange(1_000) / 250)
    tail /= np.sqrt((tail**2).sum())
    copies = np.stack([np.convolve(channel, tail)[: data.shape[1]] for channel in data])
    return data + leaking(copies, db, delay_ms) - copies


def shifted(spans, by):
    return [span.shift(by) for span in spans]


def test_two_people_are_not_dual_mono():
    assert not dual_mono(line(two_people()))


def test_two_people_who_leak_into_each_other_are_not_dual_mono():
    assert not dual_mono(line(leaking(two_people(), -12, 40)))


@pytest.mark.parametrize("gain", [1.0, 0.3, -1.0])
def test_the_same_signal_with_another_gain_or_polarity_is_dual_mono(gain):
    mixed = two_people().sum(axis=0)
    assert dual_mono(line(np.stack([mixed, gain * mixed + 0.02])))


def test_a_silent_channel_makes_the_other_one_mono():
    mixed = two_people().sum(axis=0)
    samples = Samples(np.stack([np.zeros_like(mixed), mixed]).astype(np.float32))
    assert dual_mono(samples)
    assert np.allclose(one_channel(samples).channel(0), mixed - mixed.mean(), atol=1e-5)


def test_channels_in_opposite_polarity_do_not_cancel():
    mixed = two_people().sum(axis=0)
    mono = one_channel(line(np.stack([mixed, -mixed])))
    assert mono.channels == 1
    assert np.std(mono.channel(0)) > 0.5 * np.std(mixed)


def test_a_mono_recording_stays_as_it_is():
    samples = Samples(two_people()[:1].astype(np.float32))
    assert dual_mono(samples)
    assert one_channel(samples) is samples


def test_digital_silence_on_both_channels_is_dual_mono():
    assert dual_mono(Samples(np.zeros((2, 16_000), dtype=np.float32)))


@pytest.mark.parametrize(("db", "delay"), [(-15, 20), (-20, 180), (-30, 60)])
def test_the_copy_of_the_other_side_is_not_speech(db, delay):
    samples = line(leaking(two_people(), db, delay))
    heard = [sorted([*FIRST, *shifted(SECOND[:1], delay)]), sorted([*SECOND, *shifted(FIRST[:1], delay)])]
    one, two = own_speech(heard, samples)
    assert total(subtract(one, FIRST)) < 300
    assert total(subtract(two, SECOND)) < 300


@pytest.mark.parametrize("db", [-20, -30])
def test_double_talk_survives_the_leak(db):
    samples = line(leaking(two_people(), db, 60))
    one, two = own_speech([FIRST, SECOND], samples)
    assert total(subtract(FIRST, one)) < 0.05 * total(FIRST)
    assert total(subtract(SECOND, two)) < 0.05 * total(SECOND)


def test_a_quiet_customer_is_not_taken_for_a_leak():
    samples = line(leaking(two_people(-18, -32), -25, 60))
    _, two = own_speech([FIRST, sorted([*SECOND, Span(200, 3_900)])], samples)
    assert total(subtract(SECOND, two)) < 0.1 * total(SECOND)
    assert total(subtract(two, SECOND)) < 300


def test_a_customer_no_louder_than_the_echo_is_heard_through_it():
    samples = line(echoing(two_people(-18, -36), -12, 40))
    _, two = own_speech([FIRST, sorted([*SECOND, Span(40, 4_040)])], samples)
    assert total(subtract(two, SECOND)) < 100
    assert total(subtract(SECOND, two)) < 200


def test_without_a_leak_the_spans_come_back_unchanged():
    assert own_speech([FIRST, SECOND], line(two_people())) == (tuple(FIRST), tuple(SECOND))


def test_a_leak_is_measured():
    data = leaking(two_people(), -25, 100)
    leak = leak_of(data[0].astype(np.float32), data[1].astype(np.float32))
    assert leak is not None
    assert leak.gain_db == pytest.approx(-25, abs=3)
    assert leak.delay / 16 == pytest.approx(100, abs=2)


def test_an_offset_of_one_channel_changes_nothing():
    data = leaking(two_people(), -20, 60)
    heard = [sorted([*FIRST, *shifted(SECOND[:1], 60)]), SECOND]
    offset = data + np.array([[0.1], [0.0]])
    assert own_speech(heard, line(offset)) == own_speech(heard, line(data))


def test_mono_speech_is_passed_through():
    samples = Samples(two_people()[:1].astype(np.float32))
    assert own_speech([FIRST], samples) == (tuple(FIRST),)
