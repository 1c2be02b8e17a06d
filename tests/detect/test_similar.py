"""Rules that learn from examples."""

from dataclasses import replace
from functools import cache

import meanings
import pytest
from calls import rule_text, ruleset_of, with_roles

from pipeline.detect import engine, training
from pipeline.detect.script import call_of
from pipeline.errors import RuleError
from pipeline.findings import Finding, How, Outcome
from pipeline.meaning import Meaning
from pipeline.ruleset import RuleSet
from pipeline.timeline import Call
from pipeline.vectors import Place, Sentences

SHIRKING = (
    "这不归我们管", "这事不归我管", "不是我们负责的", "这个不是我负责", "你去找别的部门", "您找其他部门问吧",
    "我们管不了这个", "这事我们管不了", "跟我们没有关系", "这和我们没关系", "你自己想办法", "您自己想想办法",
)  # fmt: skip
UNLIKE = ("我帮您转到负责的部门", "这个归我们负责", "我来想办法", "我负责帮您处理", "别的部门会联系您")


def listed(key: str, texts: tuple[str, ...]) -> str:
    return f"{key}:\n" + "".join(f'  - "{text}"\n' for text in texts)


def rules(*extra: str) -> RuleSet:
    body = listed("examples", SHIRKING) + listed("unlike", UNLIKE) + "\n".join(extra)
    return ruleset_of(rule_text("a.shirking", body, "similar"))


@cache
def taught(*extra: str) -> RuleSet:
    ruleset = rules(*extra)
    return replace(ruleset, meaning=training.train(ruleset, meanings.NAME, meanings.encode))


def heard(text: str, *, encoder: str = meanings.NAME) -> Call:
    """A call whose turns are each one sentence."""
    call = call_of(text)
    turns = call.transcript.turns
    places = tuple(Place(i, 0, len(turn.words)) for i, turn in enumerate(turns))
    vectors = meanings.encode([turn.text for turn in turns])
    return replace(call, sentences=Sentences.of(encoder, places, vectors))


def found(text: str, ruleset: RuleSet | None = None) -> tuple[Finding, ...]:
    return engine.run(heard(text), ruleset or taught())


def test_another_wording_of_the_examples_is_found_with_the_nearest_one_as_evidence() -> None:
    (finding,) = found("坐席 3.0 这件事不归我管")
    assert finding.outcome is Outcome.PRESENT
    (evidence,) = finding.evidence
    assert evidence.how is How.MEANING
    assert evidence.quote == "这件事不归我管"
    assert evidence.phrase in SHIRKING
    assert evidence.phrase in finding.explanation


def test_a_counter_example_is_not_found() -> None:
    (finding,) = found("坐席 3.0 我帮您转到负责的部门")
    assert finding.outcome is Outcome.ABSENT
    assert "最接近的" in finding.explanation


def test_sounds_carry_what_recognition_misspells() -> None:
    (finding,) = found("坐席 3.0 这事不贵我们馆")
    assert finding.outcome is Outcome.PRESENT


def test_the_other_side_may_say_it() -> None:
    assert {f.outcome for f in found("客户 3.0 这不归我们管\n坐席 6.0 您好")} == {Outcome.ABSENT}


def test_without_vectors_nothing_can_be_told() -> None:
    (finding,) = engine.run(call_of("坐席 3.0 这不归我们管"), taught())
    assert finding.outcome is Outcome.CANNOT_TELL
    (finding,) = engine.run(heard("坐席 3.0 这不归我们管"), rules())
    assert finding.outcome is Outcome.CANNOT_TELL


def test_vectors_of_another_model_are_not_compared() -> None:
    (finding,) = engine.run(heard("坐席 3.0 这不归我们管", encoder="other:1"), taught())
    assert finding.outcome is Outcome.CANNOT_TELL
    assert "另一个模型" in finding.explanation


def test_with_doubtful_roles_nobody_is_blamed() -> None:
    (finding,) = engine.run(with_roles(heard("坐席 3.0 这不归我们管"), 0.5), taught())
    assert finding.outcome is Outcome.CANNOT_TELL
    assert "这不归我们管" in finding.explanation


def test_an_exception_in_words_cancels_what_was_meant() -> None:
    ruleset = taught('except: ["不会说{phrase}"]', "window: {first_turns: 3}")
    assert found("坐席 3.0 这不归我们管", ruleset)[0].outcome is Outcome.PRESENT


def test_the_same_examples_teach_the_same_and_come_back_from_bytes() -> None:
    again = training.train(rules(), meanings.NAME, meanings.encode)
    assert again is not None
    meaning = taught().meaning
    assert meaning is not None
    assert again.packed() == meaning.packed()
    assert Meaning.unpacked(meaning.packed()) == meaning


def test_other_bytes_are_no_heads() -> None:
    with pytest.raises(ValueError, match="not packed heads"):
        Meaning.unpacked(b"something")


def test_a_higher_precision_never_finds_more() -> None:
    strict = taught("precision: 1.0").meaning
    plain = taught().meaning
    assert strict is not None
    assert plain is not None
    assert strict.heads["a.shirking"].threshold >= plain.heads["a.shirking"].threshold


def test_too_few_examples_are_refused_with_their_place() -> None:
    with pytest.raises(RuleError, match=r"a/0\.yml:8:3: .*`examples`"):
        ruleset_of(rule_text("a.few", listed("examples", SHIRKING[:3]), "similar"))


def test_rules_without_examples_teach_nothing() -> None:
    assert training.train(ruleset_of(rule_text("a.b", "phrases: [你好]")), "x", meanings.encode) is None
