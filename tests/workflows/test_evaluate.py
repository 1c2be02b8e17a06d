import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from pipeline.errors import BadInput, NotFound
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Severity, Status
from pipeline.storage.records import RuleFacts
from pipeline.timeline import Provenance, Role, RoleAssignment, Span, Transcript, Turn, Word
from pipeline.workflows import metrics
from pipeline.workflows.evaluate import Evaluation, HeardCall, evaluate, observe, read_truths
from pipeline.workflows.evaluation_tables import as_markdown, print_evaluation, sheets
from pipeline.workflows.metrics import Observed, Score, Truth, normalise

GREETING = "您好，工号1021。"
QUESTION = "我想查话费。"
RUDE = "这不归我们管。"


def truth_json(**changes: Any) -> dict[str, Any]:
    """A stereo call, agent on the left: a greeting at 1 s, a question at 4 s, a rude answer at 8 s."""
    turns = [("agent", 1.0, 3.0, GREETING), ("customer", 4.0, 6.0, QUESTION), ("agent", 8.0, 9.0, RUDE)]
    rude = {"label": "forbidden", "category": "shirking", "role": "agent", "start": 8.0, "end": 9.0}
    return {
        "id": "t1",
        "file": "audio/t1.wav",
        "metadata": {
            "channels": "stereo",
            "agent_channel": "left",
            "format": {"codec": "mp3", "rate": 8000},
            "noise": {"snr": 20, "kind": "office"},
            "quality": "faulty",
        },
        "checklist": {
            "greeting": {"greeting_word": True, "agent_id_or_name": True, "company": False},
            "closing": {"thanks": False},
            "greeting_start": 1.0,
            "late_greeting_gt3": False,
            "apology": False,
        },
        "missing": ["company", "thanks"],
        "turns": [
            {
                "role": r,
                "start": a,
                "end": b,
                "text": t,
                "voice": f"v_{r}",
                "segments": [{"start": a, "end": b}],
            }
            for r, a, b, t in turns
        ],
        "events": [{**rude, "text": RUDE}],
    } | changes


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path, truth_json())
    return tmp_path


def write(folder: Path, *truths: dict[str, Any]) -> Path:
    (folder / "truth").mkdir(exist_ok=True)
    for truth in truths:
        (folder / "truth" / f"{truth['id']}.json").write_text(json.dumps(truth), encoding="utf-8")
    return folder


def a_truth(tmp_path: Path, **changes: Any) -> Truth:
    (truth,) = read_truths(write(tmp_path, truth_json(**changes)))
    return truth


def turn(role: Role, start: int, end: int, text: str, channel: int | None) -> Turn:
    step = (end - start) // max(len(text), 1)
    words = tuple(
        Word(span=Span(start + n * step, start + (n + 1) * step), text=character, probability=0.9)
        for n, character in enumerate(text)
    )
    return Turn(index=0, speaker=0, role=role, channel=channel, span=Span(start, end), words=words)


def transcript(*turns: Turn) -> Transcript:
    return Transcript(
        turns=turns,
        roles=RoleAssignment(confidence=1.0, reason=""),
        provenance=Provenance(pipeline="1", model="m", model_sha256="s", settings_digest="d"),
    )


PERFECT = transcript(
    turn(Role.AGENT, 1000, 3000, "您好，工号一零二一。", 0),
    turn(Role.CUSTOMER, 4000, 6000, QUESTION, 1),
    turn(Role.AGENT, 8000, 9000, RUDE, 0),
)


def seen(label: str, start: int, end: int, outcome: Outcome = Outcome.PRESENT) -> Observed:
    name, _, category = label.partition(".")
    return Observed(label=name, category=category or None, outcome=outcome, span=Span(start, end))


def scored(truth: Truth, *found: Observed) -> dict[str, Score]:
    return metrics.tally(truth, found).scores


def event(label: str, start: float, end: float, category: str | None = None) -> dict[str, Any]:
    return {"label": label, "category": category, "role": "agent", "start": start, "end": end, "text": "原文"}


# characters


def test_digits_count_as_they_are_spoken() -> None:
    assert normalise("工號 1021，對!") == "工号一零二一对"
    assert normalise("幺〇两") == "一零二"


def test_words_heard_right_have_no_errors(folder: Path) -> None:
    (result,) = evaluate(folder, [HeardCall(name="t1", transcript=PERFECT, observed=())]).results
    assert sum(count.errors for count in result.characters) == 0
    assert sum(count.characters for count in result.characters) == 8 + 5 + 6


def test_errors_belong_to_the_voice_that_was_misheard(tmp_path: Path) -> None:
    heard = transcript(
        turn(Role.AGENT, 1000, 3000, "您好，宫号一零二一。", 0),
        turn(Role.CUSTOMER, 4000, 6000, "我想话费吗吗。", 1),
        turn(Role.AGENT, 8000, 9000, RUDE, 0),
    )
    by_role = {Role.AGENT: 0, Role.CUSTOMER: 0}
    for count in metrics.character_errors(a_truth(tmp_path), heard):
        by_role[count.role] += count.errors
    assert by_role == {Role.AGENT: 1, Role.CUSTOMER: 3}


