"""entity: personal numbers read out, and what stays hidden of them."""

import pytest
from calls import found, rule_text, ruleset_of, with_roles, with_unclear
from hypothesis import given
from hypothesis import strategies as st

from pipeline.detect import engine
from pipeline.detect.numbers import CHECK_X, Digit, Kind, id_checksum, numbers, passes_luhn
from pipeline.detect.script import call_of
from pipeline.findings import Finding, How, Outcome
from pipeline.timeline import Role, Span

PRESENT, ABSENT, CANNOT_TELL = Outcome.PRESENT, Outcome.ABSENT, Outcome.CANNOT_TELL
PHONE = "13800001021"
ID_CARD = "110101199001010015"
BANK_CARD = "6222000000000017"
SPOKEN = "零一二三四五六七八九"


def spoken(number: str) -> str:
    return "".join(SPOKEN[int(digit)] for digit in number)


def look(text: str, *kinds: str, **parameters: object) -> Finding:
    parameters = {"kinds": kinds or ("phone",), **parameters}
    return found("entity", call_of(text), Role.AGENT, **parameters)[0]


@pytest.mark.parametrize(
    "written",
    [PHONE, spoken(PHONE), "幺三八，零零零零，幺零两幺", "138零零零零1021", "幺三八洞洞洞洞幺洞两幺"],
)
def test_a_mobile_number_is_found_however_it_is_written(written: str) -> None:
    assert look(f"坐席 3.0 您的手机是{written}对吗").outcome is PRESENT


def test_characters_that_sound_like_digits_count_among_enough_that_are() -> None:
    number = look("坐席 3.0 您的手机是要三八灵零零零一零二一对吗")
    assert number.outcome is PRESENT
    assert number.evidence[0].how is How.SAME_SOUND
    assert look("坐席 3.0 您的手机是要散把灵灵灵灵一零二一对吗").outcome is ABSENT


def test_the_explanation_hides_the_middle_of_the_number() -> None:
    for text, kinds in ((PHONE, "phone"), (ID_CARD, "id_card"), (BANK_CARD, "bank_card")):
        number = look(f"坐席 3.0 号码是{text}。", kinds)
        assert number.outcome is PRESENT
        assert text[4:-4] not in number.explanation
        assert f"*{text[-4:]}" in number.explanation


@pytest.mark.parametrize("number", ["1380000102", "138000010211", "12800001021", "23800001021", "138"])
def test_other_rows_of_digits_are_no_mobile_number(number: str) -> None:
    assert look(f"坐席 3.0 号码是{spoken(number)}。").outcome is not PRESENT


def test_a_mobile_number_with_a_digit_too_few_may_have_been_misheard() -> None:
    assert look(f"坐席 3.0 号码是{spoken(PHONE[:-1])}。").outcome is CANNOT_TELL


def test_a_number_goes_on_over_pauses_and_the_other_sides_nods_and_echoes() -> None:
    parts = "坐席 3.0 您的号码是幺三八零\n客户 6.0 {}\n坐席 7.5 零零零幺零二幺"
    assert look(parts.format("嗯。")).outcome is PRESENT
    assert look(parts.format("幺三八零。")).outcome is PRESENT
    assert look(parts.format("你等一下我拿支笔。")).outcome is ABSENT
    assert look("坐席 3.0 您的号码是幺三八零\n坐席 15.0 零零零幺零二幺").outcome is ABSENT


def test_each_turn_that_holds_a_part_is_evidence() -> None:
    number = look("坐席 3.0 您的号码是幺三八零\n客户 6.0 嗯。\n坐席 7.0 零零零幺零二幺")
    assert [piece.quote for piece in number.evidence] == ["幺三八零", "零零零幺零二幺"]
    assert {piece.role for piece in number.evidence} == {Role.AGENT}


def test_the_customer_may_read_out_numbers() -> None:
    assert look(f"客户 3.0 我的号码是{spoken(PHONE)}。\n坐席 9.0 好的。").outcome is ABSENT


def test_an_agent_who_was_never_heard_may_have_read_anything_out() -> None:
    silent = look(f"客户 3.0 我的号码是{spoken(PHONE)}。")
    assert silent.outcome is CANNOT_TELL
    assert "没有听到坐席说话" in silent.explanation


