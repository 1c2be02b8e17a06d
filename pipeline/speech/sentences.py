"""What a sentence means, as numbers: a sentence encoder on onnxruntime. No other module runs that model.

A turn is cut into clauses where punctuation or a pause is; one to three neighbouring clauses make a sentence.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, normalizers, pre_tokenizers
from tokenizers.models import Unigram

from pipeline.errors import ModelError
from pipeline.resources import shipped_models
from pipeline.settings import Settings
from pipeline.speech.embedding import unit
from pipeline.speech.weights import entry
from pipeline.timeline import Transcript, Turn, Word
from pipeline.units import Ms
from pipeline.vectors import Place, Sentences, Vectors

MODEL = "sentence-zh"
"""Its name in models/manifest.toml."""
PREFIX = "query: "
"""What the bundled model expects before sentences that are compared with each other."""
BATCH = 32
LARGEST = 127
FIRST, LAST, PAD = "<s>", "</s>", "<pad>"
_QUIET = 3

PAUSE: Ms = 400
"""A silence between words that ends a clause."""
ENDS = frozenset("。！？；，、：.!?;,:…")
MOST_CLAUSES = 3
LEAST, MOST = 2, 40
"""Characters of a sentence."""
LONG, STEP = 20, 10
"""A clause longer than LONG is also looked at in parts of that length, STEP apart."""


@dataclass(frozen=True, slots=True, eq=False)
class SentenceEncoder:
    """A model, loaded. Safe to share between threads. `name` changes when its vectors would."""

    name: str
    session: Any
    tokenizer: Tokenizer
    prefix: str

    @classmethod
    def open(cls, settings: Settings, *, threads: int = 1) -> "SentenceEncoder":
        """The bundled model, or the folder (`model.onnx`, `tokenizer.json`) that the settings name.

        Raises ModelError: no such file, another hash than the manifest's, not a sentence encoder.
        """
        if settings.sentence_model:
            return _from_folder(Path(settings.sentence_model), threads)
        return _bundled(threads)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One vector a text: int8, shape (texts, numbers), of length 127."""
        return np.rint(self.floats(texts) * LARGEST).astype(np.int8)

    def floats(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The same before rounding: float32, of length 1."""
        rows = [self._tokens(text) for text in texts]
        order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
        made: dict[int, NDArray[np.float32]] = {}
        for first in range(0, len(order), BATCH):
            batch = order[first : first + BATCH]
            made.update(zip(batch, self._run([rows[i] for i in batch]), strict=True))
        return np.stack([made[i] for i in range(len(rows))]) if rows else np.zeros((0, 0), np.float32)

    def _tokens(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer.encode(self.prefix + text, add_special_tokens=True).ids
        if self.prefix:
            return [self._id(FIRST), *ids, self._id(LAST)]
        return ids

    def _id(self, token: str) -> int:
        found = self.tokenizer.token_to_id(token)
        return 0 if found is None else int(found)

    def _run(self, rows: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        longest = max(map(len, rows))
        tokens = np.full((len(rows), longest), self._id(PAD), np.int64)
        mask = np.zeros_like(tokens)
        for i, row in enumerate(rows):
            tokens[i, : len(row)], mask[i, : len(row)] = row, 1
        return unit(_vectors(self.session, tokens, mask))


def encoder_name(settings: Settings) -> str:
    """What the encoder of the settings will be called, known without loading it. Raises ModelError."""
    if settings.sentence_model:
        folder = Path(settings.sentence_model)
        return _name(folder.name, hashlib.sha256(_read(folder / "model.onnx")).hexdigest())
    return _name(MODEL, entry(MODEL).sha256)


def _name(model: str, sha256: str) -> str:
    return f"{model}:{sha256[:16]}"


def sentences_of(transcript: Transcript, encoder: SentenceEncoder) -> Sentences:
    """Every sentence of a transcript with its vector."""
    places = places_of(transcript)
    return Sentences.of(encoder.name, places, encoder.encode([transcript.quote(place) for place in places]))


def places_of(transcript: Transcript) -> tuple[Place, ...]:
    """Every sentence of a transcript, by turn and word."""
    found = (place for i, turn in enumerate(transcript.turns) for place in _in_turn(i, turn))
    return tuple(dict.fromkeys(found))


def _in_turn(index: int, turn: Turn) -> Iterator[Place]:
    edges = _edges(turn.words)
    for i, first in enumerate(edges[:-1]):
        for last in edges[i + 1 : i + 1 + MOST_CLAUSES]:
            if LEAST <= last - first <= MOST:
                yield Place(index, first, last)
    for first, last in pairwise(edges):
        if last - first > LONG:
            yield from (Place(index, at, min(at + LONG, last)) for at in range(first, last - STEP, STEP))


def _edges(words: tuple[Word, ...]) -> list[int]:
    """Positions between words where a clause begins or ends, 0 and the number of words included."""
    inner = [i for i, (before, after) in enumerate(pairwise(words), start=1) if _apart(before, after)]
    return [0, *inner, len(words)] if words else [0]


def _apart(before: Word, after: Word) -> bool:
    return before.text[-1:] in ENDS or after.span.start - before.span.end >= PAUSE


def _bundled(threads: int) -> SentenceEncoder:
    model = entry(MODEL)
    path = shipped_models() / model.files[0].name
    content = _read(path)
    found = hashlib.sha256(content).hexdigest()
    if found != model.sha256:
        message = f"模型 {MODEL}：{path} 的 sha256 是 {found}，应为 {model.sha256}"
        raise ModelError(message, hint="重新安装 callscore")
    return bundled_encoder(content, _name(MODEL, found), threads=threads)


def bundled_encoder(content: bytes, name: str, *, threads: int = 1) -> SentenceEncoder:
    """The encoder in a file as `models/export_sentence.py` makes it: the vocabulary is in its metadata."""
    session = _session(content, Path(MODEL), threads)
    facts = session.get_modelmeta().custom_metadata_map
    pieces = list(zip(json.loads(facts["pieces"]), json.loads(facts["scores"]), strict=True))
    tokenizer = Tokenizer(Unigram(pieces, unk_id=3, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    return SentenceEncoder(name, session, tokenizer, PREFIX)


def _from_folder(folder: Path, threads: int) -> SentenceEncoder:
    content = _read(folder / "model.onnx")
    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # tokenizers raises a bare Exception
        raise ModelError(
            f"{folder}/tokenizer.json 读不了：{error}", hint="把模型的 tokenizer.json 放在那里"
        ) from error
    session = _session(content, folder / "model.onnx", threads)
    name = _name(folder.name, hashlib.sha256(content).hexdigest())
    return SentenceEncoder(name, session, tokenizer, "")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"句子模型 {path} 读不了", hint="检查设置 sentence_model") from error


def _session(content: bytes, path: Path, threads: int) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = _QUIET
    onnxruntime.disable_telemetry_events()
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions share no base class
        raise ModelError(f"句子模型 {path} 装不进来：{error}", hint="应为 ONNX 格式的句子编码器") from error


def _vectors(session: Any, tokens: NDArray[np.int64], mask: NDArray[np.int64]) -> NDArray[np.float32]:
    """The model's answer; hidden states (batch, length, size) are averaged over the tokens."""
    names = [given.name for given in session.get_inputs()]
    offered = {"tokens": tokens, "input_ids": tokens, "mask": mask, "attention_mask": mask}
    offered["token_type_ids"] = np.zeros_like(tokens)
    found = np.asarray(
        session.run(None, {name: offered[name] for name in names if name in offered})[0], np.float32
    )
    if found.ndim == 2:
        return found
    weights = mask[:, :, None].astype(np.float32)
    return np.asarray((found * weights).sum(axis=1) / weights.sum(axis=1), np.float32)
