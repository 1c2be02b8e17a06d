"""What is done with a recording before recognition: decode, waveform, voice activity, speakers."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import UnreadableRecording
from pipeline.media.decode import fingerprint
from pipeline.media.peaks import peaks
from pipeline.settings import Settings
from pipeline.workflows.loading import Loaded, load
from pipeline.workflows.night.job import Job, Made, Prepare, Stamp, moved

if TYPE_CHECKING:
    from pipeline.speech.prepare import Preparer


@dataclass(frozen=True, slots=True)
class Preparing:
    """`Preparing(settings)` can go to another process; called there, it loads its models."""

    settings: Settings

    def __call__(self) -> Prepare:
        from pipeline.speech.prepare import Preparer  # a night with nothing to do loads no models' libraries

        return _Prepare(self.settings, Preparer.open(self.settings))


@dataclass(frozen=True, slots=True)
class _Prepare:
    settings: Settings
    preparer: "Preparer"

    def __call__(self, job: Job) -> Made:
        loaded = loaded_as_counted(job, self.settings)
        ready = self.preparer.prepare(loaded.recording, loaded.samples, loaded.lost)
        return Made(ready=ready, peaks=peaks(loaded.samples))


def loaded_as_counted(job: Job, settings: Settings) -> Loaded:
    """The decoded recording. Raises UnreadableRecording, also where the file is no longer the one whose bytes
    were counted."""
    try:
        loaded = load(job.path, job.row, settings, job.sha256)
    except UnreadableRecording:
        _check_same(job)
        raise
    _check_same(job)
    return loaded


def _check_same(job: Job) -> None:
    try:
        now = Stamp.of(job.path)
    except OSError:
        raise moved(job.path) from None
    if now != job.stamp:
        raise moved(job.path)


def stamped(path: Path) -> tuple[Stamp, str]:
    """The file as it is and its bytes' sha256. Raises UnreadableRecording, also where it changes."""
    try:
        before = Stamp.of(path)
        sha256 = fingerprint(path)
        after = Stamp.of(path)
    except OSError:
        raise moved(path) from None
    if before != after:
        raise moved(path)
    return before, sha256
