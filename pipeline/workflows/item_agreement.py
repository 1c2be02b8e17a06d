"""Scored items against what the labels say, and how far a confidence can be believed: pure counting."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from pipeline.findings import Finding, Outcome
from pipeline.ruleset import RuleSet
from pipeline.scorecard import Scorecard, ScoredItem, Verdict
from pipeline.scoring.intervals import Share
from pipeline.scoring.score import score
from pipeline.timeline import Call
from pipeline.workflows.item_truth import ITEM_TRUTH, NOT_APPLICABLE, Facts, true_level

_WORDS = ("phrase", "similar")
"""Detectors that listen for what somebody says."""


class Basis(StrEnum):
    """What a decision rests on: that is what its confidence is worth."""

    HEARD = "heard"  # words that were heard, and nothing that was not
    UNHEARD = "unheard"  # among other things, words that were not heard
    MEASURED = "measured"  # times, waits, metadata

    @property
    def chinese(self) -> str:
        return {"heard": "听到了", "unheard": "没听到", "measured": "量出来的"}[self.value]


class Verity(StrEnum):
    """How an item turned out."""

    RIGHT = "right"
    WRONG = "wrong"
    NEITHER = "neither"  # for this call neither the rules nor the labels ask for it
    OPEN = "open"  # left to a person
    UNJUDGED = "unjudged"  # the labels do not say


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One automatic item of one call. `level`: what the rules said, `wanted`: what the labels say; None where
    they leave it to a person. `acceptable`: as it is, and so the whole card."""

    call: str
    template: str
    item: str
    title: str
    level: str | None
    wanted: str | None
    verity: Verity
    basis: Basis
    confidence: float
    acceptable: bool
    card_acceptable: bool
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """Every form that is for a call, filled in from the findings. `spoken`: ids of the rules that listen for
    words."""

    cards: tuple[Scorecard, ...]
    findings: tuple[Finding, ...]
    spoken: frozenset[str]

    @classmethod
    def of(cls, call: Call, findings: tuple[Finding, ...], ruleset: RuleSet) -> Self:
        """All templates for calls of this direction and business, those on request too."""
        provenance = call.transcript.provenance
        meant = (template for template in ruleset.templates if call.recording in template.applies)
        return cls(
            cards=tuple(score(call.recording, findings, form, ruleset, provenance) for form in meant),
            findings=findings,
            spoken=frozenset(rule.id for rule in ruleset.rules if rule.detector in _WORDS),
        )


def judged(call: str, facts: Facts, filled: Filled) -> tuple[Judged, ...]:
    """Every item that the table of truths knows."""
    by_id = {finding.id: finding for finding in filled.findings}
    return tuple(
        _judged(call, card, item, facts, _basis(item, by_id, filled.spoken))
        for card in filled.cards
        for item in card.items
        if item.id in ITEM_TRUTH.get(card.template_id, {})
    )


def _judged(call: str, card: Scorecard, item: ScoredItem, facts: Facts, basis: Basis) -> Judged:
    truth = true_level(card.template_id, item.id, facts)
    level = NOT_APPLICABLE if item.verdict is Verdict.NOT_APPLICABLE else item.level
    wanted = truth.level if truth else None
    if truth is None:
        verity = Verity.UNJUDGED
    elif level == wanted == NOT_APPLICABLE:
        verity = Verity.NEITHER
    elif level is None:
        verity = Verity.OPEN
    else:
        verity = Verity.RIGHT if level == wanted else Verity.WRONG
    return Judged(
        call=call,
        template=card.template_id,
        item=item.id,
        title=item.title,
        level=level,
        wanted=wanted,
        verity=verity,
        basis=basis,
        confidence=item.confidence,
        acceptable=item.acceptable,
        card_acceptable=card.acceptable,
        findings=item.findings,
    )


def _basis(item: ScoredItem, findings: Mapping[str, Finding], spoken: frozenset[str]) -> Basis:
    used = [findings[name] for name in item.findings if name in findings]
    words = [finding for finding in used if finding.rule_id in spoken]
    if any(finding.outcome is Outcome.ABSENT for finding in words):
        return Basis.UNHEARD
    return Basis.HEARD if words else Basis.MEASURED


def decisions(items: Iterable[Judged]) -> Iterator[Judged]:
    """Items that were decided and can be judged. Several forms ask for the same thing: what rests on the same
    findings of one call and turned out the same counts once."""
    seen: set[tuple[str, tuple[str, ...], Verity]] = set()
    for item in items:
        key = (item.call, tuple(sorted(item.findings)), item.verity)
        if item.verity in (Verity.RIGHT, Verity.WRONG) and key not in seen:
            seen.add(key)
            yield item


def share(items: Iterable[Judged]) -> Share:
    """How many of the decided ones are right."""
    outcomes = [item.verity for item in items if item.verity in (Verity.RIGHT, Verity.WRONG)]
    return Share(right=outcomes.count(Verity.RIGHT), n=len(outcomes))


def cards(items: Sequence[Judged]) -> dict[tuple[str, str], list[Judged]]:
    """The judged items of each form of each call."""
    grouped: dict[tuple[str, str], list[Judged]] = {}
    for item in items:
        grouped.setdefault((item.template, item.call), []).append(item)
    return grouped
