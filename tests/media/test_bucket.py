"""Recordings in a bucket, asked of a server that speaks S3."""

import errno
import pickle
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from s3_server import S3Store, forget, s3_store

from pipeline.errors import BadInput, Exhausted, NotFound, SettingsError, UnreadableRecording
from pipeline.media import archive, bucket
from pipeline.media.archive import count_recordings, find_recordings
from pipeline.media.clips import cut_clip
from pipeline.media.decode import decode, fingerprint
from pipeline.media.metadata import read_metadata
from pipeline.media.places import address, place
from pipeline.timeline import Span
from pipeline.workflows.night.job import Stamp

sys.path.insert(0, str(Path(__file__).parent))
from sounds import bursts, write


@pytest.fixture(scope="module")
def store() -> Iterator[S3Store]:
    with pytest.MonkeyPatch.context() as patch, s3_store(patch) as made:
        yield made


def found(folder: str) -> tuple[list[str], list[str]]:
    faults: list[BadInput] = []
    names = [str(one.path) for one in find_recordings(place(folder), report=faults.append)]
    return names, [str(fault) for fault in faults]


def test_recordings_come_in_the_order_of_their_keys_and_other_objects_are_passed_over(store: S3Store) -> None:
    for key in ("b/2.wav", "b/1.MP3", "a.wav", "notes.txt", ".trash/a.wav", "b/.hidden.wav", "b/marker.wav/"):
        store.put(f"list/{key}", b"x")
    names = ["s3://archive/list/a.wav", "s3://archive/list/b/1.MP3", "s3://archive/list/b/2.wav"]
    assert found("s3://archive/list") == (names, [])
    assert count_recordings(place("s3://archive/list"), lambda: False) == 3


def test_a_listing_of_many_pages_is_whole(store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(7):
        store.put(f"many/{number}.wav", b"x")
    real = bucket._store()
    pages = []

    class Small:
        def call_s3(self, method: str, **asked: object) -> object:
            pages.append(asked.get("ContinuationToken"))
            return real.call_s3(method, **asked, MaxKeys=3)

    monkeypatch.setattr(bucket, "_store", Small)
    assert len(found("s3://archive/many")[0]) == 7
    assert len(pages) == 3


def test_a_name_that_no_path_can_have_is_told(store: S3Store) -> None:
    store.put("odd/a//b.wav", b"x")
    names, (fault,) = found("s3://archive/odd")
    assert names == []
    assert "a//b.wav" in fault


def test_a_recording_sounds_as_it_does_on_a_disk(store: S3Store, tmp_path: Path) -> None:
    here = write(tmp_path, "pcm.wav", bursts(3.0, (1.0,)))
    there = place(store.put("sound/pcm.wav", here.read_bytes()))
    assert fingerprint(there) == fingerprint(here)
    assert np.array_equal(decode(there).samples.data, decode(here).samples.data)
    assert cut_clip(there, Span(1000, 1500)) == cut_clip(here, Span(1000, 1500))


def test_the_copy_that_is_decoded_leaves_nothing_behind(
    store: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = place(store.put("sound/a.wav", write(tmp_path, "pcm.wav", bursts(1.0, (0.2,))).read_bytes()))
    (tmp_path / "copies").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "copies"))
    decode(there)
    assert not list((tmp_path / "copies").iterdir())


def test_no_room_for_the_copy_is_no_fault_of_the_recording(
    store: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = place(store.put("sound/b.wav", write(tmp_path, "pcm.wav", bursts(1.0, (0.2,))).read_bytes()))

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(shutil, "copyfileobj", full)
    with pytest.raises(Exhausted, match="TMPDIR"):
        decode(there)


def test_other_bytes_have_another_stamp(store: S3Store) -> None:
    there = place(store.put("stamp/a.wav", b"one"))
    first = Stamp.of(there)
    assert Stamp.of(there) == first
    store.put("stamp/a.wav", b"two")
    assert Stamp.of(there) != first


def test_a_place_in_a_bucket_is_written_and_sent_as_it_is() -> None:
    there = place("s3://archive/2026/a.wav")
    assert (str(there), address(there), there.name) == (("s3://archive/2026/a.wav",) * 2 + ("a.wav",))
    assert str(there.parent / "b.wav") == "s3://archive/2026/b.wav"
    assert str(pickle.loads(pickle.dumps(there))) == str(there)  # noqa: S301 - our own
    assert place(address(Path("a.wav"))) == Path("a.wav").absolute()


def test_metadata_beside_the_recordings_name_them(store: S3Store) -> None:
    store.put("named/audio/c1.wav", b"x")
    table = "call_id,file\nc1,audio\\c1.wav\nc2,audio/gone.wav\nc3,../../other/x.wav\n"
    metadata = read_metadata(place(store.put("named/metadata.csv", table.encode("gb18030"))))
    row = metadata.row_for(place("s3://archive/named/audio/c1.wav"))
    assert row is not None
    assert row.call_id == "c1"
    assert [fault.row for fault in metadata.faults] == [3, 4]


def test_a_recording_that_is_gone_or_empty_is_told_by_its_place(store: S3Store) -> None:
    with pytest.raises(UnreadableRecording, match=r"s3://archive/none\.wav：文件不存在"):
        decode(place("s3://archive/none.wav"))
    with pytest.raises(UnreadableRecording, match=r"s3://archive/empty\.wav：文件是空的"):
        fingerprint(place(store.put("empty.wav", b"")))


@pytest.mark.parametrize(
    ("where", "told"), [("s3://nobody/x", "没有这个桶"), ("s3://archive/nothing", "什么也没有")]
)
def test_a_bucket_or_a_place_that_is_not_there_says_what_to_check(
    store: S3Store, where: str, told: str
) -> None:
    with pytest.raises(NotFound, match=told) as caught:
        found(where)
    assert "s3://" in caught.value.hint


def test_without_keys_or_a_server_the_next_step_is_told(
    store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.delenv("AWS_ACCESS_KEY_ID")
        patch.delenv("AWS_SECRET_ACCESS_KEY")
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
        forget()
        with pytest.raises(NotFound, match=r"没有权限.*AWS_ACCESS_KEY_ID"):
            found("s3://archive/list")
    with monkeypatch.context() as patch:
        patch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        forget()
        with pytest.raises(NotFound, match="AWS_ENDPOINT_URL"):
            found("s3://archive/list")
    forget()


def test_a_listing_that_breaks_off_is_told_and_what_was_found_is_kept(
    store: S3Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("broken/a.wav", b"x")

    def breaks(self: bucket.InBucket, *, deep: bool = True) -> Iterator[object]:
        yield from [*whole(self)]
        raise OSError(5, "断了")

    whole = bucket.InBucket.objects
    monkeypatch.setattr(archive.InBucket, "objects", breaks)
    names, (fault,) = found("s3://archive/broken")
    assert names == ["s3://archive/broken/a.wav"]
    assert "列到一半断了" in fault


def test_without_the_library_it_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(SettingsError, match="callscore\\[s3\\]"):
        found("s3://archive/list")
