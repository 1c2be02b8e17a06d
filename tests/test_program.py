"""The digest of the program: what decides scores is in it."""

import re
import shutil
from pathlib import Path

import pytest

import pipeline.program as module


def digest_of(folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(module, "__file__", str(folder / "program.py"))
    return module.program.__wrapped__()


@pytest.mark.parametrize(
    "part", ["detect/match.py", "detect/data/ordinary.txt", "scoring/score.py", "units.py"]
)
def test_another_matcher_word_list_or_scorer_is_another_program(
    part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+\+[0-9a-f]{12}", module.program())
    folder = tmp_path / "pipeline"
    shutil.copytree(
        Path(module.__file__).parent, folder, ignore=shutil.ignore_patterns("__pycache__", "_shipped")
    )
    assert digest_of(folder, monkeypatch) == module.program()
    (folder / part).write_bytes((folder / part).read_bytes() + b"\n")
    assert digest_of(folder, monkeypatch) != module.program()
