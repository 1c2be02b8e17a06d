import pytest
from calls import rule_text, run

from pipeline.detect.load import load_ruleset, parse_ruleset
from pipeline.errors import RuleError
from pipeline.findings import Outcome
from pipeline.resources import shipped_rules
from pipeline.ruleset import RuleSet

LIST = "title: 产品\nwords: [宽带, 流量包, 信用卡]\n"


def rules(phrase: str, words: str = LIST, **others: str) -> RuleSet:
    rule = rule_text("a.rule", f"phrases: ['{phrase}']")
    return parse_ruleset({"a/0.yml": rule, "words/product.yml": words, **others})


def found(ruleset: RuleSet, text: str) -> list[str]:
    return [e.quote for f in run(ruleset, text) if f.outcome is Outcome.PRESENT for e in f.evidence]


def test_a_word_list_is_a_slot_for_any_of_its_words_by_sound() -> None:
    ruleset = rules("帮您办理一下{product}")
    assert found(ruleset, "坐席 1.0 我帮您办理一下流量包吧。") == ["帮您办理一下流量包"]
    assert found(ruleset, "坐席 1.0 我帮您办理一下流量抱吧。") == ["帮您办理一下流量抱"]
    assert found(ruleset, "坐席 1.0 我帮您办理一下手续吧。") == []
    assert found(rules("[新的]{product}坏了"), "坐席 1.0 宽带坏了") == ["宽带坏了"]


def test_a_list_works_in_exceptions_and_guards() -> None:
    guard = "id: g\ntitle: 例外\npatterns: ['{product}的{phrase}']\n"
    body = "phrases: [不归我们管]\nguards: [g]"
    ruleset = parse_ruleset(
        {"a/0.yml": rule_text("a.rule", body), "guards/g.yml": guard, "words/product.yml": LIST}
    )
    assert found(ruleset, "坐席 1.0 宽带的不归我们管。") == []
    assert found(ruleset, "坐席 1.0 这个不归我们管。") == ["不归我们管"]


@pytest.mark.parametrize(
    ("phrase", "words", "expected"),
    [
        ("办{prodct}", LIST, "a/0.yml:7:13: 发现“{prodct}”，应为 {amount}、"),
        ("办{prodct}", LIST, "{time}、{product} 之一；是不是想写 `{product}`？"),
        ("办{product:2}", LIST, "a/0.yml:7:13: 发现“{product:2}”，应为 {product}；词表后面不写字数"),
        (
            "办{product}",
            LIST.replace("宽带", "'宽[带]'"),
            "words/product.yml:2:11: 发现词表里有“[”，应为普通的词；一行一个",
        ),
        ("办{product}", "title: 产品\nwords: []\n", "words/product.yml:2:8: 发现空的 `words`，应为至少一项"),
        (
            "办{product}",
            "title: 产品\nword: [宽带]\n",
            "words/product.yml:2:1: 发现键 `word`，应为 title、why、words 之一；是不是想写 `words`？",
        ),
    ],
)
def test_faults_of_lists_and_their_use_are_told_with_their_place(
    phrase: str, words: str, expected: str
) -> None:
    with pytest.raises(RuleError) as error:
        rules(phrase, words)
    assert expected in str(error.value)


def test_a_list_may_not_take_the_name_of_a_slot() -> None:
    with pytest.raises(RuleError, match=r"words/number\.yml:1:1: 发现词表的文件名“number”，应为小写字母"):
        rules("您好", **{"words/number.yml": LIST})


def test_a_stored_rule_set_keeps_its_lists() -> None:
    loaded = load_ruleset(shipped_rules())
    assert "宽带" in loaded.words["product"]
    assert parse_ruleset(loaded.files).words == loaded.words
