import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import ModelError
from pipeline.media.decode import decode
from pipeline.samples import RATE, Mono
from pipeline.settings import Settings
from pipeline.speech.clustering import voice_centroids
from pipeline.speech.diarize import Manner, Voice, best_path, diarize
from pipeline.speech.embedding import MODEL, SIZE, Embedder, unit
from pipeline.speech.fbank import BANDS, fbank
from pipeline.speech.vad import speech_spans
from pipeline.timeline import Span, total

DATA = Path(__file__).parents[1] / "data" / "speech"
LOW, HIGH, MIDDLE = 500.0, 2200.0, 1100.0


class ByPitch:
    """Tells tones apart by the band that is loudest, as an embedder tells voices."""

    def __init__(self) -> None:
        self.windows = 0

    def embed(self, windows):
        self.windows += len(windows)
        loud = np.exp(np.stack([window.mean(axis=0) - window.mean() for window in windows]))
        return unit(np.pad(loud, ((0, 0), (0, SIZE - BANDS))).astype(np.float32))


class Given:
    """Embeddings that were decided beforehand, one for each window."""

    def __init__(self, vectors):
        self.vectors = np.array(vectors, np.float32)

    def embed(self, windows):
        assert len(windows) == len(self.vectors)
        return unit(self.vectors)


def tones(*pieces: tuple[float, float]) -> Mono:
    """Pieces of (Hz, seconds); 0 Hz is silence. A little seeded noise lies under all of it."""
    parts = [np.sin(2 * np.pi * hz * np.arange(int(s * RATE)) / RATE) * (hz > 0) for hz, s in pieces]
    sound = np.concatenate(parts) * 0.3
    return (sound + np.random.default_rng(7).normal(scale=1e-3, size=len(sound))).astype(np.float32)


def speakers(voices: tuple[Voice, ...]) -> list[int]:
    return [voice.speaker for voice in voices]


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder.open(threads=2)


@pytest.fixture(scope="module")
def call() -> tuple[Mono, tuple[Span, ...]]:
    audio = decode(DATA / "two_voices.ogg").samples.channel(0)
    return audio, speech_spans(audio, Settings())


@pytest.fixture(scope="module")
def voices(embedder, call) -> tuple[Voice, ...]:
    return diarize(*call, embedder)


def truth() -> list[Voice]:
    rows = json.loads((DATA / "two_voices.json").read_text())
    return [Voice(span=Span(r["start_ms"], r["end_ms"]), speaker=r["speaker"], confidence=1.0) for r in rows]


def wrong_time(voices: tuple[Voice, ...], expected: list[Voice]) -> int:
    return sum((v.span & t.span).duration for v in voices for t in expected if v.speaker != t.speaker)


def test_two_people_of_a_telephone_call_are_told_apart(voices):
    spoken = total(turn.span for turn in truth())
    assert set(speakers(voices)) == {0, 1}
    assert wrong_time(voices, truth()) <= 0.02 * spoken


def test_each_short_answer_goes_to_the_one_who_gave_it(voices):
    short = [turn for turn in truth() if turn.span.duration < 1200]
    assert len(short) >= 3
    for turn in short:
        assert wrong_time(voices, [turn]) <= turn.span.duration // 5, turn


def test_one_span_of_speech_may_hold_both_speakers(embedder, call):
    audio, speech = call
    turns = [turn for turn in truth() if turn.span.end < 30_000]
    voices = diarize(audio, [Span(speech[0].start, turns[-1].span.end)], embedder)
    assert wrong_time(voices, turns) <= 0.06 * total(turn.span for turn in turns)


def test_one_person_alone_is_one_speaker(embedder, call):
    audio, _ = call
    alone = [turn.span for turn in truth() if turn.speaker == 1]
    voices = diarize(audio, alone, embedder)
    assert set(speakers(voices)) == {0}
    assert {voice.confidence for voice in voices} == {1.0}


def test_the_same_call_gives_the_same_voices(embedder, call, voices):
    assert diarize(*call, Embedder.open(threads=1)) == voices


def test_speakers_are_numbered_in_order_of_first_speech():
    audio = tones((HIGH, 2), (0, 1), (LOW, 3), (0, 1), (HIGH, 2))
    spans = [Span(0, 2000), Span(3000, 6000), Span(7000, 9000)]
    assert speakers(diarize(audio, spans, ByPitch())) == [0, 1, 0]


def test_voices_cover_exactly_the_speech():
    audio = tones((LOW, 2.345), (HIGH, 1.7), (0, 1), (LOW, 3))
    spans = [Span(3, 4041), Span(5107, 5255), Span(5555, 8001)]
    voices = diarize(audio, spans, ByPitch())
    assert sum(voice.span.duration for voice in voices) == total(spans)
    assert all(any(v.span & s == v.span for s in spans) for v in voices)
    assert all(a.span.end <= b.span.start for a, b in pairwise(voices))


def test_a_change_without_a_pause_is_found_within_four_tenths_of_a_second():
    audio = tones((LOW, 4), (HIGH, 4))
    first, second = diarize(audio, [Span(0, 8000)], ByPitch())
    assert abs(first.span.end - 4000) <= 400
    assert (first.speaker, second.speaker) == (0, 1)


