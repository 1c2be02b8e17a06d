import pytest
from calls import quotes

from pipeline.detect.heard import Heard
from pipeline.detect.match import Matcher
from pipeline.detect.pattern import PatternError, gaps_meet, parse
from pipeline.detect.script import call_of


def test_brackets_are_optional_and_parentheses_are_not() -> None:
    assert quotes("你找[别的|其他]部门", "你找部门") == ["你找部门"]
    assert quotes("你找[别的|其他]部门", "你找其他部门") == ["你找其他部门"]
    assert quotes("(打|拨)这个电话", "拨这个电话") == ["拨这个电话"]
    assert quotes("你(怎么)这么说", "你这么说") == []


def test_groups_nest() -> None:
    assert quotes("我[不(想|要)]挂电话", "我不想挂电话") == ["我不想挂电话"]


def test_a_gap_stays_within_its_length() -> None:
    assert quotes("你…2不清楚", "你自己不清楚") == ["你自己不清楚"]
    assert quotes("你…2不清楚", "你自己怎么不清楚") == []


def test_a_gap_crosses_one_written_stop_and_no_second_one() -> None:
    assert quotes("你们…对吗", "你们这价高？对吗") == ["你们这价高？对吗"]
    assert quotes("你们…对吗", "你们。这价高？对吗") == []


def test_two_gaps_keep_words_between_them() -> None:
    parse("你…4，的…6好")
    parse("你…4(，请|再)…6好")
    parse("你(说…好|讲)…2好")


def test_a_gap_never_crosses_a_silence_or_the_other_speaker() -> None:
    for between in ("坐席 4.0 ", "客户 2.2 嗯。\n坐席 3.0 "):
        heard = Heard.of(call_of(f"坐席 1.0 你们这价高？\n{between}对吗？"))
        assert not Matcher(heard=heard).search(parse("你们…对吗"), heard.words)


def test_a_group_of_particles_in_parentheses_must_be_heard() -> None:
    assert quotes("(哎|唉)急什么呢", "急什么呢") == []
    assert quotes("(哎|唉)急什么呢", "哎急什么呢")


def test_punctuation_at_the_end_of_a_pattern_demands_a_pause() -> None:
    assert quotes("知道了，", "我知道了，你说") == quotes("知道了，", "我知道了") == ["知道了"]
    assert quotes("知道了，", "我知道了你说") == []


def test_a_misheard_surname_before_a_title_is_one_only_when_in_doubt() -> None:
    assert quotes("{surname}(先生|女士)", "好的等女士", probability=0.5) == ["等女士"]
    assert quotes("{surname}(先生|女士)", "好的等女士", probability=0.95) == []
    assert quotes("{surname}(先生|女士)", "请稍等女士", probability=0.5) == []


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("工号{number}", "您好，工号幺零二四为您服务", "工号幺零二四"),
        ("工号{number}", "您好，工号1024为您服务", "工号1024"),
        ("我姓{surname}", "免贵我姓欧阳", "我姓欧阳"),
        ("{surname}(先生|女士)", "好的张女士", "张女士"),
        ("我是{name}", "您好我是何芳，请问", "我是何芳"),
        ("{time}(之前|以前)回复", "明天下午三点之前回复您", "明天下午三点之前回复"),
        ("赔你{amount}", "我赔您三百块钱", "赔您三百块钱"),
    ],
)
def test_slots_stand_for_what_they_name(pattern: str, text: str, expected: str) -> None:
    assert expected in quotes(pattern, text)


def test_a_short_number_is_not_a_number_of_three_digits() -> None:
    assert quotes("工号{number}", "工号五") == []
    assert quotes("工号{number:1}", "工号五") == ["工号五"]


def test_a_name_does_not_run_on_into_other_words() -> None:
    assert quotes("我是{name}", "我是说这个不行，对吧") == []


@pytest.mark.parametrize(
    ("pattern", "column"),
    [
        ("你[好", 1),
        ("你好)", 2),
        ("你{nmae}", 1),
        ("…你好", 0),
        ("你…99好", 1),
        ("[你好]", 0),
        ("你(好|)", 1),
        ("你*好", 1),
    ],
)
def test_a_mistake_is_told_with_its_column(pattern: str, column: int) -> None:
    with pytest.raises(PatternError) as error:
        parse(pattern)
    assert error.value.column == column


def test_the_name_of_a_firm_has_no_pronoun_and_no_pause_in_it() -> None:
    assert quotes("这里是{org}", "这里是城北供水所，请讲")
    assert quotes("你好，{org}客服", "您好，恒通物流客服")
    assert not quotes("你好，{org}客服", "您好，您刚才找客服")
    assert not quotes("你好，{org}客服", "您好，麻烦等，一下客服")


def test_a_choice_within_a_choice_may_find_nothing_to_go_on() -> None:
    assert quotes("找(([甲](乙|丙)|丁)|戊)客服", "找戊客服")


@pytest.mark.parametrize("pattern", ["你…4，…6好", "你……好…，[的]…3好", "你(说…|讲)…2好"])
def test_a_gap_may_run_into_the_next_and_the_pattern_is_still_read(pattern: str) -> None:
    assert gaps_meet(parse(pattern).nodes)


@pytest.mark.parametrize("pattern", ["你…4好…6吗", "你(说…|讲)的[话]…2好", "你好，再见"])
def test_gaps_apart_do_not_meet(pattern: str) -> None:
    assert not gaps_meet(parse(pattern).nodes)
