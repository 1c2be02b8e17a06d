"""The recordings of an archive folder, one by one in a fixed order, however many there are."""

import heapq
import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

from pipeline.errors import BadInput, NotFound
from pipeline.media.bucket import SCHEME, InBucket, closed, what_to_do
from pipeline.media.container import check_exhausted, unreadable
from pipeline.media.formats import is_recording

Report = Callable[[BadInput], None]

IN_MEMORY = 5_000
"""Names of a folder that are sorted in memory at a time; the rest waits on the disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A file with a recording's extension. `size` in bytes."""

    path: Path
    size: int
    modified_at: datetime


def find_recordings(folder: Path, since: datetime | None = None, *, report: Report) -> Iterator[Found]:
    """Recordings below `folder`, by name within each folder, those changed at or after `since`.

    Files come before sub-folders; in a bucket the whole names are in order. Hidden names and other
    kinds of files are passed over; folders that cannot be read and links that lead nowhere go to
    `report`. A folder that is reached twice through links is read once. Raises NotFound: `folder`
    is no folder; Exhausted.
    """
    for found in _in_bucket(folder, report) if isinstance(folder, InBucket) else _on_disk(folder, report):
        if since is None or found.modified_at >= since:
            yield found


def count_recordings(folder: Path, stopped: Callable[[], bool]) -> int | None:
    """How many there are by their names, looking at none of them; None: it was stopped."""
    count, report = 0, _nobody
    for _ in _in_bucket(folder, report) if isinstance(folder, InBucket) else _files(folder, set(), report):
        if stopped():
            return None
        count += 1
    return count


def _nobody(error: BadInput) -> None:
    """Whoever only counts has heard of it."""


def _in_bucket(folder: InBucket, report: Report) -> Iterator[Found]:
    """In the order of the keys. Raises NotFound: the store gave nothing at all."""
    first, whole = True, str(folder)
    bucket = whole.removeprefix(SCHEME).partition("/")[0]
    try:
        for key, about in folder.objects():
            first, path = False, InBucket(f"{SCHEME}{bucket}/{key}")
            below = str(path).removeprefix(whole)
            if not is_recording(path.name) or "/." in below:
                continue
            if str(path) != f"{SCHEME}{bucket}/{key}":
                report(unreadable(path, f"名字 {key} 里有空的一节", "一节一节都有名字", "在桶里改名"))
                continue
            yield _found(path, about)
    except OSError as error:
        if first:
            raise closed(folder, error) from error
        why, what = what_to_do(error)
        report(unreadable(folder, f"列到一半断了（{why}）", "列得完的位置", f"{what}；没列到的下次再做"))
    if first:
        raise NotFound(f"{folder}：什么也没有，应为存放录音的位置", hint=what_to_do(FileNotFoundError())[1])


def _on_disk(folder: Path, report: Report) -> Iterator[Found]:
    if not folder.is_dir():
        raise NotFound(f"{folder}：不是文件夹，应为存放录音的文件夹", hint="检查路径")
    for path in _files(folder, set(), report):
        found = _look(path, report)
        if found:
            yield found


def _files(folder: Path, seen: set[tuple[int, int]], report: Report) -> Iterator[Path]:
    if not _is_new(folder, seen, report):
        return
    with ExitStack() as kept:
        yield from (folder / name for name in _names(folder, _is_file, kept, report))
    with ExitStack() as kept:
        for name in _names(folder, _is_visible_folder, kept, lambda error: None):
            yield from _files(folder / name, seen, report)


def _is_new(folder: Path, seen: set[tuple[int, int]], report: Report) -> bool:
    try:
        status = folder.stat()
    except OSError as error:
        report(_closed(folder, error))
        return False
    known = (status.st_dev, status.st_ino) in seen
    seen.add((status.st_dev, status.st_ino))
    return not known


def _names(
    folder: Path, wanted: Callable[[os.DirEntry[str]], bool], kept: ExitStack, report: Report
) -> Iterator[str]:
    """Names in a folder, sorted. Where there are many they are sorted in parts that lie on the disk."""
    parts: list[Iterable[str]] = []
    try:
        with os.scandir(folder) as entries:
            names = (entry.name for entry in entries if wanted(entry))
            while part := sorted(islice(names, IN_MEMORY)):
                parts.append(part if not parts and len(part) < IN_MEMORY else _in_a_file(part, kept))
    except OSError as error:
        check_exhausted(error)
        report(_closed(folder, error))
    return heapq.merge(*parts)


def _in_a_file(names: Iterable[str], kept: ExitStack) -> Iterable[str]:
    """The same names out of a file that goes with `kept`."""
    file = kept.enter_context(tempfile.TemporaryFile("w+", encoding="ascii"))  # noqa: SIM115
    file.writelines(json.dumps(name) + "\n" for name in names)
    file.seek(0)
    return map(json.loads, file)


def _is_file(entry: os.DirEntry[str]) -> bool:
    return is_recording(entry.name) and not _is_folder(entry)


def _is_visible_folder(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".") and _is_folder(entry)


def _closed(folder: Path, error: OSError) -> BadInput:
    why = "没有权限" if isinstance(error, PermissionError) else error.strerror or type(error).__name__
    return unreadable(
        folder, f"打不开文件夹（{why}）", "可读的文件夹", "里面的录音都没有处理；修改权限后重跑"
    )


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
    return _found(path, status)


def _found(path: Path, status: os.stat_result) -> Found:
    modified_at = datetime.fromtimestamp(status.st_mtime, tz=UTC)
    return Found(path=path, size=status.st_size, modified_at=modified_at)
