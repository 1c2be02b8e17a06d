"""Recognition in processes of its own: what a recording does to one of them stays with that recording."""

import os
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from night_help import Notes, beep, kept, tools
from night_listeners import Encoding, Fragile, Second, deadly, known, no_model

from pipeline.errors import ModelError
from pipeline.media.decode import decode, fingerprint
from pipeline.samples import RATE
from pipeline.settings import Settings
from pipeline.speech.devices import device_names, worker_count
from pipeline.speech.listen import Listener
from pipeline.storage.night_records import Wanted
from pipeline.storage.store import Store
from pipeline.timeline import Transcript
from pipeline.workflows.night.hearing import Failed, Heard, Recipe
from pipeline.workflows.night.here import here
from pipeline.workflows.night.job import Job, Stamp
from pipeline.workflows.night.preparing import Preparing
from pipeline.workflows.night.values import NightPlan, Summary
from pipeline.workflows.night.workers import Workers, local
from pipeline.workflows.nightly import run_night

DEMO = Path(__file__).parents[2] / "data/demo/audio"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/calls.db") as opened:
        yield opened


def night(store: Store, folder: Path, listener: object, **settings: Any) -> Summary:
    ready = replace(tools(store, **{"workers": 2, **settings}), listener=listener)  # type: ignore[arg-type]
    return run_night(NightPlan(folder=folder), ready, Notes())


def folder_of(tmp_path: Path, *names: str) -> Path:
    for number, name in enumerate(names):
        beep(tmp_path / f"in/{name}.wav", 300 + 10 * number, 0.6)
    return tmp_path / "in"


def test_two_processes_keep_what_one_keeps(store: Store, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, *(f"c{number:02}" for number in range(16)))
    seen = Fragile(tmp_path / "seen")
    assert night(store, folder, seen).scored == 16
    assert len(seen.processes()) == 2
    with Store.open(f"sqlite:///{tmp_path}/here.db") as here:
        night(here, folder, known, workers=0)
    assert kept(f"sqlite:///{tmp_path}/calls.db") == kept(f"sqlite:///{tmp_path}/here.db")


def test_the_processes_make_the_vectors_of_what_they_heard(store: Store, tmp_path: Path) -> None:
    made = Encoding(tmp_path / "made")
    ready = replace(tools(store, workers=2), listener=known, vectors=made)  # type: ignore[arg-type]
    run_night(NightPlan(folder=folder_of(tmp_path, "a", "b", "c", "d")), ready, Notes())
    encoders = [call.sentences.encoder for call in store.stored() if call.sentences]
    assert encoders == ["test"] * 4
    assert str(os.getpid()) not in made.seen.read_text().split()
    assert len(made.seen.read_text().split()) == 4


def test_a_recording_that_kills_recognition_is_quarantined_after_three_tries_and_the_rest_is_done(
    store: Store, tmp_path: Path
) -> None:
    names = [f"c{number:02}" for number in range(8)]
    fragile, folder = Fragile(tmp_path / "seen"), folder_of(tmp_path, "crash_1", "once_1", *names)
    summary = night(store, folder, fragile)
    (fault,) = summary.quarantined
    assert summary.scored == 9
    assert (Path(fault.path).stem, fault.stage, fault.tries) == ("crash_1", "recognize", 3)
    assert "SIGSEGV" in fault.reason
    assert fragile.tries("crash_1") in (3, 4)
    assert night(store, folder, fragile).poison == 1


def test_people_are_told_in_chinese_when_a_process_dies(store: Store, tmp_path: Path) -> None:
    told: list[str] = []
    ready = replace(
        tools(store, workers=2),
        listener=Fragile(tmp_path / "seen"),
        hearing=partial(local, notice=told.append),
    )
    run_night(NightPlan(folder=folder_of(tmp_path, "once_1", "a", "b")), ready, Notes())
    (line,) = told
    assert line.startswith("一个识别进程没了（SIGSEGV），手上有 ")


def test_a_mistake_of_the_program_costs_one_recording_and_no_process(store: Store, tmp_path: Path) -> None:
    fragile = Fragile(tmp_path / "seen")
    summary = night(store, folder_of(tmp_path, "bug_1", "a", "b", "c"), fragile, workers=1)
    (fault,) = summary.quarantined
    assert summary.scored == 3
    assert "RuntimeError，night_listeners.py" in fault.reason
    assert "说了什么" not in fault.reason
    assert len(fragile.processes()) == 1


def test_recognition_that_hangs_is_ended(store: Store, tmp_path: Path) -> None:
    fragile = Fragile(tmp_path / "seen")
    folder = folder_of(tmp_path, "a", "hang_1", "b", "c", "d")
    summary = night(store, folder, fragile, recognize_minutes=0.07)
    (fault,) = summary.quarantined
    assert summary.scored == 4
    assert (Path(fault.path).stem, fault.stage, fault.tries) == ("hang_1", "recognize", 1)
    assert "没有动静" in fault.reason


