import pytest
from calls import rule_text, ruleset_of, run, with_roles
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.detect import engine
from pipeline.detect.script import CHARACTER, call_of
from pipeline.errors import RuleError
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import RuleSet

HOLD = rule_text("a.hold", "", "hold", role="any")


def thanks(window: str) -> RuleSet:
    return ruleset_of(HOLD, rule_text("a.thanks", f"phrases: [感谢您的等待]\nwindow: {{{window}}}"))


def told(rules: RuleSet, text: str, rule_id: str = "a.thanks") -> list[Finding]:
    return [f for f in run(rules, text) if f.rule_id == rule_id]


def seconds(rules: RuleSet, text: str) -> list[int]:
    found = told(rules, text)
    return [f.span.start // 1000 for f in found if f.outcome is Outcome.PRESENT]


TWO_HOLDS = """坐席 1.0 感谢您的等待
等待音乐 10.0 20.0
坐席 24.0 感谢您的等待
客户 30.0 好的没事
等待音乐 40.0 50.0
坐席 52.0 我看到了您的单子
客户 60.0 好的没事
坐席 70.0 感谢您的等待"""


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ("after: {rule: a.hold}", [24, 70]),
        ("after: {rule: a.hold, seconds: 10}", [24]),
        ("after: {rule: a.hold, seconds: 25}", [24, 70]),
        ("after: {rule: a.hold, seconds: 25, of: first}", [24]),
        ("after: {rule: a.hold, turns: 1}", [24]),
        ("after: {rule: a.hold, turns: 2}", [24, 70]),
        ("before: {rule: a.hold}", [1, 24]),
        ("before: {rule: a.hold, of: first}", [1]),
        ("before: {rule: a.hold, seconds: 15}", [1]),
        ("before: {rule: a.hold, turns: 1}", [1, 24]),
        ("within: {rule: a.hold, seconds: 6}", [24]),
        ("within: {rule: a.hold, turns: 1}", [1, 24]),
        ("within: {rule: a.hold}", []),
        ("after: {rule: a.hold, of: first}, before: {rule: a.hold}", [24]),
        ("after: {rule: a.hold}, last_seconds: 5", [70]),
        ("after: {rule: a.hold, seconds: 10, of: every}", []),
        ("after: {rule: a.hold, seconds: 25, of: every}", [24, 70]),
    ],
)
def test_a_window_lies_around_the_findings_of_another_rule(window: str, expected: list[int]) -> None:
    assert seconds(thanks(window), TWO_HOLDS) == expected


def test_every_finding_must_have_its_own_and_the_absence_counts_those_without() -> None:
    (absence,) = told(thanks("after: {rule: a.hold, seconds: 10, of: every}"), TWO_HOLDS)
    assert absence.outcome is Outcome.ABSENT
    assert "2 处要有，1 处缺" in absence.explanation


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ("after: {rule: a.hold, seconds: 10, of: first}", "（只看第一处“标题”之后 10 秒内）。"),
        ("within: {rule: a.hold, turns: 2}", "（只看“标题”前后 2 轮内）。"),
        ("within: {rule: a.hold}", "（只看“标题”之中）。"),
        ("before: {rule: a.hold, of: every}", "（只看每一处“标题”之前）。"),
    ],
)
def test_every_answer_says_which_part_was_looked_at(window: str, expected: str) -> None:
    assert all(f.explanation.endswith(expected) for f in told(thanks(window), TWO_HOLDS))


def test_a_window_around_what_did_not_happen_is_empty_and_says_so() -> None:
    (absence,) = told(thanks("after: {rule: a.hold}"), "坐席 3.0 感谢您的等待")
    assert absence.outcome is Outcome.ABSENT
    assert absence.explanation == "标题：没有“标题”，也就没有要找的那一段。"


def test_a_window_around_what_cannot_be_known_is_cannot_tell() -> None:
    upset = rule_text("a.upset", "phrases: [气死我了]", role="customer")
    rules = ruleset_of(
        upset,
        rule_text("a.calm", "window: {after: {rule: a.upset}}", "silence", role="any").replace(
            "window", "longer_than_seconds: 3\nwindow"
        ),
    )
    call = call_of("客户 3.0 气死我了\n坐席 20.0 您好")
    assert [f.outcome for f in engine.run(call, rules) if f.rule_id == "a.calm"] == [Outcome.PRESENT]
    unsure = engine.run(with_roles(call, 0.3), rules)
    assert {f.outcome for f in unsure} == {Outcome.CANNOT_TELL}


