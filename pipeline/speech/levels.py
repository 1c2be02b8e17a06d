"""How loud a channel is, and how loud its background."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from pipeline.samples import RATE, Mono
from pipeline.units import MS_PER_SECOND, Ms

STEP_MS: Ms = 10
STEP = RATE * STEP_MS // MS_PER_SECOND
"""Samples of one step."""

DIGITAL_SILENCE_DBFS = -90.0

Levels = NDArray[np.float32]
"""dBFS of each 10 ms step; float32, shape (steps,)."""

_FLOOR_PERCENTILE = 10
_BLOCK, _BLOCKS = 50, 20
"""Steps of a block, and blocks of which the floor is taken: ten seconds."""


def levels_dbfs(audio: Mono) -> Levels:
    """RMS level of each step; digital silence is -100."""
    steps = len(audio) // STEP
    frames: NDArray[np.float32] = audio[: steps * STEP].reshape(steps, STEP)
    power = np.einsum("ij,ij->i", frames, frames, dtype=np.float64) / STEP
    return np.asarray(10 * np.log10(power + 1e-10), dtype=np.float32)


def floor_dbfs(levels: Levels) -> Levels:
    """The level of the background around each step: of the ten seconds before and the ten after it, the
    louder.

    So where a line goes quiet, on hold, the noise of the rest is background up to the edge. Digital silence
    is passed over: it is no background.
    """
    heard = levels > DIGITAL_SILENCE_DBFS
    if not heard.any():
        return levels
    inside = levels[heard]
    blocks = np.pad(inside, (0, -len(inside) % _BLOCK), "symmetric").reshape(-1, _BLOCK)
    width = min(_BLOCKS, len(blocks))
    floors = np.percentile(sliding_window_view(blocks, width, axis=0), _FLOOR_PERCENTILE, axis=(1, 2))
    at, last = np.arange(len(blocks)), len(floors) - 1
    louder = np.maximum(floors[np.clip(at - width + 1, 0, last)], floors[np.minimum(at, last)])
    nearest = np.maximum(np.cumsum(heard) - 1, 0)
    return np.asarray(louder[nearest // _BLOCK], dtype=np.float32)
