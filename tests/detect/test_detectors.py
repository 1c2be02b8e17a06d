import pytest
from calls import rule_text, ruleset_of, run, with_roles

from pipeline.detect import engine
from pipeline.detect.detectors import DETECTORS
from pipeline.detect.script import call_of
from pipeline.findings import Outcome

LATE = ruleset_of(rule_text("a.late", "later_than_seconds: 3\nnot_later_than_seconds: 5", "first_word"))


def test_the_detectors_are_these() -> None:
    names = "all any backchannel duration entity first_word hold interruption metadata none pace phrase "
    names += "repeat response sequence silence similar speaks_first talk_share voice"
    assert list(DETECTORS) == names.split() == sorted(names.split())


@pytest.mark.parametrize(
    ("start", "expected"), [("3.0", "absent"), ("3.1", "present"), ("5.0", "present"), ("5.1", "absent")]
)
def test_a_late_first_word_lies_between_the_bounds(start: str, expected: str) -> None:
    (finding,) = run(LATE, f"客户 1.0 喂\n坐席 {start} 您好。")
    assert finding.outcome == expected


def test_the_delay_counts_from_the_end_of_the_ringing() -> None:
    (finding,) = run(LATE, "# answered 4.0\n坐席 8.26 您好。")
    assert finding.outcome is Outcome.PRESENT
    assert "00:08.3" in finding.explanation
    assert "4.3 秒" in finding.explanation


def test_without_bounds_the_time_is_always_told() -> None:
    rules = ruleset_of(rule_text("a.timing", "", "first_word"))
    assert run(rules, "坐席 9.0 您好。")[0].outcome is Outcome.PRESENT
    assert run(rules, "客户 9.0 您好。")[0].outcome is Outcome.CANNOT_TELL


def test_who_speaks_first_is_told_only_when_roles_are_known() -> None:
    rules = ruleset_of(rule_text("a.first", "", "speaks_first", role="customer"))
    customer, agent = "客户 1.0 喂\n坐席 2.0 您好。", "坐席 1.0 您好。\n客户 2.0 喂"
    assert run(rules, customer)[0].outcome is Outcome.PRESENT
    assert run(rules, agent)[0].outcome is Outcome.ABSENT
    (unsure,) = engine.run(with_roles(call_of(customer), 0.3), rules)
    assert unsure.outcome is Outcome.CANNOT_TELL


def answers(within: str = "") -> "object":
    upset = rule_text("a.upset", "phrases: [气死我了]", role="customer")
    comfort = rule_text("a.comfort", "phrases: [理解您的心情]")
    missing = rule_text("a.missing", f"after: a.upset\nexpect: a.comfort\n{within}", "response")
    return ruleset_of(upset, comfort, missing)


def missing(text: str, within: str = "") -> str:
    found = run(answers(within), text)  # type: ignore[arg-type]
    return next(f.outcome for f in found if f.rule_id == "a.missing")


def test_an_answer_that_does_not_come_is_found() -> None:
    upset = "客户 1.0 气死我了！\n坐席 4.0 单号多少？\n客户 8.0 三三\n坐席 12.0 "
    assert missing(f"{upset}好的。") == "present"
    assert missing(f"{upset}我理解您的心情。") == "absent"
    assert missing(f"{upset}我理解您的心情。", "within_turns: 1") == "present"
    assert missing(f"{upset}我理解您的心情。", "within_turns: 2") == "absent"
    assert missing("客户 1.0 我想查一下话费。\n坐席 5.0 好的。") == "absent"


def test_an_answer_before_the_event_does_not_count() -> None:
    assert missing("坐席 1.0 我理解您的心情。\n客户 6.0 气死我了！\n坐席 9.0 好的。") == "present"
