import re
from pathlib import Path

import numpy as np
import pytest
from faster_whisper.audio import decode_audio
from rapidfuzz.distance import Levenshtein

from pipeline.samples import RATE
from pipeline.settings import Settings
from pipeline.speech.asr import LOOK_AHEAD, PATIENCE, Recognizer, Request
from pipeline.speech.decoder import Reading, Start
from pipeline.speech.guards import Decoded
from pipeline.speech.vad import speech_spans
from pipeline.speech.words import Sound
from pipeline.timeline import Span

SETTINGS = Settings(batch_size=2)
CLIP = Path(__file__).parents[1] / "data" / "speech" / "agent_8khz.flac"
LONG = "今天天气很好我们出去走走吧顺便到前面那家新开的店里看一看有没有合适"
SAID = (
    "您好不好意思刚才设备有点卡飞燕速运客服我是刘洋请问有什么需要可以的请问您寄什么"
    "好的寄件人怎么称呼邓女士您要寄两箱橙子二十斤左右到哈尔滨需要上门取件对吗"
)


class Script:
    """A reader that writes what `text_of` says for the sound's level, four characters a second."""

    def __init__(self, text_of, workers=1, logprob=-0.2):
        self.text_of, self.workers, self.logprob = text_of, workers, logprob
        self.batches, self.manners = [], []

    def frames_for(self, duration):
        return 1_500 if duration < 14_000 else 3_000

    def features(self, sound, frames):
        return np.asarray(
            [[float(np.abs(sound).max(initial=0)), len(sound) / RATE, frames]], dtype=np.float32
        )

    def read(self, batch, seconds, manner):
        self.batches.append(list(seconds))
        self.manners.append(manner)
        return [self._reading(row[0], manner) for row in batch]

    def _reading(self, row, manner):
        text = self.text_of(round(float(row[0]), 2), manner)
        step = float(row[1]) / max(1, len(text))
        sounds = tuple(
            Sound(text=c, start=n * step, end=(n + 1) * step, probability=0.9) for n, c in enumerate(text)
        )
        decoded = Decoded(text=text, tokens=tuple(range(len(text))), logprob=self.logprob, no_speech=0.0)
        return Reading(decoded=decoded, sounds=sounds)


