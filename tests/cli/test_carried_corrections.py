"""What a person reads where a correction could not be carried over onto a new hearing."""

import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.detect.script import call_of
from pipeline.settings import Settings
from pipeline.timeline import Call
from pipeline.workflows.dispute.carry import Keeper
from pipeline.workflows.dispute.correct import Wording, correct_words
from pipeline.workflows.process_call import judge

sys.path.append(str(Path(__file__).parents[1] / "workflows"))
from dispute_help import MADE_BY, NOON, SAID, a_call, filled, rules, scorer, signed


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("show", "c1"), "改正未能沿用，请人核对"),
        (("review", "c1"), "改正未能沿用，请人核对"),
        (("list",), "1 通的改正没能沿用到新的转写，要人核对：c1"),
        (("history", "c1"), "未能沿用"),
    ],
)
def test_the_call_says_that_a_person_must_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], told: str
) -> None:
    monkeypatch.setenv("CALLSCORE_DATABASE", f"sqlite:///{tmp_path}/calls.db")
    monkeypatch.chdir(tmp_path)
    with filled(tmp_path) as store:
        correct_words("c1", Wording(at=2000, heard="宫号", said="工号"), scorer(store), signed())
        heard = replace(
            call_of(SAID.replace("宫号", "公告号")).transcript,
            provenance=replace(MADE_BY, model_sha256="1" * 64),
        )
        keeper = Keeper(
            store=store, judged=lambda call: judge(call, rules(), Settings()), zone="Asia/Shanghai"
        )
        keeper.kept(Call(recording=a_call().recording, transcript=heard), at=NOON + timedelta(days=9))
    result = CliRunner().invoke(app, words)
    assert result.exit_code == 0, result.output
    assert told in result.output
