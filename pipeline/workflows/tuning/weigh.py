"""Rules of meaning over stored vectors: one product for many calls, and only likely sentences are judged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from zoneinfo import ZoneInfo

import numpy as np

from pipeline.detect import engine
from pipeline.detect.archive.compact import VERSION, Compact, Unpacked
from pipeline.detect.archive.part import part_scene
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
from pipeline.workflows.archive import BLOCK

Told = Mapping[str, Mapping[str, tuple[Finding, ...]]]
"""By recording and rule, what was found before."""


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
    """What to weigh: `rules` answer from likely sentences, of `meant` (ids) only where is asked. `told`: what
    the rules beside them found."""

    ruleset: RuleSet
    meaning: Meaning
    rules: Sequence[Rule]
    meant: Sequence[str]
    thresholds: Thresholds
    told: Told


class Weighing:
    """See `hands.Work`. A task is the transcripts behind one, up to another one."""

    def __init__(self, store: Store, order: Order) -> None:
        self._store, self._order = store, order
        self._ids = list(dict.fromkeys([*(rule.id for rule in order.rules), *order.meant]))

    def prepare(self) -> None:
        """Nothing is shared."""

    def moved(self) -> None:
        self._store = self._store.another()

    @cached_property
    def _likely(self) -> Likely:
        return Likely(self._order.meaning, self._ids)

    @cached_property
    def _terms(self) -> frozenset[str]:
        return terms_of(word for words in self._order.ruleset.words.values() for word in words)

    def __call__(self, task: tuple[int, int]) -> Weighed:
        after, last = task
        numbers = [number for number in self._store.compact_numbers(VERSION, after, BLOCK) if number <= last]
        calls = self._store.compact_calls(numbers)
        vectors = self._store.sentence_rows(numbers, self._order.meaning.encoder)
        known = [call for call in calls if call.transcript_id in vectors]
        said = [Said(unpacked(call), vectors[call.transcript_id]) for call in known]
        rows = self._rows(said) if said else {}
        rules = {rule.id: rule for rule in self._order.rules}
        meant = frozenset(self._order.meant)
        return Weighed(
            calls=len(numbers),
            said=tuple(
                (known[i].recording, name, self._judged(rules[name], known[i], said[i], found))
                for (i, name), found in rows.items()
                if name in rules
            ),
            likely=tuple((known[i].recording.id, name) for i, name in rows if name in meant),
            unread=tuple(call.recording.id for call in calls if call.transcript_id not in vectors),
        )

    def _rows(self, said: Sequence[Said]) -> dict[tuple[int, str], list[int]]:
        """By call and rule, the sentences that may be found or nearly found."""
        scores, owners = self._likely.scores(said)
        firsts = np.searchsorted(owners, np.arange(len(said)))
        needed = self._likely.needed(self._order.thresholds.match_confidence)
        found: dict[tuple[int, str], list[int]] = {}
        for column, rule_id in enumerate(self._ids):
            for row in np.flatnonzero(scores[:, column] >= needed[column]).tolist():
                call = int(owners[row])
                found.setdefault((call, rule_id), []).append(row - int(firsts[call]))
        return found

    def _judged(self, rule: Rule, call: CompactCall, said: Said, rows: list[int]) -> tuple[Finding, ...]:
        if not engine.is_for(rule, call.recording, ZoneInfo(self._order.thresholds.time_zone)):
            return ()
        scene = self._scene(call, said, rows)
        told = self._order.told.get(call.recording.id, {})
        scene.found.update({need: told.get(need, ()) for need in engine.needs(rule)})
        return engine.answer(rule, scene)

    def _scene(self, call: CompactCall, said: Said, rows: list[int]) -> Scene:
        """The stretches of some sentences, and these sentences."""
        places = tuple(Place(*place) for place in said.sentences.places[rows].tolist())
        stretch_of = {turn: n for n, group in enumerate(said.words.groups) for turn in group}
        chosen = {stretch_of[place.turn] for place in places}
        scene = part_scene(call.recording, said.words, chosen, self._order.thresholds, self._terms)
        encoder = self._order.meaning.encoder
        sentences = Sentences.of(encoder, places, said.sentences.vectors[rows])
        return replace(scene, call=replace(scene.call, sentences=sentences), meaning=self._order.meaning)


def unpacked(call: CompactCall) -> Unpacked:
    """The compact form of a stored call, to be read piece by piece."""
    return Unpacked(Compact(text=call.form.text, detail=call.form.detail))
