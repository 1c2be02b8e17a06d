"""Rules that build on other rules, and on what the telephone system says."""

import pytest
from calls import rule_text, ruleset_of, run, with_roles
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.detect import engine
from pipeline.detect.script import call_of
from pipeline.errors import RuleError
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import RuleSet

UPSET = rule_text("a.upset", "phrases: [气死我了]", role="customer")
COMFORT = rule_text("a.comfort", "phrases: [理解您的心情]")
OFFER = rule_text("a.offer", "phrases: [给您推荐一个套餐]")
OUTBOUND = rule_text("a.outbound", "phrases: [给您推荐一个套餐]\napplies: {direction: outbound}")


def combined(detector: str, body: str) -> RuleSet:
    return ruleset_of(UPSET, COMFORT, OFFER, OUTBOUND, rule_text("a.x", body, detector))


def told(rules: RuleSet, text: str) -> list[Finding]:
    return [f for f in run(rules, text) if f.rule_id == "a.x"]


def outcome(detector: str, body: str, text: str) -> str | None:
    found = told(combined(detector, body), text)
    return found[0].outcome if found else None


U, X = "客户 {} 气死我了", "客户 {} 我想查一下"
C, S = "坐席 {} 我理解您的心情", "坐席 {} 给您推荐一个套餐"


def call(*lines: tuple[str, float]) -> str:
    return "\n".join(text.format(at) for text, at in lines)


# sequence


@pytest.mark.parametrize(
    ("body", "text", "expected"),
    [
        ("then: a.comfort", call((U, 1.0), (C, 9.0)), "present"),
        ("then: a.comfort", call((C, 1.0), (U, 9.0)), "absent"),
        ("then: a.comfort, max_seconds: 5", call((U, 1.0), (C, 9.0)), "absent"),
        ("then: a.comfort, max_turns: 1", call((U, 1.0), (C, 9.0)), "present"),
        (
            "then: a.comfort, max_turns: 1",
            call((U, 1.0), (S, 5.0), (X, 8.0), (C, 9.0)),
            "absent",
        ),
        ("without: a.comfort", call((U, 1.0), (C, 9.0)), "absent"),
        ("without: a.comfort", call((C, 1.0), (U, 9.0)), "present"),
        ("without: a.comfort", call((C, 1.0), (X, 9.0)), "absent"),
        ("without: a.comfort, max_seconds: 5", call((U, 1.0), (C, 9.0)), "present"),
    ],
)
def test_a_sequence_is_one_thing_and_then_another_or_not(body: str, text: str, expected: str) -> None:
    lines = body.replace(", ", "\n")
    assert outcome("sequence", f"first: a.upset\n{lines}", text) == expected


def test_a_sequence_takes_over_the_evidence_of_both_and_names_them() -> None:
    rules = combined("sequence", "first: a.upset\nthen: a.comfort")
    (found,) = told(rules, call((U, 1.0), (C, 9.0)))
    assert [e.quote for e in found.evidence] == ["气死我了", "理解您的心情"]
    assert found.explanation == "标题：“标题”在 00:01.0，“标题”在 00:09.2。"


def test_each_first_thing_is_looked_at_by_itself() -> None:
    rules = combined("sequence", "first: a.upset\nwithout: a.comfort\nmax_seconds: 10")
    found = told(rules, call((U, 1.0), (C, 9.0), (U, 30.0), (S, 40.0), (U, 60.0)))
    assert [f.span.start for f in found] == [30_000, 60_000]


def test_a_sequence_of_what_cannot_be_known_is_cannot_tell() -> None:
    rules = combined("sequence", "first: a.upset\nthen: a.comfort")
    found = engine.run(with_roles(call_of(call((U, 1.0), (C, 9.0))), 0.3), rules)
    assert {f.outcome for f in found if f.rule_id == "a.x"} == {Outcome.CANNOT_TELL}


@pytest.mark.parametrize("body", ["first: a.upset", "first: a.upset\nthen: a.offer\nwithout: a.offer"])
def test_a_sequence_says_what_follows_in_one_way(body: str) -> None:
    with pytest.raises(RuleError, match="应为 `then`、`without` 写一个，也只写一个"):
        combined("sequence", body)


# response


def test_an_answer_must_come_before_business_is_pushed() -> None:
    body = "after: a.upset\nexpect: a.comfort\nwithin_turns: 3\nbefore: a.offer"
    first, last = (
        call((U, 1.0), (C, 5.0), (S, 12.0)),
        call((U, 1.0), (S, 5.0), (X, 9.0), (C, 12.0)),
    )
    assert outcome("response", body, first) == "absent"
    assert outcome("response", body, last) == "present"
    (found,) = told(combined("response", body), last)
    assert [e.quote for e in found.evidence] == ["气死我了", "给您推荐一个套餐"]
    assert "就先有“标题”（00:05.0）" in found.explanation
    assert outcome("response", body, call((S, 1.0), (U, 9.0), (C, 12.0))) == "absent"


# metadata


