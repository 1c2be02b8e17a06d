"""The command as a user runs it: real model, real audio, real database."""

import csv
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import pytest

from pipeline.cli.app import main
from pipeline.workflows.document import CallDocument

DEMO = Path(__file__).parents[2] / "data/demo"
pytestmark = pytest.mark.model


Done = subprocess.CompletedProcess[str]


COMMAND = (sys.executable, "-c", "from pipeline.cli.app import main; main()")


def callscore(*arguments: str, folder: Path) -> Done:
    """In a process of its own, as a user runs it."""
    command, environ = [*COMMAND, *arguments], _environ(folder)
    return subprocess.run(command, capture_output=True, text=True, env=environ, cwd=folder, encoding="utf-8")


def typed(*arguments: str, folder: Path) -> Done:
    """The same in this process, which has read the rules before."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
        for name, value in _environ(folder).items():
            patch.setenv(name, value)
        patch.chdir(folder)
        patch.setattr(sys, "argv", ["callscore", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
    code = ended.value.code or 0
    return Done(arguments, int(code), out.getvalue(), err.getvalue())


def _environ(folder: Path) -> dict[str, str]:
    environ = {k: v for k, v in os.environ.items() if not k.startswith("CALLSCORE_")}
    return environ | {"CALLSCORE_DATABASE": f"sqlite:///{folder}/calls.db", "PYTHONIOENCODING": "utf-8"}


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which one night was killed while it listened and the next one ran to its end: a good call
    with a late greeting, and a broken file."""
    folder = tmp_path_factory.mktemp("night")
    (folder / "in/audio").mkdir(parents=True)
    shutil.copy(DEMO / "audio/d14.wav", folder / "in/audio")
    (folder / "in/audio/broken.wav").write_bytes(b"")
    rows = (DEMO / "metadata.csv").read_text(encoding="utf-8").splitlines()
    kept = [rows[0], next(row for row in rows if row.startswith("d14")), "b01,audio/broken.wav,,,,,,,,,,"]
    (folder / "in/metadata.csv").write_text("\n".join(kept) + "\n", encoding="utf-8")
    _killed_while_it_listens(folder)
    result = callscore("nightly", "in", folder=folder)
    assert result.returncode == 3, result.stdout + result.stderr
    assert "评分 1 通" in result.stdout
    return folder


def _killed_while_it_listens(folder: Path) -> None:
    """A while after the broken file was put aside, when the other one is decoded."""
    log = folder / "log.jsonl"
    environ = _environ(folder) | {"CALLSCORE_LOG": str(log)}
    with subprocess.Popen(
        [*COMMAND, "nightly", "in"], env=environ, cwd=folder, stdout=subprocess.DEVNULL
    ) as one:
        while one.poll() is None and not (log.exists() and "broken" in log.read_text(encoding="utf-8")):
            time.sleep(0.05)
        time.sleep(2)
        one.kill()
    assert one.returncode == -signal.SIGKILL


def shown(folder: Path, call: str = "d14") -> CallDocument:
    result = typed("show", call, "--json", folder=folder)
    assert result.returncode == 0, result.stderr
    return CallDocument.model_validate(json.loads(result.stdout))


def test_the_late_greeting_and_the_elements_that_were_said_are_found(night: Path) -> None:
    document = shown(night)
    present = {finding.label for finding in document.findings if finding.outcome == "present"}
    assert {"late_greeting", "customer_first", "greeting_word", "goodbye"} <= present
    timing = next(f for f in document.findings if f.rule_id == "greeting.timing")
    assert abs(timing.start_ms - 3890) <= 300


def test_every_word_lies_inside_its_turn_and_every_turn_inside_the_call(night: Path) -> None:
    document = shown(night)
    assert len(document.transcript.turns) > 10
    for turn in document.transcript.turns:
        assert 0 <= turn.start_ms < turn.end_ms <= document.recording.duration_ms + 1
        assert all(
            turn.start_ms - 700 <= word.start_ms < word.end_ms <= turn.end_ms + 700 for word in turn.words
        )


def test_nothing_forbidden_is_found_in_a_polite_call(night: Path) -> None:
    assert [
        f.rule_id for f in shown(night).findings if f.label == "forbidden" and f.outcome == "present"
    ] == []


def test_a_second_night_does_nothing(night: Path) -> None:
    result = callscore("nightly", "in", folder=night)
    assert "评分 0 通" in result.stdout
    assert "已做过 1 通" in result.stdout


def test_the_page_for_people_shows_transcript_findings_and_scorecard(night: Path) -> None:
    text = typed("show", "d14", folder=night).stdout
    assert "电话呼入监控标准模板" in text
    assert "坐席" in text
    assert "00:03.9" in text
    assert "已得" in text


def test_a_rescore_with_the_same_rules_changes_nothing_and_swapped_roles_do(night: Path) -> None:
    before = shown(night)
    assert typed("rescore", "d14", folder=night).returncode == 0
    assert shown(night) == before
    assert typed("rescore", "d14", "--swap-roles", folder=night).returncode == 0
    after = shown(night)
    assert after.transcript.turns[0].role != before.transcript.turns[0].role
    assert typed("rescore", "d14", "--swap-roles", folder=night).returncode == 0


def test_exports_hold_every_call_and_every_item(night: Path) -> None:
    lines = callscore("export", folder=night).stdout.splitlines()
    (document,) = [CallDocument.model_validate_json(line) for line in lines]
    rows = list(csv.DictReader(io.StringIO(callscore("export", "--format", "csv", folder=night).stdout)))
    assert document.scorecard is not None
    assert [row["title"] for row in rows] == [item.title for item in document.scorecard.items]


def test_a_unique_prefix_of_the_recording_names_the_call(night: Path) -> None:
    document = shown(night)
    assert shown(night, document.recording.id[:8]) == document


def test_misuse_is_one_line_with_a_remedy_and_exit_code_two(night: Path) -> None:
    result = typed("show", "d99", folder=night)
    assert result.returncode == 2
    assert "d99" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_doctor_finds_a_fit_installation(night: Path) -> None:
    result = callscore("doctor", folder=night)
    assert result.returncode == 0, result.stdout
    assert "一切正常" in result.stdout
