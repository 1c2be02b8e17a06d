import math
import wave
from pathlib import Path

import av
import numpy as np
import pytest
from sounds import ENCODINGS, bursts, pcm, tone, write, write_gsm, write_gsm_wav, write_wav
from test_decode import with_garbage

from pipeline.errors import UnreadableRecording
from pipeline.media.browser import make_wav, media_type
from pipeline.media.decode import decode
from pipeline.settings import Settings

AS_IT_IS = {
    "pcm.wav": "audio/wav",
    "plain.flac": "audio/flac",
    "opus.ogg": "audio/ogg",
    "aac.m4a": "audio/mp4",
}
ONE_MS = 0.001
CLICKS = (1.0, 4.5, 8.25)


def clicks(rate: int, channels: int = 1) -> np.ndarray:
    return bursts(10, CLICKS, rate, channels)


def heard_after(path: Path, seconds: float) -> float:
    """Seconds from the place that was sought to the next click, as a player counts them."""
    with av.open(str(path)) as container:
        stream = container.streams.audio[0]
        container.seek(round(seconds / stream.time_base), stream=stream)
        for frame in container.decode(stream):
            data = frame.to_ndarray().astype(np.float64)
            mono = data.reshape(frame.samples, -1)[:, 0] if not frame.format.is_planar else data[0]
            level = np.abs(mono) / {"s16": 32768, "s16p": 32768, "u8": 128}.get(frame.format.name, 1)
            times = frame.time + np.arange(frame.samples) / frame.sample_rate
            loud = np.flatnonzero((level > 0.1) & (times >= seconds))
            if loud.size:
                return float(times[loud[0]] - seconds)
    return math.nan


def in_transcript(path: Path, seconds: float) -> float:
    """The same by the time axis on which the transcript was made."""
    data = decode(path).samples.channel(0)
    first = round(seconds * 16_000)
    return float(np.flatnonzero(np.abs(data[first:]) > 0.1)[0] / 16_000)


@pytest.mark.parametrize("name", sorted(ENCODINGS))
def test_what_a_browser_seeks_in_is_played_as_it_is(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, name, clicks(ENCODINGS[name][3], 1))
    assert media_type(path) == AS_IT_IS.get(name)


@pytest.mark.parametrize("name", sorted(ENCODINGS))
@pytest.mark.parametrize("seconds", [0.0, 3.333, 7.5])
def test_a_moment_that_is_sought_is_that_of_the_transcript(tmp_path: Path, name: str, seconds: float) -> None:
    path = played = write(tmp_path, name, clicks(ENCODINGS[name][3]))
    if media_type(path) is None:
        played = tmp_path / "made.wav"
        make_wav(path, played)
    assert heard_after(played, seconds) == pytest.approx(in_transcript(path, seconds), abs=ONE_MS)


def telephone(folder: Path) -> list[Path]:
    raw = folder / "a.ulaw"
    raw.write_bytes(np.random.default_rng(0).integers(0, 256, 16_000, dtype=np.uint8).tobytes())
    return [write_gsm(folder / "a.gsm", 2), write_gsm_wav(folder / "gsm.wav", 2), raw]


def test_telephone_streams_become_wavs_of_the_same_sound(tmp_path: Path) -> None:
    for path in telephone(tmp_path):
        assert media_type(path) is None
        make_wav(path, tmp_path / "made.wav")
        made, original = decode(tmp_path / "made.wav").samples.data, decode(path).samples.data
        assert made.shape == original.shape
        assert np.abs(made - original).max() < 0.001


def test_g711_loses_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, "alaw.wav", clicks(8000, 2))
    make_wav(path, tmp_path / "made.wav")
    with av.open(str(path)) as container:
        sound = np.concatenate([f.to_ndarray().reshape(-1, 2) for f in container.decode(audio=0)])
    with wave.open(str(tmp_path / "made.wav")) as made:
        assert (made.getnchannels(), made.getframerate(), made.getnframes()) == (2, 8000, 80_000)
        assert made.readframes(80_000) == sound.astype("<i2").tobytes()


def test_left_and_right_stay_where_they_are(tmp_path: Path) -> None:
    stereo = np.concatenate([bursts(2, (0.5,)), bursts(2, (1.2,))])
    make_wav(write(tmp_path, "mulaw.wav", stereo), tmp_path / "made.wav")
    left, right = decode(tmp_path / "made.wav").samples.data
    assert np.flatnonzero(np.abs(left) > 0.1)[0] / 16_000 == pytest.approx(0.5, abs=ONE_MS)
    assert np.flatnonzero(np.abs(right) > 0.1)[0] / 16_000 == pytest.approx(1.2, abs=ONE_MS)


def test_of_more_than_two_channels_those_of_the_transcript_are_played(tmp_path: Path) -> None:
    path = write(tmp_path, "pcm.wav", np.concatenate([bursts(2, (s,)) for s in (0.3, 0.6, 0.9, 1.2)]))
    assert media_type(path) is None
    make_wav(path, tmp_path / "made.wav")
    assert np.array_equal(decode(tmp_path / "made.wav").samples.data, decode(path).samples.data)


def test_what_is_lost_is_silent_and_the_rest_keeps_its_time(tmp_path: Path) -> None:
    path = with_garbage(write(tmp_path, "lame.mp3", tone(20)), 0.5, 4000)
    original = decode(path, Settings(max_lost_percent=100))
    make_wav(path, tmp_path / "made.wav")
    made = decode(tmp_path / "made.wav").samples
    assert original.lost
    assert made.duration == pytest.approx(original.samples.duration, abs=1)
    quiet = slice((original.lost[0].start + 50) * 16, (original.lost[0].end - 50) * 16)
    assert not made.data[:, quiet].any()


def test_a_wav_that_does_not_say_how_long_it_is_is_made_anew(tmp_path: Path) -> None:
    assert media_type(write_wav(tmp_path / "a.wav", pcm(tone(3)), promised=0xFFFFFFFF)) is None


def test_a_recording_that_cannot_be_read_leaves_nothing_behind(tmp_path: Path) -> None:
    bad = tmp_path / "a.wav"
    bad.write_text("这不是音频文件。\n" * 100, encoding="utf-8")
    with pytest.raises(UnreadableRecording):
        make_wav(bad, tmp_path / "cache" / "made.wav")
    assert list((tmp_path / "cache").iterdir()) == []
