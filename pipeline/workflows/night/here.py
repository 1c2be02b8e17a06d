"""Hearing in this process: decoding, voice activity and speaker embedding run ahead of recognition in child
processes, at most `AHEAD` recordings; recognition packs the speech of several recordings into full batches.
So memory depends on the longest recordings, not on their number."""

import logging
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING

from pipeline.errors import BadInput, CallscoreError, Exhausted, ModelError
from pipeline.media.container import check_exhausted
from pipeline.samples import Peaks
from pipeline.storage.mapping import storable
from pipeline.workflows.night.children import ChildFailed, place, unexpected
from pipeline.workflows.night.hearing import Failed, Heard, Hearing, Recipe, Tell, VectorsOf
from pipeline.workflows.night.job import Job, Made
from pipeline.workflows.night.readers import Readers

if TYPE_CHECKING:
    from pipeline.speech.listen import Listener
    from pipeline.speech.prepare import Prepared

LOG = logging.getLogger("callscore.night")
AHEAD = 4
BEAT_SECONDS = 10.0


@contextmanager
def here(recipe: Recipe, beat: Callable[[], None] = lambda: None) -> Iterator[Hearing]:
    """The models are loaded while the readers start. `beat` is called as the work goes on. Raises
    ModelError."""
    with Readers(recipe) as readers:
        vectors = recipe.vectors(recipe.settings) if recipe.vectors else None
        yield Here(readers, recipe.listener(recipe.settings), vectors, beat)


class Here:
    """A failure of one call stays with that call. `_open` is what was taken and not yet told."""

    def __init__(
        self, readers: Readers, listener: "Listener", vectors: VectorsOf | None, beat: Callable[[], None]
    ) -> None:
        self._readers, self._listener, self._vectors, self._beat = readers, listener, vectors, beat
        self._open: dict[str, Job] = {}
        self._peaks: dict[str, Peaks] = {}

    def hear(self, jobs: Iterator[Job], tell: Tell) -> None:
        """Several recordings in full batches; where a batch fails one by one, so that the recording that made
        it fail is the only one lost."""
        self._open, self._peaks = {}, {}
        outside = _Outside(jobs, tell)
        whole = outside.jobs()
        while True:
            try:
                return self._hear(whole, outside.tell)
            except CallscoreError:
                raise
            except Exception as error:
                if error is outside.fault or not self._open:  # no recording's fault: it would go on for ever
                    raise
                LOG.warning("a batch failed, its recordings are heard one by one: %s", place(error))
                for job in list(self._open.values()):
                    self._hear_alone(job, tell)

    def _hear(self, jobs: Iterator[Job], tell: Tell) -> None:
        for recording, transcript in self._listener.hear(self._prepared(jobs, tell), self._beat):
            sentences = self._vectors(storable(transcript)) if self._vectors else None
            job = self._open.pop(recording.sha256)
            peaks = self._peaks.pop(job.sha256, None)
            tell(Heard(job=job, recording=recording, transcript=transcript, peaks=peaks, sentences=sentences))

    def _hear_alone(self, job: Job, tell: Tell) -> None:
        told: list[Heard | Failed] = []
        try:
            self._hear(iter([job]), told.append)
        except CallscoreError:
            raise
        except Exception as error:
            del self._open[job.sha256]
            self._peaks.pop(job.sha256, None)
            told = [Failed(job=job, stage="recognize", error=unexpected(job, error))]
        for outcome in told:
            tell(outcome)

    def _prepared(self, jobs: Iterator[Job], tell: Tell) -> "Iterator[Prepared]":
        """Recordings ready for recognition, in order; of those that cannot be read it is told."""
        waiting: deque[tuple[Job, Future[Made]]] = deque()
        try:
            while True:
                for job in islice(jobs, AHEAD - len(waiting)):
                    self._open[job.sha256] = job
                    waiting.append((job, self._readers.submit(job)))
                if not waiting:
                    return
                job, future = waiting.popleft()
                while not future.done():
                    wait([future], BEAT_SECONDS)
                    self._beat()
                made = _made(job, future)
                if isinstance(made, Failed):
                    del self._open[job.sha256]
                    tell(made)
                else:
                    self._peaks[job.sha256] = made.peaks
                    yield made.ready
        finally:
            for _, future in waiting:
                future.cancel()


class _Outside:
    """What the night gave: jobs, and where to tell. `fault` is what either of them raised; no recording is to
    blame for it."""

    def __init__(self, jobs: Iterator[Job], tell: Tell) -> None:
        self._jobs, self._tell = jobs, tell
        self.fault: Exception | None = None

    def jobs(self) -> Iterator[Job]:
        with self._kept():
            yield from self._jobs

    def tell(self, outcome: Heard | Failed) -> None:
        with self._kept():
            self._tell(outcome)

    @contextmanager
    def _kept(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.fault = error
            raise


def _made(job: Job, future: "Future[Made]") -> Made | Failed:
    """Raises ModelError, Exhausted: no recording is to blame."""
    try:
        return future.result()
    except BadInput as error:
        return Failed(job=job, stage="decode", error=error)
    except ChildFailed as error:
        return Failed(job=job, stage="crash", error=error, tries=error.tries)
    except (ModelError, Exhausted):
        raise
    except CallscoreError as error:
        return Failed(job=job, stage="prepare", error=error)
    except Exception as error:
        check_exhausted(error)
        return Failed(job=job, stage="prepare", error=unexpected(job, error))
