"""What a browser plays as it is and finds the right second of; anything else becomes a plain WAV.

MP3 is not among it: by bytes a browser only guesses where a second lies. Chromium was measured a third of a
second off after two and a half minutes, and the more the longer the call.
"""

import shutil
import tempfile
import wave
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from pipeline.media.container import opened, opened_on_disk
from pipeline.media.decode import Reader, blocks
from pipeline.media.probe import probe
from pipeline.media.riff import wav_length
from pipeline.samples import RATE

WAV = "audio/wav"
PART = ".part"
"""Ends the name of a file that is being written."""
PLAYED: Mapping[tuple[str, str], str] = {
    ("flac", "flac"): "audio/flac",
    ("mov", "aac"): "audio/mp4",
    ("ogg", "opus"): "audio/ogg",
    ("wav", "pcm_s16le"): WAV,
    ("wav", "pcm_u8"): WAV,
}
"""Container and codec -> media type, of what every browser seeks in to the millisecond."""

_KEPT_RATES = range(8_000, 48_001)
_SAMPLE_BYTES = 2
_FULL = 32768


def media_type(path: Path) -> str | None:
    """Of a recording without damage; None: a browser does not play it, or not at the times of the transcript.
    Raises UnreadableRecording."""
    found = probe(path)
    if found.channels > 2 or (found.container == "wav" and wav_length(path) is None):
        return None
    return PLAYED.get((found.container, found.codec))


def make_wav(path: Path, to: Path) -> None:
    """Write the recording as 16-bit WAV, on the time axis of `decode`: two channels at most, what is lost
    silent. `to` appears whole or not at all. Raises UnreadableRecording."""
    with _whole(to) as file:
        _write(path, file)


def make_copy(path: Path, to: Path) -> None:
    """Write the recording as it is. `to` appears whole or not at all. Raises UnreadableRecording."""
    with opened_on_disk(path) as file, _whole(to) as copy:
        shutil.copyfileobj(file, copy)


@contextmanager
def _whole(to: Path) -> Iterator[IO[bytes]]:
    to.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=to.parent, suffix=PART, delete=False) as file:
        part = Path(file.name)
        try:
            yield file
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    part.replace(to)


def _write(path: Path, out: IO[bytes]) -> None:
    with opened(path) as (container, stream), wave.open(out, "wb") as wav:
        rate = stream.rate if stream.rate in _KEPT_RATES else RATE
        reader = Reader(container, stream, rate)
        wav.setnchannels(reader.axis.channels)
        wav.setsampwidth(_SAMPLE_BYTES)
        wav.setframerate(rate)
        for data in _unbroken(path, reader):
            wav.writeframesraw(np.clip(np.rint(data.T * _FULL), -_FULL, _FULL - 1).astype("<i2").tobytes())


def _unbroken(path: Path, reader: Reader) -> Iterator[NDArray[np.float32]]:
    """The blocks, and silence where nothing is left of the recording."""
    written = 0
    for block in blocks(path, reader):
        yield from _silence(reader, block.start - written)
        yield block.data
        written = block.start + block.data.shape[1]
    yield from _silence(reader, reader.axis.position - written)


def _silence(reader: Reader, samples: int) -> Iterator[NDArray[np.float32]]:
    for first in range(0, samples, reader.axis.rate):
        size = min(reader.axis.rate, samples - first)
        yield np.zeros((reader.axis.channels, size), np.float32)
