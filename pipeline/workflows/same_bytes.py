"""Where a recording's file is, and that it is still the one that was scored."""

from functools import lru_cache
from pathlib import Path

from pipeline.errors import NotFound
from pipeline.media.decode import fingerprint
from pipeline.media.places import place
from pipeline.timeline import Recording

REMEMBERED = 10_000


def same_bytes(
    recording: Recording,
    audio: Path | None = None,
    *,
    hint: str = "用 --audio 指明原来的录音现在放在哪里",
) -> Path:
    """The file, its bytes verified: read whole the first time, and again when its time or size changes.
    Raises NotFound."""
    path = audio or place(recording.path)
    if not path.is_file():
        raise NotFound(f"录音文件不在了：{path}", hint=hint)
    found = _fingerprint_now(path)
    if found != recording.sha256:
        raise NotFound(
            f"{path} 不是当时听的那个录音：sha256 是 {found[:16]}…，应为 {recording.sha256[:16]}…",
            hint=f"文件被换过或改过；{hint}",
        )
    return path


def _fingerprint_now(path: Path) -> str:
    about = path.stat()
    return _fingerprint(path, (about.st_mtime_ns, about.st_ctime_ns, about.st_size, about.st_ino))


@lru_cache(REMEMBERED)
def _fingerprint(path: Path, state: tuple[int, ...]) -> str:
    return fingerprint(path)