@pytest.mark.parametrize("listener", [no_model, deadly])
def test_recognition_that_cannot_start_is_no_fault_of_the_recordings(
    store: Store, tmp_path: Path, listener: object
) -> None:
    with pytest.raises(ModelError):
        night(store, folder_of(tmp_path, "a", "b"), listener)
    assert store.quarantined() == ()


def test_where_one_process_does_not_start_the_other_does_all(store: Store, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, *(f"c{number}" for number in range(6)))
    assert night(store, folder, Second(tmp_path / "taken")).scored == 6


def test_the_night_ends_when_its_time_is_up_whoever_hears(store: Store, tmp_path: Path) -> None:
    folder = folder_of(tmp_path, *(f"c{number:02}" for number in range(40)))
    ticks = iter(range(100_000))
    ready = replace(tools(store, workers=2), listener=known, ticks=lambda: float(next(ticks)))
    summary = run_night(NightPlan(folder=folder, budget_seconds=30), ready, Notes())
    assert summary.out_of_time
    assert 0 < summary.scored < 40
    assert summary.seen == summary.scored + summary.pending


@pytest.mark.model
def test_what_is_heard_does_not_depend_on_the_process(tmp_path: Path) -> None:
    settings = Settings(readers=0, batch_size=2)
    recipe = Recipe(settings=settings, prepare=Preparing(settings), listener=Listener.open)
    jobs = [_job(path) for path in _excerpts(tmp_path, 4, 5.0)]
    found: list[dict[str, Transcript]] = []
    for opened in (here, lambda recipe: Workers(recipe, 2)):
        told: list[Heard | Failed] = []
        with opened(recipe) as hearing:
            hearing.hear(iter(jobs), told.append)
        found.append({heard.job.sha256: heard.transcript for heard in told if isinstance(heard, Heard)})
    assert found[0] == found[1]
    assert len(found[0]) == len(jobs)
    assert all(transcript.turns for transcript in found[0].values())


def _excerpts(place: Path, count: int, seconds: float) -> Iterator[Path]:
    sound = (decode(DEMO / "d07_mono.wav").samples.channel(0) * 32767).astype("<i2")
    length = int(seconds * RATE)
    for number in range(count):
        path = place / f"{number}.wav"
        with wave.open(str(path), "wb") as part:
            part.setparams((1, 2, RATE, 0, "NONE", ""))
            part.writeframes(sound[number * length : (number + 1) * length].tobytes())
        yield path


def _job(path: Path) -> Job:
    sha256 = fingerprint(path)
    return Job(
        path=path,
        row=None,
        work=Wanted(key=sha256, sha256=sha256, path=str(path)),
        stamp=Stamp.of(path),
    )


NIGHT = """
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from night_help import Notes, tools
from night_listeners import Fragile
from pipeline.storage.store import Store
from pipeline.workflows.night.values import NightPlan
from pipeline.workflows.nightly import run_night

if __name__ == "__main__":
    with Store.open(f"sqlite:///{sys.argv[1]}/calls.db") as store:
        ready = replace(tools(store, workers=2, readers=2), listener=Fragile(Path(sys.argv[1]) / "seen"))
        run_night(NightPlan(folder=Path(sys.argv[1]) / "in"), ready, Notes())
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_no_process_outlives_a_night_that_is_stopped(tmp_path: Path, how: signal.Signals) -> None:
    folder_of(tmp_path, "hang_1", "a", "b", "c", "d", "e", "f")
    here = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    environ = {**os.environ, "PYTHONPATH": here}
    coordinator = subprocess.Popen(
        [sys.executable, "-c", NIGHT, str(tmp_path)],
        env=environ,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # in the background it is ignored
    )
    _until(lambda: "hang" in _text(tmp_path / "seen"))
    group = _descendants(coordinator.pid)
    assert len(group) >= 4
    coordinator.send_signal(how)
    coordinator.wait(timeout=60)
    _until(lambda: not any(map(_runs, group)))


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _until(what: Any) -> None:
    until = time.monotonic() + 60
    while not what():
        assert time.monotonic() < until
        time.sleep(0.05)


def _descendants(process: int) -> list[int]:
    children = map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split())
    return [found for child in children for found in (child, *_descendants(child))]


def _runs(process: int) -> bool:
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[0] not in "ZX"


def test_how_many_processes_recognize() -> None:
    assert worker_count(Settings(workers=3)) == 3
    assert worker_count(Settings(workers="auto", threads=16)) == 4
    assert worker_count(Settings(workers="auto", threads=2)) == 1
    assert device_names(Settings()) == []
