"""Disputes as an inspector settles them, with the command line and a real database."""

import shutil
from pathlib import Path

import pytest
from test_end_to_end import DEMO, callscore, typed

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the shortest demo recording was heard and scored."""
    folder = tmp_path_factory.mktemp("dispute")
    (folder / "in/audio").mkdir(parents=True)
    shutil.copy(DEMO / "audio/d05.mp3", folder / "in/audio")
    rows = (DEMO / "metadata.csv").read_text(encoding="utf-8").splitlines()
    kept = [rows[0], next(row for row in rows if row.startswith("d05"))]
    (folder / "in/metadata.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    result = callscore("nightly", "in", folder=folder)
    assert result.returncode == 0, result.stdout + result.stderr
    return folder


def told(folder: Path, *arguments: str, code: int = 0) -> str:
    result = typed(*arguments, folder=folder)
    assert result.returncode == code, result.stdout + result.stderr
    return result.stdout + result.stderr


def test_a_dispute_from_replay_to_case_file(night: Path) -> None:
    assert "逐字节相同" in told(night, "rescore", "d05", "--as-of", "2099-01-01")
    swapped = told(night, "rescore", "d05", "--swap-roles", "--who", "王组长", "--reason", "申诉", "--diff")
    assert "谁是坐席、谁是客户不同" in swapped
    relinked = told(night, "relink", "d05", "--set", "agent_id=9999", "--reason", "登记错", "--who", "李")
    assert "另添一张评分表" in relinked
    events = told(night, "history", "d05")
    assert "王组长" in events
    assert "9999" in events
    assert "逐字节相同" in told(night, "rescore", "d05", "--as-of", "2099-01-01")
    assert "案卷编号" in told(night, "evidence", "d05", "-o", "d05.zip")
    assert "没有改过" in told(night, "evidence", "--verify", "d05.zip")


def test_listening_again_with_the_recorded_model_hears_the_same(night: Path) -> None:
    assert "重听的转写与存下的逐字节相同" in told(night, "rescore", "d05", "--listen-again")


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (("rescore", "nobody", "--as-of", "2024-05-06"), "没有电话 nobody"),
        (("rescore", "d05", "--as-of", "2001-01-01"), "还没有评过分"),
        (("rescore", "d05", "--as-of", "ffffffff"), "没有摘要以 ffffffff 开头"),
        (("rescore", "d05", "--as-of", "上周"), "看不懂"),
        (("rescore", "d05", "--as-of", "2099-01-01", "--swap-roles"), "不能和"),
        (("rescore", "d05", "--template", "none"), "没有评分表 none"),
        (("rescore", "d05", "--listen-again", "--audio", "none.wav"), "录音文件不在了"),
        (("correct", "d05", "--at", "x", "--from", "a", "--to", "b", "--reason", "r"), "看不懂"),
        (
            ("correct", "d05", "--at", "1", "--from", "某某某某", "--to", "b", "--reason", "r"),
            "没有“某某某某”",
        ),
        (("relink", "d05", "--set", "agent_id", "--reason", "r"), "应为 列名=值"),
        (("evidence", "d05", "-o", "d05.docx"), "应以 .zip、.pdf、.html 结尾"),
        (("evidence", "--verify", "none.zip"), "没有文件"),
    ],
)
def test_what_cannot_be_done_is_explained(night: Path, arguments: tuple[str, ...], wanted: str) -> None:
    assert wanted in told(night, *arguments, code=2).replace("\n", "")
