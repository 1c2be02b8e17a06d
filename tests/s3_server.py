"""A store that speaks S3, on this machine: moto answers, s3fs asks."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

BUCKET = "archive"


@contextmanager
def s3_store(patch: pytest.MonkeyPatch) -> Iterator["S3Store"]:
    """The environment names it while it runs."""
    pytest.importorskip("moto.server", reason="pip install moto[s3] flask flask-cors")
    pytest.importorskip("s3fs", reason="pip install callscore[s3]")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = _started()
    host, port = server.get_host_and_port()
    patch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    patch.setattr("s3fs.S3FileSystem.retries", 1)
    patch.setenv("AWS_MAX_ATTEMPTS", "1")
    patch.setenv("AWS_ACCESS_KEY_ID", "key")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    forget()
    try:
        yield (made := S3Store(server))
    finally:
        forget()
        made.stop()


def _started(port: int = 0) -> Any:
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    return server


def forget() -> None:
    """The next question is asked with what the environment says then."""
    import s3fs

    s3fs.S3FileSystem.clear_instance_cache()


class S3Store:
    """One bucket."""

    def __init__(self, server: Any) -> None:
        import s3fs

        self._server = server
        self._store = s3fs.S3FileSystem(use_listings_cache=False)
        self._store.makedirs(BUCKET, exist_ok=True)

    def put(self, key: str, content: bytes) -> str:
        self._store.pipe(f"{BUCKET}/{key}", content)
        return f"s3://{BUCKET}/{key}"

    def put_folder(self, folder: Path, prefix: str) -> str:
        for path in folder.rglob("*"):
            if path.is_file():
                self.put(f"{prefix}/{path.relative_to(folder).as_posix()}", path.read_bytes())
        return f"s3://{BUCKET}/{prefix}"

    def delete(self, key: str) -> None:
        self._store.rm(f"{BUCKET}/{key}")

    def stop(self) -> None:
        """Nobody answers from now on; what was put there stays."""
        self._server.stop()

    def start(self) -> None:
        """As it was before."""
        _, port = self._server.get_host_and_port()
        self._server = _started(port)
