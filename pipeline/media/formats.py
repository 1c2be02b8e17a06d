"""Which files are recordings, and which ffmpeg demuxers may look at them.

Containers are recognized by their bytes, so a wrong extension does no harm. Raw streams have no
header: there the extension decides. Nothing outside these tables is ever opened: no playlists,
no subtitles, no network.
"""

import os
from collections.abc import Mapping

CONTAINERS = (
    "aac",
    "aiff",
    "amr",
    "asf",
    "asf_o",
    "au",
    "caf",
    "flac",
    "matroska,webm",
    "mov,mp4,m4a,3gp,3g2,mj2",
    "mp3",
    "ogg",
    "w64",
    "wav",
)
"""Demuxers with a header to recognize, by ffmpeg's name."""

DECODERS = frozenset(
    (
        "aac",
        "aac_fixed",
        "aac_latm",
        "ac3",
        "alac",
        "amrnb",
        "amrwb",
        "flac",
        "g723_1",
        "g729",
        "gsm",
        "gsm_ms",
        "ilbc",
        "libgsm",
        "libgsm_ms",
        "libopencore_amrnb",
        "libopencore_amrwb",
        "libopus",
        "libspeex",
        "libvorbis",
        "mp1float",
        "mp2float",
        "mp3",
        "mp3float",
        "opus",
        "speex",
        "truespeech",
        "vorbis",
        "wavpack",
        "wmav1",
        "wmav2",
        "wmapro",
        "wmavoice",
    )
)
"""Decoders of speech and music, by ffmpeg's name; beside them those of `DECODER_FAMILIES`."""

DECODER_FAMILIES = ("pcm_", "adpcm_", "g722", "g726")
"""Beginnings of the names of plain telephone codecs."""


def may_decode(name: str) -> bool:
    """Whether a decoder may see a recording's bytes."""
    return name in DECODERS or name.startswith(DECODER_FAMILIES)


TELEPHONE = {"sample_rate": "8000"}

RAW: Mapping[str, tuple[str, Mapping[str, str]]] = {
    ".al": ("alaw", TELEPHONE),
    ".alaw": ("alaw", TELEPHONE),
    ".g722": ("g722", {}),
    ".g729": ("g729", {}),
    ".gsm": ("gsm", {}),
    ".pcma": ("alaw", TELEPHONE),
    ".pcmu": ("mulaw", TELEPHONE),
    ".sln": ("s16le", TELEPHONE),
    ".ul": ("mulaw", TELEPHONE),
    ".ulaw": ("mulaw", TELEPHONE),
}
"""Headerless telephone streams (one channel): extension -> demuxer and its options."""

SUFFIXES = frozenset(
    (
        ".3gp",
        ".aac",
        ".aif",
        ".aiff",
        ".amr",
        ".au",
        ".awb",
        ".caf",
        ".flac",
        ".m4a",
        ".mka",
        ".mp3",
        ".mp4",
        ".oga",
        ".ogg",
        ".opus",
        ".w64",
        ".wav",
        ".wave",
        ".webm",
        ".wma",
        *RAW,
    )
)
"""Extensions (lower case) that make a file in an archive a recording."""

MAGIC = (b"RIFF", b"RF64", b"OggS", b"fLaC", b"ID3", b"#!AMR", b".snd", b"FORM", b"caff", b"\x1aE\xdf\xa3")
"""First bytes that no raw telephone stream is taken for, whatever its extension says."""


def is_recording(name: str) -> bool:
    """`is_recording("a.WAV")`; hidden files and unknown extensions are not recordings."""
    return not name.startswith(".") and _extension(name) in SUFFIXES


def raw_format(name: str, head: bytes) -> tuple[str, Mapping[str, str]] | None:
    """Demuxer and options for a headerless stream; None: let the bytes decide."""
    if head.startswith(MAGIC) or head[4:8] == b"ftyp":
        return None
    return RAW.get(_extension(name))


def _extension(name: str) -> str:
    """Of `a.WAV`: `.wav`. Not by pathlib, which keeps the names of a whole archive in a table of its own."""
    return os.path.splitext(name)[1].lower()
