"""How long it takes to listen for something in a call."""

import time
from collections.abc import Callable

MOST_MS = 20.0
"""What a phrase or an expression may take in a call."""
CALL_CHARACTERS = 1200
"""Those of a usual call."""
ROUNDS = 3


def slowness(work: Callable[[], object], characters: int) -> str:
    """What is told of work over so many characters that takes too long for a call; empty: it does not."""
    takes = _milliseconds(work, characters)
    return f"每通要 {takes:.0f} 毫秒，应为最多 {MOST_MS:.0f} 毫秒；减少" if takes > MOST_MS else ""


def _milliseconds(work: Callable[[], object], characters: int) -> float:
    """Processor time in a usual call. What seems slow is done again, and the least counts: what is made once,
    or cleared away in between, is no fault of the work."""
    least = float("inf")
    for _ in range(ROUNDS):
        began = time.thread_time()
        work()
        least = min(least, (time.thread_time() - began) * 1000 * CALL_CHARACTERS / characters)
        if least <= MOST_MS:
            break
    return least
