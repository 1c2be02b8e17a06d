"""Which of the decoded characters become words, what is decoded again, and what stays unclear."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import jieba

from pipeline.settings import Settings
from pipeline.speech.decoder import Reading
from pipeline.speech.guards import SENTENCE_MARKS, doubts, is_phantom, sentence_bounds
from pipeline.speech.packing import Piece, Window
from pipeline.speech.words import Sound
from pipeline.timeline import Span, Word
from pipeline.units import MS_PER_SECOND, Ms, to_ms

jieba.setLogLevel(60)

_MIN_WORDS_PER_SECOND = 1.2
_MAX_WORDS_PER_SECOND = 14.0
_MAX_RATE_FROM_WORDS = 6
_LONGEST_WORD_MS: Ms = 900
_WORD_MS: Ms = 400
_LISTEN_AGAIN_MS: Ms = 500
_UNCLEAR_MS: Ms = 800


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Words to keep, windows to decode once more, and speech given up."""

    words: tuple[Word, ...] = ()
    again: tuple[Window, ...] = ()
    unclear: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Filled:
    """A piece and the words that fall on it."""

    piece: Piece
    words: tuple[Word, ...]

    @property
    def rate(self) -> float:
        """Words a second."""
        return len(self.words) * MS_PER_SECOND / self.piece.core.duration

    @property
    def crammed(self) -> bool:
        """More words than anybody can say in that time: they were invented."""
        return len(self.words) >= _MAX_RATE_FROM_WORDS and self.rate > _MAX_WORDS_PER_SECOND

    @property
    def skipped(self) -> bool:
        """Speech that the decoder passed over."""
        return self.piece.core.duration >= _LISTEN_AGAIN_MS and self.rate < _MIN_WORDS_PER_SECOND


def judge(window: Window, reading: Reading, settings: Settings, *, last: bool) -> Outcome:
    """Believe, or ask for another decoding; if this was the `last` one, say what stays unclear.

    Even then pieces that were passed over beside others are decoded once more without those.
    """
    if doubts(reading.decoded, window.duration, settings):
        return Outcome(unclear=window.speech) if last else Outcome(again=window.halves())
    filled = _fill(window, _said(window, reading.sounds, settings.prompt))
    again = tuple(run for run in _runs(filled) if not last or len(run.pieces) < len(window.pieces))
    asked = {core for run in again for core in run.speech}
    rest = [item for item in filled if item.piece.core not in asked]
    words = tuple(word for item in rest if not item.crammed for word in item.words)
    return Outcome(words=words, again=again, unclear=_unclear(rest) if last else ())


def _fill(window: Window, sounds: Sequence[Sound]) -> list[_Filled]:
    words: dict[int, list[Word]] = {}
    for sound, piece in zip(sounds, _pieces_of(window, sounds), strict=True):
        said = words.setdefault(piece.at, [])
        span = _shortened(piece.to_recording(to_ms(sound.start), to_ms(sound.end)), said)
        said.append(Word(span=span, text=sound.text, probability=round(sound.probability, 4)))
    return [_Filled(piece=piece, words=tuple(words.get(piece.at, ()))) for piece in window.pieces]


def _shortened(span: Span, before: Sequence[Word]) -> Span:
    """A word stretched over a pause, cut to a word's length.

    The first word after a pause lies at its end, any other at its beginning.
    """
    if span.duration <= _LONGEST_WORD_MS:
        return span
    opens = not before or before[-1].text[-1] in SENTENCE_MARKS
    return Span(span.end - _WORD_MS, span.end) if opens else Span(span.start, span.start + _WORD_MS)


def _piece_of(window: Window, sound: Sound) -> Piece:
    return window.piece_at(to_ms((sound.start + sound.end) / 2))


def _pieces_of(window: Window, sounds: Sequence[Sound]) -> list[Piece]:
    """The piece of each character. A character that reaches over the edge of its piece goes with the rest
    of its dictionary word: 感 belongs to 谢 after the pause, not to the end of what was said before."""
    pieces = [_piece_of(window, sound) for sound in sounds]
    inside = _inside_words([sound.text for sound in sounds])
    for i in range(len(sounds) - 1):
        here, there = pieces[i], pieces[i + 1]
        if here is not there and inside[i] and to_ms(sounds[i].end) > here.end:
            pieces[i] = there
    return pieces


def _inside_words(texts: Sequence[str]) -> list[bool]:
    """For each text, whether the next one goes on with the same dictionary word."""
    inside: list[bool] = []
    for word in jieba.cut("".join(texts), HMM=False):
        inside += [True] * (len(word) - 1) + [False]
    return [inside[end - 1] for end in accumulate(map(len, texts))]


def _said(window: Window, sounds: Sequence[Sound], prompt: str) -> list[Sound]:
    """The characters without stock phantom sentences and echoes of the prompt."""
    kept: list[Sound] = []
    for first, after in sentence_bounds([sound.text for sound in sounds]):
        sentence = sounds[first:after]
        if not is_phantom("".join(sound.text for sound in sentence), prompt):
            kept.extend(sentence)
    return kept


def _runs(filled: Sequence[_Filled]) -> tuple[Window, ...]:
    """Neighbouring pieces that were skipped or crammed, each run as a window of its own."""
    runs: list[list[Piece]] = [[]]
    for item in filled:
        if item.skipped or item.crammed:
            runs[-1].append(item.piece)
        elif runs[-1]:
            runs.append([])
    return tuple(Window.of(run) for run in runs if run)


def _unclear(filled: Sequence[_Filled]) -> tuple[Span, ...]:
    """Speech without words, unless it is too short to matter."""
    wordless = (item.piece.core for item in filled if item.crammed or not item.words)
    return tuple(core for core in wordless if core.duration >= _UNCLEAR_MS)
