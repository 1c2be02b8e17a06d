"""What takes long to count over a large archive: counted in the background, and kept for a while."""

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from pipeline.storage.store import Store

SOON = 0.2
"""Seconds that somebody waits for a count."""
PATIENCE = 200
"""So many times as long as it took, a count that takes long does though something changed."""

Value = TypeVar("Value")


@dataclass(slots=True)
class _Count(Generic[Value]):
    """One count of an archive that is told apart by `key`, running or done."""

    key: Hashable
    began: float
    done: Event = field(default_factory=Event)
    ended: float = 0.0
    value: Value | None = None
    fault: Exception | None = None

    def holds(self, key: Hashable, now: float, short: float) -> bool:
        if self.fault is not None:
            return False
        took = self.ended - self.began
        return self.key == key or now < self.ended + (took * PATIENCE if took > short else 0.0)


class Lately(Generic[Value]):
    """The counts of one kind, by archive. A store is counted by one thread at a time. One that took no longer
    than `short` seconds is made anew for each change."""

    def __init__(self, short: float = SOON) -> None:
        self._short = short
        self._kept: WeakKeyDictionary[Store, _Count[Value]] = WeakKeyDictionary()
        self._running: WeakKeyDictionary[Store, _Count[Value]] = WeakKeyDictionary()
        self._lock = Lock()

    def of(self, store: Store, key: Hashable, count: Callable[[Store], Value]) -> Value | None:
        """What was counted, new where that is soon done; None: the first count is not done yet. `key` tells
        states of the archive apart. Raises what counting raised."""
        with self._lock:
            kept = self._kept.get(store)
            if kept is not None and kept.holds(key, time.monotonic(), self._short):
                return kept.value
            running = self._running.get(store) or self._begun(store, key, count)
        running.done.wait(SOON if store.is_shared else None)
        if running.done.is_set():
            if running.fault is not None:
                raise running.fault
            return running.value
        return kept.value if kept is not None else None

    def _begun(self, store: Store, key: Hashable, count: Callable[[Store], Value]) -> _Count[Value]:
        made = self._running[store] = _Count[Value](key=key, began=time.monotonic())
        if store.is_shared:
            Thread(target=self._run, args=(store, made, count), daemon=True, name="count").start()
        else:
            self._run(store, made, count)
        return made

    def _run(self, store: Store, made: _Count[Value], count: Callable[[Store], Value]) -> None:
        try:
            made.value = count(store)
        except Exception as error:  # whoever asked gets it
            made.fault = error
        made.ended = time.monotonic()
        self._kept[store] = made
        self._running.pop(store, None)
        made.done.set()
