"""The connection to the database breaks in the middle of a night, or the whole server goes away."""

import gc
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from databases import Databases, Server
from night_help import FakeListener, Notes, beep, kept, tools

from pipeline.storage.store import Store
from pipeline.timeline import Recording, Transcript
from pipeline.workflows.night import patience
from pipeline.workflows.night.values import NightPlan, Summary
from pipeline.workflows.nightly import run_night

CALLS = 16
forgotten = pytest.mark.filterwarnings("ignore:Exception ignored in. .function BaseConnection.__del__")
"""A broken connection that another thread had is forgotten, not closed."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("night") / "in"
    for number in range(CALLS):
        beep(place / f"c{number:02}.wav", 300 + 5 * number, 1.0)
    return place


@pytest.fixture(scope="module")
def undisturbed(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> object:
    url = f"sqlite:///{tmp_path_factory.mktemp('undisturbed')}/calls.db"
    with Store.open(url) as store:
        night(store, folder)
    return kept(url)


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nights try again sooner than they would."""
    monkeypatch.setattr(patience, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(patience, "LONGEST_PAUSE", 0.1)


def night(
    store: Store, folder: Path, listener: FakeListener | None = None, watcher: Notes | None = None
) -> Summary:
    return run_night(NightPlan(folder=folder), tools(store, listener), watcher or Notes())


class LosesAnswers(Notes):
    """From the start of the night on the connection fails after every second commit: nobody is told that it
    was made."""

    def __init__(self, store: Store, first: int) -> None:
        super().__init__()
        self._dialect, self._count = store._engine.dialect, first
        self._commit = self._dialect.do_commit

    def started(self, night: int) -> None:
        self._dialect.do_commit = self._made  # type: ignore[method-assign]

    def _made(self, connection: Any) -> None:
        self._commit(connection)
        self._count += 1
        if self._count % 2 == 0:
            raise self._dialect.loaded_dbapi.OperationalError("the connection is lost")


@pytest.mark.usefixtures("hurried")
@pytest.mark.parametrize("first", [0, 1])
def test_a_commit_whose_answer_is_lost_is_not_made_twice(
    store: Store, folder: Path, undisturbed: object, url: str, first: int
) -> None:
    counts = night(store, folder, watcher=LosesAnswers(store, first)).counts()
    assert (counts["seen"], counts["scored"]) == (CALLS, CALLS)
    assert kept(url) == undisturbed


@forgotten
@pytest.mark.usefixtures("hurried")
def test_a_server_that_is_stopped_and_started_again_is_waited_for(
    own_server: Server, folder: Path, undisturbed: object
) -> None:
    with Databases(own_server.url).ready() as url, Store.open(url) as store:
        steps = threading.Semaphore(0)
        listener, summaries = Slow(steps), []
        thread = threading.Thread(
            target=lambda: summaries.append(night(store, folder, listener)), daemon=True
        )
        thread.start()
        for how in (signal.SIGQUIT, signal.SIGINT):
            for _ in range(6):
                assert steps.acquire(timeout=60)
            own_server.stop(how)
            time.sleep(1.0)
            own_server.start()
        thread.join(60)
        assert [summary.scored for summary in summaries] == [CALLS]
        assert summaries[0].noticed >= 2
        assert kept(url) == undisturbed
    gc.collect()


class Slow(FakeListener):
    """Says when it heard something, and takes its time over the next."""

    def __init__(self, steps: threading.Semaphore) -> None:
        super().__init__()
        self._steps = steps

    def hear(
        self, recordings: Iterable[Recording], beat: Callable[[], None] = lambda: None
    ) -> Iterator[tuple[Recording, Transcript]]:
        for heard in super().hear(recordings, beat):
            yield heard
            self._steps.release()
            time.sleep(0.05)


@forgotten
@pytest.mark.usefixtures("hurried")
def test_connections_that_are_cut_again_and_again_cost_no_call(
    postgresql: Databases, folder: Path, undisturbed: object
) -> None:
    with postgresql.ready() as url, Store.open(url) as store:
        over, steps, cut = threading.Event(), threading.Semaphore(0), 0
        thread = threading.Thread(target=lambda: (night(store, folder, Slow(steps)), over.set()), daemon=True)
        thread.start()
        for number in range(CALLS):
            assert steps.acquire(timeout=60)
            time.sleep(0.05 + number * 0.005)  # while the next one is being kept, at another point each time
            cut += postgresql.cut(url)
        assert over.wait(60)
        assert cut >= CALLS / 2
        assert kept(url) == undisturbed
    gc.collect()
