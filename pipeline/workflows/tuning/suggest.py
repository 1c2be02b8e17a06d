"""Candidates for one rule from what it finds, what it nearly finds, and what inspectors decided.

It proposes: phrases, exceptions, thresholds, and the change to the file as a patch. It writes nothing.
"""

import hashlib
import heapq
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from pipeline.detect import engine
from pipeline.detect.document import read
from pipeline.detect.engine import needs
from pipeline.detect.scene import Thresholds
from pipeline.detect.script import call_of
from pipeline.findings import Evidence, Finding, Outcome
from pipeline.ruleset import Rule
from pipeline.storage.records import StoredCall
from pipeline.timeline import Recording, Role
from pipeline.workflows.tuning.archive import Archive, only
from pipeline.workflows.tuning.backtest import Decisions, by_place, decision_on, is_true
from pipeline.workflows.tuning.edit import patch, with_entries
from pipeline.workflows.tuning.exceptions import Exemption, enough, exceptions
from pipeline.workflows.tuning.frequency import SURE, Wording, compare, count_elsewhere, count_near
from pipeline.workflows.tuning.places import Clause, Place, clauses, place_of, plain
from pipeline.workflows.tuning.sources import Draft, RulesFolder, by_itself
from pipeline.workflows.tuning.sweep import LOWEST, Confidences, SweepRow, sweep
from pipeline.workflows.tuning.try_rule import near_misses

BACKGROUND_CALLS = 2000
UNDECIDED_PLACES = 500
EXAMPLES = 3
SHOWN = 10
CLEAR = 0.95
SAFE_LENGTH = 4
"""Shorter phrases are not proposed by themselves: they sound like too much else."""


