"""Whatever happens to the bytes of a file, decoding ends, with audio or with a reason."""

import time
from pathlib import Path

import mutants
import numpy as np
import pytest

from pipeline.errors import UnreadableRecording
from pipeline.media.decode import Decoded, decode
from pipeline.settings import Settings

MUTATIONS = 30
LENIENT = Settings(max_lost_percent=100, max_duration_minutes=2)
SECONDS = 1.5
SLOWEST = 5.0


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    made = mutants.seeds(tmp_path_factory.mktemp("seeds"), SECONDS)
    return {path.name: path.read_bytes() for path in made}


@pytest.mark.parametrize("name", mutants.SEEDS)
def test_mutated_files_give_audio_or_a_reason(tmp_path: Path, seeds: dict[str, bytes], name: str) -> None:
    dice = np.random.default_rng(sum(name.encode()))
    path = tmp_path / name
    for _ in range(MUTATIONS):
        path.write_bytes(mutants.mutate(seeds[name], dice))
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
