"""A recording's bytes to samples, whatever codec, sound or damaged."""

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from numpy.typing import NDArray

from pipeline.errors import UnreadableRecording
from pipeline.media.axis import GAP_SECONDS, Axis, Block
from pipeline.media.container import AV_ERRORS, broken_off, open_file, opened, unreadable
from pipeline.media.probe import codec_name, declared_seconds, estimated_seconds
from pipeline.samples import RATE, Samples
from pipeline.settings import Settings
from pipeline.timeline import Span, merge, total
from pipeline.units import MS_PER_SECOND, Ms, clock, to_ms

_READ_ERRORS = 100  # broken places in the container that are read past
_HOPELESS = 5_000  # undecodable packets without a single good one
_SILENCE_PEAK = 0.0005  # -66 dBFS: digital silence of every codec, A-law's +-8/32768 included
_SHORTFALL_SECONDS = 0.5  # a header may promise this much more: encoder padding, rounding
_RESYNCED = ("mp3", "aac")  # streams whose timestamps count frames and so do not see lost bytes
_NOTHING = "听得出声音的录音"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Decoded:
    """`source_rate`, `channels` and `codec` are the file's own; `lost` are the spans of the time axis
    without audio (silent in `samples`); `warnings` say in Chinese what was wrong with the file."""

    samples: Samples
    source_rate: int
    channels: int
    codec: str
    lost: tuple[Span, ...] = ()
    warnings: tuple[str, ...] = ()


def fingerprint(path: Path) -> str:
    """sha256 of the file's bytes, 64 hex digits. Raises UnreadableRecording."""
    with open_file(path) as file:
        try:
            return hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise broken_off(path) from error


def decode(path: Path, settings: Settings | None = None) -> Decoded:
    """All of a recording at 16 kHz, the first two channels at most.

    Damage in the middle becomes silence of the right length, a span in `lost`, and a warning.
    Raises UnreadableRecording: not audio, silent, too short, too long, or more of it lost than
    `max_lost_percent`.
    """
    limits = settings or Settings()
    with opened(path) as (container, stream):
        reader = Reader(container, stream)
        data = _gather(path, reader, limits)
        _check_audible(path, reader, data, limits)
        missing = _missing_at_end(path, reader)
        _check_lost(path, reader, missing, limits)
        return Decoded(
            samples=Samples(data),
            source_rate=reader.source_rate,
            channels=stream.channels,
            codec=codec_name(stream),
            lost=reader.lost,
            warnings=tuple(_warnings(reader, missing)),
        )


class Reader:
    """One pass over the packets of an open recording; the facts about it grow as blocks are taken. `rate` is
    that of the blocks, `source_rate` the file's own."""

    def __init__(self, container: InputContainer, stream: AudioStream, rate: int = RATE) -> None:
        self.container, self.stream = container, stream
        self.source_rate = stream.rate or RATE
        self.axis = Axis(channels=min(max(stream.channels, 1), 2), rate=rate)
        self.bad_packets = 0
        self._limit = estimated_seconds(container) or math.inf
        self._origin: float | None = None
        self._bad_until = 0.0
        self._good = _Pace()

    @property
    def lost(self) -> tuple[Span, ...]:
        return merge(self.axis.lost, gap=to_ms(GAP_SECONDS))

    @property
    def duration(self) -> Ms:
        return self.axis.position * MS_PER_SECOND // self.axis.rate

    def blocks(self) -> Iterator[Block]:
        """Audio in order of time, without the lost spans. Raises OSError where the disk fails."""
        for packet in _packets(self.container, self.stream):
            try:
                frames = packet.decode()
            except AV_ERRORS:
                self._note_bad(packet)
                if self.bad_packets > _HOPELESS and not self.axis.position:
                    return
                continue
            self._good.add(packet)
            for frame in frames:
                yield from self._place(frame)
        if self._bad_until > self.axis.seconds + GAP_SECONDS and self._origin is not None:
            yield from self.axis.skip_to(min(self._bad_until, max(self._limit, self.axis.seconds)))
        yield from self.axis.finish()

    def _place(self, frame: av.AudioFrame) -> Iterator[Block]:
        time = _seconds(frame.pts, frame.time_base)
        if time is not None:
            self._origin = time if self._origin is None else self._origin
            yield from self._align(time - self._origin)
        try:
            yield from self.axis.add(frame)
        except AV_ERRORS:
            self.bad_packets += 1

    def _align(self, time: float) -> Iterator[Block]:
        """Follow the timestamps over a gap; do not believe those that jump back or past the end."""
        gap = time - self.axis.seconds
        if abs(gap) <= GAP_SECONDS:
            return
        if gap > 0 and time <= self._limit + GAP_SECONDS:
            yield from self.axis.skip_to(time)
        elif self._origin is not None:
            self._origin += gap

    def _note_bad(self, packet: "Packet[AudioStream]") -> None:
        """A packet that gives no audio: later times shift where the timestamps cannot know of it."""
        self.bad_packets += 1
        if self._origin is None:
            return
        duration = _seconds(packet.duration, packet.time_base) or 0.0
        if self.container.format.name in _RESYNCED:
            hidden = max(0.0, self._good.seconds_of(packet.size) - duration)
            self._origin -= hidden
            duration += hidden
        start = _seconds(packet.pts, packet.time_base)
        begin = self.axis.seconds if start is None else start - self._origin
        self._bad_until = max(self._bad_until, begin + duration)


