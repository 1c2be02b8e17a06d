"""Where a recording lies: on a disk of this machine, or in a bucket. A Path either way.

`place` reads what a person or the database wrote, `address` writes it; what is on a disk costs nothing more
than it did.
"""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from pipeline.media.bucket import SCHEME, InBucket

MOST_COPIED = 8 << 30
"""Bytes: more than the longest recording that is heard, whatever its format."""
_PIECE = 1 << 20


def place(text: str | Path) -> Path:
    """`place("s3://bucket/a.wav")`, `place("/srv/recordings/a.wav")`."""
    written = str(text)
    return InBucket(written) if written.startswith(SCHEME) else Path(text)


def address(path: Path) -> str:
    """Absolute; `place` reads it."""
    return str(path) if isinstance(path, InBucket) else os.path.abspath(path)


def real(address: str) -> str:
    """The same place as the system writes it: without `..`, and on a disk without links."""
    if not address.startswith(SCHEME):
        return os.path.realpath(address)
    bucket, _, key = address.removeprefix(SCHEME).partition("/")
    return f"{SCHEME}{bucket}/{os.path.normpath(f'/{key}').strip('/')}".rstrip("/")


def names_in(folder: str) -> Iterator[str]:
    """The names in a folder, as far as it can be read. Raises NotFound: a store does not answer."""
    where = place(folder)
    if isinstance(where, InBucket):
        yield from where.names()
        return
    with suppress(OSError), os.scandir(where) as entries:
        yield from (entry.name for entry in entries)


def is_on_disk(path: Path) -> bool:
    return not isinstance(path, InBucket)


@contextmanager
def on_disk(path: Path, file: IO[bytes]) -> Iterator[IO[bytes]]:
    """An open recording in which one may jump about: the file itself, or a copy of what lies in a bucket.
    The copy has no name: it goes with the process, however that ends. Raises OSError."""
    if is_on_disk(path):
        yield file
        return
    with tempfile.TemporaryFile("w+b") as copy:
        _copy(file, copy)
        copy.seek(0)
        yield copy


def _copy(file: IO[bytes], to: IO[bytes]) -> None:
    if file.seek(0, os.SEEK_END) > MOST_COPIED:
        raise OSError(errno.EFBIG, "文件太大")
    file.seek(0)
    shutil.copyfileobj(file, to, _PIECE)
