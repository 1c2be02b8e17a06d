"""repeat: the same sentence by sound, later in the call."""

from calls import found, rule_text, ruleset_of, with_roles, with_unclear

from pipeline.detect import engine
from pipeline.detect.alike import sound_of
from pipeline.detect.script import call_of
from pipeline.findings import How, Outcome
from pipeline.timeline import Role, Span

SAID = "我家里的宽带昨天晚上就断了"
MISHEARD = "我家里的宽带作天晚上就段了"


def twice(first: str, second: str, role: str = "客户") -> str:
    other = "坐席" if role == "客户" else "客户"
    return f"{role} 3.0 {first}。\n{other} 8.0 您要办什么业务？\n{role} 12.0 {second}！"


def repeats(text: str, **parameters: object) -> Outcome:
    return found("repeat", call_of(text), Role.CUSTOMER, **parameters)[0].outcome


def test_a_sentence_that_comes_again_is_found_at_both_places() -> None:
    (again,) = found("repeat", call_of(twice(SAID, SAID)), Role.CUSTOMER)
    assert [piece.span.start for piece in again.evidence] == [3000, 12_000]
    assert again.evidence[1].how is How.EXACT


def test_the_sound_decides_and_not_the_characters() -> None:
    (again,) = found("repeat", call_of(twice(SAID, MISHEARD)), Role.CUSTOMER)
    assert again.outcome is Outcome.PRESENT
    assert again.evidence[1].quote == MISHEARD
    assert again.evidence[1].how is How.NEAR_SOUND
    assert sound_of("昨") == sound_of("作")


def test_a_sentence_inside_a_longer_one_is_the_same_sentence() -> None:
    assert repeats(twice(SAID, f"我都说了，{SAID}，你们快点")) is Outcome.PRESENT


def test_another_sentence_is_not_a_repetition() -> None:
    assert repeats(twice(SAID, "红灯一直在闪绿灯不亮怎么办")) is Outcome.ABSENT


def test_saying_it_twice_in_one_breath_is_no_repetition() -> None:
    assert repeats(f"客户 3.0 {SAID}，{SAID}。") is Outcome.ABSENT


def test_the_other_side_saying_it_again_is_no_repetition() -> None:
    assert repeats(f"客户 3.0 {SAID}。\n坐席 9.0 {SAID}，对吗？") is Outcome.ABSENT


def test_short_words_and_back_channels_come_again_in_every_call() -> None:
    assert repeats(twice("好的谢谢", "好的谢谢")) is Outcome.ABSENT
    assert repeats(twice("嗯是的是的是的好", "嗯是的是的是的好")) is Outcome.ABSENT


def test_a_number_read_out_again_is_no_repetition() -> None:
    assert repeats(twice("单号是三三零八七七五二", "单号是三三零八七七五二")) is Outcome.ABSENT


def test_as_often_as_the_rule_asks() -> None:
    thrice = twice(SAID, SAID) + f"\n坐席 17.0 好的。\n客户 19.0 {SAID}。"
    assert repeats(twice(SAID, SAID), times=3) is Outcome.ABSENT
    assert repeats(thrice, times=3) is Outcome.PRESENT
    assert len(found("repeat", call_of(thrice), Role.CUSTOMER)) == 1


def test_a_sentence_that_another_rule_found_each_time_may_be_excepted() -> None:
    rules = ruleset_of(
        rule_text("a.wait", "phrases: [请您稍等]"), rule_text("a.again", "except: [{rule: a.wait}]", "repeat")
    )

    def outcome(text: str) -> str:
        return next(f.outcome for f in engine.run(call_of(text), rules) if f.rule_id == "a.again")

    assert outcome(twice("请您稍等我查一下物流", "请您稍等我查一下物流", "坐席")) == "absent"
    assert outcome(twice("我们会尽快处理这个问题", "我们会尽快处理这个问题", "坐席")) == "present"


def test_where_little_was_understood_a_repetition_may_have_been_missed() -> None:
    call = with_unclear(call_of(f"# duration 30\n客户 3.0 {SAID}。"), Span(8000, 20_000))
    assert found("repeat", call, Role.CUSTOMER)[0].outcome is Outcome.CANNOT_TELL


def test_with_uncertain_roles_nobody_can_tell_who_repeats() -> None:
    call = with_roles(call_of(twice(SAID, SAID)), 0.4)
    assert found("repeat", call, Role.CUSTOMER)[0].outcome is Outcome.CANNOT_TELL
