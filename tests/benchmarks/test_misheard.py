"""What recognition may write for a sentence."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.misheard import Kind, misheard, written
from pipeline.detect.ordinary import ordinary
from pipeline.detect.sound import is_han, syllables

HAN = st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF)
TEXTS = st.text(st.one_of(HAN, st.sampled_from("我你不是吗，。？ 123abcK〇")), max_size=60)


@given(text=TEXTS, seed=st.integers(0, 1000))
def test_the_same_sentence_is_misheard_the_same_way_and_stays_about_as_long(text: str, seed: int) -> None:
    found = misheard(text, seed)
    assert found == misheard(text, seed)
    assert len(found) <= 2 * len(text)
    assert bool(found) == bool(text)


@given(text=TEXTS, seed=st.integers(0, 1000))
def test_what_is_no_chinese_character_is_written_as_it_is(text: str, seed: int) -> None:
    assert [c for c in misheard(text, seed) if not is_han(c)] == [c for c in text if not is_han(c)]


@given(text=TEXTS, seed=st.integers(0, 1000))
def test_every_character_has_a_probability(text: str, seed: int) -> None:
    assert all(0.0 < one.probability < 1.0 for one in written(text, seed))


def test_another_sentence_changes_nothing_of_this_one() -> None:
    alone = misheard("这个不归我们管，您去问营业厅", 7)
    misheard("我直接给您免了", 7)
    assert misheard("这个不归我们管，您去问营业厅", 7) == alone


def test_a_sentence_is_misheard_in_many_ways() -> None:
    assert len({misheard("这个不归我们管，您去问营业厅", seed) for seed in range(50)}) > 30


@pytest.fixture(scope="module")
def fates() -> Counter[Kind]:
    lines = [line.text for line in ordinary()[::8]]
    counted = Counter(one.kind for line in lines for one in written(line, 1) if is_han(one.char))
    counted[Kind.LOST] = sum(map(is_han, "".join(lines))) - counted.total()
    return counted


@pytest.mark.parametrize(
    ("kind", "share"),
    [(Kind.RIGHT, 0.84), (Kind.SAME, 0.065), (Kind.NEAR, 0.025), (Kind.OTHER, 0.055), (Kind.LOST, 0.015)],
)
def test_as_much_goes_wrong_as_in_the_labelled_calls(fates: Counter[Kind], kind: Kind, share: float) -> None:
    assert fates[kind] / fates.total() == pytest.approx(share, abs=0.012)


def test_what_is_misheard_sounds_as_its_kind_says() -> None:
    for said in "管行我退":
        heard = [one for seed in range(300) for one in written(said, seed) if one.char != said]
        for one in heard:
            same = syllables(one.char)[0] == syllables(said)[0]
            assert same == (one.kind is Kind.SAME)
        assert {one.kind for one in heard} == {Kind.SAME, Kind.NEAR, Kind.OTHER}
