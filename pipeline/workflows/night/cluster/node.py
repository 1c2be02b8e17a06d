"""One recognizer on a machine of a cluster: calls in by their places, transcripts out. Knows nothing of Ray.

It works as `here` does and takes a call when it has room for one, so that decoding runs ahead and batches are
full, as at home.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from platform import python_version
from queue import Queue
from typing import TypeVar

from pipeline.errors import BadInput, CallscoreError, Exhausted
from pipeline.media.places import is_on_disk, place
from pipeline.program import hearing_program
from pipeline.settings import Settings
from pipeline.speech.provenance import provenance_of
from pipeline.speech.sentences import encoder_name
from pipeline.storage.mapping import pack
from pipeline.workflows.environment import prepare_environment
from pipeline.workflows.night.children import place as place_of
from pipeline.workflows.night.children import unexpected
from pipeline.workflows.night.cluster.messages import ASK, Broken, Order, answer_of, job_of
from pipeline.workflows.night.hearing import Failed, Heard, Recipe
from pipeline.workflows.night.here import here
from pipeline.workflows.night.job import Job, moved
from pipeline.workflows.night.preparing import Preparing, stamped


def ordinary(settings: Settings) -> Recipe:
    """How recordings are heard in earnest."""
    from pipeline.speech.listen import Listener  # where there is work
    from pipeline.workflows.meaning import Understanding

    return Recipe(
        settings=settings,
        prepare=Preparing(settings),
        listener=Listener.open,
        vectors=lambda settings: Understanding(settings).sentences,
    )


def program_of(settings: Settings) -> dict[str, str]:
    """Everything that must be the same on all machines, by its name. Raises ModelError."""
    made_by = provenance_of(settings)
    return {
        "Python": python_version().rpartition(".")[0],
        "模型": f"{made_by.model} {made_by.model_sha256[:12]}",
        "识别设置": made_by.settings_digest,
        "句子向量": encoder_name(settings),
        **hearing_program(),
    }


Outcome = TypeVar("Outcome", Job | Failed, Heard | Failed)


class Recognizer:
    """Loads its models when it is first listened to. Its methods may be called at the same time. They raise
    nothing: the text of an error might hold what was said, and Ray would write it to its logs."""

    def __init__(self, order: bytes) -> None:
        prepare_environment()
        self._order = Order.of(order)
        self._given: Queue[Job | None] = Queue()
        self._says: Queue[bytes] = Queue()
        self._last_beat = time.monotonic()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="hear", daemon=True)

    def program(self) -> bytes:
        """What this machine has, packed; `broken` says why nothing can be heard here."""
        try:
            told: dict[str, str] = program_of(self._order.settings)
        except CallscoreError as error:
            told = {"broken": error.message}
        blindness = self._blindness()
        return pack({"broken": blindness} if blindness else told)

    def said(self) -> bytes:
        """The next thing that it has to say: see `said_of`. Waited for."""
        with self._lock:
            if self._thread.ident is None:
                self._thread.start()
        return self._says.get()

    def give(self, call: bytes) -> None:
        """The answer to what it asked: a call, or NO_MORE."""
        if not call:
            self._given.put(None)
            return
        job = job_of(call)
        try:
            here: Job | Failed | Broken = self._checked(_as_here(job))
        except Exhausted as error:
            here = Broken(why=error.message)
        except Exception as error:
            here = Failed(job=job, stage="prepare", error=unexpected(job, error))
        if isinstance(here, Job):
            self._given.put(here)
        else:
            self._says.put(answer_of(here))
            self._says.put(ASK)

    def silence(self) -> bytes:
        """Seconds since the work last went on, packed."""
        return pack(time.monotonic() - self._last_beat)

    def _beat(self) -> None:
        self._last_beat = time.monotonic()

    def _work(self) -> None:
        """Round after round; where hearing itself ends, nothing more is heard here."""
        try:
            with here(self._order.made(), self._beat) as hearing:
                while True:
                    hearing.hear(self._asked(), self._told)
        except Exception as error:
            why = error.message if isinstance(error, CallscoreError) else place_of(error)
            self._says.put(answer_of(Broken(why=why)))

    def _asked(self) -> Iterator[Job]:
        """The calls of a round; the next one is asked for before this one is worked on."""
        self._says.put(ASK)
        while (job := self._given.get()) is not None:
            self._beat()
            self._says.put(ASK)
            yield job

    def _told(self, outcome: Heard | Failed) -> None:
        self._beat()
        self._says.put(answer_of(self._checked(outcome)))

    def _checked(self, outcome: Outcome) -> Outcome | Broken:
        """A recording is not to blame for a folder that is gone from this machine."""
        is_bad = isinstance(outcome, Failed) and isinstance(outcome.error, BadInput)
        blindness = self._blindness() if is_bad else ""
        return Broken(why=blindness) if blindness else outcome

    def _blindness(self) -> str:
        """Why the folder is not seen from here; empty: it is."""
        folder = self._order.folder
        try:
            return "" if place(folder).is_dir() else f"看不到录音的位置 {folder}"
        except OSError as error:
            return f"看不到录音的位置 {folder}（{error.strerror}）"
        except CallscoreError as error:
            return error.message


def _as_here(job: Job) -> Job | Failed:
    """The job with the stamp that the file has on this machine: another one may number the files of a shared
    folder differently, so the bytes are counted again. A bucket is the same for all."""
    if not is_on_disk(job.path):
        return job
    try:
        stamp, sha256 = stamped(job.path)
    except BadInput as error:
        return Failed(job=job, stage="decode", error=error)
    if sha256 != job.sha256:
        return Failed(job=job, stage="decode", error=moved(job.path))
    return replace(job, stamp=stamp)
