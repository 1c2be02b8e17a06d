from pipeline.speech.believing import _pieces_of
from pipeline.speech.packing import Piece, Window
from pipeline.speech.words import Sound
from pipeline.timeline import Span

BEFORE = Piece(core=Span(0, 1000), cut=Span(0, 1200), at=0)
AFTER = Piece(core=Span(5000, 6500), cut=Span(4800, 6700), at=1200)
WINDOW = Window(pieces=(BEFORE, AFTER))


def sounds(*told: tuple[str, float, float]) -> list[Sound]:
    return [Sound(text=text, start=start, end=end, probability=0.9) for text, start, end in told]


def placed(*told: tuple[str, float, float]) -> tuple[str, str]:
    given = sounds(*told)
    pieces = _pieces_of(WINDOW, given)
    before = "".join(s.text for s, piece in zip(given, pieces, strict=True) if piece is BEFORE)
    return before, "".join(s.text for s, piece in zip(given, pieces, strict=True) if piece is AFTER)


def test_a_character_that_reaches_over_the_pause_goes_with_the_rest_of_its_word() -> None:
    told = (("那", 0.2, 0.5), ("行", 0.5, 0.8), ("感", 0.8, 1.45), ("谢", 1.45, 1.7), ("您", 1.7, 1.9))
    assert placed(*told) == ("那行", "感谢您")


def test_the_last_character_of_a_sentence_stays_although_it_is_stretched_over_the_pause() -> None:
    told = (("那", 0.2, 0.5), ("行", 0.5, 1.45), ("感", 1.45, 1.6), ("谢", 1.6, 1.8))
    assert placed(*told) == ("那行", "感谢")


def test_a_character_that_ends_before_the_pause_stays_where_it_was_said() -> None:
    told = (("找", 0.2, 0.5), ("你", 0.5, 0.9), ("好", 1.4, 1.6), ("的", 1.6, 1.8))
    assert placed(*told) == ("找你", "好的")
