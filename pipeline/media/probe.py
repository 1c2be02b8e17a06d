"""What a recording's header says, without decoding it."""

from dataclasses import dataclass
from pathlib import Path

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from pipeline.media.container import opened
from pipeline.media.riff import HEAD_BYTES, wav_length
from pipeline.units import Ms, to_ms


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """`duration` as the header has it or ffmpeg estimates it; None where neither knows."""

    container: str
    codec: str
    sample_rate: int
    channels: int
    duration: Ms | None


def probe(path: Path) -> Probe:
    """Header facts of the first audio stream. Raises UnreadableRecording."""
    with opened(path) as (container, stream):
        seconds = estimated_seconds(container)
        return Probe(
            container=container.format.name.split(",")[0],
            codec=codec_name(stream),
            sample_rate=stream.rate or 0,
            channels=stream.channels,
            duration=None if seconds is None else to_ms(seconds),
        )


def codec_name(stream: AudioStream) -> str:
    """The codec as people know it: `mp3`, not the name of one decoder of it (`mp3float`)."""
    return str(stream.codec_context.codec.canonical_name)


def estimated_seconds(container: InputContainer) -> float | None:
    """Duration as ffmpeg has it from the header, or estimates from the size."""
    if container.duration is None or container.duration <= 0:
        return None
    return float(container.duration / av.time_base)


def declared_seconds(path: Path, container: InputContainer, stream: AudioStream) -> float | None:
    """Duration that the writer of the file wrote down; None where the format holds no such promise."""
    name = container.format.name
    if name == "wav":
        return wav_length(path)
    if name == "mp3" and not _mp3_counts_frames(path):
        return None
    if name not in _COUNTED:
        return None
    if stream.duration and stream.time_base:  # the container's own covers pictures too
        return float(stream.duration * stream.time_base)
    return estimated_seconds(container)


_COUNTED = ("mp3", "flac", "mov,mp4,m4a,3gp,3g2,mj2", "caf", "aiff", "w64")


def _mp3_counts_frames(path: Path) -> bool:
    """Whether the first frame is a Xing/Info header with the number of frames."""
    with path.open("rb", HEAD_BYTES) as file:
        head = file.read(10)
        tag = 0
        if head[:3] == b"ID3" and len(head) == 10:
            tag = 10 + sum(
                (byte & 127) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True)
            )
        file.seek(tag)
        frame = file.read(256)
    return b"Xing" in frame or b"Info" in frame
