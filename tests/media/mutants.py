"""Small recordings in every format that can be made here, and what becomes of them in bad hands."""

from pathlib import Path

import numpy as np
from sounds import ENCODINGS, bursts, write, write_gsm, write_gsm_wav

SEEDS = (*sorted(ENCODINGS), "raw.gsm", "gsm.wav")


def seeds(folder: Path, seconds: float) -> list[Path]:
    """One recording in each format, by the names of SEEDS."""
    made = [
        write(folder, name, bursts(seconds, (seconds / 3,), ENCODINGS[name][3])) for name in sorted(ENCODINGS)
    ]
    return [*made, write_gsm(folder / "raw.gsm", seconds), write_gsm_wav(folder / "gsm.wav", seconds)]


def mutate(data: bytes, dice: np.random.Generator) -> bytes:
    """One of: bytes changed, header bytes changed, cut, grown, a piece moved, zeros, repeated."""
    out = bytearray(data)
    at = int(dice.integers(0, len(out)))
    size = int(dice.integers(1, max(2, len(out) // 3)))
    match int(dice.integers(0, 7)):
        case 0:
            for _ in range(int(dice.integers(1, 40))):
                out[int(dice.integers(0, len(out)))] = int(dice.integers(0, 256))
        case 1:
            for _ in range(int(dice.integers(1, 8))):
                out[int(dice.integers(0, min(len(out), 100)))] = int(dice.choice([0, 1, 127, 128, 255]))
        case 2:
            del out[at:]
        case 3:
            out[at:at] = dice.bytes(size)
        case 4:
            piece = out[at : at + size]
            del out[at : at + size]
            out[int(dice.integers(0, len(out) + 1)) : 0] = piece
        case 5:
            out[at : at + size] = bytes(len(out[at : at + size]))
        case _:
            out += out[at:]
    return bytes(out)
