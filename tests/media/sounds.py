"""Small recordings made on the spot: tones and bursts in every format that PyAV can write."""

import struct
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Audio = NDArray[np.float32]

ENCODINGS = {
    "pcm.wav": ("wav", "pcm_s16le", "s16", 8000),
    "alaw.wav": ("wav", "pcm_alaw", "s16", 8000),
    "mulaw.wav": ("wav", "pcm_mulaw", "s16", 8000),
    "float.wav": ("wav", "pcm_f32le", "flt", 16000),
    "adpcm.wav": ("wav", "adpcm_ms", "s16", 8000),
    "lame.mp3": ("mp3", "libmp3lame", "fltp", 8000),
    "opus.ogg": ("ogg", "libopus", "flt", 48000),
    "aac.m4a": ("ipod", "aac", "fltp", 16000),
    "adts.aac": ("adts", "aac", "fltp", 16000),
    "plain.flac": ("flac", "flac", "s16", 8000),
    "narrow.amr": ("amr", "libopencore_amrnb", "s16", 8000),
    "opus.webm": ("webm", "libopus", "flt", 48000),
    "sun.au": ("au", "pcm_mulaw", "s16", 8000),
}
"""File name -> container, encoder, its sample format, its rate."""


def tone(seconds: float, hz: float = 440.0, rate: int = 8000, channels: int = 1) -> Audio:
    """A sine at -12 dBFS, shape (channels, samples)."""
    time = np.arange(round(seconds * rate)) / rate
    return np.tile((0.25 * np.sin(2 * np.pi * hz * time)).astype(np.float32), (channels, 1))


def bursts(seconds: float, at: tuple[float, ...], rate: int = 8000, channels: int = 1) -> Audio:
    """Faint hiss with 0.2 s tones that begin at the given times."""
    noise = np.random.default_rng(7).normal(0, 0.002, round(seconds * rate)).astype(np.float32)
    data = np.tile(noise, (channels, 1))
    for start in at:
        burst = tone(0.2, 700.0, rate)[0]
        first = round(start * rate)
        data[:, first : first + len(burst)] += burst
    return data


def onsets(channel: Audio, rate: int = 16000) -> list[float]:
    """Times in seconds at which something louder than the hiss begins."""
    hop = rate // 200
    frames = channel[: len(channel) // hop * hop].reshape(-1, hop)
    loud = np.sqrt((frames**2).mean(axis=1)) > 0.05
    starts = np.flatnonzero(loud & ~np.roll(loud, 1))
    return [float(i / 200) for i in starts if not loud[max(0, i - 10) : i].any()]


def write(folder: Path, name: str, data: Audio) -> Path:
    """Encode by the entry of ENCODINGS; `data` at the encoder's rate."""
    container, codec, sample_format, rate = ENCODINGS[name]
    path = folder / name
    with av.open(str(path), "w", format=container) as output:
        layout = {1: "mono", 2: "stereo", 3: "3.0", 4: "quad"}[data.shape[0]]
        stream = output.add_stream(codec, rate=rate, layout=layout)
        size = stream.codec_context.frame_size or 1024
        size = 1024 if size > 4096 else size
        for first in range(0, data.shape[1], size):
            output.mux(
                stream.encode(_frame(data[:, first : first + size], sample_format, layout, rate, first))
            )
        output.mux(stream.encode(None))
    return path


def _frame(data: Audio, sample_format: str, layout: str, rate: int, first: int) -> av.AudioFrame:
    integers = sample_format.startswith("s16")
    values = np.round(data * 32767).astype(np.int16) if integers else data.astype(np.float32)
    packed = values if sample_format.endswith("p") else values.T.reshape(1, -1)
    frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(packed), format=sample_format, layout=layout)
    frame.sample_rate, frame.pts = rate, first
    return frame


def write_gsm(path: Path, seconds: float, seed: int = 0) -> Path:
    """Headerless GSM 06.10: 33-byte frames of 20 ms, each beginning with the nibble 0xD; noise inside."""
    frames = np.random.default_rng(seed).integers(0, 256, (round(seconds * 50), 33), dtype=np.uint8)
    frames[:, 0] = 0xD0 | (frames[:, 0] & 0x0F)
    path.write_bytes(frames.tobytes())
    return path


def write_gsm_wav(path: Path, seconds: float) -> Path:
    """GSM 6.10 in WAV: 65-byte blocks of 40 ms."""
    body = np.random.default_rng(1).integers(0, 256, round(seconds * 25) * 65, dtype=np.uint8).tobytes()
    extra = struct.pack("<HH", 2, 320)
    return write_wav(path, body, Format(tag=0x31, byte_rate=1625, block=65, bits=0, extra=extra))


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """The `fmt ` part of a WAV file; 16-bit PCM, mono, 8 kHz."""

    tag: int = 1
    channels: int = 1
    rate: int = 8000
    byte_rate: int = 16000
    block: int = 2
    bits: int = 16
    extra: bytes = b""

    @property
    def packed(self) -> bytes:
        numbers = (self.tag, self.channels, self.rate, self.byte_rate, self.block, self.bits)
        return struct.pack("<HHIIHH", *numbers) + self.extra


def write_wav(path: Path, body: bytes, form: Format | None = None, *, promised: int | None = None) -> Path:
    """A WAV file by hand; `promised` is the length its header claims."""
    fmt = (form or Format()).packed
    size = len(body) if promised is None else promised
    head = b"WAVE" + b"fmt " + struct.pack("<I", len(fmt)) + fmt + b"data" + struct.pack("<I", size)
    path.write_bytes(b"RIFF" + struct.pack("<I", min(len(head) + size, 0xFFFFFFFF)) + head + body)
    return path


def pcm(data: Audio) -> bytes:
    """16-bit little-endian, channels interleaved."""
    return np.round(data.T * 32767).astype("<i2").tobytes()
