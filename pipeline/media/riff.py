"""The length that a WAV header promises, which ffmpeg quietly corrects to what is there."""

import struct
from pathlib import Path

_UNKNOWN = (0, 0xFFFFFFFF)
"""Sizes that programs write when they cannot know the length (a stream, or RF64)."""

_CHUNKS = 100
HEAD_BYTES = 4096
"""Of a file whose header alone is read."""


def wav_length(path: Path) -> float | None:
    """Seconds of audio that the header promises; None where it leaves them open or is not a WAV header."""
    try:
        return _promised(path)
    except struct.error:
        return None


def _promised(path: Path) -> float | None:
    byte_rate = 0
    with path.open("rb", HEAD_BYTES) as file:
        if file.read(12)[8:] != b"WAVE":
            return None
        for _ in range(_CHUNKS):
            name, size = struct.unpack("<4sI", file.read(8))
            if name == b"data":
                return None if size in _UNKNOWN or not byte_rate else float(size / byte_rate)
            if name == b"fmt ":
                byte_rate = struct.unpack("<HHII", file.read(12))[3]
                size -= 12
            file.seek(size + size % 2, 1)
    return None
