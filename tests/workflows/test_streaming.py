"""The folder is read as a stream: memory does not grow with the archive."""

import tracemalloc
from pathlib import Path

from night_help import FakeListener, Notes, beep, tools

from pipeline.media.archive import IN_MEMORY, find_recordings
from pipeline.storage.store import Store
from pipeline.workflows.night.jobs import Walk
from pipeline.workflows.night.values import NightPlan, Summary
from pipeline.workflows.night.watch import watch
from pipeline.workflows.nightly import run_night


class Nobody:
    def quarantine(self, *args: object) -> None:
        raise AssertionError(args)

    def notice(self, text: str) -> None:
        raise AssertionError(text)

    def passed(self) -> None:
        """Not shown."""


def made(folder: Path, names: int) -> Path:
    folder.mkdir()
    for number in range(names):
        (folder / f"call_{number:08}.wav").write_bytes(b"%d" % number)
    return folder


def peak(folder: Path, store: Store) -> tuple[int, int]:
    """Bytes at most while the whole folder is walked, and how many jobs there were."""
    walk = Walk(NightPlan(folder=folder), tools(store), None, Nobody())
    tracemalloc.start()
    jobs = sum(1 for _ in walk.jobs(Summary()))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most, jobs


def test_memory_is_the_same_for_ten_times_the_archive(tmp_path: Path) -> None:
    with Store.open(f"sqlite:///{tmp_path}/calls.db") as store:
        peak(made(tmp_path / "warm", 200), store)
        small, few = peak(made(tmp_path / "small", 2_000), store)
        large, many = peak(made(tmp_path / "large", 20_000), store)
    assert (few, many) == (2_000, 20_000)
    assert large < small + 1_500_000  # IN_MEMORY names and no more


def test_the_order_is_the_same_however_many_names_are_sorted_on_the_disk(tmp_path: Path) -> None:
    folder = made(tmp_path / "many", 2 * IN_MEMORY + 10)
    (folder / "a\n\\b录音.wav").touch()
    names = [found.path.name for found in find_recordings(folder, report=lambda error: None)]
    assert names == sorted(names)
    assert len(names) == len(set(names)) == 2 * IN_MEMORY + 11
    assert "a\n\\b录音.wav" in names


def test_a_watched_folder_is_worked_on_as_recordings_come(tmp_path: Path) -> None:
    folder, listener = tmp_path / "in", FakeListener()
    beep(folder / "a.wav", 400)

    def day() -> object:
        yield
        beep(folder / "b.wav", 500)
        yield
        yield
        beep(folder / "c.wav", 600)
        yield

    with Store.open(f"sqlite:///{tmp_path}/calls.db") as store:
        plan = NightPlan(folder=folder, known=set())
        ended = list(watch(plan, tools(store, listener), Notes(), day()))  # type: ignore[arg-type]
        assert [summary.scored for summary in ended] == [1, 1, 1]
        assert [summary.seen for summary in ended] == [1, 1, 1]
        assert len(store.nights()) == 3
        assert run_night(NightPlan(folder=folder), tools(store), Notes()).already_done == 3


def test_a_watched_recording_waits_for_its_row(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    beep(folder / "a.wav", 400)
    (folder / "metadata.csv").write_text("call_id,file\n")

    def day() -> object:
        yield
        (folder / "metadata.csv").write_text("call_id,file\nc1,a.wav\n")
        yield

    with Store.open(f"sqlite:///{tmp_path}/calls.db") as store:
        plan = NightPlan(folder=folder, known=set())
        ended = list(watch(plan, tools(store), Notes(), day()))  # type: ignore[arg-type]
        assert [(summary.scored, summary.quarantined) for summary in ended] == [(1, [])]
