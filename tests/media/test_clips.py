import io
import wave
from pathlib import Path

import numpy as np
import pytest
from sounds import bursts, onsets, write

from pipeline.errors import UnreadableRecording
from pipeline.media.clips import cut_clip
from pipeline.timeline import Span


def heard(clip: bytes) -> tuple[int, np.ndarray]:
    with wave.open(io.BytesIO(clip)) as wav:
        assert (wav.getframerate(), wav.getsampwidth()) == (16000, 2)
        pcm = np.frombuffer(wav.readframes(wav.getnframes()), dtype="<i2")
        return wav.getnchannels(), pcm.reshape(-1, wav.getnchannels()).T / 32768


def test_a_clip_holds_the_span_and_its_surroundings(tmp_path: Path) -> None:
    path = write(tmp_path, "lame.mp3", bursts(12, (6.0,)))
    channels, audio = heard(cut_clip(path, Span(6000, 6200), pad_ms=1000))
    assert channels == 1
    assert audio.shape[1] == 2200 * 16
    assert onsets(audio[0]) == pytest.approx([1.0], abs=0.01)


def test_a_clip_keeps_both_channels(tmp_path: Path) -> None:
    path = write(tmp_path, "alaw.wav", np.concatenate([bursts(8, (3.0,)), bursts(8, (4.0,))]))
    channels, audio = heard(cut_clip(path, Span(3000, 4200), pad_ms=500))
    assert channels == 2
    assert [onsets(row)[0] for row in audio] == pytest.approx([0.5, 1.5], abs=0.01)


def test_a_clip_stops_at_the_ends_of_the_recording(tmp_path: Path) -> None:
    path = write(tmp_path, "pcm.wav", bursts(4, (0.5,)))
    assert heard(cut_clip(path, Span(500, 700)))[1].shape[1] == pytest.approx(3700 * 16, abs=2)
    assert heard(cut_clip(path, Span(3000, 3900)))[1].shape[1] == pytest.approx(4000 * 16, abs=2)


def test_a_clip_past_the_end_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "pcm.wav", bursts(2, (0.5,)))
    with pytest.raises(UnreadableRecording, match="之前就结束了"):
        cut_clip(path, Span(60_000, 61_000))
