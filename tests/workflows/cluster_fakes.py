"""What the machines of a cluster hear with in these tests; imported there by name."""

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from night_children import preparing
from night_listeners import FakeListener

from pipeline.settings import Settings
from pipeline.timeline import Recording, Transcript
from pipeline.workflows.night.hearing import Recipe

BEFORE_HOLD = 3


class NodeListener(FakeListener):
    """Takes its time over each call, dies of those that are named so, and stops after three as long as there
    is a file `hold` beside the folder."""

    def hear(
        self, recordings: Iterable[Recording], beat: Callable[[], None]
    ) -> Iterator[tuple[Recording, Transcript]]:
        for recording, transcript in super().hear(recordings, beat):
            time.sleep(float(os.environ.get("CALL_SECONDS", "0")))
            while self.heard > BEFORE_HOLD and (Path(recording.path).parents[1] / "hold").exists():
                time.sleep(0.05)
            if "/kill_" in recording.path:
                os.kill(os.getpid(), signal.SIGKILL)
            yield recording, transcript


def listener(settings: Settings) -> NodeListener:
    return NodeListener()


def recipe(settings: Settings) -> Recipe:
    return Recipe(settings=settings, prepare=preparing, listener=listener)  # type: ignore[arg-type]
