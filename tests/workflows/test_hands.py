import os
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from pipeline.workflows.hands import AHEAD, done


@dataclass
class Doubling:
    """Says what twice a number is, and in which process; dies over one number where it is not at home."""

    deadly: int = -1
    home: int = field(default_factory=os.getpid)
    moves: int = 0
    prepared: int = 0

    def prepare(self) -> None:
        self.prepared += 1

    def moved(self) -> None:
        self.moves += 1

    def __call__(self, task: int) -> tuple[int, int, int]:
        if task == self.deadly and os.getpid() != self.home:
            os._exit(9)
        if task == 13:
            raise ValueError("thirteen")
        return 2 * task, os.getpid(), self.moves


@pytest.mark.parametrize("hands", [1, 2, 3])
def test_results_come_in_the_order_of_the_tasks_with_any_number_of_processes(hands: int) -> None:
    assert [twice for twice, _, _ in done(Doubling(), range(12), hands)] == list(range(0, 24, 2))


def test_the_work_is_done_elsewhere_and_is_told_once_that_it_moved() -> None:
    results = list(done(Doubling(), range(12), 2))
    assert os.getpid() not in {process for _, process, _ in results}
    assert {moves for _, _, moves in results} == {1}


@pytest.mark.parametrize("deadly", [0, 1, 7, 11])
def test_what_a_process_that_dies_had_to_do_is_done_all_the_same(deadly: int) -> None:
    results = list(done(Doubling(deadly=deadly), range(12), 2))
    assert [twice for twice, _, _ in results] == list(range(0, 24, 2))
    assert results[deadly][1:] == (os.getpid(), 0)


@pytest.mark.parametrize(("hands", "tasks"), [(1, 5), (2, 5), (2, 1), (2, 0)])
def test_the_work_is_prepared_once_and_here(hands: int, tasks: int) -> None:
    work = Doubling()
    assert len(list(done(work, range(tasks), hands))) == tasks
    assert (work.prepared, work.moves) == (1, 0)


def test_a_single_task_is_not_worth_another_process() -> None:
    assert list(done(Doubling(), [4], 2)) == [(8, os.getpid(), 0)]


def test_an_error_is_raised_where_the_result_would_have_come() -> None:
    results = done(Doubling(), range(10, 20), 2)
    assert [next(results)[0] for _ in range(3)] == [20, 22, 24]
    with pytest.raises(ValueError, match="thirteen"):
        next(results)


def test_tasks_are_taken_as_results_are_wanted() -> None:
    taken = list[int]()

    def tasks() -> Iterator[int]:
        for number in range(14, 1000):
            taken.append(number)
            yield number

    results = done(Doubling(), tasks(), 2)
    next(results)
    assert len(taken) <= 2 * AHEAD + 2
    results.close()  # type: ignore[attr-defined]
