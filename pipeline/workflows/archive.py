"""A rule set over every stored call, from the compact calls: seconds, not hours, and nothing heard again."""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from pipeline.detect.archive.compact import VERSION, Compact, Unpacked
from pipeline.detect.archive.sweep import Places, Sweep
from pipeline.detect.scene import Thresholds
from pipeline.findings import Finding
from pipeline.ruleset import RuleSet
from pipeline.storage.records import CompactCall
from pipeline.storage.store import Store
from pipeline.timeline import Call, Recording
from pipeline.workflows.meaning import Understanding
from pipeline.workflows.process_call import compact_form

BLOCK = 1000
"""Calls read at once; memory does not depend on how many there are."""
SAMPLE = 200
MAKING = 100

Watch = Callable[[int], None]
"""Hears how many calls are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """A call in which something was found, and what, in the engine's order."""

    recording: Recording
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepSummary:
    """How a sweep went."""

    sweep_id: int
    calls: int
    found: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Looked:
    """What is looked for, and how. `understanding` None: rules of meaning cannot tell."""

    ruleset: RuleSet
    thresholds: Thresholds
    understanding: Understanding | None = None

    def ready(self, call: Call) -> Call:
        """The call with what the rules need to know of it."""
        understands = self.understanding if self.ruleset.meaning else None
        return understands.with_sentences(call) if understands else call


def unwatched(done: int) -> None:
    """Shows nothing."""


def make_compact(store: Store) -> int:
    """Lay out the stored calls that are not yet: those of an older version. How many."""
    made = 0
    while waiting := store.without_compact(VERSION, MAKING):
        store.save_compact((about.id, number, compact_form(heard)) for number, about, heard in waiting)
        made += len(waiting)
    return made


def findings_over(store: Store, looked: Looked, watch: Watch = unwatched) -> Iterator[Swept]:
    """What the rules find in the newest transcript of every call, streamed in the order of the archive: the
    findings of `engine.run` that `shows_something` keeps. Calls without one are passed over."""
    make_compact(store)
    sample = [text for _, text in store.compact_texts(VERSION, 0, SAMPLE)]
    sweep, done = Sweep(looked.ruleset, looked.thresholds, sample), 0
    with _settled():
        for block in _ahead(sweep, _blocks(store)):
            yield from _swept(store, sweep, block, looked)
            done += len(block.numbers)
            watch(done)


@contextmanager
def _settled() -> Iterator[None]:
    """What is there already stays: the search for garbage passes over it, again and again otherwise."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """Some calls, by number of their transcript, and where the rules may find something in them."""

    numbers: tuple[int, ...]
    places: Mapping[int, Places]


def _blocks(store: Store) -> Iterator[list[tuple[int, bytes]]]:
    """Numbers and texts of all calls, some at once."""
    after = 0
    while block := store.compact_texts(VERSION, after, BLOCK):
        yield block
        after = block[-1][0]


def _ahead(sweep: Sweep, blocks: Iterable[list[tuple[int, bytes]]]) -> Iterator[_Block]:
    """The blocks sieved: each in a thread of its own while the one before it is judged."""
    with ThreadPoolExecutor(1) as thread:
        before: Future[_Block] | None = None
        for block in blocks:
            sieved = thread.submit(_sieved, sweep, block)
            if before:
                yield before.result()
            before = sieved
        if before:
            yield before.result()


def _sieved(sweep: Sweep, block: Sequence[tuple[int, bytes]]) -> _Block:
    found = sweep.candidates([text for _, text in block])
    places = {block[call][0]: places for call, places in found.items()}
    return _Block(numbers=tuple(number for number, _ in block), places=places)


def sweep_archive(store: Store, looked: Looked, *, at: datetime, watch: Watch = unwatched) -> SweepSummary:
    """Keep what the rules find in every stored call. What is not kept is an absence, or cannot be told for
    want of anything heard; scoring the one call tells which."""
    sweep_id, calls, found = store.start_sweep(looked.ruleset, at=at), 0, 0
    waiting: list[Finding] = []

    def counted(done: int) -> None:
        nonlocal calls
        calls = done
        watch(done)

    for swept in findings_over(store, looked, counted):
        waiting += swept.findings
        found += len(swept.findings)
        if len(waiting) >= BLOCK:
            store.add_swept(sweep_id, waiting)
            waiting = []
    store.add_swept(sweep_id, waiting)
    store.end_sweep(sweep_id, calls, at=at)
    return SweepSummary(sweep_id=sweep_id, calls=calls, found=found)


def _swept(store: Store, sweep: Sweep, block: _Block, looked: Looked) -> Iterator[Swept]:
    if sweep.rest.rules:
        whole = ((n, looked.ready(call)) for n, call in _whole(store, block.numbers))
        yield from _swept_whole(store, sweep, whole, block.places)
        return
    for call in store.compact_calls(sorted(block.places)) if block.places else ():
        findings = _judged(sweep, call, block.places[call.transcript_id])
        if findings:
            yield Swept(recording=call.recording, findings=tuple(findings))


def _judged(sweep: Sweep, call: CompactCall, places: Places) -> list[Finding]:
    stored = Unpacked(Compact(text=call.form.text, detail=call.form.detail))
    return sweep.judge(call.recording, stored, places)


def _whole(store: Store, numbers: Sequence[int]) -> Iterator[tuple[int, Call]]:
    """Stored transcripts, a few in memory."""
    for first in range(0, len(numbers), MAKING):
        for number, recording, heard in store.transcripts(numbers[first : first + MAKING]):
            yield number, Call(recording=recording, transcript=heard)


def _swept_whole(
    store: Store, sweep: Sweep, whole: Iterable[tuple[int, Call]], places: Mapping[int, Places]
) -> Iterator[Swept]:
    """With rules that must see the whole call."""
    known = {call.transcript_id: call for call in store.compact_calls(sorted(places))} if places else {}
    for number, call in whole:
        findings = sweep.judge_rest(call)
        if number in known:
            findings += _judged(sweep, known[number], places[number])
        if findings:
            ordered = sorted(findings, key=lambda f: (f.rule_id, f.span, f.id))
            yield Swept(recording=call.recording, findings=tuple(ordered))
