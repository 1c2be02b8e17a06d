"""Two channels: one signal twice, or two people of whom each is faintly heard on the other's channel.

All of it works on levels of 10 ms frames and on cross-correlation, so gain, polarity, delay and DC offset
of a channel do not matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import fft, ndimage
from scipy.signal import oaconvolve

from pipeline.samples import RATE, Mono, Samples
from pipeline.speech.spectrum import runs
from pipeline.timeline import Span, merge
from pipeline.units import MS_PER_SECOND, Ms

Spans = tuple[Span, ...]
Floats = NDArray[np.float32]
Flags = NDArray[np.bool_]

STEP_MS = 10
_STEP = RATE * STEP_MS // MS_PER_SECOND
_SILENT_DBFS = -72.0
_BLOCK = 8192
_MAX_BLOCKS = 400

# one signal twice
_SAME_CORRELATION = 0.5
_SAME_SPREAD_DB = 2.5
_SAME_GAIN_DB = 15.0
_SAME_DELAY_MS = 30

# leaks
_LEAK_DELAY_MS = 400
_LEAK_CORRELATION, _CHANCE = 0.05, 0.2
_LEAK_GAIN_DB = (-50.0, -6.0)
_TAPS = 1024
_SMEAR_MS = 30
_MARGIN_DB = (6.0, 10.0)
_ABOVE_FLOOR_DB, _UNDER_FLOOR_DB = 4.0, 6.0
_GAP_MS = 300
_BURST_MS = 80
_PAD_MS = 200
_LEAK_PART = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Leak:
    """How one channel is heard on another: `delay` samples later (below 0: earlier), `gain_db` below 0.

    `taps` is the filter that makes the copy, starting a quarter of its length before `delay`.
    """

    delay: int
    gain_db: float
    taps: Floats


def dual_mono(samples: Samples) -> bool:
    """Both channels carry the same signal, or one of them carries nothing: treat the call as mono."""
    if samples.channels == 1:
        return True
    left, right = _centred(samples.channel(0)), _centred(samples.channel(1))
    if _silent(left) or _silent(right):
        return True
    blocks = _loud_blocks(left, right)
    return len(blocks) > 0 and _same_level(left, right) and _same_wave(left, right, blocks)


def one_channel(samples: Samples) -> Samples:
    """A dual mono recording as one channel: the mean, in phase, or the channel that is not silent."""
    if samples.channels == 1:
        return samples
    left, right = _centred(samples.channel(0)), _centred(samples.channel(1))
    power = [float(np.mean(channel**2)) for channel in (left, right)]
    together = float(np.dot(left, right)) / (len(left) * np.sqrt(power[0] * power[1]) + 1e-12)
    louder = (left, right)[int(np.argmax(power))]
    mono = (left + right) / 2 if together > _SAME_CORRELATION else louder
    return Samples(np.asarray(mono[None], dtype=np.float32))


def own_speech(speech: Sequence[Sequence[Span]], samples: Samples) -> tuple[Spans, ...]:
    """`speech` of each channel without what is only the other channel leaking in.

    Spans without a leak come back as they were. Where a person speaks over the leak (double talk), the
    span stays; a span that holds both is cut to the person's part.
    """
    if samples.channels != 2 or not any(speech):
        return tuple(tuple(spans) for spans in speech)
    left, right = _centred(samples.channel(0)), _centred(samples.channel(1))
    return (
        _own(tuple(speech[0]), left, tuple(speech[1]), right),
        _own(tuple(speech[1]), right, tuple(speech[0]), left),
    )


def leak_of(source: Mono, target: Mono) -> Leak | None:
    """How `source` is heard on `target`; None where it is not."""
    blocks = _blocks_where_louder(source, target)
    if len(blocks) < 2:
        return None
    delay, correlation = _delay(source, target, blocks, _LEAK_DELAY_MS)
    if correlation < max(_LEAK_CORRELATION, _CHANCE / len(blocks) ** 0.5):
        return None
    gain = _leak_gain(_levels(source), _shifted(_levels(target), -_frames(delay)))
    if not _LEAK_GAIN_DB[0] <= gain <= _LEAK_GAIN_DB[1]:
        return None
    return Leak(delay=delay, gain_db=gain, taps=_fit(source, target, blocks, delay))


def _centred(channel: Mono) -> Mono:
    """Without DC offset."""
    return np.asarray(channel - channel.mean(), dtype=np.float32)


def _levels(channel: Mono) -> Floats:
    """RMS of each 10 ms frame in dBFS."""
    frames = channel[: len(channel) // _STEP * _STEP].reshape(-1, _STEP)
    return np.asarray(10 * np.log10((frames**2).mean(axis=1) + 1e-10), dtype=np.float32)


def _frames(delay: int) -> int:
    """Samples as the nearest number of 10 ms frames."""
    return round(delay / _STEP)


def _silent(channel: Mono) -> bool:
    levels = _levels(channel)
    return not len(levels) or float(np.percentile(levels, 98)) < _SILENT_DBFS


# One signal twice


def _same_level(left: Mono, right: Mono) -> bool:
    """The difference of levels is the same all along; two people's differ from turn to turn."""
    a, b = _smooth(_levels(left)), _smooth(_levels(right))
    active = np.maximum(a - a.max(), b - b.max()) > -25
    difference = (a - b)[active]
    gain = float(np.median(difference))
    spread = float(np.percentile(np.abs(difference - gain), 80))
    return abs(gain) <= _SAME_GAIN_DB and spread <= _SAME_SPREAD_DB


