import time
from collections.abc import Iterator

from pipeline.detect.lints.timing import MOST_MS, slowness


def busy(seconds: float) -> None:
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        """Works."""


def taking(*seconds: float) -> Iterator[None]:
    """Each step takes so long."""
    for one in seconds:
        busy(one)
        yield


def test_what_is_slow_once_and_quick_after_is_not_slow() -> None:
    work = taking(3 * MOST_MS / 1000, 0, 0)
    assert slowness(lambda: next(work), 1200) == ""


def test_what_is_slow_each_time_is_slow() -> None:
    work = taking(*[3 * MOST_MS / 1000] * 3)
    assert slowness(lambda: next(work), 1200).startswith("每通要 ")


def test_time_counts_as_much_as_a_usual_call_is_longer() -> None:
    work = taking(*[MOST_MS / 1000] * 3)
    assert slowness(lambda: next(work), 300)