def blocks(path: Path, reader: Reader) -> Iterator[Block]:
    """As `Reader.blocks`. Raises UnreadableRecording where the disk fails."""
    try:
        yield from reader.blocks()
    except OSError as error:
        raise broken_off(path) from error


class _Pace:
    """Bytes a second of the good packets so far."""

    def __init__(self) -> None:
        self.bytes, self.seconds = 0, 0.0

    def add(self, packet: "Packet[AudioStream]") -> None:
        self.bytes += packet.size
        self.seconds += _seconds(packet.duration, packet.time_base) or 0.0

    def seconds_of(self, size: int) -> float:
        return size * self.seconds / self.bytes if self.bytes else 0.0


def _packets(container: InputContainer, stream: AudioStream) -> Iterator["Packet[AudioStream]"]:
    """Packets to the end, reading past broken places."""
    for _ in range(_READ_ERRORS):
        try:
            yield from container.demux(stream)
            return
        except AV_ERRORS:
            continue


def _seconds(ticks: int | None, base: Fraction | None) -> float | None:
    return None if ticks is None or base is None else float(ticks * base)


def _gather(path: Path, reader: Reader, limits: Settings) -> NDArray[np.float32]:
    """All blocks in one array, shape (channels, samples). Memory that stays silent is never touched."""
    most = int(limits.max_duration_minutes * 60 * RATE)
    estimate = estimated_seconds(reader.container) or 60.0
    data = np.zeros((reader.axis.channels, min(int((estimate + 1) * RATE), most)), dtype=np.float32)
    for block in blocks(path, reader):
        end = block.start + block.data.shape[1]
        if end > most:
            raise _too_long(path, limits)
        if end > data.shape[1]:
            data = _grown(data, min(max(end, data.shape[1] * 3 // 2), most))
        data[:, block.start : end] = block.data
    return data[:, : min(reader.axis.position, data.shape[1])]


def _grown(data: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    grown = np.zeros((data.shape[0], size), dtype=np.float32)
    grown[:, : data.shape[1]] = data
    return grown


def _too_long(path: Path, limits: Settings) -> UnreadableRecording:
    minutes = f"{limits.max_duration_minutes:g} 分钟"
    return unreadable(path, f"录音超过 {minutes}", f"不超过 {minutes}", "确有需要时调大 max_duration_minutes")


def _check_audible(path: Path, reader: Reader, data: NDArray[np.float32], limits: Settings) -> None:
    if not data.shape[1]:
        found = (
            f"没有一段能解码（{reader.bad_packets} 处损坏）" if reader.bad_packets else "文件头之后没有声音"
        )
        raise unreadable(path, found, _NOTHING, "从录音系统重新导出")
    seconds = data.shape[1] / RATE
    if seconds < limits.min_duration_seconds:
        least = f"至少 {limits.min_duration_seconds:g} 秒"
        raise unreadable(path, f"录音只有 {seconds:.1f} 秒", least, "未接通的来电不用评分")
    if max(float(data.max()), -float(data.min())) < _SILENCE_PEAK:
        raise unreadable(path, f"{seconds:.1f} 秒全是数字静音", _NOTHING, "检查录音线路或声道")


def _missing_at_end(path: Path, reader: Reader) -> float:
    """Seconds that the file's header promises beyond what is there."""
    promised = declared_seconds(path, reader.container, reader.stream)
    missing = 0.0 if promised is None else promised - reader.duration / MS_PER_SECOND
    return missing if missing > _SHORTFALL_SECONDS else 0.0


def _check_lost(path: Path, reader: Reader, missing: float, limits: Settings) -> None:
    lost = total(reader.lost) / MS_PER_SECOND + missing
    percent = 100 * lost / (reader.duration / MS_PER_SECOND + missing)
    if percent <= limits.max_lost_percent:
        return
    found = "；".join(_damage(reader, missing)) + f"，共缺 {percent:.1f}%"
    hint = "从录音系统重新导出；要照样评分，调大 max_lost_percent"
    raise unreadable(path, found, f"缺失不超过 {limits.max_lost_percent:g}%", hint)


def _damage(reader: Reader, missing: float) -> Iterator[str]:
    lost = reader.lost
    if lost:
        where = "、".join(f"{clock(s.start)} 起 {s.duration / MS_PER_SECOND:.1f} 秒" for s in lost[:3])
        more = f"等 {len(lost)} 处" if len(lost) > 3 else ""
        yield f"中间损坏，缺 {where}{more}"
    if missing:
        there = reader.duration / MS_PER_SECOND
        yield f"文件头说有 {there + missing:.1f} 秒，实际只有 {there:.1f} 秒"


def _warnings(reader: Reader, missing: float) -> Iterator[str]:
    yield from _damage(reader, missing)
    if reader.bad_packets and not reader.lost:
        yield f"{reader.bad_packets} 个数据包损坏，已跳过"
    if reader.axis.not_finite:
        yield f"{reader.axis.not_finite} 个采样值不是数字（NaN 或无穷大），已当作静音"
    if reader.stream.channels > 2:
        yield f"有 {reader.stream.channels} 个声道，只用前两个"
    if len(reader.container.streams.audio) > 1:
        yield f"有 {len(reader.container.streams.audio)} 条音轨，只用第一条"
