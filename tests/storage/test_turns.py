"""Writers of one process: in the order in which they came, and nobody is forgotten."""

import threading
import time

import pytest

from pipeline.storage.turns import Turns


def until_waiting(turns: Turns, count: int) -> None:
    deadline = time.monotonic() + 20
    while len(turns._waiting) < count:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_who_comes_first_is_first() -> None:
    turns, served = Turns(), []

    def one(number: int) -> None:
        with turns.turn():
            served.append(number)

    with turns.turn():
        threads = []
        for number in range(8):
            threads.append(threading.Thread(target=one, args=(number,)))
            threads[-1].start()
            until_waiting(turns, number + 1)
        assert served == []
    for thread in threads:
        thread.join(20)
    assert served == list(range(8))


def test_only_one_has_the_turn() -> None:
    turns, inside, most = Turns(), [0], [0]

    def one() -> None:
        for _ in range(50):
            with turns.turn():
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
    turns = Turns()
    with pytest.raises(ValueError, match="no"), turns.turn():
        raise ValueError("no")
    with turns.turn():
        pass
