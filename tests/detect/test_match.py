import pytest
from calls import matches, quotes
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.detect import costs
from pipeline.detect.heard import Heard
from pipeline.detect.match import Fit, Matcher
from pipeline.detect.pattern import parse
from pipeline.detect.script import call_of
from pipeline.findings import How


@pytest.mark.parametrize(
    ("pattern", "text", "how"),
    [
        ("不归我们管", "这个不归我们管", How.EXACT),
        ("你找别的部门", "你找别的不门吧", How.SAME_SOUND),
        ("请报一下工号", "请报一下宫号", How.SAME_SOUND),
        ("感谢您的来电", "感谢您的奶电", How.NEAR_SOUND),
        ("请问有什么可以帮您", "请问有什么可以帮助您", How.EDITS),
    ],
)
def test_what_was_misheard_is_found_and_told(pattern: str, text: str, how: How) -> None:
    (best,) = [m for m in matches(pattern, text) if m.end == max(x.end for x in matches(pattern, text))]
    assert best.how is how
    assert (best.cost == 0) == (how is How.EXACT)
    assert bool(best.detail) == (how is not How.EXACT)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("不归我们管", "这个价格不贵，我们馆里都一样"),
        ("急什么", "请问您寄什么"),
        ("不是我的职责", "这是我的职责"),
        ("我负责", "我不负责"),
        ("这是我的问题", "这是你的问题"),
        ("你好", "你好像没有听清"),
        ("解决了吗", "问题解决了"),
        ("我就是客服", "我是客服"),
    ],
)
def test_words_that_mean_something_else_are_not_taken_for_the_phrase(pattern: str, text: str) -> None:
    assert quotes(pattern, text) == []


def test_a_doubtful_character_is_forgiven_and_a_certain_one_is_not() -> None:
    assert quotes("急什么", "你几什么", probability=0.3)
    assert not quotes("急什么", "你几什么", probability=0.95)


def test_a_short_phrase_may_have_one_doubtful_near_sound_between_words() -> None:
    assert quotes("您贵姓", "请问您贵心", probability=0.5) == ["您贵心"]
    assert not quotes("您贵姓", "请问您贵心", probability=0.7)
    assert not quotes("您贵姓", "请问您柜心", probability=0.5)
    assert not quotes("很高兴", "很高心脏", probability=0.5)


def test_a_negation_stands_for_no_other_word_unless_it_is_in_doubt() -> None:
    assert quotes("我们部门不能办", "我们部门补能办", probability=0.5)
    assert not quotes("我们部门不能办", "我们部门补能办", probability=0.9)
    assert not quotes("我们给您补一张", "我们给您不一张", probability=0.9)
    assert not quotes("我们部门能办这个", "我们部门不能办这个", probability=0.2)


def test_longer_phrases_may_differ_more() -> None:
    budgets = [costs.budget(length) for length in range(20)]
    assert budgets == sorted(budgets)
    assert budgets[1] == 0
    assert budgets[19] == budgets[18]


def test_text_allows_particles_and_exact_allows_nothing() -> None:
    assert quotes("感谢您来电", "感谢您的来电", fit=Fit.TEXT) == ["感谢您的来电"]
    assert quotes("感谢您来电", "感谢您的来电", fit=Fit.EXACT) == []
    assert quotes("感谢您来电", "感谢您莱电", fit=Fit.TEXT) == []
    assert quotes("不归我们管", "这个不归，我们管", fit=Fit.EXACT) == ["不归，我们管"]


def test_confidence_falls_with_the_cost_and_with_doubt() -> None:
    (exact,), (near,) = matches("感谢您的来电", "感谢您的来电"), matches("感谢您的来电", "感谢您的奶电")
    (doubted,) = matches("感谢您的来电", "感谢您的来电", probability=0.2)
    assert exact.confidence > near.confidence
    assert exact.confidence > doubted.confidence


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.text("部不步门们文归贵我您的了管官急几", min_size=1, max_size=8), min_size=1, max_size=5))
def test_a_match_lies_inside_what_one_speaker_says(texts: list[str]) -> None:
    lines = [f"{'坐席' if i % 2 else '客户'} {i * 5}.0 {text}" for i, text in enumerate(texts)]
    heard = Heard.of(call_of("\n".join(lines)))
    for match in Matcher(heard=heard).search(parse("不归我们管"), heard.words):
        inside = {heard.marks[i].stretch for i in range(match.start, match.end)}
        assert len(inside) == 1
        assert min(inside) >= 0
