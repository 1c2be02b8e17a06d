"""Sounds for tests, made by arithmetic: float32 mono, 16 kHz."""

import numpy as np

from pipeline.samples import RATE, Mono


def silence(seconds: float) -> Mono:
    return np.zeros(int(seconds * RATE), dtype=np.float32)


def noise(seconds: float, dbfs: float, seed: int = 0) -> Mono:
    hiss = np.random.default_rng(seed).standard_normal(int(seconds * RATE))
    return (hiss * 10 ** (dbfs / 20)).astype(np.float32)


def tone(seconds: float, *hz: float, dbfs: float = -18) -> Mono:
    time = np.arange(int(seconds * RATE)) / RATE
    wave = sum(np.sin(2 * np.pi * f * time) for f in hz) / len(hz)
    return (wave * 10 ** (dbfs / 20)).astype(np.float32)


def voice(seconds: float, seed: int, dbfs: float = -22, pitch: float = 150) -> Mono:
    """Harmonics of a pitch that glides, in syllables of a quarter of a second with pauses: no held note."""
    random = np.random.default_rng(seed)
    count = int(seconds * RATE)
    knots = np.linspace(0, count, int(seconds * 8) + 2)
    glide = np.interp(np.arange(count), knots, pitch * (1 + 0.35 * random.uniform(-1, 1, len(knots))))
    phase = 2 * np.pi * np.cumsum(glide) / RATE
    colour = random.uniform(0.2, 1.0, 20)
    wave = sum(c * np.sin(k * phase) / k**0.5 for k, c in enumerate(colour, start=1))
    loud = np.interp(np.arange(count), knots, random.choice([0.02, 0.6, 1.0], len(knots)))
    wave = wave * loud
    return (wave / np.sqrt(np.mean(wave**2)) * 10 ** (dbfs / 20)).astype(np.float32)


def melody(seconds: float, seed: int = 0, dbfs: float = -20) -> Mono:
    """Plucked notes, each with three harmonics, half a second long."""
    random = np.random.default_rng(seed)
    notes = [261.6, 329.6, 392.0, 440.0, 523.3, 587.3, 659.3]
    parts = []
    for hz in random.choice(notes, int(seconds * 2) + 1):
        time = np.arange(RATE // 2) / RATE
        pluck = sum(np.sin(2 * np.pi * k * hz * time) / k**2 for k in (1, 2, 3)) * np.exp(-3 * time)
        parts.append(pluck)
    wave = np.concatenate(parts)[: int(seconds * RATE)]
    return (wave / np.sqrt(np.mean(wave**2)) * 10 ** (dbfs / 20)).astype(np.float32)


def join(*parts: Mono) -> Mono:
    return np.concatenate(parts).astype(np.float32)
