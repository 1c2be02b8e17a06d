"""What takes long to count: nobody waits for it, and it is not counted more often than it need be."""

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

from pipeline.errors import StorageError
from pipeline.storage.store import Store
from pipeline.workflows import lately
from pipeline.workflows.lately import Lately


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/calls.db") as opened:
        yield opened


class Counter:
    """Counts 1, 2, 3 ..., each as soon as it may."""

    def __init__(self) -> None:
        self.times, self.may = 0, Event()
        self.may.set()

    def __call__(self, store: Store) -> int:
        self.may.wait(20)
        self.times += 1
        return self.times


def until(true: Callable[[], bool]) -> None:
    for _ in range(2_000):
        if true():
            return
        Event().wait(0.01)
    raise AssertionError("it never came")


def test_the_same_archive_is_counted_once(store: Store) -> None:
    counted, count = Lately[int](), Counter()
    assert [counted.of(store, "a", count) for _ in range(3)] == [1, 1, 1]


def test_a_short_count_is_made_anew_for_each_change(store: Store) -> None:
    counted, count = Lately[int](short=20.0), Counter()
    assert [counted.of(store, key, count) for key in "abc"] == [1, 2, 3]


def test_a_long_count_does_for_a_while_though_something_changed(store: Store) -> None:
    counted, count = Lately[int](short=0.0), Counter()
    assert [counted.of(store, key, count) for key in "abc"] == [1, 1, 1]


def test_nobody_waits_for_the_first_count_nor_for_a_new_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lately, "SOON", 0.05)
    counted, count = Lately[int](short=20.0), Counter()
    count.may.clear()
    assert counted.of(store, "a", count) is None
    assert counted.of(store, "a", count) is None
    count.may.set()
    until(lambda: counted.of(store, "a", count) == 1)
    count.may.clear()
    assert counted.of(store, "b", count) == 1
    count.may.set()
    until(lambda: counted.of(store, "b", count) == 2)
    assert count.times == 2


def test_what_went_wrong_is_told_and_tried_again(store: Store) -> None:
    counted = Lately[int]()

    def broken(store: Store) -> int:
        raise StorageError("database is locked")

    with pytest.raises(StorageError, match="locked"):
        counted.of(store, "a", broken)
    assert counted.of(store, "a", Counter()) == 1


def test_an_archive_in_memory_is_counted_by_who_asks() -> None:
    with Store.open("sqlite://") as store:
        assert Lately[int]().of(store, "a", Counter()) == 1
