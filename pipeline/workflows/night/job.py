"""One recording to work on, and what it is made into before recognition. Light to import: child processes
do."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pipeline.errors import UnreadableRecording
from pipeline.media.container import unreadable
from pipeline.media.rows import Row
from pipeline.samples import Peaks
from pipeline.storage.night_records import Wanted

if TYPE_CHECKING:
    from pipeline.speech.prepare import Prepared


@dataclass(frozen=True, slots=True)
class Stamp:
    """How a file was when its bytes were counted."""

    node: int
    size: int
    modified_ns: int

    @classmethod
    def of(cls, path: Path) -> "Stamp":
        """Raises OSError."""
        found = path.stat()
        return cls(found.st_ino, found.st_size, found.st_mtime_ns)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One recording to work on."""

    path: Path
    row: Row | None
    work: Wanted
    stamp: Stamp

    @property
    def sha256(self) -> str:
        return self.work.sha256


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Made:
    """A recording that waits for recognition, and its waveform."""

    ready: "Prepared"
    peaks: Peaks


class Prepare(Protocol):
    """Makes a job ready for recognition. Raises BadInput."""

    def __call__(self, job: Job, /) -> Made: ...


def moved(path: Path) -> UnreadableRecording:
    """The file changed or went while it was read."""
    return unreadable(path, "读的时候文件变了或被移走了", "写完的录音文件", "下一夜自动再试")
