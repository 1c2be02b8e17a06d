"""Which program this is: its version, and a digest of everything in it that decides findings and points."""

import hashlib
from functools import cache
from importlib.metadata import version
from pathlib import Path

from pipeline import __version__

DECIDING = ("*.py", "detect/**/*.py", "detect/data/*", "scoring/**/*.py", "storage/mapping.py")
"""What makes findings and scorecards of a transcript and rules, below the package."""
LIBRARIES = ("google-re2", "jieba", "pypinyin")
"""What it asks for words, sounds and expressions."""


@cache
def program() -> str:
    """`0.1.0+5f3c…`: two scorings of one program and the same input are the same to the byte."""
    root = Path(__file__).parent
    digest = hashlib.sha256(",".join(f"{name}=={version(name)}" for name in LIBRARIES).encode())
    for path in sorted({path for pattern in DECIDING for path in root.glob(pattern) if path.is_file()}):
        digest.update(f"{path.relative_to(root).as_posix()}\0".encode() + path.read_bytes() + b"\0")
    return f"{__version__}+{digest.hexdigest()[:12]}"
