"""A file to samples, with what the metadata say."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.media.decode import decode, fingerprint
from pipeline.media.join import recording_of
from pipeline.media.rows import Row
from pipeline.samples import Samples
from pipeline.settings import Settings
from pipeline.timeline import Recording, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A decoded recording that waits for recognition."""

    recording: Recording
    samples: Samples
    lost: tuple[Span, ...]


def load(path: Path, row: Row | None, settings: Settings, sha256: str | None = None) -> Loaded:
    """Decode a file and join what the metadata says. Raises UnreadableRecording."""
    sha256 = sha256 or fingerprint(path)
    decoded = decode(path, settings)
    return Loaded(
        recording=recording_of(path, decoded, sha256, row), samples=decoded.samples, lost=decoded.lost
    )
