"""`rules suggest`: candidates, thresholds and a patch for one rule."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from small_rules import SHIRKING
from tuning_help import decide, shipped_like

from pipeline.detect.cases import run_cases
from pipeline.detect.load import load_ruleset
from pipeline.detect.scene import Thresholds
from pipeline.errors import NotFound
from pipeline.storage.store import Store
from pipeline.workflows.tuning.archive import Archive
from pipeline.workflows.tuning.candidates import Origin
from pipeline.workflows.tuning.plot import plot_sweep
from pipeline.workflows.tuning.sources import RulesFolder
from pipeline.workflows.tuning.suggest import Suggestion, suggest

RULE = "forbidden.shirking"
CONFIRMED, REJECTED, NEAR, ORDINARY = "abcd", "efg", "hi", "jklmnopq"
CALLS = (
    dict.fromkeys(CONFIRMED, "坐席 1.0 您好。\n坐席 4.0 这个不归我们管，有事您打市长热线。")
    | dict.fromkeys(REJECTED, "坐席 1.0 您好。\n坐席 4.0 像不归我们管这样的话，我们不说。")
    | dict.fromkeys(NEAR, "坐席 1.0 您好。\n坐席 4.0 你自己想想办法。")
    | dict.fromkeys(ORDINARY, "坐席 1.0 您好。\n坐席 4.0 快递明天上午给您送到家。")
)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[tuple[Path, Store]]:
    rules, store = shipped_like(tmp_path, CALLS)
    with store:
        yield rules, store


def decided(folder: tuple[Path, Store]) -> None:
    for name in CONFIRMED:
        decide(folder[1], name, RULE, right=True)
    for name in REJECTED:
        decide(folder[1], name, RULE, right=False)


def suggested(folder: tuple[Path, Store], rule_id: str = RULE) -> Suggestion:
    return suggest(rule_id, RulesFolder(folder[0]), Archive(store=folder[1], thresholds=Thresholds()))


def test_words_said_near_confirmed_findings_and_nowhere_else_are_candidates(
    folder: tuple[Path, Store],
) -> None:
    decided(folder)
    found = suggested(folder)
    words = {candidate.text: candidate for candidate in found.phrases if candidate.origin is Origin.WORDS}
    telling = max(words.values(), key=lambda candidate: candidate.z or 0.0)
    assert "市长热线" in telling.text
    assert (telling.calls, telling.elsewhere) == (4, 0)
    assert {example.recording.name for example in telling.examples} <= set(CONFIRMED)
    assert not any("归我们管" in text or "明天" in text for text in words)


def test_what_is_said_near_two_findings_is_said_once(tmp_path: Path) -> None:
    said = "坐席 1.0 这个不归我们管。\n坐席 5.0 有事您打市长热线。\n坐席 9.0 这个不归我们管。"
    rules, store = shipped_like(tmp_path, dict.fromkeys(ORDINARY, CALLS["j"]) | {"twice": said})
    with store:
        found = suggested((rules, store))
    assert not [candidate.text for candidate in found.phrases if candidate.origin is Origin.WORDS]


def test_near_misses_are_candidates_with_what_they_are_near_to(folder: tuple[Path, Store]) -> None:
    file = folder[0] / "a/shirking.yml"
    file.write_text(SHIRKING.replace("- 不归我们管", "- 你自己想跑办法"), encoding="utf-8")
    (near,) = [c for c in suggested(folder).phrases if c.origin is Origin.NEAR_MISS]
    assert near.calls == len(NEAR)
    assert near.near == "你自己想跑办法"
    assert {example.recording.name for example in near.examples} == set(NEAR)


def test_exceptions_drop_the_rejected_findings_and_keep_the_confirmed(folder: tuple[Path, Store]) -> None:
    assert suggested(folder).exemptions == ()
    decided(folder)
    found = suggested(folder)
    assert found.exemptions
    assert all((e.rejected, e.confirmed) == (3, 0) for e in found.exemptions)
    assert any("像" in e.text or "话" in e.text for e in found.exemptions)


def test_the_patch_applies_and_does_what_was_promised(folder: tuple[Path, Store]) -> None:
    decided(folder)
    before = {path: path.read_bytes() for path in folder[0].rglob("*.yml")}
    patch = suggested(folder).patch
    assert {path: path.read_bytes() for path in folder[0].rglob("*.yml")} == before
    subprocess.run(["git", "apply", "-"], input=patch, text=True, cwd=folder[0], check=True)  # noqa: S607
    ruleset = load_ruleset(folder[0])
    assert not run_cases(ruleset)
    after = suggested(folder)
    assert after.rejected == 0
    assert after.confirmed == len(CONFIRMED)


def test_a_higher_threshold_lets_less_through(folder: tuple[Path, Store]) -> None:
    decided(folder)
    rows = suggested(folder).rows
    assert rows[0].threshold == pytest.approx(0.3)
    assert [row.findings for row in rows] == sorted((row.findings for row in rows), reverse=True)
    today = next(row for row in rows if row.threshold == pytest.approx(0.5))
    assert (today.confirmed, today.rejected, today.undecided) == (4, 3, 0)
    assert today.precision.value == pytest.approx(4 / 7)


def test_the_same_archive_gives_the_same_suggestion(folder: tuple[Path, Store]) -> None:
    decided(folder)
    assert suggested(folder) == suggested(folder)


def test_a_rule_without_phrases_has_thresholds_only(folder: tuple[Path, Store]) -> None:
    (folder[0] / "a/first.yml").write_text(
        "id: a.first\ntitle: x\nlabel: y\nwhy: z\ndetector: first_word\nrole: agent\n", encoding="utf-8"
    )
    found = suggested(folder, "a.first")
    assert (found.phrases, found.exemptions, found.patch) == ((), (), "")
    assert found.rows[0].findings == len(CALLS)


def test_an_unknown_rule_is_told(folder: tuple[Path, Store]) -> None:
    with pytest.raises(NotFound, match=r"forbidden\.shirkin"):
        suggested(folder, "forbidden.shirkin")


def test_the_plot_is_a_picture_with_chinese_letters(folder: tuple[Path, Store], tmp_path: Path) -> None:
    decided(folder)
    rows = suggested(folder).rows
    plot_sweep(rows, 0.5, "推诿", tmp_path / "plot.png")
    assert (tmp_path / "plot.png").read_bytes().startswith(b"\x89PNG")
