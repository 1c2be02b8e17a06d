"""A night on the machines of a cluster: whatever comes and goes, afterwards all is as after one at home."""

import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from cluster_fakes import BEFORE_HOLD
from cluster_help import NightOnCluster, RayCluster, answered, jobs, stored
from night_help import Notes, archive, beep, kept, tools

from pipeline.errors import SettingsError
from pipeline.settings import Settings
from pipeline.storage.mapping import unpack
from pipeline.storage.store import Store
from pipeline.workflows.night.cluster.hearing import OnCluster
from pipeline.workflows.night.cluster.messages import Broken, Order, call_of, job_of
from pipeline.workflows.night.cluster.node import Recognizer, program_of
from pipeline.workflows.night.hearing import Failed, Heard
from pipeline.workflows.night.job import Job
from pipeline.workflows.night.values import NightPlan
from pipeline.workflows.nightly import run_night

CALLS = 16


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("cluster") / "in"
    for number in range(CALLS):
        beep(place / f"c{number:02}.wav", 300 + 5 * number, 1.0)
    return place


def order(folder: Path) -> bytes:
    return Order(settings=Settings(readers=0), recipe="cluster_fakes:recipe", folder=str(folder)).packed()


def test_a_call_goes_to_a_node_by_its_place_and_comes_back_as_it_would_at_home(tmp_path: Path) -> None:
    folder = archive(tmp_path / "in")
    first, *_ = asked = jobs(folder)
    assert job_of(call_of(first)) == first
    assert len(call_of(first)) < 1000
    outcomes = answered(Recognizer(order(folder)), asked)
    assert all(isinstance(one, Heard) and one.peaks for one in outcomes)
    assert [one.recording.call_id for one in outcomes if isinstance(one, Heard)] == ["c1", "c2", "c3"]


def test_a_node_knows_no_password_of_the_database(tmp_path: Path) -> None:
    secret = Settings(database="postgresql://night:geheim@db/calls", audit_key="/etc/geheim")
    message = Order(settings=secret, recipe="a:b", folder=str(tmp_path)).packed()
    assert "geheim" not in str(unpack(message))
    assert Order.of(message).settings.transcript_digest() == secret.transcript_digest()


def test_a_recording_that_changed_on_the_way_is_told_as_such(folder: Path, tmp_path: Path) -> None:
    beep(tmp_path / "in/a.wav", 500)
    (job,) = jobs(tmp_path / "in")
    beep(tmp_path / "in/a.wav", 700)
    (outcome,) = answered(Recognizer(order(tmp_path / "in")), [job])
    assert isinstance(outcome, Failed)
    assert (outcome.stage, "变了" in str(outcome.error)) == ("decode", True)


def test_a_folder_that_a_node_does_not_see_is_no_fault_of_the_recording(folder: Path, tmp_path: Path) -> None:
    (job, *_) = jobs(folder)
    recognizer = Recognizer(order(tmp_path / "not mounted"))
    assert "看不到" in unpack(recognizer.program())["broken"]
    (tmp_path / "in").mkdir()
    gone = Job(path=tmp_path / "in/c00.wav", row=None, work=job.work, stamp=job.stamp)
    assert isinstance(answered(recognizer, [gone])[0], Broken)


def test_nodes_tell_what_must_be_the_same_everywhere(folder: Path) -> None:
    told = unpack(Recognizer(order(folder)).program())
    assert told == program_of(Settings())
    assert {"callscore", "ctranslate2", "Python", "模型", "识别设置"} <= told.keys()
    assert program_of(Settings(beam_size=1)) != told


def test_without_ray_the_option_says_what_to_install(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    hearing = OnCluster(address="auto", folder=folder, notice=print)
    with Store.open(f"sqlite:///{tmp_path}/calls.db") as store:
        ready = tools(store)
        with pytest.raises(SettingsError, match="callscore\\[ray\\]"), hearing(ready.recipe):
            pass


@pytest.fixture
def cluster() -> Iterator[tuple[RayCluster, Path]]:
    """And where it has its files. Short: Ray makes sockets below."""
    with tempfile.TemporaryDirectory(prefix="ray", dir="/tmp", ignore_cleanup_errors=True) as place:
        made = RayCluster(Path(place))
        yield made, Path(place)
        made.close()


@pytest.mark.skipif(find_spec("ray") is None, reason="pip install callscore[ray]")
def test_a_node_that_comes_and_one_that_dies_change_nothing(
    cluster: tuple[RayCluster, Path], folder: Path, tmp_path: Path
) -> None:
    (ray, files), path, hold = cluster, tmp_path / "calls.db", folder.parent / "hold"
    hold.touch()
    first = ray.add()
    night = NightOnCluster(str(folder), path, ray.address)
    ray.add()
    with Store.open(f"sqlite:///{tmp_path}/home.db") as store:
        assert run_night(NightPlan(folder=folder), tools(store), Notes()).scored == CALLS
    stored(path, 2 * BEFORE_HOLD)
    ray.kill(first)
    hold.unlink()
    told = night.end()
    assert (told["scored"], told["failed"]) == (CALLS, 0)
    assert any("没了" in line for line in told["told"])
    assert kept(f"sqlite:///{path}") == kept(f"sqlite:///{tmp_path}/home.db")
    logs = b"".join(file.read_bytes() for file in files.rglob("*") if file.is_file())
    assert b"Recognizer" in logs
    assert "您好".encode() not in logs