def test_a_window_works_for_detectors_that_do_not_look_at_windows() -> None:
    rules = ruleset_of(HOLD, rule_text("a.late", "window: {after: {rule: a.hold}}", "first_word"))
    text = "坐席 3.0 您好\n等待音乐 10.0 20.0\n坐席 24.0 好了"
    assert [f.outcome for f in told(rules, text, "a.late")] == [Outcome.ABSENT]


def test_a_plain_window_works_for_them_too() -> None:
    text = "坐席 3.0 您好"
    for window, expected in (("{first_seconds: 10}", "present"), ("{first_seconds: 2}", "absent")):
        rules = ruleset_of(rule_text("a.first", f"window: {window}", "first_word"))
        assert outcome(rules, text, "a.first") == expected


def test_a_rule_named_in_a_window_must_exist_and_must_not_need_this_one() -> None:
    with pytest.raises(RuleError, match=r"a/0\.yml:8:24: 发现规则 `a\.hol` 不存在，应为已有规则的 id"):
        ruleset_of(rule_text("a.x", "phrases: [您好]\nwindow: {after: {rule: a.hol, seconds: 3}}"))
    one = rule_text("a.one", "phrases: [您好]\nwindow: {after: {rule: a.two}}")
    two = rule_text("a.two", "phrases: [您好]\nexcept: [{rule: a.one}]")
    with pytest.raises(RuleError, match="绕着圈互相引用"):
        ruleset_of(one, two)


def test_a_distance_is_in_seconds_or_in_turns() -> None:
    body = "phrases: [您好]\nwindow: {after: {rule: a.x, seconds: 3, turns: 2}}"
    with pytest.raises(RuleError, match="应为只写 `seconds` 或 `turns` 之一"):
        ruleset_of(rule_text("a.x", body))


