"""Which program this is: its version, and digests of everything in it that decides what is heard, and what is
made of that."""

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

from pipeline import __version__

DECIDING = ("*.py", "detect/**/*.py", "detect/data/*", "scoring/**/*.py", "storage/mapping.py")
"""What makes findings and scorecards of a transcript and rules, below the package."""
LIBRARIES = ("google-re2", "jieba", "pypinyin")
"""What it asks for words, sounds and expressions."""


HEARING = ("*.py", "media/**/*.py", "speech/**/*.py", "workflows/loading.py", "workflows/night/**/*.py")
"""What makes transcripts of recordings, below the package."""
HEARING_LIBRARIES = (
    "av",
    "ctranslate2",
    "faster-whisper",
    "numba",
    "numpy",
    "onnxruntime",
    "scipy",
    "tokenizers",
)
"""What it asks for samples, words and voices."""


@cache
def program() -> str:
    """`0.1.0+5f3c…`: two scorings of one program and the same input are the same to the byte."""
    libraries = ",".join(f"{name}=={version(name)}" for name in LIBRARIES)
    return f"{__version__}+{_digest(DECIDING, libraries)}"


@cache
def hearing_program() -> dict[str, str]:
    """Name -> version of everything whose change may change a transcript."""
    here = {"callscore": f"{__version__}+{_digest(HEARING)}"}
    return here | {name: version(name) for name in HEARING_LIBRARIES}


def _digest(patterns: tuple[str, ...], libraries: str = "") -> str:
    root, digest = Path(__file__).parent, hashlib.sha256(libraries.encode())
    for path in sorted({path for pattern in patterns for path in root.glob(pattern) if path.is_file()}):
        digest.update(f"{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
