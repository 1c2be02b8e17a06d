"""The Whisper model itself: features in, tokens with times and probabilities out; one batch at a time."""

import ctypes
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
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
_SPARE_FRAMES = 50
_FRAMES_STEP = 500
_MOST_WORKERS = 4
_M_ARENA_MAX = -8


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How to decode a batch. All of it is the same for every window of the batch."""

    beam_size: int
    max_tokens: int
    prompted: bool = True
    repetition_penalty: float = 1.0
    no_repeat_ngram: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was decoded for a window, and its characters in time (seconds of the window)."""

    decoded: Decoded
    sounds: tuple[Sound, ...]


def likelier(ours: Sequence[Decoded], theirs: Sequence[Decoded]) -> tuple[list[Decoded], list[Decoded]]:
    """Window by window the one with the higher mean log-probability, and the other one."""
    pairs = [(a, b) if a.logprob > b.logprob else (b, a) for a, b in zip(ours, theirs, strict=True)]
    return [best for best, _ in pairs], [other for _, other in pairs]


def _share_memory_pools() -> None:
    """Two memory pools for all threads, where the C library would make eight a core and fill them all.

    Without it the process grows with the number of threads that ever decoded a recording.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # glibc only
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 2)


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

        _share_memory_pools()
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
            raise ModelError(f"{folder}: cannot be loaded: {error}") from error
        self._model = whisper.model
        self._extract = whisper.feature_extractor
        self._tokenizer = Tokenizer(whisper.hf_tokenizer, True, task="transcribe", language=LANGUAGE)
        self._suppressed = list(get_suppressed_tokens(self._tokenizer, [-1]))
        self._start = [*self._tokenizer.sot_sequence, self._tokenizer.no_timestamps]
        self._prompt = self._prompted(settings.prompt)
        simplified("繁體")  # the converter fills its tables at first use, before threads share it

    def _prompted(self, prompt: str) -> list[int]:
        if not prompt:
            return self._start
        return [self._tokenizer.sot_prev, *self._tokenizer.encode(" " + prompt), *self._start]

    def frames_for(self, duration: Ms) -> int:
        """How many frames a window is given: its sound and a little silence, in few sizes.

        Elsewhere than on a CPU always the full 30 s, so that batches are full.
        """
        frames = duration * FRAMES_PER_SECOND // MS_PER_SECOND + _SPARE_FRAMES
        rounded = -(-frames // _FRAMES_STEP) * _FRAMES_STEP
        return min(FULL_FRAMES, rounded) if self._on_cpu else FULL_FRAMES

    def features(self, sound: Mono, frames: int = FULL_FRAMES) -> Features:
        """The window's spectrum, the rest of the window filled with silence."""
        room = frames * RATE // FRAMES_PER_SECOND
        padded = np.pad(sound[:room], (0, max(0, room - len(sound))))
        return np.asarray(self._extract(padded, padding=0)[:, :frames], dtype=np.float32)

    def read(self, batch: Sequence[Features], seconds: Sequence[float], manner: Manner) -> list[Reading]:
        """Decode and align windows of the same number of frames. `seconds` is how long each one sounds.

        A prompted manner decodes twice over the same encoding, with the prompt and without: the prompt
        brings punctuation and costs some words. The likelier one is kept for each window, with the
        punctuation of both.
        """
        encoded = self._encode(batch)
        decoded = self._decode(encoded, self._start, manner, len(batch))
        others = decoded
        if manner.prompted and self._prompt != self._start:
            others = self._decode(encoded, self._prompt, manner, len(batch))
            decoded, others = likelier(decoded, others)
        times = self._times(encoded, decoded, seconds)
        return [
            Reading(decoded=d, sounds=with_marks(s, o.text))
            for d, o, s in zip(decoded, others, times, strict=True)
        ]

    def _decode(self, encoded: Any, start: list[int], manner: Manner, windows: int) -> list[Decoded]:
        results = self._model.generate(
            encoded,
            [start] * windows,
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
            return self._model.encode(StorageView.from_array(np.ascontiguousarray(np.stack(batch))))
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
