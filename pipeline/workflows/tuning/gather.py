"""What one look over the archive brings together about a rule: its findings among their words, near misses,
and ordinary speech."""

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from pipeline.detect.detectors.similar import SimilarParameters
from pipeline.detect.scene import Thresholds
from pipeline.findings import Evidence, Finding, Outcome
from pipeline.storage.records import DecidedFinding
from pipeline.timeline import Recording, Role
from pipeline.vectors import Vectors
from pipeline.workflows.tuning.archive import Archive
from pipeline.workflows.tuning.backtest import Decisions, by_place, decision_on, is_true
from pipeline.workflows.tuning.places import Place, clauses, place_of, plain
from pipeline.workflows.tuning.sources import Draft
from pipeline.workflows.tuning.sweep import Confidences
from pipeline.workflows.tuning.try_rule import near_misses
from pipeline.workflows.tuning.whole import only

SAMPLE_CALLS = 300
"""Calls that are read whole for near misses and ordinary speech."""
UNDECIDED_PLACES = 300
EXAMPLES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Where a candidate was said."""

    recording: Recording
    start: int
    text: str


@dataclass(slots=True, kw_only=True)
class NearMiss:
    """A wording that was nearly found, as heard."""

    phrase: str = ""
    distance: float = 0.0
    recordings: set[str] = field(default_factory=set)
    missed: int = 0
    examples: list[Example] = field(default_factory=list)


@dataclass(slots=True, kw_only=True)
class Collected:
    """What one pass over the archive brings together; bounded, however many calls there are."""

    calls: int = 0
    found: int = 0
    confidences: Confidences = field(default_factory=Counter)
    decided: list[Place] = field(default_factory=list)
    undecided: list[Place] = field(default_factory=list)
    near: dict[str, NearMiss] = field(default_factory=dict)
    background: list[tuple[str, ...]] = field(default_factory=list)
    vectors: list[Vectors] = field(default_factory=list)

    @property
    def places(self) -> tuple[Place, ...]:
        return (*self.decided, *self.undecided)

    @property
    def ordinary(self) -> list[str]:
        """Clauses of calls without a finding."""
        return [clause for said in self.background for clause in said]

    @property
    def sources(self) -> tuple[Place, ...]:
        """Places to learn wordings from: the confirmed ones, else those nobody rejected."""
        confirmed = tuple(place for place in self.decided if place.decided)
        return confirmed or tuple(place for place in self.places if place.decided is None)


def collect(draft: Draft, archive: Archive, today: Thresholds) -> Collected:
    """Places, near misses and ordinary speech; which undecided places and ordinary calls are kept when there
    are many depends on the calls alone, not on their order."""
    rule, gathered = draft.rule, Collected(calls=archive.size)
    decisions = by_place(archive.store.decided_findings())
    found: set[str] = set()
    kept: list[tuple[str, Finding, bool | None]] = []
    waiting: list[tuple[int, str, Finding]] = []
    for shown in archive.shown(draft.ruleset, [rule]):
        decided = decisions.get((shown.recording.id, rule.id), [])
        for finding in shown.findings:
            if finding.outcome is not Outcome.PRESENT:
                continue
            said = decision_on(finding, decided)
            gathered.confidences[round(finding.confidence * 1000), said] += 1
            if finding.confidence < today.match_confidence:
                _near(gathered, shown.recording, finding.evidence, _is_missed(decided))
                continue
            found.add(shown.recording.id)
            gathered.found += 1
            if said is not None:
                kept.append((shown.recording.id, finding, said))
            else:
                entry = (-_rank(finding.id), finding.id, finding)
                put = heapq.heappush if len(waiting) < UNDECIDED_PLACES else heapq.heappushpop
                put(waiting, entry)
    _places(gathered, archive, kept, waiting)
    _sample(gathered, archive, draft, frozenset(found), decisions)
    return gathered


def _is_missed(decided: Iterable[DecidedFinding]) -> bool:
    return any(d.outcome is Outcome.ABSENT and not is_true(d) for d in decided)


def _places(
    gathered: Collected,
    archive: Archive,
    kept: Iterable[tuple[str, Finding, bool | None]],
    waiting: Iterable[tuple[int, str, Finding]],
) -> None:
    """The findings among their words: the decided ones, and a sample of the others."""
    for recording_id, finding, said in sorted(kept, key=lambda entry: (entry[0], entry[1].span)):
        gathered.decided.append(place_of(archive.store.latest(recording_id).call, finding, said))
    for _, _, finding in sorted(waiting, key=lambda entry: entry[:2]):
        call = archive.store.latest(finding.recording_id).call
        gathered.undecided.append(place_of(call, finding, None))


def _sample(
    gathered: Collected, archive: Archive, draft: Draft, found: frozenset[str], decisions: Decisions
) -> None:
    """Near misses and ordinary speech in calls without a finding: all that inspectors called missed, and as
    many others as their ids say. A rule of meaning has something nearest in any call: that tells nothing."""
    rule, meant = draft.rule, isinstance(draft.rule.parameters, SimilarParameters)
    missed = {r for (r, rule_id), decided in decisions.items() if rule_id == rule.id and _is_missed(decided)}
    others = (call.recording.id for call in archive.store.calls() if call.recording.id not in found)
    ranked = heapq.nsmallest(SAMPLE_CALLS, (r for r in others if r not in missed), key=_rank)
    for stored, findings in archive.judged(
        sorted((missed - found).union(ranked)), only(draft.ruleset, [rule])
    ):
        own = [finding for finding in findings if finding.rule_id == rule.id]
        if not meant or stored.recording.id in missed:
            _near(gathered, stored.recording, near_misses(own), stored.recording.id in missed)
        if own and not any(finding.outcome is Outcome.PRESENT for finding in own):
            said = clauses(stored.transcript.turns, rule.role or Role.UNKNOWN)
            gathered.background.append(tuple(clause.text for clause in said))
            if stored.sentences is not None:
                gathered.vectors.append(stored.sentences.vectors)


def _near(gathered: Collected, recording: Recording, evidence: Iterable[Evidence], missed: bool) -> None:
    for piece in evidence:
        text = plain(piece.quote)
        found = gathered.near.setdefault(text, NearMiss(phrase=piece.phrase, distance=piece.distance))
        if recording.id not in found.recordings:
            found.recordings.add(recording.id)
            found.missed += missed
        if piece.distance < found.distance:
            found.phrase, found.distance = piece.phrase, piece.distance
        if len(found.examples) < EXAMPLES:
            example = Example(recording=recording, start=piece.span.start, text=piece.quote)
            found.examples.append(example)


def _rank(name: str) -> int:
    return int(hashlib.sha256(name.encode()).hexdigest()[:15], 16)
