"""Writers of one process: in the order in which they came, and nobody is forgotten."""

import threading
import time

import pytest

from pipeline.storage.line import Line


def until_waiting(line: Line, count: int) -> None:
    deadline = time.monotonic() + 20
    while len(line._waiting) < count:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_who_comes_first_is_first() -> None:
    line, served = Line(), []

    def one(number: int) -> None:
        with line.turn():
            served.append(number)

    with line.turn():
        threads = []
        for number in range(8):
            threads.append(threading.Thread(target=one, args=(number,)))
            threads[-1].start()
            until_waiting(line, number + 1)
        assert served == []
    for thread in threads:
        thread.join(20)
    assert served == list(range(8))


def test_only_one_has_the_turn() -> None:
    line, inside, most = Line(), [0], [0]

    def one() -> None:
        for _ in range(50):
            with line.turn():
                inside[0] += 1
                most[0] = max(most[0], inside[0])
                time.sleep(0)
                inside[0] -= 1

    threads = [threading.Thread(target=one) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert most == [1]


def test_who_fails_hands_the_turn_on() -> None:
    line = Line()
    with pytest.raises(ValueError, match="no"), line.turn():
        raise ValueError("no")
    with line.turn():
        pass
