"""`callscore serve` as a process of its own, on a free port of this machine."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from pipeline.settings import ENV_PREFIX, Settings

START_SECONDS = 60
COMMAND = "import pipeline.cli.app as callscore; callscore.main()"


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """The address of a server of this house; it is stopped at the end."""
    port = free_port()
    changed = settings.model_dump(exclude_defaults=True, mode="json")
    environment = os.environ | {f"{ENV_PREFIX}{name.upper()}": str(value) for name, value in changed.items()}
    server = subprocess.Popen(
        [sys.executable, "-c", COMMAND, "serve", "--port", str(port)],
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, server)
        yield address
    finally:
        if server.poll() is not None:
            raise RuntimeError(f"the server ended by itself: {server.returncode}")
        server.terminate()
        server.wait(30)


def _wait(address: str, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            httpx.get(f"{address}/login", trust_env=False).raise_for_status()
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"the server did not start: {server.poll()}")
