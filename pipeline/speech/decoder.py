"""The Whisper model itself: features in, tokens with times and probabilities out; one batch at a time."""

import ctypes
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.errors import ModelError
from pipeline.samples import RATE, Mono
from pipeline.settings import Settings
from pipeline.speech.guards import Decoded
from pipeline.speech.words import Sound, simplified, spell, with_marks
from pipeline.units import MS_PER_SECOND, Ms

LANGUAGE = "zh"
FRAMES_PER_SECOND = 100
FULL_FRAMES = 3000

Features = NDArray[np.float32]
"""Log-mel spectrum of one window; float32, shape (mels, frames), 100 frames a second."""

_TOKENS_PER_SECOND = 50
_SPARE_FRAMES = 20
_FRAMES_STEP = 250
_FEWEST_FRAMES = 1000
_MOST_WORKERS = 4

SURE_LOGPROB = -0.35
"""A window with this mean log-probability is not worth a second decoding: it costs half of the whole."""

_M_ARENA_MAX, _M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD = -8, -3, -1
_MEMORY = {_M_ARENA_MAX: 1, _M_MMAP_THRESHOLD: 64 << 20, _M_TRIM_THRESHOLD: 256 << 20}


class Start(StrEnum):
    """What the decoder begins from: the prompt brings punctuation and costs some words."""

    PLAIN = "plain"
    PROMPTED = "prompted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How to decode a batch. All of it is the same for every window of the batch.

    With several `starts` a window that the first one leaves unsure is decoded from each of the others,
    over the same encoding, and the likeliest is kept.
    """

    beam_size: int
    max_tokens: int
    starts: tuple[Start, ...] = (Start.PLAIN, Start.PROMPTED)
    repetition_penalty: float = 1.0
    no_repeat_ngram: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was decoded for a window, and its characters in time (seconds of the window)."""

    decoded: Decoded
    sounds: tuple[Sound, ...]


def likeliest_first(texts: Iterable[Decoded]) -> list[Decoded]:
    """By mean log-probability; of equals the one decoded first stays first."""
    return sorted(texts, key=lambda text: -text.logprob)


def _rows(encoded: Any, rows: Sequence[int]) -> Any:
    """Some windows of an encoded batch."""
    from ctranslate2 import StorageView

    return StorageView.from_array(np.ascontiguousarray(np.asarray(encoded)[list(rows)]))


