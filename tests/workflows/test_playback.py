import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from night_help import FakeListener, Notes, archive, tools

from pipeline.errors import NotFound, SettingsError
from pipeline.media.browser import make_wav
from pipeline.media.decode import decode
from pipeline.media.join import recording_of
from pipeline.media.peaks import peaks_of_file
from pipeline.settings import Settings
from pipeline.storage.store import Store
from pipeline.timeline import Recording
from pipeline.workflows import playback
from pipeline.workflows.night.values import NightPlan
from pipeline.workflows.nightly import run_night
from pipeline.workflows.playback import peaks_of, playable
from pipeline.workflows.same_bytes import fingerprint, same_bytes

sys.path.insert(0, str(Path(__file__).parents[1] / "media"))
from sounds import bursts, write


def recorded(folder: Path, name: str, seconds: float = 2.0, at: float = 1.0) -> Recording:
    """A recording as the night would have stored it."""
    folder.mkdir(exist_ok=True)
    path = write(folder, name, bursts(seconds, (at,)))
    return recording_of(path, decode(path), fingerprint(path), None)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(cache=str(tmp_path / "cache"))


def test_what_a_browser_plays_is_the_original(tmp_path: Path, settings: Settings) -> None:
    recording = recorded(tmp_path / "in", "pcm.wav")
    found = playable(recording, settings)
    assert (found.path, found.media_type, found.tag) == (
        Path(recording.path),
        "audio/wav",
        recording.sha256,
    )
    assert not (tmp_path / "cache").exists()


def test_g711_is_made_into_a_wav_once(tmp_path: Path, settings: Settings) -> None:
    recording = recorded(tmp_path / "in", "alaw.wav")
    found = playable(recording, settings)
    made = found.path.stat().st_ino
    assert found.path.is_relative_to(tmp_path / "cache")
    assert playable(recording, settings) == found
    assert found.path.stat().st_ino == made
    assert np.array_equal(decode(found.path).samples.data, decode(Path(recording.path)).samples.data)


def test_pieces_that_are_asked_for_at_once_wait_for_one_file(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording, made = recorded(tmp_path / "in", "alaw.wav"), []

    def slowly(path: Path, to: Path) -> None:
        made.append(to)
        time.sleep(0.2)
        make_wav(path, to)

    monkeypatch.setattr("pipeline.workflows.playback.make_wav", slowly)
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: playable(recording, settings), range(4)))
    assert (len(found), len(made)) == (1, 1)


def test_a_damaged_original_is_made_anew_so_that_its_times_are_those_of_the_transcript(
    tmp_path: Path, settings: Settings
) -> None:
    recording = replace(recorded(tmp_path / "in", "pcm.wav"), warnings=("1 个数据包损坏，已跳过",))
    assert playable(recording, settings).path.is_relative_to(tmp_path / "cache")


def test_a_file_that_is_gone_or_changed_is_never_played(tmp_path: Path, settings: Settings) -> None:
    recording = recorded(tmp_path / "in", "pcm.wav")
    playable(recording, settings)
    path = Path(recording.path)
    path.write_bytes(path.read_bytes()[:-2] + b"\x01\x01")
    with pytest.raises(NotFound, match="不是当时听的那个录音"):
        playable(recording, settings)
    path.unlink()
    with pytest.raises(NotFound, match=r"录音文件不在了：.*（把原来的录音放回这个位置）"):
        playable(recording, settings)


def test_another_file_in_the_database_is_not_sent(tmp_path: Path, settings: Settings) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("不给看")
    with pytest.raises(NotFound):
        playable(replace(recorded(tmp_path / "in", "pcm.wav"), path=str(secret)), settings)


def test_bytes_are_read_again_only_when_the_file_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recording, read = recorded(tmp_path / "in", "pcm.wav"), []

    def counted(path: Path) -> str:
        read.append(path)
        return fingerprint(path)

    monkeypatch.setattr("pipeline.workflows.same_bytes.fingerprint", counted)
    for _ in range(3):
        same_bytes(recording)
    os.utime(recording.path, (1, 1))
    same_bytes(recording)
    assert len(read) == 2


def test_the_cache_forgets_what_was_not_asked_for_the_longest(tmp_path: Path, settings: Settings) -> None:
    one, two, three = (recorded(tmp_path / f"in{n}", "alaw.wav", at=0.3 * n) for n in (1, 2, 3))
    size = 32_044
    small = settings.model_copy(update={"playback_cache_gb": 2.5 * size / playback.GIGABYTE})
    first, second = playable(one, small).path, playable(two, small).path
    assert first.stat().st_size == size
    os.utime(first, (1, 1))
    os.utime(second, (2, 2))
    playable(one, small)
    third = playable(three, small).path
    assert (first.exists(), second.exists(), third.exists()) == (True, False, True)


def test_what_is_longer_than_the_cache_allows_is_played_all_the_same(
    tmp_path: Path, settings: Settings
) -> None:
    tiny = settings.model_copy(update={"playback_cache_gb": 1e-9})
    assert playable(recorded(tmp_path / "in", "alaw.wav"), tiny).path.exists()


def test_pieces_that_a_dead_process_left_are_cleared_away(tmp_path: Path, settings: Settings) -> None:
    folder = tmp_path / "cache" / playback.FOLDER
    folder.mkdir(parents=True)
    old, new = folder / "old.part", folder / "new.part"
    old.touch()
    new.touch()
    os.utime(old, (1, 1))
    playable(recorded(tmp_path / "in", "alaw.wav"), settings)
    assert (old.exists(), new.exists()) == (False, True)


def test_a_cache_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="播放用的录音写不进"):
        playable(recorded(tmp_path / "in", "alaw.wav"), Settings(cache=str(tmp_path / "file")))


# waveforms


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(f"sqlite:///{tmp_path}/db/calls.db") as opened:
        yield opened


def test_the_night_keeps_the_waveform_of_each_call(store: Store, tmp_path: Path) -> None:
    run_night(NightPlan(folder=archive(tmp_path / "in")), tools(store, FakeListener()), Notes())
    for call in store.calls():
        assert store.peaks(call.recording.id) == peaks_of_file(Path(call.recording.path))


def test_a_call_of_before_gets_its_waveform_when_it_is_asked_for_and_keeps_it(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.media.peaks.peaks", lambda samples: None)
    run_night(NightPlan(folder=archive(tmp_path / "in", calls=1)), tools(store, FakeListener()), Notes())
    (call,) = store.calls()
    assert store.peaks(call.recording.id) is None
    made = peaks_of(store, call.recording)
    Path(call.recording.path).unlink()
    assert store.peaks(call.recording.id) == peaks_of(store, call.recording) == made


def test_no_waveform_is_made_of_other_bytes(store: Store, tmp_path: Path) -> None:
    recording = recorded(tmp_path / "in", "pcm.wav")
    Path(recording.path).write_bytes(b"RIFF")
    with pytest.raises(NotFound, match="不是当时听的那个录音"):
        peaks_of(store, recording)
