"""What can go wrong with any database at three in the morning: afterwards no call is lost, none is there
twice, and everything is as after an undisturbed night. Faults of the machine and recordings: faults.py."""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from night_children import decoded
from night_ground import split_off
from night_help import NOON, FakeListener, Notes, archive, beep, kept, tools
from sqlalchemy import event

from pipeline.errors import NotFound, StorageError
from pipeline.storage.database import open_database
from pipeline.storage.store import Store
from pipeline.workflows.night import patience
from pipeline.workflows.night.job import Job, Made
from pipeline.workflows.night.owner import this_process
from pipeline.workflows.night.reconcile import reconcile
from pipeline.workflows.night.values import NightPlan, Summary
from pipeline.workflows.nightly import run_night

CALLS = 24
KILLS = 6
NO_TIME = type("Now", (), {"sleep": staticmethod(lambda seconds: None)})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("night") / "in"
    for number in range(CALLS):
        beep(place / f"c{number:02}.wav", 300 + 5 * number, 1.0)
    return place


@pytest.fixture(scope="module")
def undisturbed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Any, ...]]:
    """What a night without faults keeps in SQLite, and so in any database."""
    url = f"sqlite:///{tmp_path_factory.mktemp('undisturbed')}/calls.db"
    with Store.open(url) as store:
        assert night(store, folder).scored == CALLS
    return kept(url)


def night(store: Store, folder: Path, listener: FakeListener | None = None, **changes: Any) -> Summary:
    return run_night(NightPlan(folder=folder), replace(tools(store, listener), **changes), Notes())


def test_nights_that_are_killed_lose_nothing_and_do_nothing_twice(
    folder: Path, undisturbed: object, url: str
) -> None:
    Store.open(url).close()
    chance, killed, longest = random.Random(1), 0, 1.0  # noqa: S311
    for _ in range(KILLS):
        child = split_off(lambda: _night_at(url, folder))
        time.sleep(chance.uniform(0, longest))
        os.kill(child, signal.SIGKILL)
        was_at_work = os.WIFSIGNALED(os.waitpid(child, 0)[1])
        killed, longest = killed + was_at_work, longest if was_at_work else longest / 2
    assert killed
    with Store.open(url) as store:
        night(store, folder)
        found = reconcile(folder, None, store, tools(store).provenance)
    assert kept(url) == undisturbed
    assert (found.seen, found.done, found.adds_up) == (CALLS, CALLS, True)


def _night_at(url: str, folder: Path) -> None:
    with Store.open(url) as store:
        night(store, folder)


def test_two_nights_on_one_folder_share_the_work(folder: Path, undisturbed: object, url: str) -> None:
    listeners, summaries = [FakeListener(), FakeListener()], []

    def one(listener: FakeListener) -> None:
        with Store.open(url) as store:
            summaries.append(night(store, folder, listener))

    threads = [threading.Thread(target=one, args=(listener,)) for listener in listeners]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(listener.heard for listener in listeners) == CALLS
    assert sum(summary.scored for summary in summaries) == CALLS
    assert kept(url) == undisturbed


def test_a_database_that_is_away_for_a_moment_is_waited_for(
    store: Store, folder: Path, undisturbed: object, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "time", NO_TIME)
    whole, failed = Store.save_night_result, []

    def away(self: Store, *args: Any, **named: Any) -> bool:
        if len(failed) < 5:
            failed.append(1)
            raise StorageError("database is locked", passing=True)
        return whole(self, *args, **named)

    monkeypatch.setattr(Store, "save_night_result", away)
    assert night(store, folder).scored == CALLS
    assert kept(url) == undisturbed


def test_a_locked_database_is_waited_for(store: Store, folder: Path, undisturbed: object, url: str) -> None:
    engine = open_database(url)
    other = engine.connect().execution_options(write=True)
    held = other.begin()
    if engine.dialect.name == "postgresql":
        other.exec_driver_sql("LOCK TABLE recordings IN EXCLUSIVE MODE")
    threading.Timer(1.0, held.commit).start()
    assert night(store, folder).scored == CALLS
    other.close()
    engine.dispose()
    assert kept(url) == undisturbed


@contextmanager
def full_disk(url: str) -> Iterator[Store]:
    """A store for which there is room for some calls. PostgreSQL is made to say what it says on a full disk:
    a real one stops all of it."""
    with Store.open(url) as store:
        if url.startswith("sqlite"):
            limit = f"PRAGMA max_page_count = {_pages(store) + 200}"
            event.listen(store._engine, "connect", lambda raw, _: raw.execute(limit))
            store._engine.dispose()
            yield store
        else:
            _run(store, FULL)
            yield store
            _run(store, "DROP TRIGGER full_disk ON recordings")


FULL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF (SELECT count(*) FROM recordings) >= 7 THEN
    RAISE EXCEPTION USING ERRCODE = '53100',
      MESSAGE = 'could not extend file "base/5/1": No space left on device', HINT = 'Check free disk space.';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER full_disk BEFORE INSERT ON recordings FOR EACH ROW EXECUTE FUNCTION full_disk();
