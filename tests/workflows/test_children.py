"""Decoding in child processes: what a recording does to them stays with them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from night_children import Poison, broken, deadly
from night_help import FakeListener, Notes, beep, tools

from pipeline.errors import ModelError
from pipeline.storage.store import Store
from pipeline.workflows.night import children
from pipeline.workflows.night.job import Prepare
from pipeline.workflows.night.values import NightPlan, Summary
from pipeline.workflows.nightly import run_night


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/db/calls.db") as opened:
        yield opened


def night(store: Store, folder: Path, prepare: object, listener: FakeListener | None = None) -> Summary:
    ready = tools(store, listener, readers=2, prepare_memory_gb=1)
    return run_night(NightPlan(folder=folder), replace(ready, prepare=prepare), Notes())  # type: ignore[arg-type]


def folder_of(tmp_path: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        beep(tmp_path / f"in/{name}.wav", 300 + 10 * number)
    return tmp_path / "in"


def reasons(summary: Summary) -> dict[str, str]:
    return {Path(fault.path).stem: fault.reason for fault in summary.quarantined}


def test_what_is_made_in_a_child_is_what_is_made_here(store: Store, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "a", "b", "c")
    heard = FakeListener()
    assert night(store, folder, Poison(tmp_path / "seen"), heard).scored == 3
    with Store.open(f"sqlite:///{tmp_path}/here.db") as here:
        run_night(NightPlan(folder=folder), tools(here), Notes())
        for call in here.calls():
            name = call.recording.id
            assert store.latest(name).recording == here.latest(name).recording
            assert store.peaks(name) == here.peaks(name)


def test_poison_is_not_tried_for_ever(store: Store, tmp_path: Path) -> None:
    poison, folder = Poison(tmp_path / "seen"), folder_of(tmp_path, "a", "crash_1")
    night(store, folder, poison)
    again = night(store, folder, poison)
    assert (again.already_done, again.poison, again.failed) == (1, 1, 0)
    assert poison.tries()["crash_1.wav"] == 3
    store.retry([str(folder / "crash_1.wav")], at=tools(store).clock())
    assert night(store, folder, poison).failed == 1


def test_a_mistake_of_the_program_is_told_by_its_place_and_not_by_its_words(
    store: Store, tmp_path: Path
) -> None:
    told = reasons(night(store, folder_of(tmp_path, "bug_1"), Poison(tmp_path / "seen")))["bug_1"]
    assert "RuntimeError，night_children.py" in told
    assert "说了什么" not in told


def test_many_small_files_are_done_by_the_same_few_processes(store: Store, tmp_path: Path) -> None:
    night(store, folder_of(tmp_path, *(f"n{n}" for n in range(30))), Poison(tmp_path / "seen"))
    processes = {line.split()[1] for line in (tmp_path / "seen").read_text().splitlines()}
    assert len(processes) <= 2


@pytest.mark.parametrize("prepare", [broken, deadly])
def test_children_that_cannot_start_are_no_fault_of_the_recordings(
    store: Store, tmp_path: Path, prepare: Prepare
) -> None:
    with pytest.raises(ModelError):
        night(store, folder_of(tmp_path, "a"), prepare)
    assert store.quarantined() == ()


def test_more_sound_than_allowed_does_not_come_back(tmp_path: Path) -> None:
    handle, sizes = children._packed(np.zeros(1000))  # type: ignore[arg-type]
    assert sum(sizes) > 8000
    assert np.array_equal(children._unpacked(handle, sizes), np.zeros(1000))  # type: ignore[arg-type]
