"""Scripts and styles: named with the digest of their bytes, so that a browser may keep them for good."""

import hashlib
from functools import cache
from pathlib import Path

from starlette.responses import FileResponse, Response

from pipeline.errors import NotFound

STATIC = Path(__file__).parent / "static"
KINDS = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
FOREVER = "public, max-age=31536000, immutable"


@cache
def known() -> dict[str, Path]:
    """Every file that may be asked for, by its place under `static`."""
    return {
        path.relative_to(STATIC).as_posix(): path
        for path in sorted(STATIC.rglob("*"))
        if path.suffix in KINDS and path.is_file()
    }


@cache
def asset(name: str) -> str:
    """The address of a file. Raises NotFound."""
    return f"/static/{_digest(name)}/{name}"


@cache
def _digest(name: str) -> str:
    """Of all files: scripts name each other by their place, so they change together."""
    if name not in known():
        raise NotFound(f"没有文件 static/{name}")
    all_of_them = hashlib.sha256()
    for path in known().values():
        all_of_them.update(path.read_bytes())
    return all_of_them.hexdigest()[:12]


def file_of(name: str) -> Response:
    """A file as an answer. Raises NotFound for whatever is not in the table of known files."""
    path = known().get(name)
    if path is None:
        raise NotFound("没有这个文件")
    return FileResponse(path, media_type=KINDS[path.suffix], headers={"Cache-Control": FOREVER})
