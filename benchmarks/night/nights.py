"""Nights to measure: in this process with the models loaded before the clock starts, or as the program."""

import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks.night.processes import Command
from pipeline.samples import Mono
from pipeline.settings import Settings, load_settings
from pipeline.speech.asr import Reader, Recognizer
from pipeline.speech.decoder import Decoder, Features, Manner, Reading
from pipeline.speech.listen import Listener
from pipeline.speech.prepare import Preparer
from pipeline.speech.weights import ready_model
from pipeline.storage.night_records import Quarantined
from pipeline.storage.records import ScoredCall
from pipeline.storage.store import Store
from pipeline.timeline import Transcript
from pipeline.units import Ms
from pipeline.workflows.meaning import Understanding
from pipeline.workflows.night.here import here
from pipeline.workflows.night.preparing import Preparing
from pipeline.workflows.night.values import NightPlan, NightTools
from pipeline.workflows.nightly import run_night
from pipeline.workflows.rules import load_rules

CALLSCORE = Path(sys.executable).with_name("callscore")


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What went through the model together: windows of `frames` hundredths of a second each."""

    rows: int
    frames: int


class Counting:
    """A model whose batches are counted."""

    def __init__(self, reader: Reader) -> None:
        self._reader, self.workers = reader, reader.workers
        self.batches: list[Batch] = []

    def frames_for(self, duration: Ms) -> int:
        return self._reader.frames_for(duration)

    def features(self, sound: Mono, frames: int) -> Features:
        return self._reader.features(sound, frames)

    def read(self, batch: Sequence[Features], seconds: Sequence[float], manner: Manner) -> Sequence[Reading]:
        self.batches.append(Batch(rows=len(batch), frames=batch[0].shape[1]))
        return self._reader.read(batch, seconds, manner)


class Watching:
    """Watches a night without a word and keeps what was heard, by the name of the file."""

    def __init__(self) -> None:
        self.heard: dict[str, Transcript] = {}

    def started(self, night: int) -> None:
        """Not shown."""

    def counted(self, recordings: int) -> None:
        """Not shown."""

    def passed(self, recordings: int) -> None:
        """Not shown."""

    def noticed(self, fault: str) -> None:
        """Not shown."""

    def quarantined(self, fault: Quarantined) -> None:
        """Not shown."""

    def scored(self, call: ScoredCall) -> None:
        self.heard[Path(call.recording.path).stem] = call.transcript


@dataclass
class Bench:
    """What the parts share: the corpus, a place for what they make, the models, loaded once."""

    corpus: Path
    place: Path
    settings: Settings
    quick: bool = False

    def __post_init__(self) -> None:
        self._numbers = count(1)

    def new(self, suffix: str) -> Path:
        """A path that is not there."""
        return self.place / f"{next(self._numbers):03}{suffix}"

    @cached_property
    def reader(self) -> Counting:
        return Counting(Decoder(ready_model(self.settings).folder, self.settings))

    @cached_property
    def recognizer(self) -> Recognizer:
        return Recognizer(self.reader, self.settings)

    @cached_property
    def listener(self) -> Listener:
        return Listener(self.recognizer, Preparer.open(self.settings), self.settings)

    @cached_property
    def understanding(self) -> Understanding:
        return Understanding(self.settings)

    @cached_property
    def ruleset(self) -> Any:
        return self.understanding.taught(load_rules(self.settings))

    def load(self) -> None:
        """Load everything before the clock starts."""
        _ = self.listener, self.ruleset, self.understanding.encoder

    def night(self, folder: Path) -> dict[str, Transcript]:
        """A night in this process into a fresh database; what was heard."""
        return night(folder, self, self.listener)

    def program(self, folder: Path, database: Path, **settings: object) -> Command:
        """`callscore nightly` in a process of its own."""
        given = {
            "model": self.settings.model,
            "device": self.settings.device,
            "compute_type": self.settings.compute_type,
            "threads": self.settings.threads,
            "batch_size": self.settings.batch_size,
            "log": log_of(database),
            **settings,
        }
        line = [str(CALLSCORE), "nightly", str(folder), "--database", f"sqlite:///{database}"]
        return Command(line=line, environ={f"CALLSCORE_{k.upper()}": str(v) for k, v in given.items()})


def night(folder: Path, bench: Bench, listener: Listener) -> dict[str, Transcript]:
    """A night with this listener."""
    watching = Watching()
    with Store.open(f"sqlite:///{bench.new('.db')}") as store:
        tools = NightTools(
            store=store,
            prepare=Preparing(bench.settings),
            listener=lambda _: listener,
            hearing=here,
            provenance=listener.provenance,
            ruleset=lambda: bench.ruleset,
            settings=bench.settings,
            clock=lambda: datetime.now(UTC),
            understand=bench.understanding.with_sentences,
        )
        run_night(NightPlan(folder=folder), tools, watching)
    return watching.heard


def log_of(database: Path) -> Path:
    """Where the program tells what it does, a line each."""
    return database.with_suffix(".jsonl")


def events(database: Path, kind: str) -> list[dict[str, Any]]:
    """What the program told so far of one kind; a line that is being written is left out."""
    path = log_of(database)
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
    told = (json.loads(line) for line in lines if line.endswith("\n"))
    return [line for line in told if line["event"] == kind]


def speech_text(transcript: Transcript) -> str:
    """Words of all speakers in the order of time."""
    words = sorted((word for turn in transcript.turns for word in turn.words), key=lambda word: word.span)
    return "".join(word.text for word in words)


@contextmanager
def opened(corpus: Path, *, quick: bool, **settings: object) -> Iterator[Bench]:
    """A place to measure in, gone afterwards."""
    with tempfile.TemporaryDirectory() as place:
        yield Bench(corpus=corpus.resolve(), place=Path(place), settings=load_settings(settings), quick=quick)
