"""Each recording of a folder is in one count, and what is missing on either side is named."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from night_help import NOON, FakeListener, Notes, archive, beep, tools

from pipeline.media.metadata import read_metadata
from pipeline.storage.store import Store
from pipeline.workflows.night.reconcile import SHOWN, Reconciled, reconcile
from pipeline.workflows.night.values import NightPlan
from pipeline.workflows.nightly import run_night


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return archive(tmp_path / "in", calls=4)


@pytest.fixture
def store(tmp_path: Path, folder: Path) -> Iterator[Store]:
    """After a night."""
    with Store.open(f"sqlite:///{tmp_path}/calls.db") as opened:
        run_night(NightPlan(folder=folder), tools(opened), Notes())
        yield opened


def found(folder: Path, store: Store) -> Reconciled:
    ready = tools(store)
    metadata = read_metadata(folder / "metadata.csv", ready.settings.columns, ready.settings.time_zone)
    counts = reconcile(folder, metadata, store, ready.provenance)
    assert counts.adds_up
    return counts


def test_after_a_night_nothing_is_missing_on_any_side(folder: Path, store: Store) -> None:
    counts = found(folder, store)
    assert (counts.seen, counts.done) == (4, 4)
    assert not any(
        one.count for one in (counts.pending, counts.without_row, counts.without_file, counts.gone)
    )


def test_a_file_that_the_database_does_not_know_is_pending_and_named(folder: Path, store: Store) -> None:
    extra = beep(folder / "audio/new.wav", 900)
    counts = found(folder, store)
    assert (counts.pending.first, counts.without_row.first) == ([str(extra)], [str(extra)])


def test_a_call_whose_file_is_gone_is_named_from_both_sides(folder: Path, store: Store) -> None:
    (folder / "audio/c2.wav").unlink()
    counts = found(folder, store)
    assert (counts.seen, counts.done) == (3, 3)
    assert counts.gone.first == [str(folder / "audio/c2.wav")]
    assert "c2.wav" in counts.without_file.first[0]


def test_a_file_that_was_moved_is_done_and_not_gone(folder: Path, store: Store) -> None:
    (folder / "audio/c2.wav").rename(folder / "audio/moved.wav")
    (folder / "audio/twice.wav").write_bytes((folder / "audio/moved.wav").read_bytes())
    counts = found(folder, store)
    assert (counts.seen, counts.done, counts.skipped, counts.gone.count) == (5, 4, 1, 0)


def test_a_copy_is_skipped_and_what_failed_is_in_quarantine_until_it_is_let_go(
    folder: Path, store: Store
) -> None:
    (folder / "audio/c5.wav").write_bytes((folder / "audio/c1.wav").read_bytes())
    (folder / "audio/c2.wav").write_bytes(b"RIFF" + b"\0" * 100)
    run_night(NightPlan(folder=folder), tools(store), Notes())
    counts = found(folder, store)
    assert (counts.seen, counts.done, counts.skipped, counts.quarantined) == (5, 3, 1, 1)
    store.release([fault.path for fault in store.quarantined()], at=NOON)
    assert (found(folder, store).skipped, found(folder, store).quarantined) == (2, 0)


def test_what_a_killed_night_had_claimed_is_pending(folder: Path, store: Store) -> None:
    beep(folder / "audio/c1.wav", 901)
    with pytest.raises(KeyboardInterrupt):
        run_night(NightPlan(folder=folder), tools(store, FakeListener(fail_after=0)), Notes())
    with store._writing() as session:
        session.connection().exec_driver_sql(
            "UPDATE work SET state = 'claimed', night_id = 1 WHERE state = 'pending'"
        )
    assert found(folder, store).pending.first == [str(folder / "audio/c1.wav")]


def test_of_many_that_are_missing_the_first_are_named_and_all_are_counted(folder: Path, store: Store) -> None:
    for number in range(SHOWN + 5):
        beep(folder / f"audio/n{number:02}.wav", 1000 + number, 0.6)
    counts = found(folder, store)
    assert (counts.pending.count, len(counts.pending.first)) == (SHOWN + 5, SHOWN)
