"""Looking through the stored calls: by words or by their sound, by rule, by what is known of a call.

Words are looked for as a rule looks for them: the text is a phrase of `match: text` or `match: sound`, sieved
out of the compact calls. What is known of a call is asked of the database first, the newest calls are looked
through first, and nothing is looked at beyond a full page. What is looked for is never logged.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice

from pipeline.detect.archive.compact import VERSION, Compact, Unpacked
from pipeline.detect.archive.sweep import Places, Sweep
from pipeline.detect.load import parse_ruleset
from pipeline.detect.pattern import PatternError, parse
from pipeline.detect.scene import Thresholds
from pipeline.errors import RuleError, UsageError
from pipeline.findings import How, Outcome
from pipeline.settings import Settings
from pipeline.storage.records import CallFilter, CallSummary, CompactCall
from pipeline.storage.search import Candidate, Marked
from pipeline.storage.store import EVERYTHING, Store
from pipeline.timeline import Role, Span, Turn
from pipeline.workflows.archive import make_compact
from pipeline.workflows.tuning.try_rule import phrase_rule

PAGE = 20
LONGEST = 60
AROUND = 20
"""Characters shown before and after a quote."""
FIRST_BLOCK, LARGEST_BLOCK = 100, 2000
KEPT_READY = 32
"""Texts that are ready to be looked for again: the next page is."""
ANY, RULE = "any", "searched.yml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to look for. `text`: words in the notation of phrases, empty: none. `role`: who says them, or of
    whom the rule of `which` speaks. `which.limit`: calls on a page. `after`: the recording behind which the
    page begins, the `next` of the page before. `most`: so many calls are looked through for one page; None:
    until it is full."""

    text: str = ""
    by_sound: bool = False
    role: Role | None = None
    which: CallFilter = EVERYTHING
    after: str = ""
    most: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One place in a call: the words as heard, with what was said before and after in the same turn.
    `rule_id`: the rule that found it, empty where words were looked for; `how` they agree with these."""

    span: Span
    role: Role
    before: str
    quote: str
    after: str
    how: How = How.NONE
    rule_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A call, and where in it, in order of time; nowhere in particular where neither words nor a rule were
    asked for."""

    call: CallSummary
    passages: tuple[Passage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Newest first. `next`: where the next page begins, empty: there is none. `looked_through`: how many
    calls the filter let through to be looked at."""

    hits: tuple[Hit, ...]
    next: str
    looked_through: int


Look = Callable[[Sequence[Candidate]], Iterator[tuple[int, tuple[Passage, ...]]]]
"""Which of some calls are hits, by number and in order, and where."""


def search(query: Query, store: Store, settings: Settings) -> Page:
    """One page of what was found. Raises UsageError: the text is no phrase; NotFound: there is no recording
    to begin behind."""
    look = _look(query, store, settings)
    make_compact(store)
    found, looked, last = dict[str, tuple[Passage, ...]](), 0, None
    with closing(store.candidates(query.which, VERSION, query.after or None)) as calls:
        for block in _blocks(calls, query.most):
            for number, passages in look(block):
                found[block[number].recording_id] = passages
                if len(found) == (query.which.limit or PAGE):
                    more = block[number + 1 :] or any(True for _ in calls)
                    return _page(store, found, looked + number + 1, block[number] if more else None)
            looked, last = looked + len(block), block[-1]
        more = any(True for _ in calls)
    return _page(store, found, looked, last if more else None)


def _blocks(calls: Iterator[Candidate], most: int | None) -> Iterator[Sequence[Candidate]]:
    """More and more at once as nothing is found, `most` in all."""
    size, left = FIRST_BLOCK, most
    while block := list(islice(calls, size if left is None else min(size, left))):
        yield block
        size = min(2 * size, LARGEST_BLOCK)
        left = None if left is None else left - len(block)


def _page(
    store: Store, found: Mapping[str, tuple[Passage, ...]], looked: int, last: Candidate | None
) -> Page:
    """`last`: the call that was looked at last; None: there is none behind it."""
    known = {call.recording.id: call for call in store.calls(CallFilter(recordings=frozenset(found)))}
    hits = (Hit(call=known[name], passages=passages) for name, passages in found.items() if name in known)
    return Page(hits=tuple(hits), next=last.recording_id if last else "", looked_through=looked)


def _look(query: Query, store: Store, settings: Settings) -> Look:
    if query.text.strip():
        thresholds = Thresholds.of(settings)
        if not query.by_sound:
            thresholds = replace(thresholds, match_confidence=0.0)  # what is written there is found
        return _Words(store, _ready(query.text.strip(), query.by_sound, thresholds), query.role)
    if query.which.asks_findings:
        return _Marks(store, query.which, query.role)
    return _everything


def _everything(block: Sequence[Candidate]) -> Iterator[tuple[int, tuple[Passage, ...]]]:
    return ((number, ()) for number in range(len(block)))


@dataclass(frozen=True, slots=True)
class _Words:
    """Calls in which the words are heard."""

    store: Store
    sweep: Sweep
    role: Role | None

    def __call__(self, block: Sequence[Candidate]) -> Iterator[tuple[int, tuple[Passage, ...]]]:
        places = self.sweep.candidates([candidate.text for candidate in block])
        calls = _compact(self.store, [block[number].transcript_id for number in places])
        for number in sorted(places):
            call = calls.get(block[number].transcript_id)
            if call and (passages := tuple(self._passages(call, places[number]))):
                yield number, passages

    def _passages(self, call: CompactCall, places: Places) -> Iterator[Passage]:
        stored = _unpacked(call)
        turns = stored.turns({stretch for place in places.values() for stretch in place.stretches})
        for finding in self.sweep.judge(call.recording, stored, places):
            for seen in finding.evidence if finding.outcome is Outcome.PRESENT else ():
                if self.role in (None, seen.role):
                    yield replace(_quoted(turns, seen.span, seen.role, seen.quote), how=seen.how)


@dataclass(frozen=True, slots=True)
class _Marks:
    """Calls in which the rules of the filter found something."""

    store: Store
    which: CallFilter
    role: Role | None

    def __call__(self, block: Sequence[Candidate]) -> Iterator[tuple[int, tuple[Passage, ...]]]:
        marked = self.store.marked([candidate.recording_id for candidate in block], self.which)
        calls = _compact(self.store, [c.transcript_id for c in block if c.recording_id in marked])
        for number, candidate in enumerate(block):
            marks = [m for m in marked.get(candidate.recording_id, ()) if self.role in (None, m.role)]
            if marks and candidate.transcript_id in calls:
                yield number, tuple(_of_marks(calls[candidate.transcript_id], marks))


def _of_marks(call: CompactCall, marks: Sequence[Marked]) -> Iterator[Passage]:
    turns = _unpacked(call).transcript().turns
    for mark in marks:
        yield replace(_quoted(turns, mark.span, mark.role, mark.quote), rule_id=mark.rule_id)


def _compact(store: Store, transcript_ids: Sequence[int]) -> dict[int, CompactCall]:
    """By transcript."""
    return (
        {call.transcript_id: call for call in store.compact_calls(transcript_ids)} if transcript_ids else {}
    )


def _unpacked(call: CompactCall) -> Unpacked:
    return Unpacked(Compact(text=call.form.text, detail=call.form.detail))


def _quoted(turns: Sequence[Turn], span: Span, role: Role, quote: str) -> Passage:
    """The quote with what is around it in its turn."""
    turn = next((t for t in turns if t.role is role and t.span.start <= span.start < t.span.end), None)
    text, at = (turn.text, _begin(turn, span, quote)) if turn else ("", 0)
    behind = text[at + len(quote) :] if text.startswith(quote, at) else ""
    return Passage(
        span=span,
        role=role,
        before="…"[: at > AROUND] + text[max(0, at - AROUND) : at],
        quote=quote,
        after=behind[:AROUND] + "…"[: len(behind) > AROUND],
    )


def _begin(turn: Turn, span: Span, quote: str) -> int:
    """Where the quote begins in the turn's text: at its words there, the nearest to its time; else where the
    word of that time does."""
    near = sum(len(word.text) for word in turn.words if word.span.end <= span.start)
    places = [found.start() for found in re.finditer(re.escape(quote), turn.text)] if quote else []
    return min(places, key=lambda place: abs(place - near), default=near)


@lru_cache(KEPT_READY)
def _ready(text: str, by_sound: bool, thresholds: Thresholds) -> Sweep:
    """The text as a rule, ready to be looked for. Raises UsageError; what it says does not tell the text."""
    hint = "写要找的原话，如：不归我们管；也可以用规则的写法：你…不懂、(打|拨)这个电话"
    if len(text) > LONGEST:
        raise UsageError(f"要找的话有 {len(text)} 个字，最多 {LONGEST} 个", hint=hint)
    try:
        parse(text)
        rule = f"{phrase_rule([text], ANY)}match: {'sound' if by_sound else 'text'}\n"
        return Sweep(parse_ruleset({RULE: rule}), thresholds)
    except PatternError as error:
        raise UsageError(f"要找的话从第 {error.column + 1} 个字起看不懂", hint=hint) from None
    except RuleError:
        raise UsageError("要找的话不能当作说法来找", hint=hint) from None
