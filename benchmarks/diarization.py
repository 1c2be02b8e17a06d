"""Who speaks when on one channel: role error and cost of several ways, as a table in docs/diarization.md.

    python benchmarks/diarization.py --corpus FOLDER [--real FOLDER] [--segmentation FILE]

`--corpus`: labelled calls (audio/, truth/<id>.json); stereo calls are mixed to mono. `--real`: a folder with
calls/*.rttm beside their audio, and mandarin/*.flac, one sentence a speaker, of which short conversations are
made: turns of 1 to 3 s, line noise, G.711. `--segmentation`: what export_segmentation.py made.
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise, permutations
from pathlib import Path
from statistics import mean

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.signal import butter, resample_poly, sosfilt

from pipeline.media.decode import decode
from pipeline.samples import RATE, Mono
from pipeline.settings import Settings
from pipeline.speech.clustering import FindVoices, voice_centroids
from pipeline.speech.diarize import FRAME_MS, Manner, Voice, diarize
from pipeline.speech.embedding import Embedder, Embeddings, Features, unit
from pipeline.speech.vad import speech_spans
from pipeline.timeline import Span

PAGE = Path(__file__).parents[1] / "docs" / "diarization.md"
NOBODY, BOTH = -1, -2
Told = tuple[Span, int]
"""A stretch of truth: when, and which speaker."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Conversation:
    name: str
    group: str
    audio: Mono
    truth: tuple[Told, ...]
    speech: tuple[Span, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One row of the table."""

    name: str
    manner: Manner = field(default_factory=Manner)
    find_voices: FindVoices = voice_centroids
    segmented: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Fractions of single-speaker time; CPU seconds of the whole and of nothing but the model."""

    wrong: float
    speakers: int
    cpu_seconds: float


class Remembering:
    """Embeds the same windows only once, and remembers what it cost."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._known: dict[int, tuple[Embeddings, float]] = {}
        self.owed = 0.0

    def embed(self, windows: Sequence[Features]) -> Embeddings:
        key = hash(b"".join(window.tobytes() for window in windows))
        if key in self._known:
            self.owed += self._known[key][1]
        else:
            start = time.process_time()
            self._known[key] = (self._embedder.embed(windows), time.process_time() - start)
        return self._known[key][0]


def corpus_calls(folder: Path) -> Iterator[Conversation]:
    for path in sorted((folder / "truth").glob("*.json")):
        truth = json.loads(path.read_text(encoding="utf-8"))
        samples = decode(folder / truth["file"]).samples
        told = tuple(
            (Span(round(part["start"] * 1000), round(part["end"] * 1000)), int(turn["role"] == "customer"))
            for turn in truth["turns"]
            for part in turn["segments"]
        )
        group = "mono calls" if samples.channels == 1 else "stereo calls, mixed"
        yield conversation(path.stem, group, samples.mixed(), told)


def real_calls(folder: Path) -> Iterator[Conversation]:
    for path in sorted((folder / "calls").glob("*.rttm")):
        stem = path.name.split(".")[0]
        audio = next(p for p in path.parent.glob(f"{stem}*") if p.suffix in {".flac", ".wav"})
        rows = [line.split() for line in path.read_text().splitlines() if line.startswith("SPEAKER")]
        names = sorted({row[7] for row in rows})
        told = tuple(
            (Span(round(float(r[3]) * 1000), round((float(r[3]) + float(r[4])) * 1000)), names.index(r[7]))
            for r in rows
        )
        yield conversation(stem, "real calls", decode(audio).samples.mixed(), told)


def real_mixes(folder: Path, longest: int = 24) -> Iterator[Conversation]:
    """Pairs of the speakers with the longest sentences, in a seeded order."""
    files = sorted((folder / "mandarin").glob("SSB*.flac"))
    voices = sorted((decode(path).samples.mixed() for path in files), key=len, reverse=True)[:longest]
    random = np.random.default_rng(5)
    order = random.permutation(len(voices))
    for number, (one, other) in enumerate(zip(order[::2], order[1::2], strict=False)):
        audio, told = mixed(voices[one], voices[other], random)
        yield conversation(f"mix{number:02d}", "real voices", audio, told)


def mixed(one: Mono, other: Mono, random: np.random.Generator) -> tuple[Mono, tuple[Told, ...]]:
    """Two sentences, cut at quiet places and told in turns with 0.15 to 0.8 s between, over a telephone."""
    queues = [pieces(voice * (0.05 / np.sqrt(np.square(voice).mean())), random) for voice in (one, other)]
    queues[1] = [piece * 10 ** (random.uniform(-8, 2) / 20) for piece in queues[1]]
    sound, told, speaker = [np.zeros(RATE)], [], 0
    while any(queues):
        if queues[speaker]:
            start, piece = sum(map(len, sound)), queues[speaker].pop(0)
            told.append((Span(start * 1000 // RATE, (start + len(piece)) * 1000 // RATE), speaker))
            sound += [piece, np.zeros(int(random.uniform(0.15, 0.8) * RATE))]
        speaker = 1 - speaker
    return telephone(np.concatenate(sound), random), tuple(told)


def pieces(voice: Mono, random: np.random.Generator) -> list[NDArray[np.float64]]:
    level = np.convolve(np.square(voice), np.ones(640) / 640, "same")
    cuts = [0]
    while len(voice) - cuts[-1] > 3 * RATE:
        first = cuts[-1] + int(random.uniform(0.8, 2.0) * RATE)
        cuts.append(first + int(level[first : first + 9600].argmin()))
    return [trimmed(voice[a:b]) for a, b in pairwise([*cuts, len(voice)])]


def trimmed(voice: Mono) -> NDArray[np.float64]:
    blocks = voice[: len(voice) // 160 * 160].reshape(-1, 160).astype(np.float64)
    levels = np.square(blocks).mean(axis=1)
    loud = np.flatnonzero(levels > levels.max() * 10**-3.8)
    return np.asarray(blocks[loud[0] : loud[-1] + 1].reshape(-1))


def telephone(sound: NDArray[np.float64], random: np.random.Generator) -> Mono:
    """300-3400 Hz at 8 kHz, white noise 18 to 28 dB below speech, mu-law."""
    narrow = sosfilt(butter(4, (300, 3400), "bandpass", fs=8000, output="sos"), resample_poly(sound, 1, 2))
    narrow = narrow + random.normal(size=len(narrow)) * 0.05 * 10 ** (-random.uniform(18, 28) / 20)
    code = np.sign(narrow) * np.log1p(255 * np.minimum(np.abs(narrow), 1)) / np.log(256)
    code = np.round(code * 127) / 127
    decoded = np.sign(code) * (256 ** np.abs(code) - 1) / 255
    return np.asarray(resample_poly(decoded, 2, 1), dtype=np.float32)


def conversation(name: str, group: str, audio: Mono, truth: tuple[Told, ...]) -> Conversation:
    speech = speech_spans(audio, Settings())
    return Conversation(name=name, group=group, audio=audio, truth=truth, speech=speech)


def two_by_agglomeration(embeddings: Embeddings, seconds: NDArray[np.float64], most: int) -> Embeddings:
    if len(embeddings) < 2:
        return embeddings
    return means(embeddings, seconds, fcluster(linkage(embeddings, "average", "cosine"), 2, "maxclust") - 1)


def two_by_spectrum(embeddings: Embeddings, seconds: NDArray[np.float64], most: int) -> Embeddings:
    """Normalised cut of the graph of the nearest fifth, on the second eigenvector's sign."""
    near = np.clip(embeddings @ embeddings.T, 0, None).astype(np.float64)
    keep = max(4, len(near) // 5)
    near = np.where(near >= np.sort(near, axis=1)[:, -min(keep, len(near))][:, None], near, near * 0.01)
    near = (near + near.T) / 2
    degree = np.sqrt(near.sum(axis=1))
    _, vectors = np.linalg.eigh(np.eye(len(near)) - near / degree[:, None] / degree)
    return means(embeddings, seconds, (vectors[:, min(1, len(near) - 1)] > 0).astype(int))


def means(embeddings: Embeddings, seconds: NDArray[np.float64], labels: NDArray[np.int64]) -> Embeddings:
    rows = [
        np.average(embeddings[labels == n], axis=0, weights=seconds[labels == n]) for n in np.unique(labels)
    ]
    return unit(np.array(rows, dtype=np.float32))


class Segmenter:
    """Cuts spans of speech where segmentation-3.0 hears another speaker begin, in chunks of 10 s."""

    CHUNK = 10 * RATE

    def __init__(self, path: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        self._session = onnxruntime.InferenceSession(str(path), options)

    def cut(self, audio: Mono, speech: Sequence[Span]) -> tuple[Span, ...]:
        padded = np.pad(audio, (0, -len(audio) % self.CHUNK)).reshape(-1, 1, self.CHUNK)
        classes = np.concatenate([self._session.run(None, {"audio": chunk[None]})[0] for chunk in padded])
        best = classes.argmax(axis=-1)
        step = 10_000 / best.shape[1]
        rows, columns = np.nonzero(np.diff(best, axis=1))
        changes = [int(row * 10_000 + (column + 1) * step) for row, column in zip(rows, columns, strict=True)]
        return tuple(piece for span in speech for piece in _split(span, changes))


def _split(span: Span, changes: Sequence[int], apart: int = 2 * FRAME_MS) -> Iterator[Span]:
    """Pieces with a small gap between, which keeps them apart in `diarize`."""
    inside = [change for change in changes if span.start + 200 < change < span.end - 200]
    edges = [span.start, *inside, span.end]
    return (Span(a + (apart if a != span.start else 0), b) for a, b in pairwise(edges) if b - a > apart)


def judged(one: Conversation, voices: Sequence[Voice]) -> float:
    """Part of the time of one known speaker that went to the wrong one, under the best naming."""
    frames = len(one.audio) * 1000 // RATE // FRAME_MS + 1
    truth, found = np.full(frames, NOBODY), np.full(frames, NOBODY)
    for span, speaker in one.truth:
        part = truth[span.start // FRAME_MS : span.end // FRAME_MS]
        part[:] = np.where((part == NOBODY) | (part == speaker), speaker, BOTH)
    for voice in voices:
        found[voice.span.start // FRAME_MS : voice.span.end // FRAME_MS] = voice.speaker
    known, heard = truth >= 0, found >= 0
    most = max(2, *(v.speaker + 1 for v in voices)) if voices else 2
    right = max(
        sum(int(((truth == n) & (found == name)).sum()) for n, name in enumerate(names))
        for names in permutations(range(most), 2)
    )
    return (int((known & heard).sum()) - right) / int(known.sum())


def run(way: Way, one: Conversation, model: Remembering, segmenter: Segmenter | None) -> Outcome:
    model.owed, start = 0.0, time.process_time()
    speech = segmenter.cut(one.audio, one.speech) if way.segmented and segmenter else one.speech
    voices = diarize(one.audio, speech, model, way.manner, way.find_voices)
    cost = time.process_time() - start + model.owed
    return Outcome(wrong=judged(one, voices), speakers=len({v.speaker for v in voices}), cpu_seconds=cost)


def ways(with_segmentation: bool) -> list[Way]:
    fixed = [(1500, 750), (1000, 500), (1000, 750), (1000, 1000), (800, 400)]
    found = [Way(name=f"windows {w} ms, hop {h} ms", manner=Manner(window_ms=w, hop_ms=h)) for w, h in fixed]
    if with_segmentation:
        manner = Manner(hop_ms=1000)
        found.append(Way(name="segmentation-3.0, then windows 1000 ms", manner=manner, segmented=True))
    found.append(Way(name="default, average-linkage clustering in two", find_voices=two_by_agglomeration))
    found.append(Way(name="default, spectral clustering in two", find_voices=two_by_spectrum))
    found.append(Way(name="default, changes not drawn to pauses", manner=Manner(pause_discount=0.0)))
    found.append(Way(name="default, no cost of changing", manner=Manner(switch=0.0)))
    return found


GROUPS = ("mono calls", "stereo calls, mixed", "real voices", "real calls")


def row(way: Way, calls: Sequence[Conversation], outcomes: Sequence[Outcome]) -> str:
    cells = []
    for group in GROUPS:
        wrong = [o.wrong * 100 for c, o in zip(calls, outcomes, strict=True) if c.group == group]
        cells.append(f"{mean(wrong):.2f} ({max(wrong):.1f})" if wrong else "-")
    minutes = sum(len(c.audio) for c in calls) / RATE / 60
    counted = sum(o.speakers == 2 for o in outcomes)
    cost = sum(o.cpu_seconds for o in outcomes) / minutes
    chosen = "**" if way.manner == Manner() and way.name.startswith("windows") else ""
    return f"| {chosen}{way.name}{chosen} | {' | '.join(cells)} | {counted}/{len(calls)} | {cost:.2f} |"


def page(rows: Sequence[str], calls: Sequence[Conversation], command: str) -> str:
    counts = ", ".join(f"{sum(c.group == g for c in calls)} {g}" for g in GROUPS)
    head = ["way", *(f"{g}, %" for g in GROUPS), "two speakers found", "CPU s per minute"]
    return TEXT.format(
        date=datetime.now(UTC).date().isoformat(),
        command=command,
        counts=counts,
        table="\n".join([f"| {' | '.join(head)} |", "|---" * len(head) + "|", *rows]),
    )


TEXT = """# Diarization: what was compared

Generated {date} by `{command}`; do not edit.

Role error: part of the time in which exactly one known speaker speaks that went to the other speaker, under
the best naming; mean over calls, worst call in brackets. Calls: {counts}.
Everything is one channel of telephone speech; the spans of speech come from `pipeline.speech.vad`. Cost:
seconds of one core per minute of audio, voice activity not counted. The bold row is the default.

{table}

All rows but the two that name another clustering use `pipeline.speech.clustering`: two spherical means
started from the direction of most variance, two voices only where they lie clearly apart, a third only on
clear evidence.
"""


def main(print_line: Callable[[str], None] = print) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--real", type=Path)
    parser.add_argument("--segmentation", type=Path)
    parser.add_argument("--output", type=Path, default=PAGE)
    options = parser.parse_args()
    calls = list(corpus_calls(options.corpus))
    if options.real:
        calls += [*real_mixes(options.real), *real_calls(options.real)]
    segmenter = Segmenter(options.segmentation) if options.segmentation else None
    model, rows = Remembering(Embedder.open(threads=1)), []
    for way in ways(segmenter is not None):
        outcomes = [run(way, call, model, segmenter) for call in calls]
        rows.append(row(way, calls, outcomes))
        print_line(rows[-1])
    command = "python benchmarks/diarization.py --corpus FOLDER"
    command += " --real FOLDER" * bool(options.real) + " --segmentation FILE" * bool(segmenter)
    options.output.write_text(page(rows, calls, command), encoding="utf-8")


if __name__ == "__main__":
    main()
