import pytest
from calls import rule_text, ruleset_of, run
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.detect import engine
from pipeline.detect.load import parse_ruleset
from pipeline.detect.script import call_of
from pipeline.errors import RuleError
from pipeline.findings import Outcome

RULES = ruleset_of(
    rule_text("b.second", "phrases: [不归我们管]"),
    rule_text("a.first", "phrases: [感谢您的来电]"),
    rule_text("c.missing", "after: b.second\nexpect: a.first", "response"),
)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.lists(st.text("不归贵我们管官感谢您的来电，。", min_size=1, max_size=12), max_size=5))
def test_every_rule_answers_in_the_same_order_every_time(texts: list[str]) -> None:
    lines = "\n".join(f"坐席 {5 * i}.0 {text}好" for i, text in enumerate(texts))
    found = engine.run(call_of(lines), RULES)
    assert found == engine.run(call_of(lines), RULES)
    assert sorted({f.rule_id for f in found}) == ["a.first", "b.second", "c.missing"]
    assert list(found) == sorted(found, key=lambda f: (f.rule_id, f.span))
    for rule_id in ("a.first", "b.second"):
        outcomes = [f.outcome for f in found if f.rule_id == rule_id]
        assert len(outcomes) == 1 or set(outcomes) == {Outcome.PRESENT}


def test_a_rule_for_other_calls_says_nothing() -> None:
    rules = ruleset_of(rule_text("a.out", "phrases: [您好]\napplies: {direction: outbound}"))
    assert run(rules, "# direction inbound\n坐席 1.0 您好。") == ()
    assert len(run(rules, "# direction outbound\n坐席 1.0 您好。")) == 1
    assert len(run(rules, "坐席 1.0 您好。")) == 1


def test_draft_rules_run() -> None:
    rules = ruleset_of(rule_text("a.draft", "phrases: [您好]\nstatus: draft"))
    assert run(rules, "坐席 1.0 您好。")[0].outcome is Outcome.PRESENT


def test_rules_that_need_each_other_are_refused() -> None:
    files = {
        f"a/{name}.yml": rule_text(f"a.{name}", f"after: a.{other}\nexpect: a.{other}", "response")
        for name, other in (("one", "two"), ("two", "one"))
    }
    with pytest.raises(RuleError, match=r"绕着圈互相引用：a\.\w+ → a\.\w+"):
        parse_ruleset(files)