def request(key, *seconds, level=0.5):
    """Speech of these lengths, a second apart, one piece to a window if 15 s or longer."""
    spans, at = [], 1_000
    for length in seconds:
        spans.append(Span(at, at + int(length * 1000)))
        at = spans[-1].end + 1_000
    audio = np.full(at * RATE // 1000, level, dtype=np.float32)
    return Request(key=key, audio=audio, speech=tuple(spans))


def hear(script, *requests, settings=SETTINGS):
    return list(Recognizer(script, settings).recognize(requests))


def plain(level, manner):
    return f"音量{int(level * 100)}的人在说话"


def test_each_request_is_answered_once_as_soon_as_it_is_done():
    heard = hear(Script(plain), request("a", 20, 20), request("b", 3), request("c"), request("d", 20, 20, 20))
    assert sorted(item.key for item in heard) == ["a", "b", "c", "d"]
    assert heard[0].key == "c"


def test_a_request_whose_window_is_of_a_rare_size_does_not_hold_back_the_others():
    heard = hear(Script(plain), request("rare", 10), *(request(str(n), 20) for n in range(60)))
    assert heard[-1].key == "rare"


def test_each_batch_is_a_beat():
    script, beats = Script(plain), []
    list(Recognizer(script, SETTINGS).recognize([request("a", 20, 20, 20)], lambda: beats.append(1)))
    assert len(beats) == len(script.batches) > 0


def test_a_channel_without_speech_has_no_words():
    (heard,) = hear(Script(plain), request("a"))
    assert (heard.words, heard.unclear) == ((), ())


def test_windows_of_several_channels_share_a_batch():
    script = Script(plain)
    hear(script, request("a", 4), request("b", 4), request("c", 4), request("d", 4))
    assert [len(batch) for batch in script.batches] == [2, 2]


def test_words_lie_inside_the_speech_and_in_order():
    heard = hear(Script(lambda *_: "今天天气很好我们出去走走吧" * 2), request("a", 2, 3, 4))
    words = heard[0].words
    assert all(
        any(s.start <= w.span.start and w.span.end <= s.end for s in request("a", 2, 3, 4).speech)
        for w in words
    )
    assert [w.span for w in words] == sorted(w.span for w in words)


def test_a_call_gives_the_same_words_alone_or_among_others():
    call = request("x", 20, 3, 20, level=0.25)
    alone = hear(Script(plain), call)
    among = hear(Script(plain, workers=2), request("a", 5, 20), call, request("b", 20))
    assert among[1] == alone[0]


def test_the_next_request_is_pulled_only_when_there_is_room():
    pulled = []

    def requests():
        for n in range(40):
            pulled.append(n)
            yield request(str(n), 20)

    answers = Recognizer(Script(plain), SETTINGS).recognize(requests())
    next(answers)
    assert len(pulled) <= LOOK_AHEAD + SETTINGS.batch_size


def test_a_window_of_a_rare_size_does_not_hold_up_the_rest_for_ever():
    pulled = []

    def requests():
        for n in range(200):
            pulled.append(n)
            yield request(str(n), 10 if n == 0 else 20)

    answers = Recognizer(Script(lambda *_: LONG), SETTINGS).recognize(requests())
    assert any(answer.key == "0" for answer in answers)
    assert len(pulled) <= PATIENCE


def test_a_stream_of_silent_channels_does_not_hold_up_one_that_waits_for_its_batch():
    pulled = []

    def requests():
        for n in range(200):
            pulled.append(n)
            yield request(str(n), *([20] if n == 0 else []))

    answers = Recognizer(Script(lambda *_: LONG), SETTINGS).recognize(requests())
    assert any(answer.key == "0" for answer in answers)
    assert len(pulled) <= PATIENCE + SETTINGS.batch_size


def test_a_loop_is_decoded_once_more_without_the_prompt():
    script = Script(lambda level, manner: "重复" * 20 if Start.PROMPTED in manner.starts else "这一次好了吧")
    (heard,) = hear(script, request("a", 6))
    assert "".join(w.text for w in heard.words) == "这一次好了吧"
    assert [Start.PROMPTED in manner.starts for manner in script.manners] == [True, False]


def test_what_fails_twice_is_unclear_and_has_no_words():
    script = Script(lambda *_: "重复" * 20)
    (heard,) = hear(script, request("a", 6))
    assert heard.words == ()
    assert heard.unclear == (Span(1_000, 7_000),)
    assert len(script.batches) == 2


def test_improbable_text_is_not_kept():
    (heard,) = hear(Script(plain, logprob=-2.0), request("a", 6))
    assert heard.words == ()
    assert heard.unclear


def test_speech_that_the_decoder_skipped_is_decoded_again():
    class Skipping(Script):
        def _reading(self, row, manner):
            reading = super()._reading(row, manner)
            sounds = tuple(s for s in reading.sounds if Start.PROMPTED not in manner.starts or s.end < 4)
            return Reading(decoded=reading.decoded, sounds=sounds)

    script = Skipping(lambda *_: "今天天气很好我们出去走走吧")
    (heard,) = hear(script, request("a", 4, 4))
    assert len(script.batches) == 2
    assert script.batches[1][0] == pytest.approx(4.4)
    assert {word.span.start < 5_000 for word in heard.words} == {True, False}
    assert heard.unclear == ()


def test_the_end_that_is_skipped_again_is_decoded_alone():
    class Short(Script):
        """Stops after four seconds whatever it is given."""

        def _reading(self, row, manner):
            reading = super()._reading(row, manner)
            return Reading(decoded=reading.decoded, sounds=tuple(s for s in reading.sounds if s.end < 4))

    script = Short(lambda *_: "今天天气很好我们出去走走吧顺便到前面那家新店里看看")
    (heard,) = hear(script, request("a", 4, 4, 4))
    assert [len(batch) for batch in script.batches] == [1, 1, 1]
    assert script.batches[0][0] > script.batches[1][0] > script.batches[2][0]
    assert {word.span.start // 5_000 for word in heard.words} == {0, 1, 2}
    assert heard.unclear == ()


def test_stock_phantoms_are_not_words():
    (heard,) = hear(Script(lambda *_: "您好请问有什么需要，谢谢观看。"), request("a", 4))
    assert "".join(word.text for word in heard.words).startswith("您好请问")
    assert "观看" not in "".join(word.text for word in heard.words)


def test_a_short_noise_that_gives_nothing_is_not_unclear():
    (heard,) = hear(Script(lambda *_: ""), request("a", 0.4))
    assert (heard.words, heard.unclear) == ((), ())


def test_a_word_is_not_stretched_over_a_pause():
    (heard,) = hear(Script(lambda *_: "好的，没有问题"), request("a", 5))
    assert max(word.span.duration for word in heard.words) <= 900


@pytest.fixture(scope="module")
def recognizer():
    return Recognizer.open(Settings(batch_size=4))


@pytest.fixture(scope="module")
def clip():
    return decode_audio(str(CLIP), sampling_rate=RATE)


def han(words):
    return re.sub(r"[^\u4e00-\u9fff]", "", "".join(word.text for word in words))


def test_a_short_queue_is_shared_among_the_workers():
    script = Script(lambda *_: LONG, workers=2)
    hear(script, request("a", 20, 20), settings=Settings(batch_size=8))
    assert [len(batch) for batch in script.batches] == [1, 1]


@pytest.mark.model
def test_windows_get_room_for_their_sound(recognizer):
    frames_for = recognizer._reader.frames_for
    assert frames_for(29_000) == 3_000
    assert all(frames_for(ms) * 10 > ms for ms in range(100, 29_800, 700))
    assert len({frames_for(ms) for ms in range(100, 29_800, 100)}) <= 9


@pytest.mark.model
def test_the_real_model_writes_what_was_said(recognizer, clip):
    (heard,) = recognizer.recognize([Request(key="x", audio=clip, speech=speech_spans(clip, SETTINGS))])
    assert Levenshtein.distance(han(heard.words), SAID) <= 0.25 * len(SAID)
    assert abs(heard.words[0].span.start - 890) <= 300
    assert recognizer.model == "base"


@pytest.mark.model
def test_the_real_model_writes_the_same_alone_and_among_others(recognizer, clip):
    speech = speech_spans(clip, SETTINGS)
    call = Request(key="x", audio=clip, speech=speech)
    other = Request(key="y", audio=clip[::-1].copy(), speech=(Span(15_000, 22_000),))
    (alone,) = recognizer.recognize([call])
    among = {heard.key: heard for heard in recognizer.recognize([other, call])}
    assert among["x"] == alone


@pytest.mark.model
def test_the_real_model_invents_nothing_for_noise(recognizer):
    noise = np.random.default_rng(3).normal(0, 0.02, 6 * RATE).astype(np.float32)
    (heard,) = recognizer.recognize(
        [Request(key="x", audio=noise, speech=(Span(0, 1_500), Span(2_000, 6_000)))]
    )
    assert len(heard.words) <= 4
