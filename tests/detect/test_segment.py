import jieba
from calls import rule_text, run
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.detect import segment
from pipeline.detect.load import parse_ruleset

TERMS = frozenset({"沃家乐", "融合宽带"})


def words(text: str, terms: frozenset[str] = frozenset()) -> list[str]:
    return list(segment.cut(text, terms))


def test_a_term_of_the_rule_set_is_a_word_there_and_nowhere_else() -> None:
    assert "沃家乐" not in words("我办了沃家乐")
    assert "沃家乐" in words("我办了沃家乐", TERMS)
    assert "沃家乐" not in words("我办了沃家乐")


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.lists(st.sampled_from([frozenset(), TERMS, frozenset({"办了沃"}), frozenset({"家乐融"})])))
def test_boundaries_do_not_depend_on_what_was_cut_before(before: list[frozenset[str]]) -> None:
    text = "我办了沃家乐融合宽带"
    for terms in before:
        words(text, terms)
    assert words(text, TERMS) == ["我", "办", "了", "沃家乐", "融合宽带"]
    assert words(text) == ["我", "办", "了", "沃", "家乐", "融合", "宽带"]


def test_jieba_s_own_tokenizer_is_left_alone() -> None:
    before = len(jieba.dt.FREQ or {})
    words("我办了沃家乐", TERMS)
    assert len(jieba.dt.FREQ or {}) == before


def test_a_word_list_moves_the_edges_that_the_matcher_sees() -> None:
    """家乐 is the end of a product's name: the phrase does not begin in the middle of a word."""
    files = {"a/0.yml": rule_text("a.rule", "phrases: [家乐]")}
    (without,) = run(parse_ruleset(files), "坐席 1.0 我办了沃家乐")
    (knowing,) = run(
        parse_ruleset({**files, "words/x.yml": "title: x\nwords: [沃家乐]\n"}), "坐席 1.0 我办了沃家乐"
    )
    assert (without.outcome, knowing.outcome) == ("present", "absent")