def _same_wave(left: Mono, right: Mono, blocks: NDArray[np.int_]) -> bool:
    _, correlation = _delay(left, right, blocks, _SAME_DELAY_MS)
    return correlation >= _SAME_CORRELATION


def _smooth(levels: Floats) -> Floats:
    """Mean level of 200 ms around each frame, in dB of the mean power."""
    power = ndimage.uniform_filter1d(10 ** (levels / 10), 20)
    return np.asarray(10 * np.log10(power + 1e-10), dtype=np.float32)


def _loud_blocks(left: Mono, right: Mono) -> NDArray[np.int_]:
    """Starts of blocks in which somebody speaks, in samples."""
    energy = _block_energy(left) + _block_energy(right)
    return _chosen(np.flatnonzero(energy > 0.03 * energy.max()) if len(energy) else np.zeros(0, dtype=int))


def _block_energy(channel: Mono) -> NDArray[np.float64]:
    blocks = channel[: len(channel) // _BLOCK * _BLOCK].reshape(-1, _BLOCK)
    return np.asarray((blocks.astype(np.float64) ** 2).mean(axis=1), dtype=np.float64)


def _chosen(blocks: NDArray[np.int_]) -> NDArray[np.int_]:
    """At most `_MAX_BLOCKS` of them, evenly over the call, as sample positions."""
    stride = max(1, -(-len(blocks) // _MAX_BLOCKS))
    return np.asarray(blocks[::stride] * _BLOCK, dtype=int)


def _delay(a: Mono, b: Mono, blocks: NDArray[np.int_], within_ms: Ms) -> tuple[int, float]:
    """By how many samples `b` comes later than `a`, and their correlation (without sign) at that delay."""
    cross, power = np.zeros(2 * _BLOCK), [0.0, 0.0]
    for at in blocks:
        one, two = a[at : at + _BLOCK], b[at : at + _BLOCK]
        scale = 1.0 / (float(np.dot(one, one)) + 1e-9)
        spectrum = np.conj(fft.rfft(one, 2 * _BLOCK)) * fft.rfft(two, 2 * _BLOCK)
        cross += fft.irfft(spectrum, 2 * _BLOCK) * scale
        power = [power[0] + 1.0, power[1] + float(np.dot(two, two)) * scale]
    reach = within_ms * RATE // MS_PER_SECOND
    window = np.concatenate((cross[-reach:], cross[: reach + 1]))
    best = int(np.argmax(np.abs(window)))
    return best - reach, float(np.abs(window[best]) / (np.sqrt(power[0] * power[1]) + 1e-12))


# Leaks


def _blocks_where_louder(source: Mono, target: Mono) -> NDArray[np.int_]:
    """Blocks in which the source speaks and the target does so hardly, if at all."""
    a, b = _block_energy(source), _block_energy(target)
    if not len(a):
        return np.zeros(0, dtype=int)
    active = (a > 0.1 * np.percentile(a, 95)) & (a > 4 * b)
    return _chosen(np.flatnonzero(active))


def _leak_gain(source: Floats, target: Floats) -> float:
    """Level of the copy against the source, from the source's loud frames; double talk is the minority."""
    loud = source > np.percentile(source, 99) - 15
    return float(np.percentile((target - source)[loud & (source > target + 3)], 40)) if loud.any() else -99.0


def _shifted(levels: Floats, frames: int) -> Floats:
    """Moved later by `frames`; what is not known is silence."""
    moved = np.full_like(levels, -100.0)
    if frames >= 0:
        moved[frames:] = levels[: len(levels) - frames]
    else:
        moved[:frames] = levels[-frames:]
    return moved


def _fit(source: Mono, target: Mono, blocks: NDArray[np.int_], delay: int) -> Floats:
    """The filter that makes the copy from the source: least squares in the frequency domain."""
    early = _TAPS // 4
    size, auto, cross = 2 * _BLOCK, np.zeros(_BLOCK + 1), np.zeros(_BLOCK + 1, dtype=complex)
    for at in blocks:
        begin = at + delay - early
        if begin < 0 or begin + _BLOCK > len(target) or at + _BLOCK > len(source):
            continue
        one = fft.rfft(source[at : at + _BLOCK], size)
        two = fft.rfft(target[begin : begin + _BLOCK], size)
        auto += np.abs(one) ** 2
        cross += np.conj(one) * two
    taps = fft.irfft(cross / (auto + 1e-3 * auto.mean() + 1e-9), size)[:_TAPS]
    return np.asarray(taps, dtype=np.float32)


def _copy(source: Mono, leak: Leak) -> Mono:
    """What of the source is expected on the target, sample by sample."""
    copy = np.asarray(oaconvolve(source, leak.taps), dtype=np.float32)
    start = leak.delay - _TAPS // 4
    moved = np.pad(copy, (max(start, 0), 0))[max(-start, 0) :]
    return np.asarray(np.pad(moved, (0, len(source)))[: len(source)], dtype=np.float32)


def _own(own: Spans, channel: Mono, others: Spans, other: Mono) -> Spans:
    leak = leak_of(other, channel) if own and others else None
    if leak is None:
        return own
    heard = _heard(channel, other, leak)
    return tuple(part for span in own for part in _own_parts(span, heard))


@dataclass(frozen=True, slots=True, eq=False)
class _Heard:
    """Per 10 ms: the channel's own voice is there; or a leak may be, and nothing else."""

    own: Flags
    leak: Flags


def _heard(channel: Mono, other: Mono, leak: Leak) -> _Heard:
    """Subtract the copy, then ask of each frame whether more is left than subtraction leaves of a leak."""
    levels, left = _levels(channel), _levels(channel - _copy(other, leak))
    floor = float(np.percentile(levels, 10))
    expected = _expected(_levels(other), leak)
    alone = (expected > floor + 6) & (np.abs(levels - expected) < 8)
    rest = (left - expected)[alone] if alone.sum() > 20 else np.zeros(1, dtype=np.float32)
    gone = min(0.0, float(np.median(rest)))
    margin = float(np.clip(np.percentile(rest, 90) - gone, *_MARGIN_DB))
    bar = 10 * np.log10(10 ** ((expected + gone) / 10) + 10 ** (floor / 10)) + margin
    own = (levels > floor + _ABOVE_FLOOR_DB) & (ndimage.median_filter(left, 3) > bar)
    return _Heard(own, ~own & (expected > floor - _UNDER_FLOOR_DB))


def _expected(source: Floats, leak: Leak) -> Floats:
    """Level of the leak on each frame of the target, widened by the tail of the echo."""
    moved = _shifted(source + leak.gain_db, _frames(leak.delay))
    return np.asarray(ndimage.maximum_filter1d(moved, 2 * _SMEAR_MS // STEP_MS + 1), dtype=np.float32)


def _own_parts(span: Span, heard: _Heard) -> Spans:
    """The parts of `span` that are the channel's own voice; all of it where no leak is heard."""
    first = span.start // STEP_MS
    own, leak = (flags[first : -(-span.end // STEP_MS)] for flags in (heard.own, heard.leak))
    if leak.mean() < _LEAK_PART and _longest(leak) < _GAP_MS:
        return (span,)
    voiced = [run for run in runs(own) if run[1] - run[0] > 1]
    parts = merge((Span((first + a) * STEP_MS, (first + b) * STEP_MS) for a, b in voiced), gap=_GAP_MS)
    long = [part for part in parts if int(own[_at(part, first)].sum()) * STEP_MS >= _BURST_MS]
    return merge(part.pad(_PAD_MS) & span for part in long)


def _at(part: Span, first: int) -> slice:
    return slice(part.start // STEP_MS - first, part.end // STEP_MS - first)


def _longest(flags: Flags) -> Ms:
    return max((end - start for start, end in runs(flags)), default=0) * STEP_MS