ANCHOR, WANTED = "请稍等片刻", "感谢您的等待"
LENGTH = len(ANCHOR) * CHARACTER


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.lists(st.sampled_from([ANCHOR, WANTED]), min_size=1, max_size=8),
    st.sampled_from(["before", "after", "within"]),
    st.integers(1, 25),
    st.sampled_from(["first", "any"]),
)
def test_a_window_holds_what_begins_so_close_to_an_anchor(
    said: list[str], kind: str, distance: int, which: str
) -> None:
    text = "\n".join(f"坐席 {7 * i + 1} {phrase}\n客户 {7 * i + 4} 好的没事" for i, phrase in enumerate(said))
    anchors = [7000 * i + 1000 for i, phrase in enumerate(said) if phrase == ANCHOR]
    zones = []
    for start in anchors[:1] if which == "first" else anchors:
        early = start if kind == "after" else start - distance * 1000
        late = start + LENGTH if kind == "before" else start + LENGTH + distance * 1000
        zones.append((start + LENGTH if kind == "after" else early, start if kind == "before" else late))
    wanted = [7 * i + 1 for i, phrase in enumerate(said) if phrase == WANTED]
    expected = [at for at in wanted if any(a <= at * 1000 + CHARACTER // 2 < b for a, b in zones)]
    rules = ruleset_of(
        rule_text("a.hold", f"phrases: [{ANCHOR}]"),
        rule_text(
            "a.thanks",
            f"phrases: [{WANTED}]\nwindow: {{{kind}: {{rule: a.hold, seconds: {distance}, of: {which}}}}}",
        ),
    )
    assert seconds(rules, text) == expected


# Exceptions


def cancelled_by(entry: str) -> RuleSet:
    upset = rule_text("a.upset", "phrases: [气死我了]", role="customer")
    return ruleset_of(
        upset,
        rule_text("a.blunt", f"phrases: [不归我们管]\nexcept: [{entry}]"),
        rule_text("a.quiet", f"longer_than_seconds: 3\nexcept: [{entry}]", "silence", role="any"),
    )


def outcome(rules: RuleSet, text: str, rule_id: str) -> str:
    return told(rules, text, rule_id)[0].outcome


def test_a_finding_of_another_rule_close_by_cancels_for_any_detector() -> None:
    text = "客户 1.0 气死我了\n坐席 8.0 这个不归我们管\n客户 10.0 好"
    near, far = "{rule: a.upset, seconds: 8}", "{rule: a.upset, seconds: 2}"
    assert outcome(cancelled_by(near), text, "a.blunt") == "absent"
    assert outcome(cancelled_by(far), text, "a.blunt") == "present"
    assert outcome(cancelled_by(far), text, "a.quiet") == "absent"
    assert outcome(cancelled_by("{rule: a.upset, turns: 1}"), text, "a.blunt") == "absent"
    assert outcome(cancelled_by("{rule: a.upset}"), text, "a.blunt") == "present"
    assert outcome(cancelled_by(near), text.replace("气死我了", "我没有生气"), "a.blunt") == "present"


def test_the_absence_says_what_cancelled() -> None:
    (absence,) = told(
        cancelled_by("{rule: a.upset, seconds: 8}"), "客户 1.0 气死我了\n坐席 8.0 不归我们管", "a.blunt"
    )
    assert absence.explanation == "标题：00:08.0 旁边有例外“标题”（00:01.0），所以不算。"
    assert absence.evidence[0].quote == "不归我们管"
    (absence,) = told(cancelled_by("'像{phrase}这种话'"), "坐席 1.0 像不归我们管这种话", "a.blunt")
    assert "“像不归我们管这种话”属于例外“像{phrase}这种话”，所以不算" in absence.explanation


def test_an_exception_in_words_cancels_what_other_detectors_quote() -> None:
    upset = rule_text("a.upset", "phrases: [气死我了]", role="customer")
    comfort = rule_text("a.comfort", "phrases: [理解您的心情]")
    missing = rule_text(
        "a.missing", "after: a.upset\nexpect: a.comfort\nexcept: ['不是{phrase}']", "response"
    )
    rules = ruleset_of(upset, comfort, missing)
    assert outcome(rules, "客户 1.0 气死我了\n坐席 8.0 单号多少", "a.missing") == "present"
    assert outcome(rules, "客户 1.0 我也不是气死我了\n坐席 8.0 单号多少", "a.missing") == "absent"


def test_a_finding_that_nobody_knows_whether_to_cancel_is_cannot_tell() -> None:
    quiet = cancelled_by("{rule: a.upset, seconds: 8}")
    call = with_roles(call_of("客户 1.0 喂你好\n坐席 8.0 您好"), 0.3)
    (finding,) = [f for f in engine.run(call, quiet) if f.rule_id == "a.quiet"]
    assert finding.outcome is Outcome.CANNOT_TELL
    assert finding.evidence


def test_faults_of_exceptions_are_told_with_their_place() -> None:
    rule = "phrases: [您好]\nexcept:\n  - {rul: a.upset}\n  - 你找[别的"
    with pytest.raises(RuleError) as error:
        ruleset_of(rule_text("a.x", rule))
    faults = str(error.value)
    assert "a/0.yml:9:6: 发现键 `rul`，应为 rule、" in faults
    assert "；是不是想写 `rule`？" in faults
    assert "a/0.yml:10:7: 发现“[”没有“]”配对" in faults


# Dates and drafts


@pytest.mark.parametrize(
    ("started", "runs"),
    [
        ("# started_at 2025-12-31\n", False),
        ("# started_at 2026-01-01T00:00\n", True),
        ("# started_at 2025-12-31T16:00+00:00\n", True),
        ("# started_at 2026-06-30T23:59\n", True),
        ("# started_at 2026-07-01T00:00\n", False),
        ("", True),
    ],
)
def test_a_rule_is_in_force_from_its_first_to_its_last_day_where_the_call_was(
    started: str, runs: bool
) -> None:
    rules = ruleset_of(rule_text("a.x", "phrases: [您好]\neffective: {from: 2026-01-01, until: 2026-06-30}"))
    assert bool(run(rules, f"{started}坐席 1.0 您好")) is runs


@pytest.mark.parametrize(
    ("effective", "expected"),
    [
        ("{from: 2026-02-30}", "发现“2026-02-30”，应为日期，如 2026-01-31"),
        ("{from: 2026-02-01, until: 2026-01-01}", "发现键 `from`、`until`，应为不早于 `from` 的 `until`"),
        ("{form: 2026-02-01}", "发现键 `form`，应为 from、until 之一；是不是想写 `from`？"),
    ],
)
def test_faults_of_dates_are_told(effective: str, expected: str) -> None:
    with pytest.raises(RuleError, match=r"8:1\d: ") as error:
        ruleset_of(rule_text("a.x", f"phrases: [您好]\neffective: {effective}"))
    assert expected in str(error.value)


def test_what_scores_does_not_build_on_a_draft() -> None:
    draft = rule_text("a.draft", "phrases: [您好]\nstatus: draft")
    with pytest.raises(
        RuleError, match=r"a/1\.yml:8:17: 发现草稿规则 `a\.draft`，应为 `status: active` 的规则"
    ):
        ruleset_of(draft, rule_text("a.x", "phrases: [再见]\nexcept: [{rule: a.draft}]"))
    assert ruleset_of(draft, rule_text("a.x", "phrases: [再见]\nstatus: draft\nexcept: [{rule: a.draft}]"))
