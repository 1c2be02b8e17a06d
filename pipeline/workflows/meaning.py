"""What the examples of a rule set teach: shipped, remembered from the last time, or learned now."""

import hashlib
import io
import tempfile
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.detect import training
from pipeline.meaning import Meaning
from pipeline.resources import shipped_models
from pipeline.ruleset import RuleSet
from pipeline.settings import Settings
from pipeline.speech.sentences import SentenceEncoder, encoder_name, sentences_of
from pipeline.speech.weights import cache_folder
from pipeline.timeline import Call, Transcript
from pipeline.vectors import Sentences, Vectors

SHIPPED = "meaning"
"""Folder beside the models and in the cache: heads in `<key>.json.gz`, vectors in `<encoder>.npz`."""
KEY_BYTES = 8


@dataclass(slots=True)
class KnownVectors:
    """Vectors of texts seen before, for one encoder."""

    encoder: SentenceEncoder
    known: dict[bytes, NDArray[np.int8]] = field(default_factory=dict)

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Like the encoder, but each text only once ever."""
        new = [text for text in dict.fromkeys(texts) if _text_key(text) not in self.known]
        if new:
            self.known.update(zip(map(_text_key, new), self.encoder.encode(new), strict=True))
        return np.stack([self.known[_text_key(text)] for text in texts])

    def load(self, path: Path) -> None:
        """Add what a file holds; a missing or spoiled one holds nothing."""
        with suppress(OSError, ValueError, KeyError), np.load(path, allow_pickle=False) as found:
            keys, vectors = found["keys"], found["vectors"]
            self.known.update({key.tobytes(): vector for key, vector in zip(keys, vectors, strict=True)})

    def packed(self, texts: Sequence[str]) -> bytes:
        """The vectors of these texts, by key."""
        order = sorted({_text_key(text) for text in texts})
        keys = np.frombuffer(b"".join(order), np.uint8).reshape(len(order), KEY_BYTES)
        body = io.BytesIO()
        np.savez_compressed(body, keys=keys, vectors=np.stack([self.known[key] for key in order]))
        return body.getvalue()


@dataclass(frozen=True)
class Understanding:
    """The sentence model of the settings, loaded when it is first needed."""

    settings: Settings

    @cached_property
    def encoder(self) -> SentenceEncoder:
        return SentenceEncoder.open(self.settings)

    @cached_property
    def name(self) -> str:
        """What the encoder is called, known without loading it."""
        return encoder_name(self.settings)

    def sentences(self, transcript: Transcript) -> Sentences:
        """Vectors of a transcript's sentences."""
        return sentences_of(transcript, self.encoder)

    def with_sentences(self, call: Call) -> Call:
        """The call with this model's vectors of its sentences; unchanged where it has them."""
        if call.sentences and call.sentences.encoder == self.name:
            return call
        return replace(call, sentences=self.sentences(call.transcript))

    def taught(self, ruleset: RuleSet, wanted: Collection[str] | None = None) -> RuleSet:
        """The rule set with what its examples teach; unchanged where nothing is to be learned. `wanted`: only
        these rules need it, which saves time where nothing is remembered."""
        learning = {rule.id for rule in training.learners(ruleset)}
        if ruleset.meaning or not learning or (wanted is not None and not learning & set(wanted)):
            return ruleset
        return replace(ruleset, meaning=self._remembered(ruleset) or self._learned(ruleset, wanted))

    def _remembered(self, ruleset: RuleSet) -> Meaning | None:
        name = f"{key_of(ruleset, self.settings)}.json.gz"
        for folder in (shipped_models() / SHIPPED, cache_folder(self.settings) / SHIPPED):
            with suppress(OSError, ValueError):
                return Meaning.unpacked((folder / name).read_bytes())
        return None

    def _learned(self, ruleset: RuleSet, wanted: Collection[str] | None) -> Meaning | None:
        known = self.known_vectors()
        meaning = training.train(ruleset, self.encoder.name, known.encode, wanted)
        if meaning is not None and wanted is None:
            folder = cache_folder(self.settings) / SHIPPED
            write(folder / vectors_name(self.name), known.packed(training.texts_of(ruleset)))
            write(folder / f"{key_of(ruleset, self.settings)}.json.gz", meaning.packed())
        return meaning

    def known_vectors(self) -> KnownVectors:
        """An encoder that remembers the shipped texts and those of the last training."""
        known = KnownVectors(self.encoder)
        for folder in (shipped_models() / SHIPPED, cache_folder(self.settings) / SHIPPED):
            known.load(folder / vectors_name(self.name))
        return known


def vectors_name(encoder: str) -> str:
    """The file in which vectors of an encoder are kept."""
    return f"{encoder.replace(':', '-')}.npz"


def key_of(ruleset: RuleSet, settings: Settings) -> str:
    """Digest of everything that decides what is learned."""
    decisive = f"{encoder_name(settings)}\n{training.material(ruleset)}"
    return hashlib.sha256(decisive.encode()).hexdigest()[:16]


def write(path: Path, body: bytes) -> None:
    """Whole or not at all, whoever else writes the same file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as out:
        out.write(body)
    Path(out.name).replace(path)


def _text_key(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:KEY_BYTES]