def test_stereo_words_are_held_against_their_channel_whatever_the_role(tmp_path: Path) -> None:
    swapped = PERFECT.swapped("")
    assert sum(c.errors for c in metrics.character_errors(a_truth(tmp_path), swapped)) == 0
    crossed = transcript(*(replace(t, channel=1 - (t.channel or 0)) for t in PERFECT.turns))
    assert sum(c.errors for c in metrics.character_errors(a_truth(tmp_path), crossed)) > 10


def test_mono_words_are_held_against_everybody_in_time(tmp_path: Path) -> None:
    mono = transcript(*(replace(t, channel=None) for t in PERFECT.turns))
    assert sum(c.errors for c in metrics.character_errors(a_truth(tmp_path), mono)) == 0


def test_text_invented_on_a_silent_channel_is_counted(tmp_path: Path) -> None:
    truth = a_truth(tmp_path)
    agent_only = replace(truth, turns=tuple(t for t in truth.turns if t.role is Role.AGENT))
    counts = metrics.character_errors(agent_only, PERFECT)
    assert [(c.role, c.errors) for c in counts if c.errors] == [(Role.CUSTOMER, 5)]


# roles and greeting


def test_right_roles_have_no_error(tmp_path: Path) -> None:
    time = metrics.role_time(a_truth(tmp_path), PERFECT)
    assert (time.speech, time.wrong, time.unheard) == (5000, 0, 0)


def test_wrong_unknown_and_unheard_speech_are_told_apart(tmp_path: Path) -> None:
    heard = transcript(
        turn(Role.CUSTOMER, 1000, 2000, "您好", None),
        turn(Role.UNKNOWN, 2000, 3000, "工号", None),
        turn(Role.CUSTOMER, 4000, 5500, "我想查", None),
    )
    time = metrics.role_time(a_truth(tmp_path), heard)
    assert (time.wrong, time.unheard) == (2000, 1500)
    assert time.wrong_share == 0.4


def test_speech_of_both_at_once_is_left_out(tmp_path: Path) -> None:
    turns = truth_json()["turns"]
    turns[1] |= {"start": 2.0, "segments": [{"start": 2.0, "end": 6.0}]}
    time = metrics.role_time(a_truth(tmp_path, turns=turns), transcript())
    assert time.speech == time.unheard == 1000 + 3000 + 1000


def test_the_greeting_is_the_agents_first_word(folder: Path) -> None:
    late = transcript(
        turn(Role.CUSTOMER, 200, 500, "喂", 1),
        *(t for t in PERFECT.turns[1:]),
        turn(Role.AGENT, 1350, 2000, "您", 0),
    )
    near, far, nobody = (
        evaluate(folder, [HeardCall(name="t1", transcript=heard, observed=())])
        for heard in (PERFECT, late, transcript())
    )
    assert [e.results[0].greeting_error for e in (near, far, nobody)] == [0, 350, None]
    assert [e.greeting_share() for e in (near, far, nobody)] == [1.0, 0.0, 0.0]


# labels


def test_an_element_counts_once_a_call_however_often_it_is_found(tmp_path: Path) -> None:
    scores = scored(a_truth(tmp_path), seen("greeting_word", 0, 9), seen("greeting_word", 50, 60))
    assert scores["greeting_word"] == Score(right=1)
    assert scores["agent_id_or_name"] == Score(missed=1)


def test_an_element_that_was_not_said_is_a_false_alarm(tmp_path: Path) -> None:
    tally = metrics.tally(a_truth(tmp_path), [seen("company", 1000, 2000)])
    assert tally.scores["company"] == Score(false=1)
    (case,) = (c for c in tally.cases if c.label == "company")
    assert (case.expected, case.found, case.text) == ("无", "有", GREETING)


def test_elements_that_do_not_apply_to_the_call_are_not_scored(tmp_path: Path) -> None:
    scores = scored(a_truth(tmp_path), seen("offer_help", 0, 9), seen("greeting_timing", 0, 9))
    assert "offer_help" not in scores
    assert "greeting_timing" not in scores


def test_cannot_tell_is_not_present_and_not_missing(tmp_path: Path) -> None:
    tell = seen("company", 0, 60_000, Outcome.CANNOT_TELL)
    tally = metrics.tally(a_truth(tmp_path), [tell])
    assert tally.scores["company"] == Score()
    assert tally.scores["missing.company"] == Score(missed=1)


def test_what_was_missed_because_nobody_could_tell_is_counted_beside_the_rest(tmp_path: Path) -> None:
    tell = seen("forbidden.shirking", 0, 60_000, Outcome.CANNOT_TELL)
    tally = metrics.tally(a_truth(tmp_path), [tell, seen("greeting_word", 0, 60_000, Outcome.CANNOT_TELL)])
    assert tally.scores["forbidden.shirking"] == Score(missed=1, unsure=1)
    assert tally.scores["greeting_word"] == Score(missed=1, unsure=1)
    assert {case.found for case in tally.cases if case.label == "forbidden.shirking"} == {"无法判断"}
    found = seen("forbidden.shirking", 8500, 9000)
    assert scored(a_truth(tmp_path), tell, found)["forbidden.shirking"] == Score(right=1)


