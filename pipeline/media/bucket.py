"""Recordings in the bucket of a store that speaks S3: the only door to fsspec (`pip install callscore[s3]`).

Credentials and the address of the store come from the environment of the process (AWS_ACCESS_KEY_ID,
AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL, or the role of the machine): never from settings, the database or a
command line.
"""

import errno
import hashlib
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from pipeline.errors import NotFound, SettingsError

SCHEME = "s3://"
BLOCK = 4 << 20
"""Bytes that are asked for at a time: most calls come in one piece."""

if TYPE_CHECKING:
    _Path = Path
else:
    _Path = type(Path())


class InBucket(_Path):
    """`InBucket("s3://bucket/2026/a.wav")`: a Path for reading, so that whoever reads a recording need not
    care where it lies. An object is a file; what begins with `path/` is below the folder `path`."""

    __slots__ = ()

    def __str__(self) -> str:
        return SCHEME + "/".join(self.parts[1:])

    def stat(self, *, follow_symlinks: bool = True) -> os.stat_result:
        """One question to the store. Another content has another `st_ino`. Raises OSError."""
        store = _store()
        with _answering(self):
            found = store.info(str(self))
        if found["type"] != "file":
            return _status(stat.S_IFDIR, 0, "", datetime.fromtimestamp(0, UTC))
        return _status(stat.S_IFREG, found["size"], found["ETag"], found["LastModified"])

    def open(self, mode: str = "r", buffering: int = -1, *text: Any, **more: Any) -> IO[Any]:  # type: ignore[override]
        """For reading, from the store, `buffering` bytes at a time or a block. Raises OSError."""
        if mode not in ("r", "rb"):
            raise OSError(errno.EROFS, "只能读", str(self))
        store, block = _store(), BLOCK if buffering < 0 else buffering
        with _answering(self):
            file = _Reading(store.open(str(self), "rb", block_size=block), self)
        whole = io.BufferedReader(file, 1 << 16)
        return whole if mode == "rb" else io.TextIOWrapper(whole, *text, **more)

    def is_file(self, **follow: bool) -> bool:
        """Raises NotFound: the store does not answer; so do the next two."""
        return self._kind() == stat.S_IFREG

    def is_dir(self, **follow: bool) -> bool:
        return self._kind() == stat.S_IFDIR

    def exists(self, **follow: bool) -> bool:
        return self._kind() is not None

    def is_symlink(self) -> bool:
        return False

    def absolute(self) -> Self:
        return self

    def objects(self, *, deep: bool = True) -> Iterator[tuple[str, os.stat_result]]:
        """The key and the state of each object below this folder, or right in it, in the order of the keys; a
        thousand are asked for at a time. Raises OSError."""
        bucket, _, prefix = str(self).removeprefix(SCHEME).partition("/")
        asked = {"Bucket": bucket, "Prefix": f"{prefix}/" if prefix else ""}
        if not deep:
            asked["Delimiter"] = "/"
        store = _store()
        while True:
            with _answering(self):
                page = store.call_s3("list_objects_v2", **asked)
            for one in page.get("Contents", ()):
                if not one["Key"].endswith("/"):
                    yield one["Key"], _status(stat.S_IFREG, one["Size"], one["ETag"], one["LastModified"])
            if not page.get("IsTruncated"):
                return
            asked["ContinuationToken"] = page["NextContinuationToken"]

    def names(self) -> Iterator[str]:
        """Of the objects right in this folder. Raises NotFound: the store does not answer."""
        try:
            yield from (key.rpartition("/")[2] for key, _ in self.objects(deep=False))
        except FileNotFoundError:
            return
        except OSError as error:
            raise closed(self, error) from error

    def _kind(self) -> int | None:
        """None: nothing is there."""
        try:
            return stat.S_IFMT(self.stat().st_mode)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise closed(self, error) from error


def closed(path: Path, error: OSError) -> NotFound:
    """The store gave nothing, not even that nothing is there."""
    why, what = what_to_do(error)
    return NotFound(f"{path}：打不开（{why}）", hint=what)


def what_to_do(error: OSError) -> tuple[str, str]:
    """Why a store gave nothing, and the next step."""
    if isinstance(error, FileNotFoundError):
        return "没有这个桶，或桶里没有这个位置", f"检查 {SCHEME} 后面的桶名和路径"
    if isinstance(error, PermissionError):
        return (
            "没有权限",
            "检查 AWS_ACCESS_KEY_ID、AWS_SECRET_ACCESS_KEY，和这把钥匙能不能列出、读取这个桶",
        )
    return error.strerror or type(error).__name__, "检查 AWS_ENDPOINT_URL 和网络"


class _Reading(io.RawIOBase):
    """An open object; what the store answers wrongly is an OSError."""

    def __init__(self, file: Any, path: Path) -> None:
        self._file, self._path = file, path

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with _answering(self._path):
            return int(self._file.readinto(buffer))

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def close(self) -> None:
        self._file.close()
        super().close()


def _status(kind: int, size: int, tag: str, modified: datetime) -> os.stat_result:
    """As a disk has it; the number of the file stands for its content."""
    number = int(hashlib.sha256(tag.encode()).hexdigest()[:15], 16)
    seconds = modified.timestamp()
    times = {f"st_{which}time_ns": int(seconds * 1_000_000_000) for which in "amc"}
    return os.stat_result((kind | 0o444, number, 0, 1, 0, 0, size, *(int(seconds),) * 3), times)


def _store() -> Any:
    """One a process and thread; nothing that it lists is remembered. Raises SettingsError."""
    try:
        import s3fs
    except ImportError as error:
        raise SettingsError(f"{SCHEME} 开头的位置要多装一个库", hint="pip install 'callscore[s3]'") from error
    return s3fs.S3FileSystem(use_listings_cache=False)


@contextmanager
def _answering(path: Path) -> Iterator[None]:
    """What the libraries below raise, as an OSError that says what is the matter."""
    from aiohttp import ClientError as NoConnection
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

    try:
        yield
    except NoCredentialsError as error:
        raise PermissionError(errno.EACCES, "环境里没有钥匙", str(path)) from error
    except (BotoCoreError, ClientError, NoConnection, ValueError) as error:
        raise OSError(errno.EIO, f"存储没有好好回答：{type(error).__name__}", str(path)) from error
