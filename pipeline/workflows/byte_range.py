"""Which part of a file a browser asks for, by its Range header (RFC 9110, section 14)."""

import re
from dataclasses import dataclass

_ONE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteRange:
    """Bytes `start` to `end` (half-open) of a file of `size`. `is_part`: the header asked for them; answer
    206, or 416 where `is_outside`; else 200."""

    start: int
    end: int
    size: int
    is_part: bool

    def __len__(self) -> int:
        return self.end - self.start

    @property
    def is_outside(self) -> bool:
        """Nothing of what was asked for is there."""
        return self.is_part and self.start >= self.end

    @property
    def content_range(self) -> str:
        """The value of the header of that name, for an answer that `is_part`."""
        return f"bytes */{self.size}" if self.is_outside else f"bytes {self.start}-{self.end - 1}/{self.size}"


def byte_range(header: str | None, size: int) -> ByteRange:
    """What a Range header asks for of a file of `size` bytes. One that is missing, malformed, in another unit
    or asks for several pieces asks for the whole file."""
    found = _ONE.fullmatch(header or "")
    first, last = found.groups() if found else ("", "")
    if not first and not last:
        return ByteRange(start=0, end=size, size=size, is_part=False)
    if not first:
        return ByteRange(start=max(0, size - int(last)), end=size, size=size, is_part=True)
    if last and int(last) < int(first):
        return ByteRange(start=0, end=size, size=size, is_part=False)
    start = min(int(first), size)
    return ByteRange(start=start, end=min(int(last) + 1, size) if last else size, size=size, is_part=True)
