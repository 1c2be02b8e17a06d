"""Whether the recordings of the newest calls are where the database says."""

from dataclasses import replace
from pathlib import Path

from review_help import archive

from pipeline.settings import Settings
from pipeline.workflows.doctor import recordings


def test_a_recording_that_is_gone_is_named_with_what_to_do(tmp_path: Path) -> None:
    with archive(tmp_path) as store:
        there = tmp_path / "c2.wav"
        there.write_bytes(b"RIFF")
        store.update_recording(replace(store.find_call("c2"), path=str(there)))
    found = recordings(Settings(database=f"sqlite:///{tmp_path}/calls.db"))
    assert not found.fit
    assert "2 通里，1 通的录音不在：archive/c1.wav" in found.told
    assert "reconcile" in found.remedy


def test_a_house_without_calls_misses_nothing(tmp_path: Path) -> None:
    assert recordings(Settings(database=f"sqlite:///{tmp_path}/new.db")).fit
