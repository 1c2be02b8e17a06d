"""Listening to a stored call in a browser: its sound, and the waveform to draw.

The file is the one that the database names and its bytes are those that were scored; what the browser plays
has the time axis of the transcript. Nothing here takes a path from a user.
"""

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from threading import Lock

from pipeline.errors import SettingsError
from pipeline.media.browser import PART, WAV, make_copy, make_wav, media_type
from pipeline.media.peaks import peaks_of_file
from pipeline.media.places import is_on_disk
from pipeline.samples import Peaks
from pipeline.settings import Settings
from pipeline.speech.weights import cache_folder
from pipeline.storage.store import Store
from pipeline.timeline import Recording
from pipeline.workflows.same_bytes import same_bytes

FOLDER = "playback"
VERSION = 1
"""Of the files that are made; those of another version are made anew."""
GIGABYTE = 1_000_000_000
LOCKS = 1000
ABANDONED_SECONDS = 3600
_HINT = "把原来的录音放回这个位置"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayableFile:
    """What to send. `tag` is the same as long as the bytes are: an ETag without its quotes."""

    path: Path
    media_type: str
    tag: str


def playable(recording: Recording, settings: Settings) -> PlayableFile:
    """The recording as a browser plays it: the original, or a WAV that is made once and kept in the cache;
    so is a copy of what lies in a bucket.

    Raises NotFound: the file is gone, or holds other bytes; UnreadableRecording: it cannot be read any more;
    SettingsError: no room in the cache.
    """
    path = same_bytes(recording, hint=_HINT)
    kind = None if recording.warnings else media_type(path)
    if kind and is_on_disk(path):
        return PlayableFile(path=path, media_type=kind, tag=recording.sha256)
    name = f"{recording.sha256}-{VERSION}"
    to = cache_folder(settings) / FOLDER / f"{name}{path.suffix if kind else '.wav'}"
    made = _made(lambda: make_copy(path, to) if kind else make_wav(path, to), to, settings.playback_cache_gb)
    return PlayableFile(path=made, media_type=kind or WAV, tag=name)


def peaks_of(store: Store, recording: Recording) -> Peaks:
    """The waveform of a stored recording; of one that was scored before waveforms were kept it is made from
    the file, once. Raises NotFound: the file is gone, or holds other bytes; UnreadableRecording."""
    known = store.peaks(recording.id)
    if known is None:
        known = peaks_of_file(same_bytes(recording, hint=_HINT))
        store.keep_peaks(recording.id, known)
    return known


def _made(make: Callable[[], None], to: Path, most_gb: float) -> Path:
    """What is played of a recording. The times of the files in the cache say when each was last asked for."""
    try:
        with _lock(to.name):
            if not _is_kept(to):
                make()
                _forget(to, int(most_gb * GIGABYTE))
    except OSError as error:
        raise SettingsError(
            f"播放用的录音写不进 {to.parent}：{error.strerror or type(error).__name__}",
            hint="腾出磁盘空间，或用设置 cache 换一个文件夹",
        ) from error
    return to


@lru_cache(LOCKS)
def _lock(name: str) -> Lock:
    """A browser asks for several pieces at once: the first makes the file, the others wait for it."""
    return Lock()


def _is_kept(made: Path) -> bool:
    try:
        os.utime(made)
    except FileNotFoundError:
        return False
    return True


def _forget(newest: Path, most: int) -> None:
    """Delete what was not asked for the longest until the rest fits, and what a process that died left."""
    kept = 0
    for path, about in _newest_first(newest.parent):
        if path.suffix == PART:
            is_old = time.time() - about.st_mtime > ABANDONED_SECONDS
        else:
            kept += about.st_size
            is_old = kept > most and path != newest
        if is_old:
            path.unlink(missing_ok=True)


def _newest_first(folder: Path) -> list[tuple[Path, os.stat_result]]:
    found = []
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another process tidies up, too
            found.append((path, path.stat()))
    return sorted(found, key=lambda entry: -entry[1].st_mtime_ns)