def test_an_absence_is_right_where_the_element_is_missing(tmp_path: Path) -> None:
    absent = [seen(name, 0, 60_000, Outcome.ABSENT) for name in ("company", "greeting_word")]
    scores = scored(a_truth(tmp_path), *absent)
    assert scores["missing.company"] == Score(right=1)
    assert scores["missing.greeting_word"] == Score(false=1)


@pytest.mark.parametrize(
    ("start", "end", "score"),
    [
        (8500, 9500, Score(right=1)),
        (10_900, 11_500, Score(right=1)),
        (11_100, 11_500, Score(false=1, missed=1)),
        (5000, 5900, Score(false=1, missed=1)),
    ],
)
def test_a_finding_counts_within_two_seconds(tmp_path: Path, start: int, end: int, score: Score) -> None:
    assert scored(a_truth(tmp_path), seen("forbidden.shirking", start, end))["forbidden.shirking"] == score


def test_one_event_explains_one_place(tmp_path: Path) -> None:
    twice = (seen("forbidden.shirking", 8000, 8400), seen("forbidden.shirking", 8500, 9000))
    assert scored(a_truth(tmp_path), *twice)["forbidden.shirking"] == Score(right=1, false=1)
    same_place = (seen("forbidden.shirking", 8000, 8600), seen("forbidden.shirking", 8500, 9000))
    assert scored(a_truth(tmp_path), *same_place)["forbidden.shirking"] == Score(right=1)


def test_another_category_is_wrong_twice(tmp_path: Path) -> None:
    scores = scored(a_truth(tmp_path), seen("forbidden.blunt", 8000, 9000))
    assert scores["forbidden.blunt"] == Score(false=1)
    assert scores["forbidden.shirking"] == Score(missed=1)


def test_borderline_places_count_neither_way(tmp_path: Path) -> None:
    truth = a_truth(tmp_path, events=[event("borderline", 20, 21, "blunt")])
    assert scored(truth, seen("forbidden.blunt", 20_500, 21_500))["forbidden.blunt"] == Score()
    assert scored(truth, seen("forbidden.shirking", 20_500, 21_500))["forbidden.shirking"] == Score(false=1)
    assert "forbidden.blunt" not in scored(truth)


def test_a_fired_decoy_is_listed_and_false_in_every_call(tmp_path: Path) -> None:
    changed = truth_json()["metadata"] | {"quality": "multi_fault"}
    truth = a_truth(tmp_path, metadata=changed, events=[event("decoy", 20, 21, "blunt")])
    tally = metrics.tally(truth, [seen("forbidden.blunt", 20_500, 20_900)])
    assert [case.at for case in tally.decoys] == [20_500]
    assert tally.scores["forbidden.blunt"] == Score(false=1)


def test_a_decoy_beside_a_true_event_does_not_hide_behind_it(tmp_path: Path) -> None:
    events = [event("forbidden", 8, 9, "blunt"), event("decoy", 9.5, 10, "blunt")]
    truth = a_truth(tmp_path, events=events)
    tally = metrics.tally(truth, [seen("forbidden.blunt", 9600, 9900)])
    assert tally.scores["forbidden.blunt"] == Score(false=1, missed=1)
    both = metrics.tally(truth, [seen("forbidden.blunt", 8100, 8800), seen("forbidden.blunt", 9600, 9900)])
    assert both.scores["forbidden.blunt"] == Score(right=1, false=1)
    assert len(both.decoys) == 1


def test_alarms_where_rudeness_may_be_unlabelled_are_doubtful(tmp_path: Path) -> None:
    changed = truth_json()["metadata"] | {"quality": "multi_fault"}
    found = seen("forbidden.blunt", 20_000, 21_000)
    assert scored(a_truth(tmp_path, metadata=changed), found)["forbidden.blunt"] == Score(doubtful=1)
    assert scored(a_truth(tmp_path), found)["forbidden.blunt"] == Score(false=1)


def test_only_the_larger_late_greeting_is_expected(tmp_path: Path) -> None:
    checklist = truth_json()["checklist"] | {"late_greeting_gt3": True, "late_greeting_gt5": True}
    truth = a_truth(tmp_path, checklist=checklist, events=[event("late_greeting", 1, 3, "gt5")])
    scores = scored(truth, seen("late_greeting.gt5", 0, 1000))
    assert (scores["late_greeting.gt3"], scores["late_greeting.gt5"]) == (Score(), Score(right=1))


def test_timed_labels_are_matched_by_place(tmp_path: Path) -> None:
    truth = a_truth(tmp_path, events=[event("dead_air", 20, 30), event("dead_air", 50, 60)])
    scores = scored(truth, seen("dead_air", 21_000, 29_000), seen("dead_air", 80_000, 90_000))
    assert scores["dead_air"] == Score(right=1, false=1, missed=1)


def test_f1_of_nothing_is_no_number() -> None:
    assert Score().f1 is None
    assert Score(missed=1).precision is None
    assert Score(right=1, false=1, missed=1).f1 == 0.5


# the folder and the report


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
