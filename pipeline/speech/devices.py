"""What recognition can run on: how many processes it takes to use all of it."""

import os
import sys
from collections.abc import Mapping

from pipeline.settings import Settings

CORES_A_WORKER = 4
"""One process reads at most so many batches at the same time, on a thread each; more cores are used by more
processes."""


def device_names(settings: Settings, environ: Mapping[str, str] = os.environ) -> list[str]:
    """The GPUs that the settings let recognition use, as CUDA_VISIBLE_DEVICES names them; none on a CPU."""
    if settings.device == "cpu":
        return []
    from ctranslate2 import get_cuda_device_count

    count = get_cuda_device_count()
    named = [name.strip() for name in environ.get("CUDA_VISIBLE_DEVICES", "").split(",") if name.strip()]
    return named[:count] if named else [str(number) for number in range(count)]


def worker_count(settings: Settings) -> int:
    """How many processes recognize; 0: this one does. `auto`: one a GPU, or as many as the cores feed."""
    if settings.workers != "auto":
        return settings.workers
    return len(device_names(settings)) or max(1, thread_count(settings) // CORES_A_WORKER)


def thread_count(settings: Settings) -> int:
    """How many threads recognition may use in all."""
    return settings.threads or _cores()


def _cores() -> int:
    """Those that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
