import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.errors import BadInput, NotFound
from pipeline.media import archive
from pipeline.media.archive import find_recordings


def touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")


def found(folder: Path, since: datetime | None = None) -> tuple[list[str], list[str]]:
    faults: list[BadInput] = []
    names = [
        f.path.relative_to(folder).as_posix() for f in find_recordings(folder, since, report=faults.append)
    ]
    return names, [str(fault) for fault in faults]


def test_recordings_come_in_a_fixed_order(tmp_path: Path) -> None:
    touch(tmp_path, "b/2.wav", "b/1.mp3", "a/9.GSM", "z.ogg", "c.m4a")
    assert found(tmp_path) == (["c.m4a", "z.ogg", "a/9.GSM", "b/1.mp3", "b/2.wav"], [])


def test_other_and_hidden_files_are_passed_over(tmp_path: Path) -> None:
    touch(
        tmp_path,
        "metadata.csv",
        "notes.txt",
        "a.json",
        ".hidden.wav",
        ".trash/a.wav",
        "a.wav.part",
        "kept.wav",
    )
    assert found(tmp_path) == (["kept.wav"], [])


def test_since_leaves_out_older_files(tmp_path: Path) -> None:
    touch(tmp_path, "old.wav", "new.wav")
    os.utime(tmp_path / "old.wav", (1_700_000_000, 1_700_000_000))
    os.utime(tmp_path / "new.wav", (1_800_000_000, 1_800_000_000))
    assert found(tmp_path, datetime(2025, 1, 1, tzinfo=UTC)) == (["new.wav"], [])
    assert found(tmp_path, datetime.fromtimestamp(1_700_000_000, tz=UTC))[0] == ["new.wav", "old.wav"]


def test_a_loop_of_links_ends(tmp_path: Path) -> None:
    touch(tmp_path, "a/1.wav")
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert found(tmp_path) == (["a/1.wav"], [])


def test_a_link_that_leads_nowhere_is_reported(tmp_path: Path) -> None:
    touch(tmp_path, "1.wav")
    (tmp_path / "2.wav").symlink_to(tmp_path / "gone.wav")
    names, faults = found(tmp_path)
    assert names == ["1.wav"]
    assert len(faults) == 1
    assert "2.wav" in faults[0]


def test_a_folder_that_cannot_be_read_is_reported_and_the_rest_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path, "a/1.wav", "locked/2.wav", "z/3.wav")
    scandir = os.scandir

    def guarded(path: Path) -> object:
        if Path(path).name == "locked":
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(archive.os, "scandir", guarded)
    names, faults = found(tmp_path)
    assert names == ["a/1.wav", "z/3.wav"]
    assert len(faults) == 1
    assert "locked" in faults[0]
    assert "没有权限" in faults[0]


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        found(tmp_path / "nowhere")
