from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from pipeline.speech.words import Sound, simplified, spell, with_marks


class Spelling:
    """A tokenizer whose tokens are given as bytes."""

    def __init__(self, *tokens):
        self.tokens = [t.encode() if isinstance(t, str) else t for t in tokens]

    def decode(self, tokens):
        return b"".join(self.tokens[t] for t in tokens).decode("utf-8", "replace")


def spelled(*tokens):
    """Each token lasts 0.2 s and has probability 0.5."""
    edges = [0.2 * n for n in range(len(tokens) + 1)]
    return spell(Spelling(*tokens), range(len(tokens)), edges, [0.5] * len(tokens))


def texts(*tokens):
    return [sound.text for sound in spelled(*tokens)]


def test_each_character_is_a_word_and_shares_the_time_of_its_token():
    first, second = spelled("您好")
    assert (first.text, second.text) == ("您", "好")
    assert first == Sound(text="您", start=0.0, end=0.1, probability=0.5)
    assert second.end == 0.2


def test_a_character_in_several_tokens_is_one_word():
    raw = "鑫".encode()
    sounds = spelled(raw[:1], raw[1:2], raw[2:], "好")
    assert [s.text for s in sounds] == ["鑫", "好"]
    assert sounds[0].end == sounds[1].start


def test_broken_bytes_are_dropped():
    assert texts("好", "鑫".encode()[:1]) == ["好"]


def test_marks_join_the_word_before_them_in_full_width():
    assert texts("您", "好", ",", "请", "问", "?") == ["您", "好，", "请", "问？"]


def test_a_mark_at_the_start_is_dropped_and_doubled_marks_become_one():
    assert texts("，", "好", "。", "。") == ["好。"]


def test_marks_inside_numbers_stay():
    assert "".join(texts("3", ".", "5", "折")) == "3.5折"
    assert "".join(texts("10", ":", "30")) == "10:30"


def test_digits_stand_alone_and_letters_together():
    assert texts("工", "号", "10", "21") == ["工", "号", "1", "0", "2", "1"]
    assert texts("W", "IF", "I", "密", "码") == ["WIFI", "密", "码"]


def test_spaces_go_except_between_latin_words():
    assert "".join(texts("好", " ", "的", " APP", " Store")) == "好的APP Store"


def test_quotes_and_brackets_are_not_spoken():
    assert "".join(texts("「", "好", "」", "(", "的", ")")) == "好的"


def test_traditional_becomes_simplified():
    assert "".join(texts("請", "問", "您", "貴", "姓")) == "请问您贵姓"
    assert simplified("頭髮後面") == "头发后面"


def test_times_never_go_back():
    sounds = spelled("您", "好", ",", " ", "10", "21", "A", "B", "號")
    assert all(a.start <= b.start and a.end <= b.end for a, b in pairwise(sounds))


def marked(said, text):
    sounds = [Sound(text=t, start=0.0, end=0.1, probability=0.5) for t in said.split()]
    return " ".join(sound.text for sound in with_marks(sounds, text))


def test_punctuation_of_another_reading_goes_to_the_same_places():
    assert marked("你 好 我 是 小 刘", "你好，我事小刘。") == "你 好， 我 是 小 刘。"


def test_punctuation_of_the_reading_itself_stays():
    assert marked("你 好。 再 见", "你好，再见！") == "你 好。 再 见！"


def test_punctuation_stays_out_of_words_and_numbers():
    assert marked("OK 3 5", "O，K3.5。") == "OK 3 5。"


def test_punctuation_of_a_text_with_more_characters_finds_its_place():
    assert marked("好 的", "嗯，好的，您说。") == "好 的，"


@given(st.text("你好再见，。OK35 ", max_size=12), st.text("你好再见，。OK35 ", max_size=12))
def test_another_reading_changes_nothing_but_punctuation(said, text):
    sounds = [Sound(text=c, start=0.0, end=0.1, probability=0.5) for c in said if c.isalnum()]
    after = with_marks(sounds, text)
    assert [sound.text.rstrip("，。.,") for sound in after] == [sound.text for sound in sounds]