def test_a_number_that_the_customer_gave_before_is_only_confirmed() -> None:
    text = f"客户 3.0 我的号码是{spoken(PHONE)}。\n坐席 10.0 {spoken(PHONE)}，对吗？"
    assert look(text).outcome is PRESENT
    assert look(text, unless_given=True).outcome is ABSENT
    other = text.replace(spoken(PHONE), spoken("13911112222"), 1)
    assert look(other, unless_given=True).outcome is PRESENT
    after = f"坐席 3.0 {spoken(PHONE)}，对吗？\n客户 10.0 对，{spoken(PHONE)}。"
    assert look(after, unless_given=True).outcome is PRESENT


def test_one_misheard_digit_does_not_hide_that_the_customer_gave_the_number() -> None:
    heard = spoken(PHONE.replace("8", "7"))
    text = f"客户 3.0 我的号码是{heard}。\n坐席 10.0 {spoken(PHONE)}，对吗？"
    assert look(text, unless_given=True).outcome is ABSENT


def test_an_identity_card_needs_its_check_digit_and_a_date_of_birth() -> None:
    assert look(f"坐席 3.0 {spoken(ID_CARD)}。", "id_card").outcome is PRESENT
    assert look("坐席 3.0 幺幺零幺零幺一九九零零幺零幺零零四X。", "id_card").outcome is PRESENT
    wrong = look(f"坐席 3.0 {spoken(ID_CARD[:-1] + '6')}。", "id_card")
    assert wrong.outcome is CANNOT_TELL
    assert "校验码不符" in wrong.explanation
    assert look("坐席 3.0 一一零一零一一九九零一三零一零零一五。", "id_card").outcome is ABSENT


def test_a_bank_card_needs_its_check_digit() -> None:
    assert look(f"坐席 3.0 {spoken(BANK_CARD)}。", "bank_card").outcome is PRESENT
    assert look(f"坐席 3.0 {spoken(BANK_CARD[:-1] + '8')}。", "bank_card").outcome is CANNOT_TELL


def test_an_identity_card_is_not_taken_for_a_bank_card() -> None:
    assert look(f"坐席 3.0 {spoken(ID_CARD)}。", "bank_card").outcome is ABSENT


def test_an_amount_is_no_row_of_digits() -> None:
    assert look("坐席 3.0 一共是一千三百八十万零一千零二十一元。").outcome is ABSENT


def test_an_exception_speaks_of_numbers_too() -> None:
    own = "kinds: [phone]\nexcept: ['我的手机…4{number}']"
    rules = ruleset_of(rule_text("a.phone", own, "entity"))

    def outcome(text: str) -> str:
        return engine.run(call_of(text), rules)[0].outcome

    assert outcome(f"坐席 3.0 我的手机是{spoken(PHONE)}。") == "absent"
    assert outcome(f"坐席 3.0 您的手机是{spoken(PHONE)}。") == "present"


def test_where_little_was_understood_a_number_may_have_been_missed() -> None:
    call = with_unclear(call_of("# duration 20\n坐席 3.0 您好。"), Span(5000, 15_000))
    assert found("entity", call, Role.AGENT, kinds=("phone",))[0].outcome is CANNOT_TELL


def test_with_uncertain_roles_nobody_can_tell_who_read_a_number_out() -> None:
    call = with_roles(call_of(f"坐席 3.0 {spoken(PHONE)}。"), 0.4)
    assert found("entity", call, Role.AGENT, kinds=("phone",))[0].outcome is CANNOT_TELL
    assert found("entity", call, kinds=("phone",))[0].outcome is PRESENT


@given(st.lists(st.integers(0, 9), min_size=15, max_size=18))
def test_every_number_has_exactly_one_luhn_check_digit(values: list[int]) -> None:
    assert sum(passes_luhn([*values, check]) for check in range(10)) == 1


@given(st.lists(st.integers(0, 9), min_size=17, max_size=17), st.data())
def test_changing_one_digit_of_an_identity_card_changes_its_check_digit(
    values: list[int], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, 16))
    other = data.draw(st.integers(0, 9).filter(lambda digit: digit != values[place]))
    changed = [*values[:place], other, *values[place + 1 :]]
    assert 0 <= id_checksum(values) <= CHECK_X
    assert id_checksum(changed) != id_checksum(values)


@given(st.text("0123456789", min_size=1, max_size=24))
def test_a_mobile_number_is_found_only_alone_in_its_row(text: str) -> None:
    row = tuple(Digit(int(digit), at, True, 0.9) for at, digit in enumerate(text))
    valid = len(text) == 11 and text[0] == "1" and text[1] in "3456789"
    assert any(number.checked for number in numbers(row, (Kind.PHONE,))) == valid
