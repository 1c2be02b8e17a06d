"""A rule set over every stored call, from the compact calls: seconds, not hours, and nothing heard again."""

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.detect.archive.compact import VERSION, Compact, Unpacked
from pipeline.detect.archive.sweep import Places, Sweep, warm
from pipeline.detect.scene import Thresholds
from pipeline.findings import Finding
from pipeline.ruleset import RuleSet
from pipeline.storage.records import CompactCall
from pipeline.storage.store import Store
from pipeline.timeline import Call, Recording
from pipeline.workflows.compact_form import compact_form
from pipeline.workflows.hands import done, hands
from pipeline.workflows.meaning import Understanding

BLOCK = 250
"""Calls read at once; memory does not depend on how many there are."""
LISTED = 20
"""Blocks listed at once."""
KEPT = 1000
"""Findings written at once."""
SAMPLE = 200
RARELY = 100_000
"""In a process that only sweeps, garbage is looked for when so many things were made."""
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
    """What is looked for, and how. `understanding` None: rules of meaning cannot tell. `cache`: where rule
    sets that were made ready are kept; None: nowhere."""

    ruleset: RuleSet
    thresholds: Thresholds
    understanding: Understanding | None = None
    cache: Path | None = None

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


def findings_over(
    store: Store, looked: Looked, watch: Watch = unwatched, *, processes: int | None = None
) -> Iterator[Swept]:
    """What the rules find in the newest transcript of every call, streamed in the order of the archive: the
    findings of `engine.run` that `shows_something` keeps. Calls without one are passed over. `processes`
    None: as many as there are cores; the findings are the same with any number."""
    make_compact(store)
    calls, processes = 0, _processes(store, looked, processes)
    with _kept(looked, processes) as kept, _thawed():
        for block in done(_Job(store, kept), blocks(store), processes):
            yield from block.swept
            calls += block.calls
            watch(calls)


@contextmanager
def _kept(looked: Looked, processes: int) -> Iterator[Looked]:
    """With a folder through which one process gives others the rule set that it made ready."""
    if looked.cache or processes == 1:
        yield looked
        return
    with TemporaryDirectory() as folder:
        yield replace(looked, cache=Path(folder))


def _processes(store: Store, looked: Looked, wanted: int | None) -> int:
    """One where a copy of this process could not read the same calls, or would need a model of this one."""
    if not store.is_shared or (looked.understanding and looked.ruleset.meaning):
        return 1
    return hands() if wanted is None else wanted


@contextmanager
def _thawed() -> Iterator[None]:
    """Nothing is passed over by the search for garbage any more in the end."""
    try:
        yield
    finally:
        gc.unfreeze()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """What was found in neighbouring calls, and how many there were."""

    calls: int
    swept: tuple[Swept, ...]


class _Job:
    """Sweeps the calls behind one transcript, up to another one."""

    def __init__(self, store: Store, looked: Looked) -> None:
        self._store, self._looked = store, looked
        self._sample = sample(store)

    def prepare(self) -> None:
        self._sweep  # noqa: B018  (made here)

    def moved(self) -> None:
        self._store = self._store.another()
        gc.set_threshold(RARELY)
        warm()

    @cached_property
    def _sweep(self) -> Sweep:
        looked = self._looked
        """Made ready, and passed over by the search for garbage from now on."""
        sweep = Sweep(looked.ruleset, looked.thresholds, self._sample, looked.cache)
        gc.freeze()
        return sweep

    def __call__(self, task: tuple[int, int]) -> _Block:
        after, last = task
        block = [row for row in self._store.compact_texts(VERSION, after, BLOCK) if row[0] <= last]
        found = self._sweep.candidates([text for _, text in block])
        places = {block[call][0]: places for call, places in found.items()}
        numbers = [number for number, _ in block]
        return _Block(calls=len(block), swept=tuple(self._swept(numbers, places)))

    def _swept(self, numbers: Sequence[int], places: Mapping[int, Places]) -> Iterator[Swept]:
        if self._sweep.rest.rules:
            yield from self._swept_whole(numbers, places)
            return
        for call in self._candidates(places):
            if findings := _judged(self._sweep, call, places[call.transcript_id]):
                yield Swept(recording=call.recording, findings=tuple(findings))

    def _candidates(self, places: Mapping[int, Places]) -> Sequence[CompactCall]:
        return self._store.compact_calls(sorted(places)) if places else ()

    def _swept_whole(self, numbers: Sequence[int], places: Mapping[int, Places]) -> Iterator[Swept]:
        """With rules that must see the whole call."""
        known = {call.transcript_id: call for call in self._candidates(places)}
        for number, call in _whole(self._store, numbers):
            findings = self._sweep.judge_rest(self._looked.ready(call))
            if number in known:
                findings += _judged(self._sweep, known[number], places[number])
            if findings:
                ordered = sorted(findings, key=lambda f: (f.rule_id, f.span, f.id))
                yield Swept(recording=call.recording, findings=tuple(ordered))


def sample(store: Store) -> list[bytes]:
    """Texts of some calls, for what is often heard."""
    return [text for _, text in store.compact_texts(VERSION, 0, SAMPLE)]


def blocks(store: Store) -> Iterator[tuple[int, int]]:
    """The transcripts of all calls, some at once: the number before the first, and the last."""
    after = 0
    while numbers := store.compact_numbers(VERSION, after, LISTED * BLOCK):
        for last in (*numbers[BLOCK - 1 : -1 : BLOCK], numbers[-1]):
            yield after, last
            after = last


def _judged(sweep: Sweep, call: CompactCall, places: Places) -> list[Finding]:
    stored = Unpacked(Compact(text=call.form.text, detail=call.form.detail))
    return sweep.judge(call.recording, stored, places)


def _whole(store: Store, numbers: Sequence[int]) -> Iterator[tuple[int, Call]]:
    """Stored transcripts, a few in memory."""
    for first in range(0, len(numbers), MAKING):
        for number, recording, heard in store.transcripts(numbers[first : first + MAKING]):
            yield number, Call(recording=recording, transcript=heard)


def sweep_archive(store: Store, looked: Looked, *, at: datetime, watch: Watch = unwatched) -> SweepSummary:
    """Keep what the rules find in every stored call. What is not kept is an absence, or cannot be told for
    want of anything heard; scoring the one call tells which."""
    sweep_id, calls, found = store.start_sweep(looked.ruleset, at=at), 0, 0
    waiting: list[Finding] = []

    def counted(seen: int) -> None:
        nonlocal calls
        calls = seen
        watch(seen)

    for swept in findings_over(store, looked, counted):
        waiting += swept.findings
        found += len(swept.findings)
        if len(waiting) >= KEPT:
            store.add_swept(sweep_id, waiting)
            waiting = []
    store.add_swept(sweep_id, waiting)
    store.end_sweep(sweep_id, calls, at=at)
    return SweepSummary(sweep_id=sweep_id, calls=calls, found=found)
