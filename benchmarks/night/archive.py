"""Archives made of the recordings of a corpus: more of them, shorter ones, or with a wait put in."""

import csv
import wave
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.media.archive import find_recordings
from pipeline.media.decode import decode
from pipeline.samples import RATE, Mono, Samples
from pipeline.settings import Settings
from pipeline.speech.vad import speech_spans
from pipeline.timeline import Span, merge
from pipeline.units import MS_PER_SECOND

Sound = NDArray[np.float32]
"""float32, shape (channels, samples), 16 kHz."""

NOTES = (261.6, 329.6, 392.0, 523.3)
NOTE_SECONDS = 0.5
MUSIC_DBFS, HISS_DBFS = -20.0, -65.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Source:
    """A recording of the corpus, decoded, and what its metadata say."""

    name: str
    samples: Samples
    row: dict[str, str]


def recordings(corpus: Path) -> list[Path]:
    """Those that the metadata name, or all where there are none."""
    return list(_files(corpus))


def sources(corpus: Path) -> list[Source]:
    """The recordings, decoded. Raises UnreadableRecording."""
    files = _files(corpus).items()
    return [Source(name=path.stem, samples=decode(path).samples, row=row) for path, row in files]


def _files(corpus: Path) -> dict[Path, dict[str, str]]:
    rows = _rows(corpus / "metadata.csv")
    if rows:
        return {corpus / row["file"]: row for row in rows}
    return {found.path: {} for found in find_recordings(corpus, report=lambda error: None)}


def copies(corpus: Path, folder: Path, count: int, seconds: float | None = None) -> Path:
    """`count` recordings, those of the corpus in turn: the same sound in other bytes, since each is longer
    by some silent samples than the one before. `seconds`: only so much of each."""
    made = [(one, _part(one.samples, seconds)) for one in sources(corpus)]
    rows = []
    for number, (source, sound) in enumerate(islice(cycle(made), count)):
        longer = np.pad(sound, ((0, 0), (0, number)))
        rows.append(_written(folder, f"{source.name}_{number:05}", longer, source))
    _write_rows(folder, rows)
    return folder


def joined(corpus: Path, folder: Path, lengths: Sequence[float]) -> Path:
    """Recordings of these seconds, each made of several of the corpus with as many channels, in turn."""
    made = sources(corpus)
    rows = []
    for number, seconds in enumerate(lengths):
        first = number % len(made)
        turned = [*made[first:], *made[:first]]
        alike = [one.samples.data for one in turned if one.samples.channels == made[first].samples.channels]
        times = 1 + int(seconds * RATE) // sum(data.shape[1] for data in alike)
        sound = np.concatenate(alike * times, axis=1)[:, : int(seconds * RATE)]
        rows.append(_written(folder, f"{made[first].name}_{number:05}", sound, made[first]))
    _write_rows(folder, rows)
    return folder


def _part(samples: Samples, seconds: float | None) -> Sound:
    """From the middle, where people talk."""
    if seconds is None:
        return samples.data
    length = int(seconds * RATE)
    start = max(0, samples.data.shape[1] // 2 - length // 2)
    return samples.data[:, start : start + length]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """A folder and by name the span of the wait in each recording."""

    folder: Path
    spans: dict[str, Span]


def with_waits(corpus: Path, folder: Path, kind: Callable[[int], Mono], share: float = 0.5) -> Waits:
    """The corpus with a wait in each call, `share` of the call long, in the longest pause of its middle half.
    `kind` makes a sound of so many samples."""
    spans, rows = {}, []
    for source in sources(corpus):
        data = source.samples.data
        at, length = longest_pause(source.samples), int(data.shape[1] * share)
        wait = np.tile(kind(length), (len(data), 1))
        sound = np.concatenate([data[:, :at], wait, data[:, at:]], axis=1)
        rows.append(_written(folder, source.name, sound, source))
        spans[source.name] = Span(_ms(at), _ms(at + length))
    _write_rows(folder, rows)
    return Waits(folder=folder, spans=spans)


def hiss(length: int, dbfs: float = HISS_DBFS) -> Mono:
    """A line that is open and silent."""
    noise = np.random.default_rng(1).standard_normal(length)
    return (noise * 10 ** (dbfs / 20)).astype(np.float32)


def music(length: int, dbfs: float = MUSIC_DBFS) -> Mono:
    """A broken chord up and down, each note held with its octave and fifth."""
    count = int(NOTE_SECONDS * RATE)
    time = np.arange(count) / RATE
    fade = np.minimum(1, (count - np.arange(count)) / (0.1 * count)) * np.minimum(1, np.arange(count) / 200)
    tune = [fade * sum(np.sin(2 * np.pi * part * hz * time) / part for part in (1, 2, 3)) for hz in NOTES]
    phrase = np.concatenate([*tune, *tune[-2:0:-1]])
    sound = np.resize(phrase, length)
    return (sound / np.sqrt(np.mean(sound**2)) * 10 ** (dbfs / 20)).astype(np.float32)


def longest_pause(samples: Samples) -> int:
    """Sample in the middle of the longest pause of all channels, in the middle half."""
    quarter = samples.duration // 4
    middle = Span(quarter, samples.duration - quarter)
    settings = Settings()
    heard = merge(s for n in range(samples.channels) for s in speech_spans(samples.channel(n), settings))
    pauses = list(_between([span & middle for span in heard], middle))
    longest = max(pauses, key=lambda span: span.duration)
    return (longest.start + longest.end) // 2 * RATE // MS_PER_SECOND


def _between(heard: list[Span], whole: Span) -> Iterator[Span]:
    at = whole.start
    for span in heard:
        if span.duration:
            yield Span(at, max(at, span.start))
            at = max(at, span.end)
    yield Span(at, whole.end)


def _ms(samples: int) -> int:
    return samples * MS_PER_SECOND // RATE


def _written(folder: Path, name: str, sound: Sound, source: Source) -> dict[str, str]:
    """Write a WAV; its row of metadata."""
    path = folder / "audio" / f"{name}.wav"
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(len(sound))
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").T.tobytes())
    return {**source.row, "call_id": name, "file": f"audio/{name}.wav"}


def _write_rows(folder: Path, rows: list[dict[str, str]]) -> None:
    with (folder / "metadata.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _rows(path: Path) -> list[dict[str, str]]:
    if not path.is_file():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))
