"""What a night asks of whatever hears its recordings: this process, other processes, other machines."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from pipeline.errors import CallscoreError
from pipeline.samples import Peaks
from pipeline.settings import Settings
from pipeline.timeline import Recording, Transcript
from pipeline.vectors import Sentences
from pipeline.workflows.night.job import Job, Prepare

if TYPE_CHECKING:
    from pipeline.speech.listen import Listener


VectorsOf = Callable[[Transcript], Sentences]
"""Makes vectors of what was said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How recordings are heard. `prepare` makes what decodes, `listener` loads the models of some settings,
    `vectors` what makes vectors of sentences, where that is not left to the night.
    It goes as it is to other processes, so all of it must be picklable where there are any."""

    settings: Settings
    prepare: Callable[[], Prepare]
    listener: "Callable[[Settings], Listener]"
    vectors: Callable[[Settings], VectorsOf] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What became of a job: all that judging needs, its waveform, and vectors of its sentences where they
    were made. No samples."""

    job: Job
    recording: Recording
    transcript: Transcript
    peaks: Peaks | None
    sentences: Sentences | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A job that cannot be done, in which `stage` (see `Quarantined`), and after how many
    tries."""

    job: Job
    stage: str
    error: CallscoreError
    tries: int = 1


Tell = Callable[[Heard | Failed], None]


class Hearing(Protocol):
    """Hears recordings wherever it likes and in any order; judging and storing are the night's.

    `hear` takes jobs as it has room for them, never many more than it works on: jobs that it took are what is
    lost where the night is killed, and are waited for where its time is up. It calls `tell` exactly once for
    each job that it took, as soon as there is something to tell, and returns when there are no more jobs and
    each was told. Both `jobs` and `tell` belong to the thread that called `hear`. What ends the night is
    raised: ModelError where nothing can be heard at all, and whatever `jobs` or `tell` raise.

    A transcript must not depend on what else is heard, nor by whom.
    """

    def hear(self, jobs: Iterator[Job], tell: Tell) -> None: ...


Opened = Callable[[Recipe], AbstractContextManager[Hearing]]
"""Loads what hearing needs, and lets go of it at the end. Raises ModelError."""


@contextmanager
def kept_open(opened: Opened) -> Iterator[Opened]:
    """The same hearing for night after night: opened with the first that has work, closed at the end."""
    with ExitStack() as stack:
        standing: list[Hearing] = []

        def again(recipe: Recipe) -> AbstractContextManager[Hearing]:
            if not standing:
                standing.append(stack.enter_context(opened(recipe)))
            return nullcontext(standing[0])

        yield again
