from pipeline.speech.turns import Voiced, by_speaker, overlaps_of, turns_of
from pipeline.timeline import Role, Span, Word


def said(text: str, start: int, each: int = 200) -> tuple[Word, ...]:
    return tuple(
        Word(span=Span(start + n * each, start + (n + 1) * each), text=char, probability=0.9)
        for n, char in enumerate(text)
    )


def voice(speaker: int, *parts: tuple[Word, ...], speech: tuple[Span, ...] = ()) -> Voiced:
    return Voiced(speaker=speaker, channel=speaker, words=tuple(w for p in parts for w in p), speech=speech)


def test_speakers_alternate_in_order_of_time() -> None:
    turns = turns_of([voice(0, said("您好", 0), said("好的", 3000)), voice(1, said("我想问", 1000))])
    assert [(t.speaker, t.text) for t in turns] == [(0, "您好"), (1, "我想问"), (0, "好的")]
    assert [t.index for t in turns] == [0, 1, 2]
    assert {t.role for t in turns} == {Role.UNKNOWN}


def test_a_short_pause_does_not_end_a_turn_and_a_long_one_does() -> None:
    turns = turns_of([voice(0, said("一二", 0), said("三四", 1400), said("五六", 6000))])
    assert [t.text for t in turns] == ["一二三四", "五六"]


def test_a_backchannel_under_someones_words_does_not_split_the_turn() -> None:
    turns = turns_of([voice(0, said("一二三四五六七八", 0)), voice(1, said("嗯", 700))])
    assert [t.text for t in turns] == ["一二三四五六七八", "嗯"]


def test_talking_at_once_is_an_overlap_and_says_who_came_second() -> None:
    turns = turns_of([voice(0, said("一二三四五", 0)), voice(1, said("六七八", 600))])
    (overlap,) = overlaps_of(turns)
    assert (overlap.span, overlap.first, overlap.second) == (Span(600, 1000), 0, 1)


def test_a_turn_begins_where_the_voice_was_heard_not_where_the_recognizer_put_the_word() -> None:
    (turn,) = turns_of([voice(0, said("您好", 1250), speech=(Span(1000, 1700),))])
    assert turn.span == Span(1000, 1700)


def test_a_far_edge_of_speech_does_not_stretch_a_turn() -> None:
    (turn,) = turns_of([voice(0, said("您好", 5000), speech=(Span(1000, 9000),))])
    assert turn.span == Span(5000, 5400)


def test_words_of_a_mono_recording_go_to_the_nearest_voice() -> None:
    words = said("一二三", 0) + said("四五", 2000)
    given = by_speaker(words, {Span(0, 700): 0, Span(1900, 2500): 1})
    assert {speaker: "".join(w.text for w in found) for speaker, found in given.items()} == {
        0: "一二三",
        1: "四五",
    }


def test_a_pause_under_somebody_who_was_speaking_all_along_does_not_split_the_turn() -> None:
    customer = voice(0, said("一二三四五六七八九十一二三四五六七八", 0))
    agent = voice(1, said("您先告诉我", 600), said("订单号多少", 2200))
    assert [t.text for t in turns_of([customer, agent]) if t.speaker == 1] == ["您先告诉我订单号多少"]


def test_a_hm_in_a_short_pause_leaves_the_turn_whole_and_an_answer_does_not() -> None:
    story = (said("我上个月", 0), said("就交过了", 1400))
    assert len(turns_of([voice(0, *story), voice(1, said("嗯", 950))])) == 2
    assert len(turns_of([voice(0, *story), voice(1, said("不可能", 810, 190))])) == 3


def test_a_yes_in_a_long_pause_is_an_answer() -> None:
    turns = turns_of([voice(0, said("是这样吗", 0), said("好的", 2400)), voice(1, said("对", 1500))])
    assert [t.text for t in turns] == ["是这样吗", "对", "好的"]
