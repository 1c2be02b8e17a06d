"""What a night asks of whatever hears its recordings: this process, other processes, other machines."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from pipeline.errors import CallscoreError
from pipeline.samples import Peaks
from pipeline.settings import Settings
from pipeline.speech.listen import Listener
from pipeline.timeline import Recording, Transcript
from pipeline.workflows.night.job import Job, Prepare


class Recipe(Protocol):
    """How recordings are heard. `prepare` makes what decodes, `listener` loads the models; whoever hears in
    other processes sends both there, so they must be picklable then."""

    @property
    def settings(self) -> Settings: ...
    @property
    def prepare(self) -> Callable[[], Prepare]: ...
    @property
    def listener(self) -> Callable[[], Listener]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What became of a job: all that judging needs, and its waveform. No samples."""

    job: Job
    recording: Recording
    transcript: Transcript
    peaks: Peaks | None


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
