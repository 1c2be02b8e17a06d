"""Labels held against the truth."""

from pathlib import Path

import pytest
from evaluate_help import GREETING, a_truth, event, scored, seen, truth_json

from pipeline.findings import Outcome
from pipeline.workflows import metrics
from pipeline.workflows.metrics import Score


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
