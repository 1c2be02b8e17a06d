import pytest
from pypinyin import Style, pinyin

from pipeline.detect.sound import FORBIDDEN, char_cost, neighbours, readings, syllable_cost


@pytest.mark.parametrize(
    ("meant", "heard"), [("工", "宫"), ("部", "步"), ("它", "他"), ("8", "八"), ("两", "二"), ("幺", "1")]
)
def test_the_same_sound_costs_next_to_nothing(meant: str, heard: str) -> None:
    assert char_cost(meant, heard) <= 0.1


def test_costs_grow_with_the_distance_in_sound() -> None:
    same, tone = char_cost("归", "规"), char_cost("归", "贵")
    near, other = char_cost("是", "四"), char_cost("归", "门")
    assert 0 < same < tone < near < other == 1


@pytest.mark.parametrize(
    "pair", [("zhi", "zi"), ("nan", "lan"), ("fei", "hei"), ("jin", "jing"), ("bo", "buo")]
)
def test_sounds_that_speakers_confuse_are_near(pair: tuple[str, str]) -> None:
    assert 0 < syllable_cost(*pair) < 1
    assert syllable_cost(*pair) == syllable_cost(*reversed(pair))


def test_neighbours_hold_the_syllable_and_what_sounds_like_it() -> None:
    assert {"zhi", "zi"} <= set(neighbours("zhi"))
    assert "ma" not in neighbours("zhi")


def test_a_negation_or_person_is_not_taken_for_another_word() -> None:
    assert char_cost("不", "门") == FORBIDDEN
    assert char_cost("不", "步") == char_cost("部", "不") > char_cost("部", "步")
    assert char_cost("我", "你") == FORBIDDEN
    assert char_cost("你", "您") == 0


def test_common_readings_of_a_character_are_all_known() -> None:
    assert readings("行") == ("xing2", "hang2")
    assert readings("1") == ("yi1", "yao1")
    assert readings("a") == ()


def test_a_character_with_one_reading_has_that_of_the_dictionary() -> None:
    for char in "工绿嗯兙女宫略谁吗":
        told = pinyin(char, style=Style.TONE3, neutral_tone_with_five=True, v_to_u=False)[0][0]
        assert told in readings(char)
