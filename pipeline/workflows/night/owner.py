"""The name of a process, by which others can tell that it is gone."""

import os
import socket
from pathlib import Path


def this_process() -> str:
    """host:pid:start. The host with its boot and process namespace: only there does the number mean it."""
    return f"{_host()}:{os.getpid()}:{_start(os.getpid())}"


def is_gone(owner: str) -> bool:
    """Whether the process of that name is known to have ended; False where it cannot be known from here."""
    host, _, process = owner.partition(":")
    pid, _, start = process.partition(":")
    if host != _host() or not pid.isdigit():
        return False
    return _start(int(pid)) != start


def _host() -> str:
    """The same for processes that see each other."""
    boot = _first_word(Path("/proc/sys/kernel/random/boot_id"))[:8]
    try:
        space = os.readlink("/proc/self/ns/pid")[5:-1]
    except OSError:
        space = ""
    return f"{socket.gethostname()}/{boot}/{space}"


def _start(pid: int) -> str:
    """When a process began; empty: there is none of that number. Where the system does not tell, the number
    alone has to do."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "" if Path("/proc/self").exists() or not _runs(pid) else "?"
    fields = told.rpartition(")")[2].split()
    return "" if fields[0] in "ZX" else fields[19]


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _first_word(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError:
        return ""
