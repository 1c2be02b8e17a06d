"""A folder that may not answer."""

import errno
import threading
from pathlib import Path

import pytest

from pipeline.errors import Exhausted, NotFound
from pipeline.media.container import open_file
from pipeline.workflows.night.answering import Answering


def test_what_is_asked_is_answered_or_raised() -> None:
    with Answering(Path("in"), 10) as folder:
        assert folder.ask(lambda: 7) == 7
        with pytest.raises(FileNotFoundError):
            folder.ask(lambda: Path("nowhere").stat())
        assert folder.ask(lambda: threading.current_thread().daemon)


def test_a_folder_that_did_not_answer_once_is_not_asked_again() -> None:
    asked, back = [], threading.Event()

    def dead() -> None:
        asked.append(1)
        back.wait()

    with Answering(Path("in"), 0.05) as folder:
        for _ in range(2):
            with pytest.raises(NotFound, match="没有回应") as caught:
                folder.ask(dead)
        assert "挂载" in caught.value.hint
    back.set()
    assert asked == [1]


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_no_recording_is_to_blame_where_no_more_files_can_be_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"RIFF")

    def too_many(self: Path, mode: str) -> None:
        raise OSError(number, "too many")

    monkeypatch.setattr(Path, "open", too_many)
    with pytest.raises(Exhausted, match="打开的文件太多") as caught:
        open_file(path)
    assert "ulimit" in caught.value.hint
