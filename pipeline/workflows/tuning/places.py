"""A finding with the words around it, and small calls cut out of large ones."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from pipeline.detect.pattern import matchable
from pipeline.findings import Finding
from pipeline.timeline import Call, Recording, Role, Span, Turn, Word
from pipeline.units import Ms

NEARBY: Ms = 10_000
"""What is said this close to a finding is said about the same matter."""
STOPS = frozenset("，。！？；：、,.!?;:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """Words without a stop between them. `text` holds no punctuation."""

    text: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A present finding. `decided`: what the inspector said, None: nothing yet. `before` and `after` are the
    words of the same turn on both sides, stops kept; `clauses` is what the role says nearby, without what
    was found. `around` is the call cut down to the turns there."""

    recording: Recording
    finding: Finding
    decided: bool | None
    quote: str
    before: str
    after: str
    clauses: tuple[Clause, ...]
    around: Call


def place_of(call: Call, finding: Finding, decided: bool | None) -> Place:
    """The finding among its words."""
    turns = call.transcript.turns
    touched = {e.turn for e in finding.evidence if e.turn is not None}
    words = [word for turn in turns if turn.index in touched for word in turn.words]
    return Place(
        recording=call.recording,
        finding=finding,
        decided=decided,
        quote="……".join(e.quote for e in finding.evidence if e.quote),
        before=_joined(word for word in words if word.span.end <= finding.span.start),
        after=_joined(word for word in words if word.span.start >= finding.span.end),
        clauses=tuple(_nearby(turns, finding)),
        around=_cut(call, touched),
    )


def _nearby(turns: Iterable[Turn], finding: Finding) -> Iterator[Clause]:
    found = [evidence.span for evidence in finding.evidence]
    for clause in clauses(turns, finding.role, without=found):
        if clause.span.gap(finding.span) <= NEARBY:
            yield clause


def _joined(words: Iterable[Word]) -> str:
    return "".join(word.text for word in words)


def _cut(call: Call, kept: set[int]) -> Call:
    """The call with the words of some turns only, indices and times as they were."""
    turns = tuple(t if t.index in kept else replace(t, words=()) for t in call.transcript.turns)
    return replace(call, transcript=replace(call.transcript, turns=turns))


def clauses(turns: Iterable[Turn], role: Role, without: Sequence[Span] = ()) -> Iterator[Clause]:
    """What a role says, cut at stops, at the ends of turns and at the spans of `without`, which are left out;
    UNKNOWN: everybody."""
    for turn in turns:
        if role in (turn.role, Role.UNKNOWN):
            yield from _clauses(turn.words, without)


def _clauses(words: Iterable[Word], without: Sequence[Span]) -> Iterator[Clause]:
    said: list[Word] = []
    for word in words:
        left_out = any(word.span.overlaps(span) for span in without)
        if not left_out:
            said.append(word)
        if left_out or word.text[-1:] in STOPS:
            yield from _clause(said)
            said = []
    yield from _clause(said)


def _clause(words: list[Word]) -> Iterator[Clause]:
    text = plain("".join(word.text for word in words))
    if text:
        yield Clause(text=text, span=Span(words[0].span.start, max(w.span.end for w in words)))


def plain(text: str) -> str:
    """Words only: no punctuation, no spaces."""
    return "".join(char for char in text if matchable(char))