"""


def _run(store: Store, statement: str) -> None:
    with store._writing() as session:
        session.connection().exec_driver_sql(statement)


def _pages(store: Store) -> int:
    with store._engine.connect() as connection:
        return int(connection.exec_driver_sql("PRAGMA page_count").scalar() or 0)


def test_a_full_disk_ends_the_night_with_its_cause_and_the_next_one_goes_on(
    folder: Path, undisturbed: object, url: str
) -> None:
    with full_disk(url) as store:
        with pytest.raises(StorageError, match=r"full|No space left") as caught:
            night(store, folder)
        assert "腾出地方" in caught.value.hint
    with Store.open(url) as store:
        before = store.counts()["recordings"]
        listener = FakeListener()
        assert 0 < before < CALLS
        night(store, folder, listener)
        assert listener.heard == CALLS - before
    assert kept(url) == undisturbed


@pytest.mark.parametrize("what", ["change", "vanish"])
def test_a_recording_that_changes_or_goes_while_it_is_read_waits_for_the_next_night(
    store: Store, tmp_path: Path, what: str
) -> None:
    folder = archive(tmp_path / "in", calls=3)
    target, whole = folder / "audio/c2.wav", (folder / "audio/c2.wav").read_bytes()

    def meddling(job: Job) -> Made:
        if job.path == target:
            target.unlink()
            if what == "change":
                beep(target, 777, 3.0)
        return decoded(job)

    summary = night(store, folder, prepare=lambda: meddling)
    (fault,) = summary.quarantined
    assert summary.scored == 2
    assert "文件变了或被移走了" in fault.reason
    target.write_bytes(whole)
    assert night(store, folder).scored == 1
    assert store.quarantined() == ()


def test_a_recording_that_is_still_being_written_is_left_alone(store: Store, tmp_path: Path) -> None:
    folder = archive(tmp_path / "in", calls=2)
    now = NOON.timestamp()
    os.utime(folder / "audio/c1.wav", (now - 3600, now - 3600))
    os.utime(folder / "audio/c2.wav", (now - 5, now - 5))
    plan = NightPlan(folder=folder, settled_seconds=30)
    summary = run_night(plan, tools(store), Notes())
    assert (summary.scored, summary.pending, store.quarantined()) == (1, 1, ())
    later = replace(tools(store), clock=lambda: NOON + timedelta(minutes=1))
    assert run_night(plan, later, Notes()).scored == 1


def test_a_clock_that_jumps_lets_nobody_steal_from_a_night_that_is_alive(
    store: Store, folder: Path, undisturbed: list[tuple[Any, ...]], url: str
) -> None:
    jumps = iter([timedelta(), timedelta(days=400), timedelta(days=-400)] * 1000)
    assert night(store, folder, clock=lambda: NOON + next(jumps)).scored == CALLS
    assert [row[3:6] for row in kept(url)] == [row[3:6] for row in undisturbed]


def test_a_folder_that_goes_away_ends_the_night_and_quarantines_nothing(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for number in range(12):
        beep(folder / f"c{number:02}.wav", 300 + 5 * number, 1.0)
    moved: list[Path] = []

    def unmounting(job: Job) -> Made:
        if not moved:
            moved.append(folder.rename(tmp_path / "away"))
        return decoded(job)

    with pytest.raises(NotFound, match="不见了"):
        night(store, folder, prepare=lambda: unmounting)
    moved[0].rename(folder)
    night(store, folder)
    assert len(list(store.calls())) == 12
    assert store.quarantined() == ()


def test_the_claims_of_a_night_that_died_are_taken_over(store: Store, folder: Path) -> None:
    host, _, _ = this_process().partition(":")
    dead = store.start_night("in", at=NOON, owner=f"{host}:999999999:1", until=NOON + timedelta(days=1))
    listener = FakeListener(fail_after=0)
    with pytest.raises(KeyboardInterrupt):
        night(store, folder, listener)
    _run(store, f"UPDATE work SET state = 'claimed', night_id = {dead}")
    summary = night(store, folder)
    assert (summary.scored, summary.elsewhere) == (CALLS, 0)


def test_what_another_living_night_holds_is_left_to_it(store: Store, folder: Path) -> None:
    other = store.start_night("in", at=NOON, owner="elsewhere:1:1", until=NOON + timedelta(days=1))
    with pytest.raises(KeyboardInterrupt):
        night(store, folder, FakeListener(fail_after=0))
    _run(store, f"UPDATE work SET state = 'claimed', night_id = {other}")
    summary = night(store, folder)
    assert summary.elsewhere > 0
    assert summary.scored == CALLS - summary.elsewhere
    assert summary.seen == CALLS


def test_every_recording_is_in_one_count(store: Store, tmp_path: Path) -> None:
    folder = archive(tmp_path / "in", calls=6)
    (folder / "audio/c2.wav").write_bytes(b"")
    (folder / "audio/c3.wav").write_bytes((folder / "audio/c1.wav").read_bytes())
    beep(folder / "audio/extra.wav", 900)
    for _ in range(2):
        counts = night(store, folder).counts()
        parts = ("scored", "already_done", "failed", "poison", "skipped", "elsewhere", "pending")
        assert counts["seen"] == sum(counts[name] for name in parts) == 7


def test_a_budget_stops_the_night_cleanly_with_the_important_calls_done(store: Store, tmp_path: Path) -> None:
    folder = archive(tmp_path / "in", calls=6)
    with (folder / "metadata.csv").open() as file:
        lines = [line.rstrip("\n") for line in file]
    complaint = [
        lines[0] + ",is_complaint",
        *(f"{line},{'是' if 'c5' in line else '否'}" for line in lines[1:]),
    ]
    (folder / "metadata.csv").write_text("\n".join(complaint) + "\n")
    ticks = iter(range(10_000))
    listener = FakeListener()
    plan = NightPlan(folder=folder, budget_seconds=12)
    summary = run_night(plan, replace(tools(store, listener), ticks=lambda: float(next(ticks))), Notes())
    assert summary.out_of_time
    assert 0 < summary.scored < 6
    assert "c5" in {call.recording.name for call in store.calls()}
    assert night(store, folder).scored == 6 - summary.scored
