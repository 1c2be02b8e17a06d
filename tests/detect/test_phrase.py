from dataclasses import replace
from time import perf_counter

import pytest
from calls import phrase_rule, rule_text, ruleset_of, run, with_roles

from pipeline.detect import engine, expressions
from pipeline.detect.heard import Heard
from pipeline.detect.script import call_of
from pipeline.errors import RuleError
from pipeline.findings import Finding, Outcome
from pipeline.ruleset import RuleSet
from pipeline.timeline import Span


def only(ruleset: RuleSet, text: str, **thresholds: float) -> Finding:
    (finding,) = run(ruleset, text, **thresholds)
    return finding


def present(ruleset: RuleSet, text: str) -> bool:
    return any(finding.outcome is Outcome.PRESENT for finding in run(ruleset, text))


def test_a_phrase_of_the_other_side_does_not_count() -> None:
    rules = phrase_rule("不归我们管")
    assert present(rules, "坐席 3.0 这个不归我们管。")
    assert not present(rules, "客户 3.0 你是说这个不归我们管？")


def test_evidence_names_time_words_and_difference() -> None:
    finding = only(phrase_rule("你找[别的]部门"), "坐席 3.0 你找别的不门吧。")
    (evidence,) = finding.evidence
    assert finding.span == evidence.span == Span(3000, 3000 + 6 * 240)
    assert evidence.quote == "你找别的不门"
    assert "部bu4→不bu4" in evidence.detail
    assert "00:03.0" in finding.explanation
    assert "坐席" in finding.explanation


def test_phrases_close_together_are_one_finding_with_all_evidence() -> None:
    rules = phrase_rule("不归我们管", "你去找派件员")
    assert len(only(rules, "坐席 3.0 那不归我们管，你去找派件员。").evidence) == 2
    apart = "坐席 3.0 那不归我们管。我再给您查一下单号看看到了没有，你去找派件员。"
    assert len(run(rules, apart)) == 2


def test_a_phrase_split_over_two_turns_is_found_unless_somebody_speaks_between() -> None:
    rules = phrase_rule("这个不归我们管")
    assert present(rules, "坐席 3.0 这个不归\n坐席 5.0 我们管")
    assert not present(rules, "坐席 3.0 这个不归\n客户 4.2 啊\n坐席 5.0 我们管")


def test_an_exception_cancels_the_match_it_overlaps_and_no_other() -> None:
    rules = phrase_rule("不归我们管", **{"except": '["像{phrase}这种话"]'})
    assert not present(rules, "坐席 3.0 像不归我们管这种话我们不会说。")
    assert present(rules, "坐席 3.0 像不归我们管这种话我们不说。您稍等一下我看看，这个不归我们管。")


def test_an_exception_does_not_reach_from_a_match_into_the_next_clause() -> None:
    rules = phrase_rule("放心[吧]，肯定没问题", **{"except": '["肯定…12今天"]'})
    assert present(rules, "坐席 3.0 放心吧，肯定没问题，您今天就来。")
    assert not present(rules, "坐席 3.0 放心吧，肯定没问题今天就来。")


def test_a_guard_is_a_list_of_exceptions_that_rules_share() -> None:
    files = {
        "guards/quoted.yml": 'id: quoted\ntitle: 转述\npatterns:\n  - "像{phrase}这种话"\n',
        "a/rule.yml": rule_text("a.rule", "guards: [quoted]\nphrases: [不归我们管]"),
    }
    from pipeline.detect.load import parse_ruleset

    rules = parse_ruleset(files)
    assert not present(rules, "坐席 3.0 像不归我们管这种话我们不会说。")
    assert present(rules, "坐席 3.0 不归我们管。")


