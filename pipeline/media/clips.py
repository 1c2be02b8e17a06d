"""Short pieces of a recording to listen to, as WAV."""

import io
import warnings
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import UnreadableRecording
from pipeline.media.container import opened, unreadable
from pipeline.media.decode import Reader, blocks
from pipeline.samples import RATE
from pipeline.timeline import Span
from pipeline.units import MS_PER_SECOND, Ms

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # pydub looks for an ffmpeg program, which is not needed for WAV
    from pydub import AudioSegment

_FADE_MS = 10
_SAMPLE_BYTES = 2


def cut_clip(path: Path, span: Span, pad_ms: Ms = 3000) -> bytes:
    """`span` and `pad_ms` around it as a 16-bit WAV at 16 kHz, with its channels, faded at the cuts.

    Reads no further than the clip needs. Raises UnreadableRecording: not audio, or ended before the span.
    """
    data = _window(path, span.pad(pad_ms))
    if not data.shape[1]:
        raise _past_the_end(path, span)
    pcm = np.round(data.T * 32767).astype("<i2").tobytes()
    clip = AudioSegment(data=pcm, sample_width=_SAMPLE_BYTES, frame_rate=RATE, channels=data.shape[0])
    wav = io.BytesIO()
    clip.fade_in(_FADE_MS).fade_out(_FADE_MS).export(wav, format="wav")
    return wav.getvalue()


def _window(path: Path, span: Span) -> NDArray[np.float32]:
    """The samples inside `span`, shape (channels, samples); shorter where the recording ends."""
    start, end = span.start * RATE // MS_PER_SECOND, span.end * RATE // MS_PER_SECOND
    with opened(path) as (container, stream):
        reader = Reader(container, stream)
        data = np.zeros((reader.axis.channels, end - start), dtype=np.float32)
        reached = start
        for block in blocks(path, reader):
            first, last = max(block.start, start), min(block.start + block.data.shape[1], end)
            if first < last:
                data[:, first - start : last - start] = block.data[
                    :, first - block.start : last - block.start
                ]
                reached = last
            if block.start >= end:
                reached = end
                break
    return data[:, : reached - start]


def _past_the_end(path: Path, span: Span) -> UnreadableRecording:
    return unreadable(path, f"录音在 {span} 之前就结束了", "录音之内的时间", "确认文件没有被换掉")