class Origin(StrEnum):
    """Why a wording is a candidate."""

    NEAR_MISS = "near_miss"
    WORDS = "words"

    @property
    def chinese(self) -> str:
        return {"near_miss": "差一点", "words": "常在附近说"}[self.value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """Where a candidate was said."""

    recording: Recording
    start: int
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A wording that the rule does not find. `calls`: in how many calls it is a near miss, or clauses near
    findings that hold it; `missed`: of these, calls where an inspector heard what the rule missed;
    `elsewhere`: clauses of ordinary calls that hold it. `z` None: not by frequency."""

    text: str
    origin: Origin
    calls: int
    missed: int
    elsewhere: int
    z: float | None
    near: str
    examples: tuple[Example, ...]

    @property
    def proposed(self) -> bool:
        """Goes into the patch by itself: long enough, and confirmed, repeated or telling."""
        backed = self.missed > 0 or self.calls >= 2
        telling = self.z is None or self.z >= SURE
        return len(self.text) >= SAFE_LENGTH and backed and telling and self.elsewhere <= self.calls


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
    undecided: list[tuple[int, str, Place]] = field(default_factory=list)
    near: dict[str, NearMiss] = field(default_factory=dict)
    background: list[tuple[int, str, tuple[str, ...]]] = field(default_factory=list)

    @property
    def places(self) -> tuple[Place, ...]:
        others = sorted(self.undecided, key=lambda entry: entry[:2])
        return (*self.decided, *(place for _, _, place in others))

    @property
    def sources(self) -> tuple[Place, ...]:
        """Places to learn wordings from: the confirmed ones, else those nobody rejected."""
        confirmed = tuple(place for place in self.decided if place.decided)
        return confirmed or tuple(place for place in self.places if place.decided is None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Everything proposed for one rule. `confirmed_only`: wordings come from confirmed findings."""

    rule: Rule
    calls: int
    found: int
    confirmed: int
    rejected: int
    confirmed_only: bool
    background_calls: int
    phrases: tuple[Candidate, ...]
    exemptions: tuple[Exemption, ...]
    rows: tuple[SweepRow, ...]
    threshold: float
    patch: str

    @property
    def swept(self) -> bool:
        """Whether any threshold lets anything through."""
        return any(row.findings for row in self.rows)


def suggest(rule_id: str, folder: RulesFolder, archive: Archive) -> Suggestion:
    """One pass over the archive with the rule and what it needs, down to the lowest threshold.

    A rule that builds on others keeps today's: what these find would change, too. Raises NotFound.
    """
    draft = folder.rule(rule_id)
    draft = replace(draft, ruleset=archive.taught(draft.ruleset, [draft.rule]))
    rule = draft.rule
    lowest = archive if needs(rule) else archive.down_to(LOWEST / 100)
    thresholds = archive.thresholds
    decisions = by_place(archive.store.decided_findings())
    collected = collect(rule, lowest.judged(only(draft.ruleset, [rule])), decisions, thresholds)
    phrases = candidates(draft, collected)
    exemptions = exceptions(draft, collected.places, thresholds)
    return Suggestion(
        rule=rule,
        calls=collected.calls,
        found=collected.found,
        confirmed=sum(place.decided is True for place in collected.decided),
        rejected=sum(place.decided is False for place in collected.decided),
        confirmed_only=any(place.decided for place in collected.decided),
        background_calls=len(collected.background),
        phrases=phrases,
        exemptions=exemptions,
        rows=sweep(collected.confidences, lowest.thresholds.match_confidence),
        threshold=thresholds.match_confidence,
        patch=proposed_patch(draft, phrases, exemptions),
    )


# one pass


def collect(
    rule: Rule, calls: Iterable[tuple[StoredCall, Sequence[Finding]]], decisions: Decisions, today: Thresholds
) -> Collected:
    """Places, near misses and ordinary speech; which undecided places and ordinary calls are kept when there
    are many depends on the calls alone, not on their order."""
    gathered = Collected()
    for stored, findings in calls:
        own = [finding for finding in findings if finding.rule_id == rule.id]
        decided = decisions.get((stored.recording.id, rule.id), [])
        missed = any(d.outcome is Outcome.ABSENT and not is_true(d) for d in decided)
        gathered.calls += 1
        for finding in own:
            if finding.outcome is not Outcome.PRESENT:
                continue
            said = decision_on(finding, decided)
            gathered.confidences[round(finding.confidence * 1000), said] += 1
            if finding.confidence >= today.match_confidence:
                gathered.found += 1
                _keep(gathered, place_of(stored.call, finding, said))
            else:
                _near(gathered, stored, finding.evidence, missed)
        _near(gathered, stored, near_misses(own), missed)
        if own and not any(finding.outcome is Outcome.PRESENT for finding in own):
            _ordinary(gathered, stored, rule.role or Role.UNKNOWN)
    return gathered


def _keep(gathered: Collected, place: Place) -> None:
    if place.decided is not None:
        gathered.decided.append(place)
    else:
        entry = (-_rank(place.finding.id), place.finding.id, place)
        put = heapq.heappush if len(gathered.undecided) < UNDECIDED_PLACES else heapq.heappushpop
        put(gathered.undecided, entry)


def _near(gathered: Collected, stored: StoredCall, evidence: Iterable[Evidence], missed: bool) -> None:
    for piece in evidence:
        text = plain(piece.quote)
        found = gathered.near.setdefault(text, NearMiss(phrase=piece.phrase, distance=piece.distance))
        if stored.recording.id not in found.recordings:
            found.recordings.add(stored.recording.id)
            found.missed += missed
        if piece.distance < found.distance:
            found.phrase, found.distance = piece.phrase, piece.distance
        if len(found.examples) < EXAMPLES:
            example = Example(recording=stored.recording, start=piece.span.start, text=piece.quote)
            found.examples.append(example)


def _ordinary(gathered: Collected, stored: StoredCall, role: Role) -> None:
    rank = -_rank(stored.recording.id)
    if len(gathered.background) >= BACKGROUND_CALLS and rank <= gathered.background[0][0]:
        return
    said = tuple(clause.text for clause in clauses(stored.transcript.turns, role))
    put = heapq.heappush if len(gathered.background) < BACKGROUND_CALLS else heapq.heappushpop
    put(gathered.background, (rank, stored.recording.id, said))


def _rank(name: str) -> int:
    return int(hashlib.sha256(name.encode()).hexdigest()[:15], 16)


# phrases


def candidates(draft: Draft, collected: Collected) -> tuple[Candidate, ...]:
    """Wordings that the rule does not find yet: near misses first, then by frequency. None for a rule
    without phrases."""
    if draft.rule.detector != "phrase":
        return ()
    ordinary = [clause for _, _, said in collected.background for clause in said]
    near = _from_near_misses(draft, collected, ordinary)
    words = _from_words(draft, collected, ordinary)
    known = {candidate.text for candidate in near}
    return (*near, *(candidate for candidate in words if candidate.text not in known))


def _from_near_misses(draft: Draft, collected: Collected, ordinary: list[str]) -> tuple[Candidate, ...]:
    order = sorted(
        collected.near.items(), key=lambda kv: (-kv[1].missed, -len(kv[1].recordings), kv[1].distance, kv[0])
    )
    chosen = [(text, near) for text, near in order[: 3 * SHOWN] if not _finds(draft, text)][:SHOWN]
    counts = count_elsewhere(ordinary, frozenset(text for text, _ in chosen))
    return tuple(
        Candidate(
            text=text,
            origin=Origin.NEAR_MISS,
            calls=len(near.recordings),
            missed=near.missed,
            elsewhere=max(0, counts[text] - len(near.recordings)),
            z=None,
            near=near.phrase,
            examples=tuple(near.examples),
        )
        for text, near in chosen
    )


def _from_words(draft: Draft, collected: Collected, ordinary: list[str]) -> tuple[Candidate, ...]:
    said = [(place, clause) for place in collected.sources for clause in place.clauses]
    near = count_near(clause.text for _, clause in said)
    repeated = {text: count for text, count in near.items() if count >= 2}
    elsewhere = count_elsewhere(ordinary, frozenset(repeated))
    found = compare(repeated, len(said), elsewhere, max(len(ordinary), 1)) if said else ()
    fresh: list[Candidate] = []
    for wording in found:
        if len(fresh) == SHOWN or wording.z <= 0:
            break
        if not _finds(draft, wording.text):
            fresh.append(_of_words(wording, said))
    return tuple(fresh)


def _of_words(wording: Wording, said: Iterable[tuple[Place, Clause]]) -> Candidate:
    holding = [(place, clause) for place, clause in said if wording.text in clause.text]
    examples = (
        Example(recording=place.recording, start=clause.span.start, text=clause.text)
        for place, clause in holding[:EXAMPLES]
    )
    return Candidate(
        text=wording.text,
        origin=Origin.WORDS,
        calls=wording.near,
        missed=0,
        elsewhere=wording.elsewhere,
        z=round(wording.z, 2),
        near="",
        examples=tuple(examples),
    )


def _finds(draft: Draft, text: str) -> bool:
    """Whether the rule finds the wording by itself already, when it is heard clearly."""
    role = {Role.CUSTOMER: "客户"}.get(draft.rule.role or Role.AGENT, "坐席")
    alone = by_itself(draft.rule, draft.ruleset)
    found = engine.run(call_of(f"{role} 3.0 {text}。", probability=CLEAR), alone)
    return any(finding.outcome is Outcome.PRESENT for finding in found)


# the patch


def proposed_patch(draft: Draft, phrases: Iterable[Candidate], exemptions: Iterable[Exemption]) -> str:
    """The safe candidates as a change to the rule's file; empty where there are none."""
    wordings = [candidate.text for candidate in phrases if candidate.proposed]
    cancels = [exemption.text for exemption in enough(exemptions)]
    text = with_entries(draft.document, "phrases", wordings)
    text = with_entries(read(draft.path, text), "except", cancels)
    return patch(draft.path, draft.document.text, text)
