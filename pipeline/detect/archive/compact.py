"""One call in a few kilobytes: everything that its transcript says, laid out for scanning.

`text` is `Heard.text` in UTF-16 behind a small head; each stretch is opened by a number that tells its role.
`detail` is the rest, compressed: times, probabilities, punctuation, turns, holds. Both together give back the
transcript, equal in every field but the loudness and pitch of the turns.
"""

import json
import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from pipeline.detect.heard import stretches
from pipeline.detect.pattern import fold, matchable
from pipeline.timeline import Role, Span, Transcript, Turn, Word

VERSION = 2
HEAD = struct.Struct("<Hxxd")
HEAD_UNITS = HEAD.size // 2
"""Code units before the text: version, and how sure the roles are."""
ROLES = tuple(Role)
CLOSING = len(ROLES)
"""The unit behind the last stretch; smaller units open a stretch of that role."""
OUTSIDE = 0xFFFF
"""Stands for a character beyond the first 65,536."""
SHOWN = "\x00"
"""In the written text: the character that `text` has."""
NUL = "\udc00"
"""Stands for a character that is SHOWN itself; no text that was decoded holds it."""
STEPS = 1000
COMPRESSION = 6

_TRANSCRIPT: TypeAdapter[Transcript] = TypeAdapter(Transcript)
Ints = NDArray[np.int64]
_OTHERS = tuple(
    Turn(index=-1, speaker=-1, role=role, channel=None, span=Span(0, 0), words=()) for role in ROLES
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compact:
    """A call's transcript as two byte strings; `text` is what a scan reads."""

    text: bytes
    detail: bytes

    def __len__(self) -> int:
        return len(self.text) + len(self.detail)


def compact(transcript: Transcript) -> Compact:
    """The compact form. ValueError: a probability has more than three decimals."""
    groups = stretches(transcript.turns)
    rows = [[fold(char) for char in turn.text if matchable(char)] for turn in transcript.turns]
    units: list[int] = []
    for group in groups:
        units.append(ROLES.index(transcript.turns[group[0]].role))
        units.extend(min(ord(char), OUTSIDE) for i in group for char in rows[i])
    return packed(transcript.roles.confidence, np.array(units, "<u2"), _details(transcript, groups))


def packed(confidence: float, units: NDArray[np.uint16], details: Iterable[bytes]) -> Compact:
    """Put together what `compact` found: stretches as units, and the parts of the detail."""
    text = HEAD.pack(VERSION, confidence) + units.astype("<u2").tobytes() + struct.pack("<H", CLOSING)
    plain = b"".join(struct.pack("<I", len(part)) + part for part in details)
    return Compact(text=text, detail=zlib.compress(plain, COMPRESSION))


def role_confidence(text: bytes) -> float:
    return float(HEAD.unpack_from(text)[1])


def _details(transcript: Transcript, groups: Sequence[Sequence[int]]) -> tuple[bytes, ...]:
    turns = transcript.turns
    about = _TRANSCRIPT.dump_python(replace(transcript, turns=()), mode="json")
    stretch_of = {i: number for number, group in enumerate(groups) for i in group}
    order = [(i, stretch_of[i]) for group in groups for i in group]
    rows = [(*_turn_row(turn), len(turn.words), sum(map(matchable, turn.text))) for turn in turns]
    return (
        json.dumps(about, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"),
        "".join(map(_written, turns)).encode("utf-8", "surrogatepass"),
        planes(np.array(rows, np.int64).reshape(-1, 8)),
        planes(np.array(order, np.int64).reshape(-1, 2)),
        planes(_word_columns([word for turn in turns for word in turn.words])),
    )


def _turn_row(turn: Turn) -> tuple[int, int, int, int, int, int]:
    channel = -1 if turn.channel is None else turn.channel
    return turn.index, turn.speaker, ROLES.index(turn.role), channel, turn.span.start, turn.span.end


def _written(turn: Turn) -> str:
    """The turn's text with every character left out that `text` holds as it is."""
    shown = (matchable(char) and fold(char) == char and ord(char) < OUTSIDE for char in turn.text)
    text = turn.text.replace(SHOWN, NUL)
    return "".join(SHOWN if same else char for same, char in zip(shown, text, strict=True))


def _word_columns(words: Sequence[Word]) -> Ints:
    """Time since the word before, duration, probability in thousandths, length."""
    columns = np.zeros((len(words), 4), np.int64)
    if words:
        starts, ends = np.array([(word.span.start, word.span.end) for word in words], np.int64).T
        columns[:, 0] = starts - np.concatenate(([0], ends[:-1]))
        columns[:, 1] = ends - starts
        columns[:, 2] = _steps(words)
        columns[:, 3] = [len(word.text) for word in words]
    return columns


def _steps(words: Iterable[Word]) -> list[int]:
    steps = [(word.probability, round(word.probability * STEPS)) for word in words]
    if any(step / STEPS != probability for probability, step in steps):
        raise ValueError("found a probability with more than three decimals, expected a storable transcript")
    return [step for _, step in steps]


def planes(rows: Ints) -> bytes:
    """Column by column as int16, or int32 where that is too short: its width, then all first bytes first:
    alike bytes side by side compress better."""
    least, most = (int(rows.min()), int(rows.max())) if rows.size else (0, 0)
    if not -(2**31) <= least <= most < 2**31:
        raise ValueError("found a number beyond 32 bits, expected times of a call")
    width = 2 if -(2**15) <= least <= most < 2**15 else 4
    flat = np.ascontiguousarray(rows.T.astype(f"<i{width}"))
    return bytes([width]) + flat.view(np.uint8).reshape(-1, width).T.tobytes()


def _rows(part: bytes, columns: int) -> Ints:
    width = part[0]
    flat = np.frombuffer(part, np.uint8, offset=1).reshape(width, -1).T.copy().view(f"<i{width}").ravel()
    return flat.reshape(columns, -1).T.astype(np.int64)


_MATCHABLE = np.full(0x110000, -1, np.int8)
"""By code point, as far as it was asked for."""


def _are_matchable(codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
    found = _MATCHABLE[codes]
    if (found < 0).any():
        for code in np.unique(codes[found < 0]).tolist():
            _MATCHABLE[code] = matchable(chr(code))
        found = _MATCHABLE[codes]
    return np.asarray(found > 0)


class Unpacked:
    """A compact call, read piece by piece: nothing is made before it is asked for."""

    def __init__(self, made: Compact) -> None:
        self._text = np.frombuffer(made.text, "<u2")[HEAD_UNITS:]
        plain, parts, at = zlib.decompress(made.detail), [], 0
        while at < len(plain):
            (size,) = struct.unpack_from("<I", plain, at)
            parts.append(plain[at + 4 : at + 4 + size])
            at += 4 + size
        self._about, written, turns, order, words = parts
        self._written = written.decode("utf-8", "surrogatepass")
        self._turns, self._order, self._words = _rows(turns, 8), _rows(order, 2), _rows(words, 4)
        self._ends = np.cumsum(self._words[:, 0] + self._words[:, 1])
        self._last = np.cumsum(self._turns[:, 6])
        self._chars = np.concatenate(([0], np.cumsum(self._words[:, 3])))

    @cached_property
    def groups(self) -> tuple[tuple[int, ...], ...]:
        """Positions of turns by stretch."""
        turns = self._order[:, 0].tolist()
        cuts = [0, *np.flatnonzero(np.diff(self._order[:, 1])) + 1, len(turns)]
        return tuple([tuple(turns[first:last]) for first, last in pairwise(cuts)]) if turns else ()

    @cached_property
    def stretch_of(self) -> dict[int, int]:
        """The stretch of each turn that has words."""
        return dict(self._order.tolist())

    @cached_property
    def bare(self) -> Transcript:
        """The transcript without its turns."""
        return _TRANSCRIPT.validate_json(self._about)

    def transcript(self) -> Transcript:
        """The whole transcript, without the loudness and pitch of its turns."""
        return replace(self.bare, turns=self.turns(range(len(self.groups))))

    @cached_property
    def speech(self) -> tuple[Ints, Ints, Ints, NDArray[np.float64]]:
        """For each character that takes part in matching: its stretch, when it begins and ends, and its
        probability."""
        written = np.array([char == SHOWN or matchable(char) for char in self._written], np.int64)
        before = np.concatenate(([0], np.cumsum(written)))
        pieces = before[self._chars[1:]] - before[self._chars[:-1]]
        word = np.repeat(np.arange(len(pieces)), pieces)
        piece = np.arange(len(word)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        duration, parts = self._words[word, 1], pieces[word]
        begin = self._ends[word] - duration
        stretch_of = np.zeros(len(self._turns), np.int64)
        stretch_of[self._order[:, 0]] = self._order[:, 1]
        stretches = np.repeat(stretch_of, self._turns[:, 6])[word]
        ends = begin + duration * (piece + 1) // parts
        return stretches, begin + duration * piece // parts, ends, self._words[word, 2] / STEPS

    def spoken(self) -> tuple[NDArray[np.uint32], Ints, Ints]:
        """What was said as code points, turn after turn; where each word begins in it, and its end; and how
        many words come before each turn."""
        codes = np.frombuffer(self._written.encode("utf-32-le", "surrogatepass"), "<u4").astype(np.uint32)
        shown, sizes = codes == ord(SHOWN), self._turns[:, 7]
        begins = np.array([self._starts.get(turn, 0) for turn in range(len(sizes))], np.int64)
        within = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        units = self._text[np.repeat(begins, sizes) + within]
        codes[shown] = units[shown[shown | _are_matchable(codes)]]
        return codes, self._chars, self._last - self._turns[:, 6]

    @cached_property
    def spoken_by(self) -> tuple[Role, ...]:
        """Whose each stretch is."""
        return tuple([ROLES[role] for role in self._text[self._text < CLOSING].tolist()])

    @cached_property
    def stretch_times(self) -> Ints:
        """When the first word of each stretch begins and when the last one ends, shape (stretches, 2)."""
        counts = self._turns[:, 6]
        spoken = np.flatnonzero(counts)
        firsts = (self._last - counts)[spoken]
        times = np.zeros((len(self._turns), 2), np.int64)
        times[spoken, 0] = np.minimum.reduceat(self._ends - self._words[:, 1], firsts)
        times[spoken, 1] = np.maximum.reduceat(self._ends, firsts)
        turns, stretches = self._order.T
        opens = np.flatnonzero(np.diff(stretches, prepend=-1))
        begins = np.minimum.reduceat(times[turns, 0], opens)
        return np.stack((begins, np.maximum.reduceat(times[turns, 1], opens)), axis=1)

    def turns(self, chosen: Iterable[int]) -> tuple[Turn, ...]:
        """All turns. Those outside the chosen stretches that have words tell their role, and nothing else."""
        made = [_OTHERS[role] for role in self._turns[:, 2].tolist()]
        told = [i for stretch in chosen for i in self.groups[stretch]]
        for i in (*told, *np.flatnonzero(self._turns[:, 6] == 0).tolist()):
            made[i] = self._turn(i)
        return tuple(made)

    def _turn(self, number: int) -> Turn:
        index, speaker, role, channel, start, end, words, _ = self._turns[number].tolist()
        return Turn(
            index=index,
            speaker=speaker,
            role=ROLES[role],
            channel=None if channel < 0 else channel,
            span=Span(start, end),
            words=tuple(self._words_of(number)) if words else (),
        )

    def _words_of(self, turn: int) -> Iterator[Word]:
        last = int(self._last[turn])
        first = last - int(self._turns[turn, 6])
        text = self._text_of(turn, int(self._chars[first]), int(self._chars[last]))
        at = 0
        columns = self._words[first:last].tolist()
        for end, (_, duration, step, size) in zip(self._ends[first:last].tolist(), columns, strict=True):
            yield Word(span=Span(end - duration, end), text=text[at : at + size], probability=step / STEPS)
            at += size

    def _text_of(self, turn: int, first: int, last: int) -> str:
        """The turn as written: what `text` holds of it put back in its places."""
        start = self._starts[turn]
        matched = self._text[start : start + int(self._turns[turn, 7])]
        shown = iter(matched.tobytes().decode("utf-16-le", "surrogatepass"))
        return "".join(self._filled(self._written[first:last], shown))

    def _filled(self, written: str, shown: Iterator[str]) -> Iterator[str]:
        for char in written:
            if char == SHOWN:
                yield next(shown)
            else:
                if matchable(char):
                    next(shown)
                yield SHOWN if char == NUL else char

    @cached_property
    def _starts(self) -> dict[int, int]:
        """Where each turn's characters begin in `text`: turns stand there in the order of their stretches."""
        turns, stretches = self._order.T
        sizes = self._turns[turns, 7]
        starts = np.cumsum(sizes) - sizes + stretches + 1
        return dict(zip(turns.tolist(), starts.tolist(), strict=True))
