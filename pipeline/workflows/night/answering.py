"""A folder may stop answering: nothing brings back who waits for a dead mount, so a thread is sent that can
be left behind."""

import threading
from collections.abc import Callable
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Self, TypeVar

from pipeline.errors import NotFound

Result = TypeVar("Result")


class Answering:
    """Looks at a folder, one thing after the other, and waits for each at most `seconds`."""

    def __init__(self, folder: Path, seconds: float) -> None:
        self._folder, self._seconds = folder, seconds
        self._asked: SimpleQueue[Callable[[], Any] | None] = SimpleQueue()
        self._told: SimpleQueue[tuple[Any, BaseException | None]] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._is_silent = False

    def ask(self, work: Callable[[], Result]) -> Result:
        """What `work` returns or raises. Raises NotFound: there was no answer, now or before."""
        if self._is_silent:
            raise self._silent()
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="folder", daemon=True)
            self._thread.start()
        self._asked.put(work)
        try:
            result, error = self._told.get(timeout=self._seconds)
        except Empty:
            self._is_silent = True
            raise self._silent() from None
        if error is not None:
            raise error
        found: Result = result
        return found

    def _silent(self) -> NotFound:
        return NotFound(
            f"{self._folder}：{self._seconds:g} 秒没有回应", hint="检查磁盘、挂载和网络，再跑一次，接着做"
        )

    def _serve(self) -> None:
        while work := self._asked.get():
            try:
                self._told.put((work(), None))
            except BaseException as error:
                self._told.put((None, error))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """The thread ends when it comes back."""
        self._asked.put(None)
