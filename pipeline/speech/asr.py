"""Speech -> words with times: windows of many channels in full batches through one Whisper model.

What is written for a window depends on that window only: its own sound, packed from its own channel,
decoded at temperature 0 with the same bound on length whatever lies beside it in the batch, and nothing
conditioned on earlier text. So a call gives the same words alone or among others, as far as the
arithmetic of the model's library is the same for one row and for many (int8 on a CPU: measured equal).

Numbers stay as Whisper writes them, mostly Arabic digits (工号1021), sometimes Chinese ones.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from pipeline.samples import Mono
from pipeline.settings import Settings
from pipeline.speech.believing import Outcome, judge
from pipeline.speech.decoder import FRAMES_PER_SECOND, Decoder, Features, Manner, Reading, Start
from pipeline.speech.guards import token_bound
from pipeline.speech.packing import Window, pack
from pipeline.speech.weights import ready_model
from pipeline.timeline import Span, Word, merge
from pipeline.units import MS_PER_SECOND, Ms, to_seconds

FULL_TOKENS = 224
"""What the model can write at most."""

LOOK_AHEAD = 32
"""Windows that may wait for their batch to fill, or three batches where that is more."""

PATIENCE = 150
"""How many windows and requests may come after a window before it is read in a batch that is not full."""

_WORTHWHILE_BATCH = 4
"""Smaller batches take more time for each window."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Request:
    """One channel. `speech`: tight spans, in order; what lies outside is not listened to."""

    key: str
    audio: Mono
    speech: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """Words in order of time, each inside one span of the request's speech.

    `unclear` is speech that gave no words to trust.
    """

    key: str
    words: tuple[Word, ...]
    unclear: tuple[Span, ...]


class Reader(Protocol):
    """What is needed of a model: `pipeline.speech.decoder.Decoder`, or a stand-in."""

    @property
    def workers(self) -> int:
        """How many batches may be read at the same time."""

    def frames_for(self, duration: Ms) -> int:
        """How many frames a window of that length is given."""

    def features(self, sound: Mono, frames: int) -> Features: ...

    def read(
        self, batch: Sequence[Features], seconds: Sequence[float], manner: Manner
    ) -> Sequence[Reading]: ...


@dataclass(slots=True, kw_only=True, eq=False)
class _Ticket:
    """A request under way."""

    request: Request
    open_windows: int = 0
    words: list[Word] = field(default_factory=list)
    unclear: list[Span] = field(default_factory=list)

    def heard(self) -> Heard:
        words = tuple(sorted(self.words, key=lambda word: word.span))
        return Heard(key=self.request.key, words=words, unclear=merge(self.unclear))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Job:
    """A window that waits. `again`: it was decoded before and not believed."""

    number: int
    ticket: _Ticket
    window: Window
    features: Features
    again: bool


_Kind = tuple[bool, int]
"""Whether it is decoded again, and frames: what the windows of a batch have in common."""

_Batch = tuple[list[_Job], "Future[Sequence[Reading]]"]


class Recognizer:
    """One model and the batches that run through it."""

    def __init__(self, reader: Reader, settings: Settings, *, model: str = "", sha256: str = "") -> None:
        """`model` and `sha256` say what the words come from."""
        self._reader, self._settings = reader, settings
        self.model, self.model_sha256 = model, sha256

    @classmethod
    def open(cls, settings: Settings) -> "Recognizer":
        """Load the model that the settings name. Raises ModelError."""
        files = ready_model(settings)
        return cls(Decoder(files.folder, settings), settings, model=files.name, sha256=files.sha256)

    def recognize(
        self, requests: Iterable[Request], beat: Callable[[], None] = lambda: None
    ) -> Iterator[Heard]:
        """One answer for each request as soon as it is done, those that wait for nothing first.

        Requests are pulled as they are needed, a few batches ahead; the caller's work between them
        runs while the model reads. `beat` is called after each batch.
        """
        run = _Run(self._reader, self._settings, beat)
        with ThreadPoolExecutor(max_workers=self._reader.workers, thread_name_prefix="asr") as pool:
            for request in requests:
                run.add(request)
                run.start(pool)
                yield from run.finished()
                while run.overfull:
                    run.step(pool)
                    yield from run.finished()
            while run.busy:
                run.step(pool)
                yield from run.finished()
            yield from run.finished()


