"""Listeners that know by heart what was said; light, so that processes that recognize load them quickly."""

import os
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import ModelError
from pipeline.settings import Settings
from pipeline.timeline import Provenance, Recording, Role, RoleAssignment, Span, Transcript, Turn, Word
from pipeline.vectors import Place, Sentences

MADE_BY = Provenance(pipeline="test", model="fake", model_sha256="0" * 64, settings_digest="0" * 16)


class FakeListener:
    """Says the same for every recording; `fail_after` interrupts when so many were heard, `poison` is the
    call_id of one that breaks the model whenever it is in a batch."""

    def __init__(self, fail_after: int | None = None, poison: str = "") -> None:
        self.fail_after, self.poison, self.heard = fail_after, poison, 0

    @staticmethod
    def provenance_of(settings: Settings) -> Provenance:
        return MADE_BY

    def hear(
        self, recordings: Iterable[Recording], beat: Callable[[], None]
    ) -> Iterator[tuple[Recording, Transcript]]:
        for recording in recordings:
            if recording.call_id == self.poison:
                raise RuntimeError("说了什么")
            if self.heard == self.fail_after:
                raise KeyboardInterrupt
            self.heard += 1
            yield recording, transcript("您好，这里是测试公司，工号幺二三四，请问有什么可以帮您？")


def transcript(text: str) -> Transcript:
    words = tuple(
        Word(span=Span(500 + n * 200, 700 + n * 200), text=c, probability=0.9) for n, c in enumerate(text)
    )
    turn = Turn(
        index=0, speaker=0, role=Role.AGENT, channel=0, span=Span(500, words[-1].span.end), words=words
    )
    return Transcript(turns=(turn,), roles=RoleAssignment(confidence=1.0, reason="测试"), provenance=MADE_BY)


@dataclass(frozen=True, slots=True)
class Fragile:
    """Opens listeners that go wrong over files by the beginning of their names; `seen` gets a line for each
    try. A few recordings lie in a batch, and what one does is done to all of them."""

    seen: Path
    together: int = 3

    def __call__(self, settings: Settings) -> "_Fragile":
        with self.seen.open("a") as file:
            file.write(f"opened {os.getpid()}\n")
        return _Fragile(self)

    def lines(self) -> list[list[str]]:
        return [line.split() for line in self.seen.read_text().splitlines()]

    def tries(self, name: str) -> int:
        return sum(line[0] == name for line in self.lines())

    def processes(self) -> set[str]:
        return {line[1] for line in self.lines()}


@dataclass(frozen=True, slots=True)
class Encoding:
    """Opens what makes the same vector of everything; `seen` gets the number of the process for each call."""

    seen: Path

    def __call__(self, settings: Settings) -> Callable[[Transcript], Sentences]:
        return self._sentences

    def _sentences(self, transcript: Transcript) -> Sentences:
        with self.seen.open("a") as file:
            file.write(f"{os.getpid()}\n")
        return Sentences(encoder="test", places=(Place(0, 0, 1),), numbers=2, data=b"\x01\x7f")


class _Fragile(FakeListener):
    def __init__(self, about: Fragile) -> None:
        super().__init__()
        self.about = about

    def hear(
        self, recordings: Iterable[Recording], beat: Callable[[], None]
    ) -> Iterator[tuple[Recording, Transcript]]:
        batch: list[Recording] = []
        for recording in recordings:
            batch.append(recording)
            if len(batch) == self.about.together:
                yield from self._read(batch, beat)
                batch = []
        yield from self._read(batch, beat)

    def _read(
        self, batch: list[Recording], beat: Callable[[], None]
    ) -> Iterator[tuple[Recording, Transcript]]:
        for recording in batch:
            self._go_wrong(Path(recording.path).stem)
        beat()
        yield from super().hear(batch, beat)

    def _go_wrong(self, name: str) -> None:
        with self.about.seen.open("a") as file:
            file.write(f"{name} {os.getpid()}\n")
        kind = name.partition("_")[0]
        if kind == "crash" or (kind == "once" and self.about.tries(name) == 1):
            os.kill(os.getpid(), signal.SIGSEGV)
        if kind == "hang":
            time.sleep(600)
        if kind == "bug":
            raise RuntimeError("说了什么")


def no_model(settings: Settings) -> FakeListener:
    raise ModelError("没有模型")


def deadly(settings: Settings) -> FakeListener:
    os._exit(3)


def known(settings: Settings) -> FakeListener:
    """Goes to other processes by its name."""
    return FakeListener()


@dataclass(frozen=True, slots=True)
class Second:
    """Only the first process gets its models."""

    taken: Path

    def __call__(self, settings: Settings) -> FakeListener:
        try:
            self.taken.touch(exist_ok=False)
        except FileExistsError:
            raise ModelError("没有内存了") from None
        return FakeListener()


@dataclass(frozen=True, slots=True)
class Slow:
    """Takes its time."""

    seconds: float

    def __call__(self, settings: Settings) -> "_Slow":
        return _Slow(self.seconds)


class _Slow(FakeListener):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds

    def hear(
        self, recordings: Iterable[Recording], beat: Callable[[], None]
    ) -> Iterator[tuple[Recording, Transcript]]:
        for one in super().hear(recordings, beat):
            time.sleep(self.seconds)
            yield one
