"""Rules of meaning over stored vectors: one product for many calls, and only likely sentences are judged."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from pipeline.detect import engine
from pipeline.detect.archive.compact import VERSION, Compact, Unpacked, role_confidence
from pipeline.detect.archive.excerpts import View
from pipeline.detect.archive.part import part_scene
from pipeline.detect.archive.sweep import Sweep, within
from pipeline.detect.likely import Likely, Said
from pipeline.detect.scene import Scene, Thresholds
from pipeline.detect.segment import terms_of
from pipeline.findings import Finding
from pipeline.meaning import Meaning
from pipeline.ruleset import Rule, RuleSet
from pipeline.storage.records import CompactCall
from pipeline.storage.store import Store
from pipeline.timeline import Recording
from pipeline.vectors import Place, Sentences
from pipeline.vectors import Rows as SentenceRows
from pipeline.workflows.archive import BLOCK, sample

Told = Mapping[str, tuple[Finding, ...]]
"""By rule, what is found beside it."""
Rows = Mapping[tuple[int, str], Sequence[int]]
"""By call and rule, the sentences that may be found or nearly found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighed:
    """What some rules say in some calls: recording, rule and findings. `likely`: recording and rule where a
    rule that must see the whole call may show something. `unread`: calls without vectors of the model.
    `calls`: how many there were."""

    calls: int
    said: tuple[tuple[Recording, str, tuple[Finding, ...]], ...]
    likely: tuple[tuple[str, str], ...]
    unread: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to weigh: `rules` answer from likely sentences, of `meant` (ids) only where is asked. `beside`:
    what is found by these rules of words at the same time is not told again. `cache`: see `Sweep`."""

    ruleset: RuleSet
    meaning: Meaning
    rules: Sequence[Rule]
    meant: Sequence[str]
    thresholds: Thresholds
    beside: Sequence[Rule] = ()
    cache: Path | None = None


class Weighing:
    """See `hands.Work`. A task is the transcripts behind one, up to another one."""

    def __init__(self, store: Store, order: Order) -> None:
        self._store, self._order = store, order
        self._ids = list(dict.fromkeys([*(rule.id for rule in order.rules), *order.meant]))

    def prepare(self) -> None:
        self._sweep  # noqa: B018  (made here)

    def moved(self) -> None:
        self._store = self._store.another()

    @cached_property
    def _likely(self) -> Likely:
        return Likely(self._order.meaning, self._ids)

    @cached_property
    def _sweep(self) -> Sweep | None:
        order = self._order
        if not order.beside:
            return None
        rules = replace(order.ruleset, rules=tuple(order.beside), meaning=None)
        return Sweep(rules, order.thresholds, sample(self._store), order.cache)

    @cached_property
    def _terms(self) -> frozenset[str]:
        return terms_of(word for words in self._order.ruleset.words.values() for word in words)

    def __call__(self, task: tuple[int, int]) -> Weighed:
        after, last = task
        numbers = [number for number in self._store.compact_numbers(VERSION, after, BLOCK) if number <= last]
        calls = self._store.compact_calls(numbers)
        vectors = self._store.sentence_rows(numbers, self._order.meaning.encoder)
        known = [
            _Call.of(call, vectors[call.transcript_id]) for call in calls if call.transcript_id in vectors
        ]
        rows = self._rows(known) if known else {}
        told = self._told(known, rows)
        rules = {rule.id: rule for rule in self._order.rules}
        meant = frozenset(self._order.meant)
        said = (
            (known[i].recording, name, self._judged(rules[name], known[i], found, told.get(i, {})))
            for (i, name), found in rows.items()
            if name in rules
        )
        return Weighed(
            calls=len(numbers),
            said=tuple(said),
            likely=tuple((known[i].recording.id, name) for i, name in rows if name in meant),
            unread=tuple(call.recording.id for call in calls if call.transcript_id not in vectors),
        )

    def _rows(self, calls: Sequence["_Call"]) -> Rows:
        scores, owners = self._likely.scores([call.said for call in calls])
        firsts = np.searchsorted(owners, np.arange(len(calls)))
        needed = self._likely.needed(self._order.thresholds.match_confidence)
        found: dict[tuple[int, str], list[int]] = {}
        for column, rule_id in enumerate(self._ids):
            for row in np.flatnonzero(scores[:, column] >= needed[column]).tolist():
                call = int(owners[row])
                found.setdefault((call, rule_id), []).append(row - int(firsts[call]))
        asked = (
            ((call, name), self._looked_at(calls[call], name, rows)) for (call, name), rows in found.items()
        )
        return {key: rows for key, rows in asked if rows}

    def _looked_at(self, call: "_Call", name: str, rows: list[int]) -> list[int]:
        """Those of some sentences that the rule looks at: of its role, where that is known, in its turns."""
        view = self._views.get(name)
        if view is None or call.role_confidence < self._order.thresholds.role_threshold:
            return rows
        inside = view.stretches(call.said.words.spoken_by)
        pairs = zip(rows, call.stretches(rows), strict=True)
        return [row for row, stretch in pairs if stretch in inside]

    @cached_property
    def _views(self) -> dict[str, View]:
        """Of the rules that answer from likely sentences; what else is meant is asked about everything."""
        return {rule.id: View.of(rule) for rule in self._order.rules if rule.id not in self._order.meant}

    def _told(self, calls: Sequence["_Call"], rows: Rows) -> dict[int, Told]:
        """By call, what the rules beside find while likely sentences are said."""
        if self._sweep is None:
            return {}
        with_beside = {rule.id for rule in self._order.rules if engine.needs(rule)}
        likely: dict[int, set[int]] = {}
        for (number, name), found in rows.items():
            if name in with_beside:
                likely.setdefault(number, set()).update(found)
        chosen = sorted(likely)
        told: dict[int, Told] = {}
        for at, places in self._sweep.candidates([calls[number].text for number in chosen]).items():
            number, call = chosen[at], calls[chosen[at]]
            near = within(places, call.meanwhile(sorted(likely[number])))
            told[number] = by_rule(self._sweep.judge(call.recording, call.said.words, near))
        return told

    def _judged(self, rule: Rule, call: "_Call", rows: Sequence[int], told: Told) -> tuple[Finding, ...]:
        if not engine.is_for(rule, call.recording, ZoneInfo(self._order.thresholds.time_zone)):
            return ()
        scene = self._scene(call, rows)
        scene.found.update({need: told.get(need, ()) for need in engine.needs(rule)})
        return engine.answer(rule, scene)

    def _scene(self, call: "_Call", rows: Sequence[int]) -> Scene:
        """The stretches of some sentences, and these sentences."""
        words, spoken = call.said
        places = tuple(Place(*place) for place in spoken.places[rows].tolist())
        chosen = set(call.stretches(rows))
        scene = part_scene(call.recording, words, chosen, self._order.thresholds, self._terms)
        sentences = Sentences.of(self._order.meaning.encoder, places, spoken.vectors[rows])
        return replace(scene, call=replace(scene.call, sentences=sentences), meaning=self._order.meaning)


class _Call(NamedTuple):
    """A stored call with its compact text, and what is said in it."""

    recording: Recording
    text: bytes
    said: Said

    @classmethod
    def of(cls, call: CompactCall, sentences: SentenceRows) -> "_Call":
        return cls(call.recording, call.form.text, Said(unpacked(call), sentences))

    @property
    def role_confidence(self) -> float:
        return role_confidence(self.text)

    def stretches(self, rows: Sequence[int]) -> list[int]:
        """The stretch of each of some sentences."""
        turns: list[int] = self.said.sentences.places[rows, 0].tolist()
        return [self.said.words.stretch_of[turn] for turn in turns]

    def meanwhile(self, rows: Sequence[int]) -> frozenset[int]:
        """The stretches of some sentences, and those in which somebody speaks at the same time."""
        own, times = sorted(set(self.stretches(rows))), self.said.words.stretch_times
        spoken = times[own]
        together = (times[:, :1] < spoken[:, 1]) & (spoken[:, 0] < times[:, 1:])
        return frozenset((*own, *np.flatnonzero(together.any(axis=1)).tolist()))


def by_rule(findings: Iterable[Finding]) -> dict[str, tuple[Finding, ...]]:
    """The findings of each rule."""
    found: dict[str, list[Finding]] = {}
    for finding in findings:
        found.setdefault(finding.rule_id, []).append(finding)
    return {rule_id: tuple(own) for rule_id, own in found.items()}


def unpacked(call: CompactCall) -> Unpacked:
    """The compact form of a stored call, to be read piece by piece."""
    return Unpacked(Compact(text=call.form.text, detail=call.form.detail))
