"""A night over the recordings of a bucket, from the listing to the player."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest
from cluster_help import answered, jobs
from night_help import FakeListener, Notes, archive, tools
from s3_server import S3Store, s3_store

from pipeline.errors import NotFound
from pipeline.media.metadata import read_metadata
from pipeline.media.places import place
from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.timeline import Recording, Transcript
from pipeline.workflows.night.cluster.messages import Order
from pipeline.workflows.night.cluster.node import Recognizer
from pipeline.workflows.night.hearing import Heard
from pipeline.workflows.night.reconcile import reconcile
from pipeline.workflows.night.values import NightPlan, Summary
from pipeline.workflows.nightly import run_night
from pipeline.workflows.playback import peaks_of, playable


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Store]:
    with pytest.MonkeyPatch.context() as patch, s3_store(patch) as made:
        yield made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/calls.db") as opened:
        yield opened


def night(store: Store, folder: str, listener: FakeListener | None = None) -> Summary:
    return run_night(NightPlan(folder=place(folder)), tools(store, listener), Notes())


def test_a_night_over_a_bucket_is_as_one_over_a_folder(s3: S3Store, store: Store, tmp_path: Path) -> None:
    here = archive(tmp_path / "in")
    there = s3.put_folder(here, "night")
    assert night(store, there).scored == 3
    with Store.open("sqlite://") as other:
        night(other, str(here))
        local = {call.recording.name: call for call in other.calls()}
        for call in store.calls():
            same = local[call.recording.name]
            assert (call.recording.id, call.total) == (same.recording.id, same.total)
            assert call.recording.path.startswith("s3://archive/night/audio/")
    listener = FakeListener()
    assert (night(store, there, listener).already_done, listener.heard) == (3, 0)


def test_decoding_children_read_from_the_bucket(s3: S3Store, store: Store, tmp_path: Path) -> None:
    there = s3.put_folder(archive(tmp_path / "in", calls=1), "children")
    summary = run_night(NightPlan(folder=place(there)), tools(store, readers=1), Notes())
    assert (summary.scored, summary.quarantined) == (1, [])


def test_a_node_of_a_cluster_reads_from_the_bucket(s3: S3Store, tmp_path: Path) -> None:
    there = s3.put_folder(archive(tmp_path / "in", calls=1), "node")
    (job,) = jobs(there)
    order = Order(settings=Settings(readers=0), recipe="cluster_fakes:recipe", folder=there)
    (outcome,) = answered(Recognizer(order.packed()), [job])
    assert isinstance(outcome, Heard)
    assert outcome.recording.path == f"{there}/audio/c1.wav"


def test_a_bucket_is_reconciled_both_ways(s3: S3Store, store: Store, tmp_path: Path) -> None:
    there = s3.put_folder(archive(tmp_path / "in"), "counted")
    night(store, there)
    s3.delete("counted/audio/c1.wav")
    s3.put("counted/audio/new.wav", (tmp_path / "in/audio/c1.wav").read_bytes() + b"x")
    metadata = read_metadata(place(f"{there}/metadata.csv"))
    found = reconcile(place(there), metadata, store, tools(store).provenance)
    assert (found.seen, found.done, found.adds_up) == (3, 2, True)
    assert found.pending.first == found.without_row.first == [f"{there}/audio/new.wav"]
    assert found.gone.first == found.without_file.first or found.gone.first == [f"{there}/audio/c1.wav"]


def test_what_lies_in_a_bucket_is_played_from_a_copy(s3: S3Store, store: Store, tmp_path: Path) -> None:
    there = s3.put_folder(archive(tmp_path / "in", calls=1), "played")
    night(store, there)
    (call,) = store.calls()
    settings = Settings(cache=str(tmp_path / "cache"))
    file = playable(call.recording, settings)
    assert file.path.is_relative_to(tmp_path / "cache")
    assert file.path.read_bytes() == (tmp_path / "in/audio/c1.wav").read_bytes()
    assert peaks_of(store, call.recording).channels
    s3.put("played/audio/c1.wav", b"something else")
    with pytest.raises(NotFound, match="不是当时听的那个录音"):
        playable(call.recording, settings)


class StopsStore(FakeListener):
    """The store goes when a call was heard."""

    def __init__(self, s3: S3Store) -> None:
        super().__init__()
        self._s3 = s3

    def hear(
        self, recordings: Iterable[Recording], beat: Callable[[], None]
    ) -> Iterator[tuple[Recording, Transcript]]:
        for number, heard in enumerate(super().hear(recordings, beat)):
            if not number:
                self._s3.stop()
            yield heard


def test_a_store_that_goes_ends_the_night_and_no_recording_is_to_blame(
    s3: S3Store, store: Store, tmp_path: Path
) -> None:
    there = s3.put_folder(archive(tmp_path / "in", calls=9), "gone")
    with pytest.raises(NotFound, match="AWS_ENDPOINT_URL"):
        night(store, there, StopsStore(s3))
    assert not store.quarantined()
    s3.start()
    summary = night(store, there)
    assert (summary.already_done + summary.scored, summary.quarantined) == (9, [])
