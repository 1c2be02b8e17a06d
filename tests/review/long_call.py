"""Half an hour of two channels and more than 4,000 words: the demo calls of two channels, again and again."""

import wave
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import demo
import numpy as np
from numpy.typing import NDArray

from pipeline.media.decode import decode, fingerprint
from pipeline.media.peaks import peaks_of_file
from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.timeline import Call, Hold, Overlap, Span, Turn
from pipeline.units import Ms
from pipeline.workflows.rescore import Scorer

NAMES = ("d05", "d07", "d11", "d14")
ROUND: Ms = 450_000
"""Each round holds every call once, then silence up to the next."""
ROUNDS = 4
RATE = 8_000


def add_long_call(store: Store, settings: Settings, folder: Path) -> str:
    """The id of the call: heard, scored, its waveform kept, its recording in the folder."""
    path = folder / "long.wav"
    _write(path, [decode(Path(call.recording.path)).samples.data for call in _parts()])
    call = _joined(path)
    scorer = Scorer.in_force(store, settings, at=demo.NIGHT)
    store.save_night_result(scorer.scored(call), at=demo.NIGHT, reason="night")
    store.keep_peaks(call.recording.id, peaks_of_file(path))
    return call.recording.id


def _parts() -> tuple[Call, ...]:
    return tuple(call for call in demo.heard() if call.recording.name in NAMES)


def _write(path: Path, sounds: Sequence[NDArray[np.float32]]) -> None:
    """A WAV of telephone quality, 57 MB."""
    one = np.zeros((2, ROUND * RATE // 1000), np.int16)
    at = 0
    for sound in sounds:
        short = (sound[:, ::2] * 32_767).astype(np.int16)
        one[:, at : at + short.shape[1]] = short
        at += short.shape[1]
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(RATE)
        for _ in range(ROUNDS):
            file.writeframes(one.T.tobytes())


def _joined(path: Path) -> Call:
    parts, sha256 = _parts(), fingerprint(path)
    first = parts[0]
    recording = replace(
        first.recording,
        id=sha256[:16],
        sha256=sha256,
        path=str(path),
        duration=ROUND * ROUNDS,
        sample_rate=RATE,
        codec="pcm_s16le",
        call_id="long",
    )
    placed = list(_placed(parts))
    turns = [replace(turn, index=n) for n, turn in enumerate(t for call in placed for t in call)]
    transcript = replace(
        first.transcript,
        turns=tuple(turns),
        silences=tuple(_silences(parts)),
        holds=(Hold(span=Span(ROUND - 60_000, ROUND - 20_000), music=True),),
        overlaps=tuple[Overlap, ...](),
    )
    return Call(recording=recording, transcript=transcript)


def _starts(parts: Sequence[Call]) -> Iterator[tuple[Call, Ms]]:
    for number in range(ROUNDS):
        at = number * ROUND
        for call in parts:
            yield call, at
            at += call.recording.duration


def _placed(parts: Sequence[Call]) -> Iterator[list[Turn]]:
    for call, at in _starts(parts):
        yield [_shifted(turn, at) for turn in call.transcript.turns]


def _shifted(turn: Turn, by: Ms) -> Turn:
    words = tuple(replace(word, span=word.span.shift(by)) for word in turn.words)
    return replace(turn, span=turn.span.shift(by), words=words)


def _silences(parts: Sequence[Call]) -> Iterator[Span]:
    for call, at in _starts(parts):
        yield from (span.shift(at) for span in call.transcript.silences)
    spoken = sum(call.recording.duration for call in parts)
    for number in range(1, ROUNDS):
        yield Span(number * ROUND + spoken, (number + 1) * ROUND)
