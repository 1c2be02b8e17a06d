"""Recordings made ready for recognition, once, so that recognition alone can be measured."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.night.archive import recordings
from benchmarks.night.nights import Bench
from pipeline.speech.asr import Request
from pipeline.speech.prepare import Preparer
from pipeline.units import Ms
from pipeline.workflows.loading import load


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ready:
    """One recording: a request for each channel."""

    duration: Ms
    requests: tuple[Request, ...]


def ready(bench: Bench, corpus: Path) -> Iterator[Ready]:
    """Each recording with the speech that a night finds in it."""
    preparer = Preparer.open(bench.settings)
    for path in recordings(corpus):
        loaded = load(path, None, bench.settings)
        prepared = preparer.prepare(loaded.recording, loaded.samples, loaded.lost)
        requests = (
            Request(key=f"{path.stem}/{n}", audio=prepared.samples.channel(n), speech=speech)
            for n, speech in enumerate(prepared.surroundings.speech)
        )
        yield Ready(duration=loaded.recording.duration, requests=tuple(requests))
