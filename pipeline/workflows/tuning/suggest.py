"""Candidates for one rule from what it finds, what it nearly finds, and what inspectors decided.

It proposes: phrases, exceptions, thresholds, and the change to the file as a patch. It writes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from pipeline.detect import engine
from pipeline.detect.detectors.similar import SimilarParameters
from pipeline.detect.document import read
from pipeline.detect.engine import needs
from pipeline.detect.script import call_of
from pipeline.findings import Outcome
from pipeline.ruleset import Rule
from pipeline.timeline import Role
from pipeline.workflows.tuning.archive import Archive
from pipeline.workflows.tuning.candidates import Candidate, Origin
from pipeline.workflows.tuning.edit import patch, with_entries
from pipeline.workflows.tuning.exceptions import Exemption, enough, exceptions
from pipeline.workflows.tuning.frequency import Wording, compare, count_elsewhere, count_near
from pipeline.workflows.tuning.gather import EXAMPLES, Collected, Example, collect
from pipeline.workflows.tuning.places import Clause, Place
from pipeline.workflows.tuning.sources import Draft, RulesFolder, by_itself
from pipeline.workflows.tuning.suggest_meaning import by_meaning
from pipeline.workflows.tuning.sweep import LOWEST, SweepRow, sweep

SHOWN = 10
CLEAR = 0.95


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
    """Candidates from the findings in the whole archive, down to the lowest threshold, and from near misses
    and ordinary speech in a sample of calls.

    A rule that builds on others keeps today's threshold: what these find would change, too. Raises NotFound.
    """
    draft = folder.rule(rule_id)
    draft = replace(draft, ruleset=archive.taught(draft.ruleset, [draft.rule]))
    rule = draft.rule
    lowest = archive if _tied(rule) else archive.down_to(LOWEST / 100)
    thresholds = archive.thresholds
    collected = collect(draft, lowest, thresholds)
    meant = isinstance(rule.parameters, SimilarParameters)
    phrases = by_meaning(draft, collected, archive) if meant else candidates(draft, collected)
    exemptions = () if meant else exceptions(draft, collected.places, thresholds)
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


def _tied(rule: Rule) -> bool:
    """Whether a lower threshold would change what the rule builds on, so that it would find other things. A
    rule of meaning only leaves out what the rule beside it finds."""
    return bool(needs(rule)) and not isinstance(rule.parameters, SimilarParameters)


# phrases


def candidates(draft: Draft, collected: Collected) -> tuple[Candidate, ...]:
    """Wordings that the rule does not find yet: near misses first, then by frequency. None for a rule
    without phrases."""
    if draft.rule.detector != "phrase":
        return ()
    ordinary = collected.ordinary
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
    said = _said_near(collected.sources)
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


def _said_near(places: Iterable[Place]) -> list[tuple[Place, Clause]]:
    """What is said near some places: once, however many of them it is near."""
    pairs = ((place, clause) for place in places for clause in place.clauses)
    return list(
        {(place.recording.id, clause.span, clause.text): (place, clause) for place, clause in pairs}.values()
    )


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
    meant = isinstance(draft.rule.parameters, SimilarParameters)
    proposed = [candidate for candidate in phrases if candidate.proposed]
    wrong = [candidate.text for candidate in proposed if candidate.origin is Origin.REJECTED]
    right = [candidate.text for candidate in proposed if candidate.origin is not Origin.REJECTED]
    if meant:
        right = [c.text for c in proposed if c.origin is Origin.NEAR_MISS and c.missed]
    text = with_entries(draft.document, "examples" if meant else "phrases", right)
    text = with_entries(read(draft.path, text), "unlike", wrong)
    cancels = [exemption.text for exemption in enough(exemptions)]
    text = with_entries(read(draft.path, text), "except", cancels)
    return patch(draft.path, draft.document.text, text)
