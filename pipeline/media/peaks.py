"""What a waveform shows of a recording: the loudest sample of each twentieth of a second, by channel.

A screen of 1366 pixels shows a call of half an hour in less than one point a pixel; at 20 points a second a
word can still be seen when one zooms in to a minute.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.media.axis import Block
from pipeline.media.container import opened
from pipeline.media.decode import Reader, blocks
from pipeline.samples import RATE, Peaks, Samples
from pipeline.units import MS_PER_SECOND, Ms

STEP: Ms = 50
_SAMPLES = RATE * STEP // MS_PER_SECOND
_FULL = 255


def peaks(samples: Samples) -> Peaks:
    """The peaks of decoded samples. Copies none of them."""
    return _peaks(samples.channels, [Block(0, samples.data)] if samples.data.size else [])


def peaks_of_file(path: Path) -> Peaks:
    """The same from a file, half a second of it in memory. Raises UnreadableRecording."""
    with opened(path) as (container, stream):
        reader = Reader(container, stream)
        return _peaks(reader.axis.channels, blocks(path, reader))


def _peaks(channels: int, blocks: Iterable[Block]) -> Peaks:
    loudest, size = np.zeros((channels, 0), np.float32), 0
    for block in blocks:
        first, size = block.start // _SAMPLES, -(-(block.start + block.data.shape[1]) // _SAMPLES)
        if size > loudest.shape[1]:
            loudest = np.pad(loudest, ((0, 0), (0, max(size, loudest.shape[1]))))
        part = loudest[:, first:size]
        np.maximum(part, _loudest(block, first, size), out=part)
    levels = np.rint(np.sqrt(loudest[:, :size]) * _FULL).astype(np.uint8)
    return Peaks(step=STEP, channels=tuple(row.tobytes() for row in levels))


def _loudest(block: Block, first: int, last: int) -> NDArray[np.float32]:
    """Of each step from `first` to `last` the loudest sample of the block, shape (channels, steps)."""
    cuts = np.maximum(np.arange(first, last) * _SAMPLES - block.start, 0)
    above, below = (f.reduceat(block.data, cuts, axis=1) for f in (np.maximum, np.minimum))
    return np.asarray(np.maximum(above, -below), np.float32)
