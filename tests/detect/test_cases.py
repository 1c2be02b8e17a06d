from pathlib import Path

import pytest
from calls import rule_text, ruleset_of

from pipeline.detect.cases import missing_cases, run_cases
from pipeline.detect.load import load_ruleset
from pipeline.detect.script import ScriptError, call_of
from pipeline.errors import RuleError
from pipeline.resources import shipped_rules
from pipeline.settings import Settings
from pipeline.timeline import Direction, Role, Span
from pipeline.workflows.check_rules import prepared


def cases(*lines: str) -> str:
    return "phrases: [不归我们管]\ncases:\n" + "\n".join(f"  - {line}" for line in lines)


def test_the_cases_of_the_shipped_rules_hold(tmp_path: Path) -> None:
    settings = Settings(cache=str(tmp_path))
    failures = run_cases(*prepared(settings, load_ruleset(shipped_rules())))
    assert not failures, "\n".join(map(str, failures))


def test_every_shipped_rule_shows_what_it_finds_and_what_it_leaves_alone() -> None:
    assert not missing_cases(load_ruleset(shipped_rules()).rules)


@pytest.mark.parametrize(
    ("line", "lacking"), [('hit: "坐席 3.0 不归我们管。"', "miss"), ("miss: 坐席 3.0 好。", "hit")]
)
def test_a_rule_without_a_hit_or_without_a_miss_is_told(line: str, lacking: str) -> None:
    (fault,) = missing_cases(ruleset_of(rule_text("a.rule", cases(line))).rules)
    assert str(fault).startswith(f"a/0.yml:1:5: 发现 a.rule 的用例里没有 `{lacking}`，应为")


def test_a_rule_without_cases_lacks_both() -> None:
    rules = ruleset_of(rule_text("a.rule", "phrases: [不归我们管]")).rules
    assert [fault.message.split("`")[1] for fault in missing_cases(rules)] == ["hit", "miss"]


def test_a_case_that_does_not_hold_is_told_with_its_line() -> None:
    rules = ruleset_of(rule_text("a.rule", cases('hit: "坐席 3.0 您好。"', 'miss: "坐席 3.0 您好。"')))
    (failure,) = run_cases(rules)
    assert str(failure).startswith("a/0.yml:9:10: a.rule：“坐席 3.0 您好。”应为 hit（要听出来），发现的是：")


def test_a_case_may_have_many_turns_and_describe_the_call() -> None:
    block = (
        "hit: |\n      客户 1.0 喂\n      坐席 3.0 不归我们管。\n    direction: outbound\n    duration: 90"
    )
    assert not run_cases(ruleset_of(rule_text("a.rule", cases(block))))


def test_a_malformed_case_is_a_rule_error() -> None:
    with pytest.raises(RuleError, match=r"a/0\.yml:9:10: 发现“坐席 不归我们管”，应为 `坐席"):
        run_cases(ruleset_of(rule_text("a.rule", cases('hit: "坐席 不归我们管"'))))


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("顾客 3.0 您好", "发现“顾客 3.0 您好”，应为 `坐席 3.0 说的话`、`客户 3.0 说的话`、"),
        ("“坐席 3.0 您好”", "；引号要用半角的"),
        ("坐席 三秒 您好", "发现“三秒”，应为秒数：整行应为 `坐席 3.0 说的话`"),
        ("坐席 3.0 [4m] 您好", "发现“4m”，应为长度、音量或音高，如 `4.5s`、"),
        ("# rings 3", "发现 `rings`，应为 agent_id、answered、"),
        ("# ring_count 三", "发现 `ring_count` 后面是“三”，应为整数"),
        ("# started_at 明天", "发现 `started_at` 后面是“明天”，应为日期或时间，如 2026-03-01"),
        ("# direction up", "发现 `direction` 后面是“up”，应为 inbound、outbound 之一"),
        ("# is_complaint 是", "发现 `is_complaint` 后面是“是”，应为 true 或 false"),
    ],
)
def test_a_line_of_a_case_that_cannot_be_read_is_told(line: str, told: str) -> None:
    with pytest.raises(ScriptError) as error:
        call_of(f"客户 1.0 喂\n{line}")
    assert told in str(error.value)
    assert error.value.line == 1


def test_a_text_becomes_a_call_with_evenly_spaced_characters() -> None:
    facts = "# direction outbound\n# duration 60\n# answered 2.5\n"
    call = call_of(f"{facts}坐席 3.0 您好，请讲。\n等待音乐 10.0 20.0\n客户 21.0 喂")
    first, second = call.transcript.turns
    assert (first.role, first.text, first.span) == (Role.AGENT, "您好，请讲。", Span(3000, 3960))
    assert (second.role, second.index) == (Role.CUSTOMER, 1)
    assert call.recording.direction is Direction.OUTBOUND
    assert call.recording.duration == 60_000
    assert call.transcript.connected_at == 2500
    assert call.transcript.holds[0].music


def test_a_turn_may_say_how_long_loud_and_high_it_is() -> None:
    told, plain = call_of("坐席 3.0 [4.0s -12dB 260Hz] 您好，请讲。\n客户 9.0 [-20dB] 喂").transcript.turns
    assert (told.text, told.span) == ("您好，请讲。", Span(3000, 7000))
    assert [word.span.duration for word in told.words] == [1000] * 4
    assert (told.loudness_dbfs, told.pitch_hz) == (-12.0, 260.0)
    assert (plain.loudness_dbfs, plain.pitch_hz, plain.span.duration) == (-20.0, None, 240)


@pytest.mark.parametrize(
    "line",
    ["坐席 您好", "甲 3.0 您好", "坐席 三 您好", "# colour red", "# direction up", "坐席 3.0 [4m] 您好"],
)
def test_a_line_that_cannot_be_read_is_told(line: str) -> None:
    with pytest.raises(ScriptError) as error:
        call_of(f"坐席 1.0 您好\n{line}")
    assert error.value.line == 1
