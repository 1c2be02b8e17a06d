"""The folder of an evaluation, and its report."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from evaluate_help import PERFECT, event, seen, truth_json, write
from rich.cells import cell_len
from rich.console import Console

from pipeline.errors import BadInput, NotFound
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Severity, Status
from pipeline.storage.records import RuleFacts
from pipeline.timeline import Role, Span
from pipeline.workflows.evaluate import Evaluation, HeardCall, evaluate, observe
from pipeline.workflows.evaluation_tables import as_markdown, print_evaluation, sheets
from pipeline.workflows.metrics import Observed, Score


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, truth_json())
    return tmp_path


def evaluated(folder: Path, *, baseline: tuple[Observed, ...] | None = ()) -> Evaluation:
    found = (seen("greeting_word", 1000, 2000), seen("forbidden.shirking", 8000, 9000), seen("company", 1, 2))
    return evaluate(folder, [HeardCall(name="t1", transcript=PERFECT, observed=found, baseline=baseline)])


def test_groups_sum_their_labels(folder: Path) -> None:
    evaluation = evaluated(folder)
    assert evaluation.group("开场要素") == Score(right=1, missed=1, false=1)
    assert evaluation.group("禁语").f1 == 1.0
    assert evaluation.group("禁语", baseline=True) == Score(missed=1)


def test_calls_without_truth_are_left_out_and_truth_without_call_is_named(tmp_path: Path) -> None:
    write(tmp_path, truth_json(), truth_json(id="t2"))
    calls = [HeardCall(name=name, transcript=PERFECT, observed=()) for name in ("t1", "other")]
    evaluation = evaluate(tmp_path, calls)
    assert [result.truth.name for result in evaluation.results] == ["t1"]
    assert evaluation.unheard == ("t2",)


def test_the_report_shows_rules_beside_the_baseline(folder: Path) -> None:
    rows = {row[0]: row for sheet in sheets(evaluated(folder)) for row in sheet.rows}
    assert rows["禁语 F1"] == ("禁语 F1", "1.000", "0.000", "≥ 0.90")
    assert rows["编码 mp3"][3] == rows["噪声 office 20 dB"][3] == rows["角色 客户"][3] == "0.0 %"
    assert rows["t1"][-1] == "+0.00"
    assert "thanks（无规则）" in rows


def test_without_a_baseline_there_are_no_columns_for_it(folder: Path) -> None:
    rows = {row[0]: row for sheet in sheets(evaluated(folder, baseline=None)) for row in sheet.rows}
    assert rows["禁语 F1"][2] == "—"
    assert len(rows["【禁语】"]) == 9


def test_wrong_cases_are_printed_on_request_only(folder: Path) -> None:
    assert "错误清单" not in as_markdown(evaluated(folder))
    printed = as_markdown(evaluated(folder), errors=True)
    assert "错误清单" in printed
    assert "agent_id_or_name" in printed.split("错误清单")[1]


def test_markdown_columns_line_up_although_characters_are_wide(folder: Path) -> None:
    for block in as_markdown(evaluated(folder)).split("## ")[1:]:
        lines = [line for line in block.splitlines() if line.startswith("|")]
        assert len({cell_len(line) for line in lines}) == 1


@pytest.mark.parametrize("width", [60, 80, 160])
def test_labels_are_never_broken_and_no_figure_is_lost_on_a_narrow_terminal(folder: Path, width: int) -> None:
    output = io.StringIO()
    evaluation = evaluated(folder)
    print_evaluation(evaluation, Console(file=output, width=width))
    printed = output.getvalue()
    assert max(cell_len(line) for line in printed.splitlines()) <= width
    for sheet in sheets(evaluation):
        if not sheet.prose:
            for name in (*sheet.headings, *(row[0] for row in sheet.rows)):
                assert name in printed, (sheet.title, name)


def test_brackets_in_the_truth_are_printed_as_they_are(tmp_path: Path) -> None:
    write(tmp_path, truth_json(events=[event("forbidden", 8, 9, "blunt") | {"text": "[red]你[/b]"}]))
    output = io.StringIO()
    evaluation = evaluate(tmp_path, [HeardCall(name="t1", transcript=PERFECT, observed=())])
    print_evaluation(evaluation, Console(file=output, width=160), errors=True)
    assert "[red]你[/b]" in output.getvalue()


def test_a_folder_without_truth_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="truth"):
        evaluate(tmp_path, [])


def test_a_broken_truth_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "t1.json").write_text('{"id": "t1"}')
    with pytest.raises(BadInput, match=r"t1\.json.*metadata"):
        evaluate(tmp_path, [])


def test_findings_are_observed_under_the_label_of_their_rule() -> None:
    finding = Finding(
        recording_id="r",
        rule_id="forbidden.shirking",
        outcome=Outcome.PRESENT,
        confidence=1.0,
        role=Role.AGENT,
        span=Span(8000, 9000),
        evidence=(),
        explanation="",
    )
    facts = RuleFacts(
        title="推诿",
        label="forbidden",
        category="shirking",
        severity=Severity.MAJOR,
        status=Status.ACTIVE,
    )
    assert observe([finding], {"forbidden.shirking": facts}) == (seen("forbidden.shirking", 8000, 9000),)
    draft = replace(facts, status=Status.DRAFT)
    assert observe([finding], {"forbidden.shirking": draft}) == ()
