"""Whatever happens to the bytes of a file, decoding ends, with audio or with a reason."""

import time
from pathlib import Path

import numpy as np
import pytest
from sounds import ENCODINGS, bursts, write, write_gsm, write_gsm_wav

from pipeline.errors import UnreadableRecording
from pipeline.media.decode import Decoded, decode
from pipeline.settings import Settings

MUTATIONS = 30
LENIENT = Settings(max_lost_percent=100, max_duration_minutes=2)
SECONDS = 1.5
SLOWEST = 5.0


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("seeds")
    made = [write(folder, name, bursts(SECONDS, (0.5,), ENCODINGS[name][3])) for name in sorted(ENCODINGS)]
    made += [write_gsm(folder / "raw.gsm", SECONDS), write_gsm_wav(folder / "gsm.wav", SECONDS)]
    return {path.name: path.read_bytes() for path in made}


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


@pytest.mark.parametrize("name", [*sorted(ENCODINGS), "raw.gsm", "gsm.wav"])
def test_mutated_files_give_audio_or_a_reason(tmp_path: Path, seeds: dict[str, bytes], name: str) -> None:
    dice = np.random.default_rng(sum(name.encode()))
    path = tmp_path / name
    for _ in range(MUTATIONS):
        path.write_bytes(mutate(seeds[name], dice))
        started = time.monotonic()
        check(path)
        assert time.monotonic() - started < SLOWEST


def check(path: Path) -> None:
    decoded = outcome(path)
    if isinstance(decoded, str):
        assert str(path) in decoded
        assert "\n" not in decoded
        return
    assert decoded.samples.data.dtype == np.float32
    assert decoded.samples.channels in (1, 2)
    assert np.isfinite(decoded.samples.data).all()
    assert np.abs(decoded.samples.data).max() <= 1.0
    assert all(0 <= span.start <= span.end <= decoded.samples.duration + 1 for span in decoded.lost)


def outcome(path: Path) -> Decoded | str:
    try:
        return decode(path, LENIENT)
    except UnreadableRecording as error:
        return str(error)


def test_random_bytes_under_every_name_give_audio_or_a_reason(tmp_path: Path) -> None:
    dice = np.random.default_rng(11)
    for suffix in (
        ".wav",
        ".mp3",
        ".ogg",
        ".m4a",
        ".flac",
        ".amr",
        ".gsm",
        ".g729",
        ".ulaw",
        ".g722",
        ".wma",
    ):
        path = tmp_path / f"a{suffix}"
        path.write_bytes(dice.bytes(20_000))
        check(path)