def _keep_memory() -> None:
    """One memory pool for all threads that keeps what is freed, large blocks, too.

    The model asks for the same blocks over and over: handed back to the system each time, they cost a
    fifteenth of the whole. The C library itself would make eight pools a core and fill them all.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc only
    if mallopt is not None:
        for option, value in _MEMORY.items():
            mallopt(option, value)


class Decoder:
    """One loaded model. Thread safe: `workers` batches may be read at the same time.

    On a CPU several batches side by side, each on few threads, take less time than one on all threads.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        """Load a model folder that was verified before. Raises ModelError."""
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        from faster_whisper import WhisperModel
        from faster_whisper.tokenizer import Tokenizer
        from faster_whisper.transcribe import get_suppressed_tokens

        _keep_memory()
        threads = settings.threads or os.cpu_count() or 1
        self._on_cpu = settings.device == "cpu"
        self.workers = min(_MOST_WORKERS, threads) if self._on_cpu else 1
        try:
            whisper: Any = WhisperModel(
                str(folder),
                device=settings.device,
                compute_type=settings.compute_type,
                cpu_threads=max(1, threads // self.workers),
                num_workers=self.workers,
                local_files_only=True,
            )
        except (RuntimeError, ValueError, OSError) as error:
            raise ModelError(
                f"模型 {folder} 装不进来：{error}", hint="检查设置 device、compute_type、model"
            ) from error
        self._model = whisper.model
        self._extract = whisper.feature_extractor
        self._tokenizer = Tokenizer(whisper.hf_tokenizer, True, task="transcribe", language=LANGUAGE)
        self._suppressed = list(get_suppressed_tokens(self._tokenizer, [-1]))
        plain = [*self._tokenizer.sot_sequence, self._tokenizer.no_timestamps]
        self._tokens = {Start.PLAIN: plain, Start.PROMPTED: [*self._before(settings.prompt), *plain]}
        simplified("繁體")  # the converter fills its tables at first use, before threads share it

    def _before(self, prompt: str) -> list[int]:
        return [self._tokenizer.sot_prev, *self._tokenizer.encode(" " + prompt)] if prompt else []

    def frames_for(self, duration: Ms) -> int:
        """How many frames a window is given: its sound and a little silence, in few sizes.

        Elsewhere than on a CPU always the full 30 s, so that batches are full.
        """
        frames = duration * FRAMES_PER_SECOND // MS_PER_SECOND + _SPARE_FRAMES
        rounded = -(-frames // _FRAMES_STEP) * _FRAMES_STEP
        return min(FULL_FRAMES, max(_FEWEST_FRAMES, rounded)) if self._on_cpu else FULL_FRAMES

    def features(self, sound: Mono, frames: int = FULL_FRAMES) -> Features:
        """The window's spectrum, the rest of the window filled with silence."""
        room = frames * RATE // FRAMES_PER_SECOND
        padded = np.pad(sound[:room], (0, max(0, room - len(sound))))
        return np.asarray(self._extract(padded, padding=0)[:, :frames], dtype=np.float32)

    def read(self, batch: Sequence[Features], seconds: Sequence[float], manner: Manner) -> list[Reading]:
        """Decode and align windows of the same number of frames. `seconds` is how long each one sounds.

        What the first start gives is taken where it is sure enough; elsewhere the others are tried, too,
        and the likeliest is kept, with the punctuation of all.
        """
        encoded = self._encode(batch)
        first, *others = dict.fromkeys(tuple(self._tokens[start]) for start in manner.starts)
        readings = [[text] for text in self._decode(encoded, first, manner, len(batch))]
        unsure = [row for row, (text,) in enumerate(readings) if text.logprob < SURE_LOGPROB]
        for start in others if unsure else ():
            texts = self._decode(_rows(encoded, unsure), start, manner, len(unsure))
            for row, text in zip(unsure, texts, strict=True):
                readings[row].append(text)
        ranked = [likeliest_first(texts) for texts in readings]
        times = self._times(encoded, [best for best, *_ in ranked], seconds)
        return [self._reading(texts, sounds) for texts, sounds in zip(ranked, times, strict=True)]

    def _reading(self, texts: Sequence[Decoded], sounds: tuple[Sound, ...]) -> Reading:
        best, *others = texts
        for other in others:
            sounds = with_marks(sounds, other.text)
        return Reading(decoded=best, sounds=sounds)

    def _decode(self, encoded: Any, start: Sequence[int], manner: Manner, windows: int) -> list[Decoded]:
        results = self._model.generate(
            encoded,
            [list(start)] * windows,
            beam_size=manner.beam_size,
            max_length=min(448, 2 * manner.max_tokens),
            repetition_penalty=manner.repetition_penalty,
            no_repeat_ngram_size=manner.no_repeat_ngram,
            suppress_tokens=self._suppressed,
            return_scores=True,
            return_no_speech_prob=True,
        )
        return [self._decoded(result) for result in results]

    def _encode(self, batch: Sequence[Features]) -> Any:
        """On a CPU one window after the other: the same values in less time and memory than all at once."""
        from ctranslate2 import StorageView

        if not self._on_cpu:
            stacked = StorageView.from_array(np.ascontiguousarray(np.stack(batch)))
            return self._model.encode(stacked, to_cpu=True)
        single = (StorageView.from_array(np.ascontiguousarray(item[None])) for item in batch)
        return StorageView.from_array(np.concatenate([np.asarray(self._model.encode(one)) for one in single]))

    def _decoded(self, result: Any) -> Decoded:
        tokens = [token for token in result.sequences_ids[0] if token < self._tokenizer.eot]
        length = len(result.sequences_ids[0])
        return Decoded(
            text=simplified(self._tokenizer.decode(tokens)),
            tokens=tuple(tokens),
            logprob=result.scores[0] * length / (length + 1),
            no_speech=result.no_speech_prob,
        )

    def _times(
        self, encoded: Any, decoded: Sequence[Decoded], seconds: Sequence[float]
    ) -> list[tuple[Sound, ...]]:
        """Characters with times from the decoder's cross-attention."""
        frames = [max(2, round(s * FRAMES_PER_SECOND)) for s in seconds]
        aligned = self._model.align(
            encoded, self._tokenizer.sot_sequence, [list(d.tokens) for d in decoded], frames
        )
        return [self._spelled(d, result) for d, result in zip(decoded, aligned, strict=True)]

    def _spelled(self, decoded: Decoded, aligned: Any) -> tuple[Sound, ...]:
        if not decoded.tokens:
            return ()
        path = np.asarray(aligned.alignments)
        first = np.concatenate([[True], np.diff(path[:, 0]) > 0])
        edges = path[first, 1] / _TOKENS_PER_SECOND
        return spell(self._tokenizer, decoded.tokens, edges.tolist(), aligned.text_token_probs)