@pytest.mark.parametrize(
    ("anchor", "text", "expected"),
    [
        ("turn", "坐席 3.0 嗯，知道了。", True),
        ("turn", "坐席 3.0 我知道了，马上办。", False),
        ("start", "坐席 3.0 您稍等，知道了。", True),
        ("start", "坐席 3.0 他们知道了。", False),
        ("end", "坐席 3.0 他们知道了啊。", True),
        ("end", "坐席 3.0 知道了我马上办理。", False),
        ("anywhere", "坐席 3.0 他们知道了我马上办理。", True),
    ],
)
def test_anchors_say_where_in_the_turn(anchor: str, text: str, expected: bool) -> None:
    assert present(phrase_rule("知道了", anchor=anchor), text) is expected


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ("{first_turns: 1}", [3]),
        ("{last_turns: 1}", [60]),
        ("{last_turns: 5}", [3, 20, 60]),
        ("{first_seconds: 10}", [3]),
        ("{last_seconds: 20}", [60]),
        ("{first_percent: 50}", [3, 20]),
        ("{last_percent: 50}", [60]),
    ],
)
def test_a_window_limits_the_search(window: str, expected: list[int]) -> None:
    text = "坐席 3.0 再见了您。\n客户 8.0 喂\n坐席 20.0 再见了您。\n客户 30.0 喂\n坐席 60.0 再见了您。"
    found = run(phrase_rule("再见了您", window=window), text)
    assert [finding.span.start // 1000 for finding in found] == expected


def test_seconds_from_the_start_count_from_the_answer() -> None:
    rules = phrase_rule("您好", window="{first_seconds: 5}")
    assert present(rules, "# answered 20\n坐席 22.0 您好。")


def test_an_absence_names_the_span_and_the_nearest_words() -> None:
    finding = only(phrase_rule("急什么"), "坐席 3.0 请问您寄什么？")
    assert finding.outcome is Outcome.ABSENT
    assert finding.evidence[0].quote == "寄什么"
    assert str(finding.span) in finding.explanation
    assert "寄什么" in finding.explanation


def test_an_absence_in_words_that_nobody_understood_is_cannot_tell() -> None:
    rules, text = phrase_rule("感谢您的来电"), "坐席 3.0 我们这个那个办好了以后再说吧。"
    doubtful = engine.run(call_of(text, probability=0.1), rules)
    assert [f.outcome for f in doubtful] == [Outcome.CANNOT_TELL]
    assert only(rules, text).outcome is Outcome.ABSENT


def test_without_a_word_of_the_role_nothing_can_be_told() -> None:
    assert only(phrase_rule("您好"), "客户 3.0 喂，有人吗？").outcome is Outcome.CANNOT_TELL


def test_uncertain_roles_make_every_rule_with_a_role_cannot_tell() -> None:
    call = with_roles(call_of("客户 3.0 这个不归我们管。"), 0.4)
    (finding,) = engine.run(call, phrase_rule("不归我们管"))
    assert finding.outcome is Outcome.CANNOT_TELL
    assert finding.evidence[0].quote == "不归我们管"
    anybody = ruleset_of(rule_text("a.rule", "phrases: [不归我们管]", role="any"))
    assert engine.run(call, anybody)[0].outcome is Outcome.PRESENT


def test_speech_that_gave_no_words_makes_an_absence_uncertain() -> None:
    call = call_of("坐席 3.0 好的，我看一下单号。")
    unclear = replace(call.transcript, unclear=(Span(6000, 20_000),))
    rules = phrase_rule("感谢您的来电")
    assert engine.run(call, rules)[0].outcome is Outcome.ABSENT
    deaf = replace(call, recording=replace(call.recording, duration=25_000), transcript=unclear)
    assert engine.run(deaf, rules)[0].outcome is Outcome.CANNOT_TELL


def asked(body: str) -> RuleSet:
    return ruleset_of(rule_text("a.rule", body))


ELEMENTS = "phrases: ['工号{number}', '(为您服务|很高兴为您服务)', '(您好|早上好)']\n"


@pytest.mark.parametrize(
    ("require", "text", "expected"),
    [
        ("all", "坐席 1.0 您好，工号幺零二幺，为您服务。", "present"),
        ("all", "坐席 1.0 您好，为您服务。", "absent"),
        ("2", "坐席 1.0 您好，为您服务。", "present"),
        ("2", "坐席 1.0 您好，您好，早上好。", "absent"),
        ("any", "坐席 1.0 您好。", "present"),
    ],
)
def test_all_or_some_of_the_phrases_may_be_asked_for(require: str, text: str, expected: str) -> None:
    assert only(asked(f"{ELEMENTS}require: {require}"), text).outcome == expected


def test_one_finding_holds_the_evidence_of_all_phrases() -> None:
    rules = asked(f"{ELEMENTS}require: all")
    found = only(rules, "坐席 1.0 您好，工号幺零二幺\n客户 5.0 嗯\n坐席 8.0 为您服务")
    assert [e.quote for e in found.evidence] == ["您好", "工号幺零二幺", "为您服务"]
    partly = only(rules, "坐席 1.0 您好，请讲。")
    assert "3 条里只有 1 条" in partly.explanation


def test_words_that_must_not_be_said_make_the_rule_absent() -> None:
    rules = asked("phrases: [马上为您处理]\nnone_of: [大概, 可能要等]")
    assert present(rules, "坐席 1.0 马上为您处理。")
    spoiled = only(rules, "坐席 1.0 马上为您处理。\n客户 6.0 好\n坐席 9.0 可能要等几天。")
    assert spoiled.outcome is Outcome.ABSENT
    assert "不该有的话说了：坐席在 00:09.0 说“可能要等”" in spoiled.explanation


def test_silence_about_everything_listed_is_a_finding_of_its_own() -> None:
    rules = asked("none_of: [您好, 早上好]\nwindow: {first_turns: 1}")
    assert only(rules, "坐席 1.0 喂，说。\n坐席 9.0 您好。").outcome is Outcome.PRESENT
    assert only(rules, "坐席 1.0 您好，请讲。").outcome is Outcome.ABSENT
    mumbled = engine.run(call_of("坐席 1.0 喂，说。", probability=0.1), rules)
    assert [f.outcome for f in mumbled] == [Outcome.CANNOT_TELL]


def test_a_rule_must_listen_for_something_it_can_hear() -> None:
    with pytest.raises(RuleError, match="应为 `phrases`、`regex`、`none_of` 至少写一个"):
        asked("match: text")
    with pytest.raises(RuleError, match="不大于说法和正则表达式条数的 `require`"):
        asked("phrases: [您好]\nrequire: 2")


@pytest.mark.parametrize(
    ("edits", "text", "expected"),
    [
        (0, "坐席 1.0 请提供一下手机号码", True),
        (0, "坐席 1.0 请提供一下手表号码", False),
        (1, "坐席 1.0 请提供一下手表号码", True),
        (1, "坐席 1.0 请提供一下手号码", True),
        (1, "坐席 1.0 请提供一下您手机号码", True),
        (1, "坐席 1.0 请提供一下手表套码", False),
        (2, "坐席 1.0 请提供一下手表套码", True),
        (2, "坐席 1.0 请提供不下手机号码", False),
    ],
)
def test_by_text_so_many_characters_may_differ_whatever_they_sound_like(
    edits: int, text: str, expected: bool
) -> None:
    rules = asked(f"phrases: [提供一下手机号码吧]\nmatch: text\nmax_edits: {edits}")
    assert present(rules, text + "吧") is expected


# Regular expressions


def test_a_regular_expression_fits_the_words_as_heard_with_their_times() -> None:
    found = only(asked("regex: ['工号[，：]?[0-9]{4}']"), "坐席 1.0 您好，工号，1021为您服务。")
    (evidence,) = found.evidence
    assert (evidence.quote, evidence.span) == ("工号，1021", Span(1000 + 2 * 240, 1000 + 8 * 240))
    assert not present(asked("regex: ['工号[0-9]{4}']"), "坐席 1.0 工号幺零二幺")
    assert not present(asked("regex: ['工号[0-9]{4}']"), "客户 1.0 工号1021")
    assert not present(asked("regex: ['号[0-9]{4}']\nexcept: ['工号{number}']"), "坐席 1.0 工号1021")


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("工号[9-0]", "7:13: 发现“9-0”（方括号里的范围不对），应为 RE2 能读的正则表达式"),
        ("工号(一", "发现“工号(一”（少了右括号），应为"),
        ("工(?=号)", "7:11: 发现“(?=”（没有前后查看这类写法）"),
        ("(工)\\1", "发现“\\1”（没有这种反斜杠写法）"),
        ("工*", "发现一个字不说也算的写法"),
    ],
)
def test_a_fault_of_an_expression_is_told_with_its_column(expression: str, expected: str) -> None:
    with pytest.raises(RuleError) as error:
        asked(f"regex: ['{expression}']")
    assert expected in str(error.value)


def test_an_evil_expression_takes_no_time() -> None:
    heard = Heard.of(call_of("坐席 1.0 " + "啊" * 20_000))
    started = perf_counter()
    assert not list(expressions.search(heard, "(啊+)+(啊|啊啊)*完", heard.words))
    assert perf_counter() - started < 2
