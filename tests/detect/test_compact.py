from dataclasses import replace

import pytest
from calls import phrase_rule
from hypothesis import given
from hypothesis import strategies as st

from pipeline.detect.archive.compact import Compact, Unpacked, compact
from pipeline.detect.archive.part import part_scene
from pipeline.detect.heard import Heard
from pipeline.detect.scene import Scene, Thresholds
from pipeline.detect.script import call_of
from pipeline.timeline import Call, Role, Span, Transcript, Turn, Word

CHARACTERS = st.text(st.sampled_from("不归我们管了ＡaB9，。？ 𠮷〇\n\x00é"), min_size=1, max_size=3)


@st.composite
def transcripts(draw: st.DrawFn) -> Transcript:
    """Turns in any order of time, words of any length, punctuation anywhere."""
    bare = call_of("坐席 0.5 您好。").transcript
    turns = []
    for index in range(draw(st.integers(0, 5))):
        start = draw(st.integers(0, 20_000))
        at, words = start, []
        for text in draw(st.lists(CHARACTERS, max_size=5)):
            end = at + draw(st.integers(0, 500))
            words.append(Word(span=Span(at, end), text=text, probability=draw(st.integers(0, 1000)) / 1000))
            at = end + draw(st.sampled_from((0, 0, 40, 3000)))
        role = draw(st.sampled_from(list(Role)))
        speaker = draw(st.integers(0, 2))
        turn = Turn(
            index=index, speaker=speaker, role=role, channel=None, span=Span(start, at), words=tuple(words)
        )
        turns.append(turn)
    return replace(bare, turns=tuple(turns))


@given(transcripts())
def test_a_compact_call_gives_back_the_transcript(transcript: Transcript) -> None:
    assert Unpacked(compact(transcript)).transcript() == transcript


@given(transcripts())
def test_its_text_is_what_the_matcher_hears(transcript: Transcript) -> None:
    call = replace(call_of("坐席 0.5 您好。"), transcript=transcript)
    units = compact(transcript).text[12:].decode("utf-16-le", "surrogatepass")
    heard = "".join("\n" if unit < "\x05" else unit for unit in units)
    assert heard == Heard.of(call).text.replace("𠮷", "\uffff")


@given(transcripts(), st.sampled_from(("first_turns: 1", "last_seconds: 9", "first_percent: 50")))
def test_how_much_was_not_understood_is_told_from_a_part_as_from_the_whole(
    transcript: Transcript, window: str
) -> None:
    (rule,) = phrase_rule("不归我们管", window=f"{{{window}}}").rules
    call = replace(call_of("坐席 0.5 您好。"), transcript=transcript)
    part = part_scene(call.recording, Unpacked(compact(transcript)), (), Thresholds())
    assert part.doubtful_share(rule) == Scene(call=call, thresholds=Thresholds()).doubtful_share(rule)


def test_holds_rings_and_unclear_speech_survive() -> None:
    call = call_of("# answered 3.0\n坐席 4.0 请稍等。\n等待音乐 6.0 20.0\n客户 21.0 好的。")
    transcript = replace(call.transcript, unclear=(Span(22_000, 23_000),))
    assert Unpacked(compact(transcript)).transcript() == transcript


def test_a_transcript_that_the_database_would_round_is_refused() -> None:
    call = call_of("坐席 4.0 请稍等。", probability=0.12345)
    with pytest.raises(ValueError, match="three decimals"):
        compact(call.transcript)


def test_a_call_without_words_is_compact_too() -> None:
    call: Call = call_of("坐席 4.0 请稍等。")
    silent = replace(call.transcript, turns=())
    made: Compact = compact(silent)
    assert Unpacked(made).transcript() == silent


def test_times_that_need_wider_columns_are_kept() -> None:
    transcript = call_of("坐席 1.0 您好。\n客户 90.0 喂？").transcript
    first, last = transcript.turns
    slow = replace(last, words=tuple(replace(w, span=Span(w.span.start, 4_000_000)) for w in last.words[-1:]))
    for turns in ((first, last), (first, slow)):
        told = replace(transcript, turns=turns)
        assert Unpacked(compact(told)).transcript() == told
