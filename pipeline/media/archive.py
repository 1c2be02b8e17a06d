"""The recordings of an archive folder, one by one in a fixed order."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pipeline.errors import BadInput, NotFound
from pipeline.media.container import unreadable
from pipeline.media.formats import is_recording

Report = Callable[[BadInput], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file with a recording's extension. `size` in bytes."""

    path: Path
    size: int
    modified_at: datetime


def find_recordings(folder: Path, since: datetime | None = None, *, report: Report) -> Iterator[Found]:
    """Recordings below `folder`, by name within each folder, those changed at or after `since`.

    Files come before sub-folders. Hidden names and other kinds of files are passed over; folders
    that cannot be read and links that lead nowhere go to `report`. A folder that is reached twice
    through links is read once. Raises NotFound: `folder` is no folder.
    """
    if not folder.is_dir():
        raise NotFound(f"{folder}：不是文件夹，应为存放录音的文件夹", hint="检查路径")
    for entry in _files(folder, set(), report):
        found = _look(Path(entry.path), report)
        if found and (since is None or found.modified_at >= since):
            yield found


def _files(folder: Path, seen: set[tuple[int, int]], report: Report) -> Iterator[os.DirEntry[str]]:
    entries = _entries(folder, seen, report)
    yield from (e for e in entries if is_recording(e.name) and not _is_folder(e))
    for entry in entries:
        if not entry.name.startswith(".") and _is_folder(entry):
            yield from _files(Path(entry.path), seen, report)


def _entries(folder: Path, seen: set[tuple[int, int]], report: Report) -> list[os.DirEntry[str]]:
    """What lies in a folder that was not seen yet, sorted by name."""
    try:
        status = folder.stat()
        if (status.st_dev, status.st_ino) in seen:
            return []
        seen.add((status.st_dev, status.st_ino))
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        why = "没有权限" if isinstance(error, PermissionError) else error.strerror or type(error).__name__
        report(
            unreadable(
                folder, f"打不开文件夹（{why}）", "可读的文件夹", "里面的录音都没有处理；修改权限后重跑"
            )
        )
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _look(path: Path, report: Report) -> Found | None:
    try:
        status = path.stat()
    except OSError:
        report(unreadable(path, "链接指向的文件不存在，或文件刚被移走", "录音文件", "恢复原文件或删除链接"))
        return None
    modified_at = datetime.fromtimestamp(status.st_mtime, tz=UTC)
    return Found(path=path, size=status.st_size, modified_at=modified_at)
