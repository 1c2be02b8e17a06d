"""A process that works for this one and ends with it, and the line to it.

It is split off a server that has loaded some of the code and no model, so that a new one starts quickly and
safely beside the threads of this process.
"""

import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait

from pipeline.errors import CallscoreError, ModelError
from pipeline.media.container import check_exhausted

READY = "ready"
"""What a child says first; what it says instead is the error that keeps it from working."""
START_SECONDS = 120.0
END_SECONDS = 0.2
KILLED_SECONDS = 30.0
MOST_STARTS = 3
"""So many in a row may die before they are ready."""
UNKNOWN_CODE, UNTOLD = 255, "怎么结束的不知道"
"""What stands for the exit code of a process whose server did not live to tell it, and the word for it."""


class Child:
    """Runs `serve(line, *given)`, which calls `begin` first and returns when nobody is at the other end. The
    first one of this process says what the server `loads`."""

    def __init__(
        self, serve: Callable[..., None], *given: object, loads: Sequence[str], has_children: bool = False
    ) -> None:
        context = get_context("forkserver")
        context.set_forkserver_preload(list(loads))
        try:
            self.line, theirs = context.Pipe()
        except OSError as error:
            check_exhausted(error)
            raise
        self._process = context.Process(target=serve, args=(theirs, *given), daemon=not has_children)
        self.is_alive, self.code = True, 0
        with theirs, suppress(OSError, EOFError):  # the server was killed just now: the next start starts it
            self._process.start()

    def becomes_ready(self, seconds: float) -> bool:
        """False: it died, or takes longer. Raises what loading raised."""
        try:
            said = self.line.recv() if self.line.poll(seconds) else None
        except (EOFError, OSError):
            said = None
        if said != READY:
            self.end()
        if isinstance(said, CallscoreError):
            raise said
        return said == READY

    def end(self) -> None:
        """Whatever it is doing. Its exit code is known then; that of a signal is negative. It goes at last
        when it is closed, even where its server is gone, who would tell of it."""
        self.line.close()
        if not self.is_alive:
            return
        self.is_alive = False
        if self._process.pid is None:  # never started
            return
        self._process.join(END_SECONDS)
        self._process.kill()
        self._process.join(KILLED_SECONDS)
        self.code = self._process.exitcode or 0
        with suppress(ValueError):  # it runs on, in the kernel
            self._process.close()

    @property
    def fate(self) -> str:
        """How a process ended, in a word."""
        if self.code == UNKNOWN_CODE:
            return UNTOLD
        return signal.Signals(-self.code).name if self.code < 0 else f"退出码 {self.code}"


def cannot_start() -> ModelError:
    return ModelError("子进程起不来", hint="callscore doctor 检查安装和内存")


def begin() -> None:
    """In the child: Ctrl-C is for the parent, and when the parent is gone the kernel ends the child, whatever
    it is doing."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if sys.platform != "linux" or parent is None:
        return
    import fcntl

    life = parent.sentinel
    fcntl.fcntl(life, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(life, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(life, fcntl.F_SETFL, fcntl.fcntl(life, fcntl.F_GETFL) | os.O_ASYNC)
    if wait([life], 0):
        os._exit(1)
