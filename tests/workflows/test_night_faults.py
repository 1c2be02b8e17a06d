"""Nights beside and after other nights: each call is done once. What else can go wrong at three in the
morning is in faults.py."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from night_help import NOON, FakeListener, Notes, archive, beep, kept, tools

from pipeline.storage.store import Store
from pipeline.workflows.night.owner import this_process
from pipeline.workflows.night.values import NightPlan, Summary
from pipeline.workflows.nightly import run_night

CALLS = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("night") / "in"
    for number in range(CALLS):
        beep(place / f"c{number:02}.wav", 300 + 5 * number, 1.0)
    return place


@pytest.fixture(scope="module")
def undisturbed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> object:
    path = tmp_path_factory.mktemp("undisturbed") / "calls.db"
    with Store.open(f"sqlite:///{path}") as store:
        assert night(store, folder).scored == CALLS
    return kept(path)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/calls.db") as opened:
        yield opened


def night(store: Store, folder: Path, listener: FakeListener | None = None, **changes: Any) -> Summary:
    return run_night(NightPlan(folder=folder), replace(tools(store, listener), **changes), Notes())


def test_two_nights_on_one_folder_share_the_work(folder: Path, undisturbed: object, tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/calls.db"
    Store.open(url).close()
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
    assert kept(tmp_path / "calls.db") == undisturbed


def test_the_claims_of_a_night_that_died_are_taken_over(store: Store, folder: Path) -> None:
    host, _, _ = this_process().partition(":")
    dead = store.start_night("in", at=NOON, owner=f"{host}:999999999:1", until=NOON + timedelta(days=1))
    listener = FakeListener(fail_after=0)
    with pytest.raises(KeyboardInterrupt):
        night(store, folder, listener)
    with store._writing() as session:
        session.connection().exec_driver_sql(f"UPDATE work SET state = 'claimed', night_id = {dead}")
    summary = night(store, folder)
    assert (summary.scored, summary.elsewhere) == (CALLS, 0)


def test_what_another_living_night_holds_is_left_to_it(store: Store, folder: Path) -> None:
    other = store.start_night("in", at=NOON, owner="elsewhere:1:1", until=NOON + timedelta(days=1))
    with pytest.raises(KeyboardInterrupt):
        night(store, folder, FakeListener(fail_after=0))
    with store._writing() as session:
        session.connection().exec_driver_sql(f"UPDATE work SET state = 'claimed', night_id = {other}")
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
