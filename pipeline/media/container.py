"""Opening a recording safely: the only door to PyAV's containers.

ffmpeg gets an open file, never a name: it cannot follow URLs, playlists or references to other
files, and only the demuxers of `formats` may look at the bytes.
"""

import errno
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO, Never

import av
from av.audio.stream import AudioStream
from av.container import InputContainer

from pipeline.errors import Exhausted, UnreadableRecording
from pipeline.media import formats
from pipeline.media.places import on_disk

av.logging.set_level(None)

AV_ERRORS = (av.FFmpegError, ValueError, OverflowError, ZeroDivisionError)
"""What PyAV raises over damaged bytes; `av.FFmpegError` covers ffmpeg's own codes."""

_HEAD = 64


def unreadable(path: Path, found: str, expected: str, hint: str = "") -> UnreadableRecording:
    """One line: which file, what was found, what was expected; `hint` says what to do next."""
    return UnreadableRecording(f"{path}：{found}，应为{expected}", hint=hint)


def broken_off(path: Path) -> UnreadableRecording:
    """The disk or the network failed while the file was read."""
    return unreadable(path, "读取中断", "可读的录音文件", "检查磁盘和网络后重跑")


def check_exhausted(error: Exception) -> None:
    """Raises Exhausted where not the file is to blame."""
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        hint = "ulimit -n 调大，或少开几个 readers；再跑一次，接着做"
        raise Exhausted("打开的文件太多，开不了新的", hint=hint) from error


@contextmanager
def opened(path: Path) -> Iterator[tuple[InputContainer, AudioStream]]:
    """The container and its first audio stream. Raises UnreadableRecording."""
    with opened_on_disk(path) as file:
        container = _container(path, file)
        try:
            yield container, _audio_stream(path, container)
        finally:
            container.close()


@contextmanager
def opened_on_disk(path: Path) -> Iterator[IO[bytes]]:
    """The file, or a copy of it where it lies in a bucket. Raises UnreadableRecording, Exhausted."""
    with ExitStack() as kept:
        file = kept.enter_context(open_file(path))
        try:
            at_hand = kept.enter_context(on_disk(path, file))
        except OSError as error:
            check_exhausted(error)
            if error.errno == errno.ENOSPC:
                hint = "清理，或用 TMPDIR 指到别处；再跑一次，接着做"
                raise Exhausted(f"{tempfile.gettempdir()}：满了，拷不下 {path}", hint=hint) from error
            raise _cannot_open(path, error) from error
        yield at_hand


def open_file(path: Path) -> BufferedReader:
    """A regular, non-empty file open for reading. Raises UnreadableRecording, Exhausted."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            kind = "文件夹" if stat.S_ISDIR(found.st_mode) else "特殊文件（管道、设备等）"
            raise unreadable(path, f"这是{kind}", "录音文件", "从清单中去掉，或换成真正的录音文件")
        if found.st_size == 0:
            raise unreadable(path, "文件是空的（0 字节）", "录音", "从录音系统重新导出")
        return path.open("rb")
    except (OSError, ValueError) as error:
        check_exhausted(error)
        raise _cannot_open(path, error) from error


def _cannot_open(path: Path, error: OSError | ValueError) -> UnreadableRecording:
    if isinstance(error, FileNotFoundError):
        if path.is_symlink():
            target = os.fspath(path.readlink())
            return unreadable(path, f"链接指向的文件不存在（{target}）", "录音文件", "恢复原文件或删除链接")
        return unreadable(path, "文件不存在", "录音文件", "检查路径，或确认文件已复制完")
    if isinstance(error, PermissionError):
        return unreadable(path, "没有读取权限", "当前用户可读的文件", "修改文件权限后重跑")
    reason = getattr(error, "strerror", None) or type(error).__name__
    return unreadable(path, f"打不开文件（{reason}）", "可读的录音文件", "检查磁盘和路径后重跑")


def _container(path: Path, file: IO[bytes]) -> InputContainer:
    head = file.read(_HEAD)
    file.seek(0)
    raw = formats.raw_format(path.name, head)
    options = dict(raw[1]) if raw else {"format_whitelist": ",".join(formats.CONTAINERS)}
    try:
        return av.open(
            file,
            mode="r",
            format=raw[0] if raw else None,
            container_options=options,
            metadata_errors="replace",
            io_open=_refuse,
        )
    except (*AV_ERRORS, OSError) as error:
        found = "文件内容是文字，不是录音" if _is_text(head) else "认不出音频格式，或文件头已损坏"
        raise unreadable(path, found, _EXPECTED, "用播放器确认能否播放；从录音系统重新导出") from error


_EXPECTED = "wav、mp3、ogg、m4a、flac、amr、gsm 等录音"


def _refuse(url: str, flags: int, options: dict[str, str]) -> Never:
    raise OSError("a recording must not refer to other files")


def _audio_stream(path: Path, container: InputContainer) -> AudioStream:
    if not container.streams.audio:
        raise unreadable(path, "文件里没有声音", "至少一条音轨", "确认导出的是录音，不是录屏或图片")
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        raise unreadable(path, "声音的编码认不出来", _EXPECTED, "让录音系统导出为 wav 或 mp3")
    if not formats.may_decode(stream.codec_context.codec.name):
        found = f"声音的编码是 {stream.codec_context.codec.name}，不在名单上"
        raise unreadable(path, found, _EXPECTED, "让录音系统导出为 wav 或 mp3")
    return stream


def _is_text(head: bytes) -> bool:
    """Whether the first bytes read as text: no control characters, UTF-8 (a cut last character is fine)."""
    if any(byte < 9 or 13 < byte < 32 for byte in head):
        return False
    text = head.decode("utf-8", errors="replace").rstrip("\ufffd")
    return bool(text) and "\ufffd" not in text
