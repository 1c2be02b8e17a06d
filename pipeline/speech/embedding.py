"""What a voice sounds like, as 192 numbers: CAM++ on onnxruntime. No other module runs that model."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from pipeline.errors import ModelError
from pipeline.resources import shipped_models
from pipeline.speech.fbank import BANDS
from pipeline.speech.weights import entry

MODEL = "campplus-zh-en"
"""Its name in models/manifest.toml."""

SIZE = 192
BATCH = 16

_QUIET = 3
"""onnxruntime's log level for errors and worse."""

Features = NDArray[np.float32]
"""float32, shape (frames, 80), from `pipeline.speech.fbank`."""

Embeddings = NDArray[np.float32]
"""float32, shape (windows, 192), each of length 1."""


class Embeds(Protocol):
    """Anything that tells voices apart."""

    def embed(self, windows: Sequence[Features]) -> Embeddings:
        """One embedding per window; all windows have the same number of frames."""


class Embedder:
    """The bundled model, loaded. Safe to share between threads."""

    def __init__(self, session: Any) -> None:
        self._session = session

    @classmethod
    def open(cls, *, threads: int = 1, folder: Path | None = None) -> "Embedder":
        """Load the model named by the manifest in `folder` (default: the shipped one) if its hash is right.

        Raises ModelError.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = _QUIET
        onnxruntime.disable_telemetry_events()
        content = _verified_bytes(folder or shipped_models())
        try:
            session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own exceptions share no base class
            raise ModelError(f"模型 {MODEL} 装不进来：{error}", hint="重新安装 callscore") from error
        return cls(session)

    def embed(self, windows: Sequence[Features]) -> Embeddings:
        """See `Embeds`. Loudness and the line's colour are taken out by each window's own mean."""
        batches = [self._run(windows[first : first + BATCH]) for first in range(0, len(windows), BATCH)]
        return np.concatenate(batches) if batches else np.zeros((0, SIZE), np.float32)

    def _run(self, windows: Sequence[Features]) -> Embeddings:
        features = np.stack(windows).reshape(len(windows), -1, BANDS)
        features = features - features.mean(axis=1, keepdims=True)
        (found,) = self._session.run(None, {"features": features.astype(np.float32, copy=False)})
        return unit(np.asarray(found, dtype=np.float32))


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scaled to length 1 along the last axis; zeros stay zeros."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), dtype=np.float32)


def _verified_bytes(folder: Path) -> bytes:
    """The model file's content; what was hashed is what gets loaded. Raises ModelError."""
    model = entry(MODEL, folder)
    path = folder / model.files[0].name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelError(f"模型 {MODEL}：{path} 读不了", hint="重新安装 callscore") from error
    found = hashlib.sha256(content).hexdigest()
    if found != model.sha256:
        message = f"模型 {MODEL}：{path} 的 sha256 是 {found}，应为 {model.sha256}"
        raise ModelError(message, hint="重新安装 callscore")
    return content