def test_a_change_settles_in_the_pause_near_it():
    scores = np.zeros((100, 2), np.float32)
    scores[:48, 0] = scores[48:, 1] = 1
    costs = np.full(100, 12.0)
    costs[55] = 0.5
    assert np.flatnonzero(np.diff(best_path(scores, costs))).tolist() == [54]


def test_a_flicker_of_doubt_is_not_a_change_of_speaker():
    scores = np.zeros((100, 2), np.float32)
    scores[:, 0] = 0.3
    scores[50:55, 1] = 1.0
    assert set(best_path(scores, np.full(100, 12.0)).tolist()) == {0}


def test_an_announcement_before_the_call_is_a_third_speaker():
    talk = [piece for _ in range(4) for piece in ((LOW, 2.0), (0, 0.5), (HIGH, 1.5), (0, 0.5))]
    audio = tones((MIDDLE, 6), (0, 0.5), *talk)
    spans = [Span(0, 6000)]
    for turn in range(4):
        start = 6500 + turn * 4500
        spans += [Span(start, start + 2000), Span(start + 2500, start + 4000)]
    assert speakers(diarize(audio, spans, ByPitch())) == [0, *[1, 2] * 4]


def test_a_strange_noise_of_two_seconds_is_not_a_third_speaker():
    talk = [piece for _ in range(4) for piece in ((LOW, 2.0), (0, 0.5), (HIGH, 1.5), (0, 0.5))]
    audio = tones((MIDDLE, 2), (0, 0.5), *talk)
    spans = [Span(0, 2000)]
    for turn in range(4):
        start = 2500 + turn * 4500
        spans += [Span(start, start + 2000), Span(start + 2500, start + 4000)]
    assert len(set(speakers(diarize(audio, spans, ByPitch())))) == 2


def test_no_more_speakers_than_asked_for():
    audio = tones((LOW, 3), (0, 1), (HIGH, 3))
    voices = diarize(audio, [Span(0, 3000), Span(4000, 7000)], ByPitch(), Manner(max_speakers=1))
    assert set(speakers(voices)) == {0}


def test_no_speech_has_no_voices():
    assert diarize(tones((LOW, 1)), [], ByPitch()) == ()


def test_speech_shorter_than_a_frame_or_past_the_end_still_has_a_speaker():
    spans = [Span(0, 5), Span(900, 1400), Span(3000, 3500)]
    voices = diarize(tones((LOW, 1)), spans, ByPitch())
    assert [voice.span for voice in voices] == spans


def test_every_second_of_speech_is_embedded_at_most_twice():
    model = ByPitch()
    diarize(tones((LOW, 60)), [Span(0, 60_000)], model)
    assert model.windows <= 2 * 60


def test_a_voice_that_is_sure_is_more_confident_than_one_in_doubt():
    spans = [Span(s * 2000, s * 2000 + 1000) for s in range(13)]
    model = Given([(1, 0), (0, 1)] * 6 + [(1, 1.05)])
    *sure, doubtful = diarize(np.zeros(26 * RATE, np.float32), spans, model)
    assert speakers((*sure, doubtful)) == [0, 1] * 6 + [1]
    assert min(voice.confidence for voice in sure) > 0.9 > doubtful.confidence > 0.5


def test_embeddings_of_one_kind_are_one_voice():
    noisy = np.random.default_rng(1).normal(size=(40, SIZE)) + np.r_[40.0, np.zeros(SIZE - 1)]
    assert len(voice_centroids(unit(noisy.astype(np.float32)), np.ones(40))) == 1


def test_a_single_window_is_one_voice():
    assert voice_centroids(np.eye(1, SIZE, dtype=np.float32), np.ones(1)).shape == (1, SIZE)


def test_a_quiet_recording_has_the_same_voices(call, voices):
    audio, speech = call
    model = ByPitch()
    assert diarize(audio * np.float32(0.25), speech, model) == diarize(audio, speech, model)


def test_features_of_a_tone_peak_in_its_band():
    features = fbank(tones((1000.0, 1.0)))
    assert features.shape == (98, BANDS)
    mel = 1127 * np.log1p(np.array([20.0, 1000.0, 8000.0]) / 700)
    assert abs(features.mean(axis=0).argmax() + 1 - (mel[1] - mel[0]) / (mel[2] - mel[0]) * 81) < 1


def test_a_model_file_with_the_wrong_hash_is_refused(tmp_path):
    (tmp_path / "manifest.toml").write_text(
        f'[[model]]\nname = "{MODEL}"\nfile = "m.onnx"\nrevision = "1"\nsha256 = "{"0" * 64}"\n'
        'licence = "x"\nsize = 3\nsource = "x"\n'
    )
    (tmp_path / "m.onnx").write_bytes(b"abc")
    with pytest.raises(ModelError, match=r"sha256 是 ba7816bf.*应为 0000") as caught:
        Embedder.open(folder=tmp_path)
    assert caught.value.hint


def test_a_missing_model_file_is_named(tmp_path):
    (tmp_path / "manifest.toml").write_text(
        f'[[model]]\nname = "{MODEL}"\nfile = "m.onnx"\nrevision = "1"\nsha256 = "00"\n'
        'licence = "x"\nsize = 3\nsource = "x"\n'
    )
    with pytest.raises(ModelError, match=r"m\.onnx"):
        Embedder.open(folder=tmp_path)
