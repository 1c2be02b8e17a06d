"""Several things done at the same moment."""

import threading
from collections.abc import Callable

PATIENCE = 120.0


def at_once(*works: Callable[[], object]) -> None:
    """Do each in a thread of its own, all begun together; the first failure is raised."""
    failed: list[BaseException] = []
    begin = threading.Barrier(len(works))

    def work(one: Callable[[], object]) -> None:
        try:
            begin.wait(PATIENCE)
            one()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(one,), daemon=True) for one in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    if failed:
        raise failed[0]
    assert not any(thread.is_alive() for thread in threads), "some never came to an end"
