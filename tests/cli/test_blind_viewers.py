"""While a blind reviewer has not handed in, no command shows what others decided about the call."""

import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.errors import UsageError
from pipeline.storage.store import Store

sys.path.append(str(Path(__file__).parents[1] / "workflows/review"))
from review_help import archive, decide

EVERYWHERE = [
    ("show", "c2"),
    ("show", "c2", "--json"),
    ("list",),
    ("export",),
    ("export", "--format", "csv"),
    ("explain", "c2", "shirking"),
    ("explain", "c2", "tone", "--json"),
    ("history", "c2"),
    ("reviews", "c2"),
    ("review", "c2"),
    ("rescore", "c2", "--dry-run", "--diff"),
    ("rescore", "c2", "--as-of", "2099-01-01", "--diff"),
    ("rescore", "c2"),
]
"""Every way to look at a call, as 李 types it."""
FIRST = "听出来的理由"
NOW = datetime.now(UTC)


def typed(*words: str) -> str:
    result = CliRunner().invoke(app, words)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """王 decided about c2 (10.0 became 9.1, tone 3.7); 李 is the second, blind inspector at this terminal."""
    opened = archive(tmp_path, blind=True, combine="average")
    decide(opened, "王", "c2", values=(("shirking", "9.1"), ("tone", "3.7")), reason=FIRST, done=True, at=NOW)
    monkeypatch.setenv("CALLSCORE_DATABASE", f"sqlite:///{tmp_path}/calls.db")
    monkeypatch.setenv("CALLSCORE_REVIEWER", "李")
    monkeypatch.setenv("CALLSCORE_RULES", str(tmp_path / "rules"))
    monkeypatch.chdir(tmp_path)
    return opened


@pytest.mark.parametrize("words", EVERYWHERE, ids=" ".join)
def test_a_blind_reviewer_is_shown_nothing_of_what_another_decided(
    store: Store, words: tuple[str, ...]
) -> None:
    shown = typed(*words)
    for secret in ("王", "9.1", "3.7", "17.8", FIRST):
        assert secret not in shown


@pytest.mark.parametrize("words", EVERYWHERE[:10], ids=" ".join)
def test_the_same_commands_show_all_once_the_reviewer_has_handed_in(
    store: Store, words: tuple[str, ...]
) -> None:
    decide(store, "李", "c2", values=(("tone", "良"),), done=True, at=NOW)
    shown = typed(*words)
    assert any(told in shown for told in ("王", "9.1", "17.9", "18.0"))


@pytest.mark.parametrize(
    "words", [("show", "c2"), ("history", "c2"), ("explain", "c2", "tone"), ("list",), ("reviews", "c2")]
)
def test_it_is_said_that_something_is_kept_back(store: Store, words: tuple[str, ...]) -> None:
    shown = typed(*words)
    assert "另有" in shown
    assert "李 交卷" in shown


def test_a_supervisor_without_a_name_sees_everything(store: Store) -> None:
    assert "王" in typed("history", "c2", "--for", "")
    assert "9.1" in typed("export", "--for", "")
    assert "17.8" in typed("list", "--who", "")


def test_a_case_file_holds_all_decisions_and_is_refused_till_then(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="李 交卷之前不能看") as caught:
        typed("evidence", "c2", "-o", "c2.html")
    assert "callscore review c2 --done" in caught.value.hint
    assert not (tmp_path / "c2.html").exists()
    assert "已写" in typed("evidence", "c2", "-o", "c2.html", "--for", "")


def test_a_form_that_is_not_blind_keeps_nothing_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = archive(tmp_path, combine="average")
    decide(opened, "王", "c2", values=(("tone", "3.7"),), reason=FIRST)
    monkeypatch.setenv("CALLSCORE_DATABASE", f"sqlite:///{tmp_path}/calls.db")
    monkeypatch.setenv("CALLSCORE_REVIEWER", "李")
    assert "王" in typed("history", "c2")
    assert "3.7" in typed("export", "--format", "csv")


def test_an_appeal_is_shown_without_the_result_that_another_gave(store: Store) -> None:
    typed("appeal", "raise", "c2", "shirking", "--who", "102", "--reason", "我没推")
    shown = typed("appeal", "show", "1")
    assert "我没推" in shown
    assert "交卷之后才显示" in shown
    assert "9.1" not in shown
    assert "9.1" in typed("appeal", "show", "1", "--for", "")
