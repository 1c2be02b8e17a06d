"""What the libraries below are told by the environment of the process, before they are loaded."""

import logging
import os

QUIET = {"HF_HUB_DISABLE_TELEMETRY": "1", "DO_NOT_TRACK": "1"}
ALIKE = {"OPENBLAS_NUM_THREADS": "2"}
"""How a sum is shared among threads is seen in its last digits, and from there in what is heard: two threads
everywhere, so that a recording gives the same transcript on two cores and on sixty."""


def prepare_environment() -> None:
    """No telemetry, no chatter, nothing that was said in any log; the same numbers on every machine."""
    for name, value in (QUIET | ALIKE).items():
        os.environ.setdefault(name, value)
    logging.getLogger("faster_whisper").setLevel(logging.ERROR)
