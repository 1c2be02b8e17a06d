"""The same numbers on every machine, however many threads the libraries would like."""

import os
import subprocess
import sys

import pytest

SPECTRUM = """
from pipeline.workflows.environment import prepare_environment
prepare_environment()
import hashlib
import numpy as np
from faster_whisper.feature_extractor import FeatureExtractor
sound = np.sin(np.arange(16_000 * 30) ** 1.3).astype(np.float32)
print(hashlib.sha256(np.ascontiguousarray(FeatureExtractor()(sound)).tobytes()).hexdigest())
"""


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="one core has one thread")
def test_what_is_heard_does_not_depend_on_how_many_threads_a_machine_gives() -> None:
    def spectrum(**environment: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", SPECTRUM],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | environment,
        )
        return done.stdout

    assert spectrum(OMP_NUM_THREADS="1") == spectrum()