@pytest.mark.parametrize(
    ("body", "facts", "expected"),
    [
        ("queue_wait_seconds: {more_than: 30}", "queue_wait_seconds 31", "present"),
        ("queue_wait_seconds: {more_than: 30}", "queue_wait_seconds 30", "absent"),
        ("queue_wait_seconds: {at_least: 30, less_than: 40}", "queue_wait_seconds 40", "absent"),
        ("queue_wait_seconds: {more_than: 30}", "ring_count 3", "cannot_tell"),
        ("ring_count: {at_most: 3}", "ring_count 3", "present"),
        ("is_complaint: true", "is_complaint true", "present"),
        ("is_complaint: false", "is_complaint true", "absent"),
        ("business: [银行, 保险]", "business 保险", "present"),
        ("business: 银行", "business 保险", "absent"),
        ("direction: inbound", "direction outbound", "absent"),
        ("agent_id: ['1021', '1022']", "agent_id 1022", "present"),
        ("is_complaint: true\nring_count: {at_least: 4}", "is_complaint false", "absent"),
        ("is_complaint: true\nring_count: {at_least: 4}", "is_complaint true", "cannot_tell"),
    ],
)
def test_metadata_is_compared_and_what_is_missing_is_cannot_tell(
    body: str, facts: str, expected: str
) -> None:
    assert outcome("metadata", body, f"# {facts}\n坐席 1.0 您好") == expected


def test_metadata_is_told_with_what_was_asked() -> None:
    rules = combined("metadata", "queue_wait_seconds: {more_than: 30}\nis_complaint: true")
    (found,) = told(rules, "# queue_wait_seconds 41.5\n# is_complaint true\n坐席 1.0 您好")
    assert found.explanation == "标题：排队秒数 41.5（要求 大于 30）；投诉 是（要求 是）。"
    assert (found.evidence, found.confidence) == ((), 1.0)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "",
            "发现一个键也没有，应为 `queue_wait_seconds`、`ring_count`、",
        ),
        (
            "ring_count: {}",
            "发现一个键也没有，应为 `more_than`、`at_least`、`less_than`、`at_most` 至少写一个",
        ),
        ("ring_count: {more: 3}", "发现键 `more`，应为 at_least、at_most、less_than、more_than 之一"),
        ("direction: up", "应为 `direction` 写 inbound、outbound 之一"),
        ("agent_id: 1021", "发现 1021（数字），应为文字；用引号括起来"),
    ],
)
def test_faults_of_metadata_are_told(body: str, expected: str) -> None:
    with pytest.raises(RuleError) as error:
        combined("metadata", body)
    assert expected in str(error.value)


# all, any, none


BOTH = "rules: [a.upset, a.comfort]"


@pytest.mark.parametrize(
    ("detector", "text", "expected"),
    [
        ("all", call((U, 1.0), (C, 9.0)), "present"),
        ("all", call((U, 1.0), (S, 9.0)), "absent"),
        ("any", call((U, 1.0), (S, 9.0)), "present"),
        ("any", call((S, 1.0), (X, 9.0)), "absent"),
        ("none", call((U, 1.0), (S, 9.0)), "absent"),
        ("none", call((S, 1.0), (X, 9.0)), "present"),
    ],
)
def test_rules_are_put_together(detector: str, text: str, expected: str) -> None:
    assert outcome(detector, BOTH, text) == expected


def test_any_finds_each_place_and_all_finds_one_with_all_evidence() -> None:
    text = call((U, 1.0), (C, 9.0), (U, 20.0))
    assert [f.span.start for f in told(combined("any", BOTH), text)] == [1000, 9240, 20_000]
    (found,) = told(combined("all", BOTH), text)
    assert [e.quote for e in found.evidence] == ["气死我了", "气死我了", "理解您的心情"]


def test_rules_for_other_calls_are_left_out() -> None:
    text = "# direction inbound\n" + call((C, 9.0))
    assert outcome("all", "rules: [a.comfort, a.outbound]", text) == "present"
    assert outcome("any", "rules: [a.outbound]", text) is None
    assert outcome("none", "rules: [a.outbound]", text) is None


def test_a_window_counts_only_what_lies_in_it() -> None:
    text = call((U, 1.0), (C, 29.0))
    assert outcome("all", f"{BOTH}\nwindow: {{first_seconds: 60}}", text) == "present"
    assert outcome("all", f"{BOTH}\nwindow: {{first_seconds: 10}}", text) == "absent"
    assert outcome("any", f"{BOTH}\nwindow: {{last_seconds: 10}}", text) == "present"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from(list(Outcome)), min_size=1, max_size=3))
def test_the_logic_is_three_valued(outcomes: list[Outcome]) -> None:
    """A part is a metadata rule: what the call says, what it does not say, or nothing at all."""
    facts = ("ring_count", "queue_wait_seconds", "is_complaint")
    value = {Outcome.PRESENT: "1", Outcome.ABSENT: "0"}
    truth = {Outcome.PRESENT: "true", Outcome.ABSENT: "false"}
    lines, texts = ["坐席 1.0 您好"], []
    for fact, wanted in zip(facts, outcomes, strict=False):
        known = truth if fact == "is_complaint" else value
        lines += [f"# {fact} {known[wanted]}"] if wanted in known else []
        body = f"{fact}: true" if fact == "is_complaint" else f"{fact}: {{more_than: 0}}"
        texts.append(rule_text(f"p.{fact}", body, "metadata"))
    named = ", ".join(f"p.{fact}" for fact in facts[: len(outcomes)])
    texts += [rule_text(f"a.{kind}", f"rules: [{named}]", kind) for kind in ("all", "any", "none")]
    found = {f.rule_id: f.outcome for f in run(ruleset_of(*texts), "\n".join(lines))}
    order = [Outcome.ABSENT, Outcome.CANNOT_TELL, Outcome.PRESENT]
    assert found["a.all"] == min(outcomes, key=order.index)
    assert found["a.any"] == max(outcomes, key=order.index)
    assert found["a.none"] == order[2 - order.index(found["a.any"])]