class _Run:
    """The state of one `recognize`: open tickets, windows by batch kind, batches in flight. Requests and
    windows are numbered as they come; what was numbered long ago is overdue."""

    def __init__(self, reader: Reader, settings: Settings, beat: Callable[[], None]) -> None:
        self._reader, self._settings, self._beat = reader, settings, beat
        self._tickets: list[_Ticket] = []
        self._waiting: dict[_Kind, list[_Job]] = {}
        self._flying: deque[_Batch] = deque()
        self._newest = 0

    @property
    def _waits(self) -> int:
        return sum(map(len, self._waiting.values()))

    @property
    def overfull(self) -> bool:
        """Enough windows or channels wait, or one of them too long; no more requests for now."""
        windows = self._waits + self._in_flight
        return self.busy and (windows >= self._look_ahead or self._overdue is not None)

    @property
    def _look_ahead(self) -> int:
        return max(LOOK_AHEAD, 3 * self._settings.batch_size)

    @property
    def _overdue(self) -> _Kind | None:
        """The windows of which the first has waited too long."""
        oldest = min(self._waiting, key=lambda kind: self._waiting[kind][0].number, default=None)
        if oldest and self._waiting[oldest][0].number < self._newest - PATIENCE:
            return oldest
        return None

    def _number(self) -> int:
        self._newest += 1
        return self._newest

    @property
    def busy(self) -> bool:
        return bool(self._flying) or self._waits > 0

    @property
    def _in_flight(self) -> int:
        return sum(len(jobs) for jobs, _ in self._flying)

    def add(self, request: Request) -> None:
        ticket = _Ticket(request=request)
        self._number()
        self._tickets.append(ticket)
        windows = pack(request.audio, request.speech, self._settings.vad_pad_ms)
        self._queue(ticket, windows, again=False)

    def start(self, pool: ThreadPoolExecutor) -> None:
        """Take in what is read and give idle workers what is worth a batch, without waiting for anything."""
        while self._flying and self._flying[0][1].done():
            self._take_oldest()
        while len(self._flying) < self._reader.workers and self._most_alike >= _WORTHWHILE_BATCH:
            self._send(pool)

    @property
    def _most_alike(self) -> int:
        return max(map(len, self._waiting.values()), default=0)

    def step(self, pool: ThreadPoolExecutor) -> None:
        """Send batches off while the model has room, then take in the oldest one."""
        while self._waits and len(self._flying) <= self._reader.workers:
            self._send(pool)
        self._take_oldest()

    def _take_oldest(self) -> None:
        jobs, future = self._flying.popleft()
        for job, reading in zip(jobs, future.result(), strict=True):
            self._take(job, reading)
        self._beat()

    def finished(self) -> Iterator[Heard]:
        done = [ticket for ticket in self._tickets if ticket.open_windows == 0]
        self._tickets = [ticket for ticket in self._tickets if ticket.open_windows]
        for ticket in done:
            yield ticket.heard()

    def _queue(self, ticket: _Ticket, windows: Sequence[Window], *, again: bool) -> None:
        for window in windows:
            frames = self._reader.frames_for(window.duration)
            job = _Job(
                number=self._number(),
                ticket=ticket,
                window=window,
                features=self._reader.features(window.render(ticket.request.audio), frames),
                again=again,
            )
            self._waiting.setdefault((again, frames), []).append(job)
        ticket.open_windows += len(windows)

    def _send(self, pool: ThreadPoolExecutor) -> None:
        kind = self._next_kind()
        jobs, rest = self._cut_off(self._waiting.pop(kind))
        if rest:
            self._waiting[kind] = rest
        again, frames = kind
        features = [job.features for job in jobs]
        seconds = [to_seconds(job.window.duration) for job in jobs]
        manner = _manner(self._settings, frames, again=again)
        self._flying.append((jobs, pool.submit(self._reader.read, features, seconds, manner)))

    def _next_kind(self) -> _Kind:
        """What has waited too long, else the oldest of what is worth a batch, else the fullest."""
        if overdue := self._overdue:
            return overdue
        age = {kind: jobs[0].number for kind, jobs in self._waiting.items()}
        enough = min(self._settings.batch_size, _WORTHWHILE_BATCH, self._most_alike)
        return min((k for k, jobs in self._waiting.items() if len(jobs) >= enough), key=age.__getitem__)

    def _cut_off(self, jobs: list[_Job]) -> tuple[list[_Job], list[_Job]]:
        """One batch and the rest. The last few windows are shared among the workers."""
        share = -(-len(jobs) // self._reader.workers)
        nothing_else = not self._flying and not self._waiting
        size = min(self._settings.batch_size, share if nothing_else else max(share, _WORTHWHILE_BATCH))
        return jobs[:size], jobs[size:]

    def _take(self, job: _Job, reading: Reading) -> None:
        outcome: Outcome = judge(job.window, reading, self._settings, last=job.again)
        job.ticket.words.extend(outcome.words)
        job.ticket.unclear.extend(outcome.unclear)
        self._queue(job.ticket, outcome.again, again=True)
        job.ticket.open_windows -= 1


def _manner(settings: Settings, frames: int, *, again: bool) -> Manner:
    """The second time without the prompt, and with repetitions forbidden: they are what went wrong.

    The bound on tokens depends on the size of the window alone, so on nothing else in the batch.
    """
    bound = min(FULL_TOKENS, token_bound(frames * MS_PER_SECOND // FRAMES_PER_SECOND, settings))
    if not again:
        return Manner(beam_size=settings.beam_size, max_tokens=bound)
    return Manner(
        beam_size=settings.beam_size,
        max_tokens=bound,
        starts=(Start.PLAIN,),
        repetition_penalty=1.1,
        no_repeat_ngram=5,
    )
