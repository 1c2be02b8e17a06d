import numpy as np
import pytest

from benchmarks.voice_activity import Channel
from pipeline.samples import RATE
from pipeline.timeline import Span


def test_what_is_said_after_a_wait_is_said_later_by_its_length() -> None:
    audio = np.zeros(4 * RATE, dtype=np.float32)
    said = (Span(0, 1_000), Span(1_500, 2_500), Span(3_000, 4_000))
    waited = Channel(audio=audio, said=said, at=2 * RATE).with_wait(
        lambda length: np.ones(length, np.float32)
    )
    assert waited.said == (Span(0, 1_000), Span(1_500, 2_000), Span(4_000, 4_500), Span(5_000, 6_000))
    assert len(waited.audio) == 6 * RATE
    assert waited.audio[2 * RATE : 4 * RATE].sum() == pytest.approx(2 * RATE)
