"""What statistics need to know of one scoring, small enough to read a hundred thousand of them at once.

Points are whole tenths, as the database keeps them: 25 is 2.5 points.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, Protocol

from pipeline.findings import Finding, Outcome
from pipeline.ruleset import Severity, Status
from pipeline.scorecard import DecidedBy, FatalCause, Scorecard, ScoredItem, Verdict
from pipeline.timeline import Role, Transcript, total
from pipeline.units import Ms

FORBIDDEN = "forbidden"
"""The label of what an agent must not say."""

VERSION = 1
"""Of the layout; facts of another one are made anew."""

LONGEST_QUOTE = 40
LONGEST_REASON = 90
REVIEW = DecidedBy.REVIEW.value
"""`ItemFact.decided_by` where a person decided."""


class RuleNote(Protocol):
    """What is asked of a rule, as it is now or as it was on the day."""

    @property
    def title(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def severity(self) -> Severity: ...
    @property
    def status(self) -> Status: ...


class ItemFact(NamedTuple):
    """One item. `points` is None while it is open; `possible` is 0 where it does not apply, and for a bonus.
    `at` and `quote` are the first place that was found for it; `reason` is kept where points were lost."""

    id: str
    title: str
    section: str
    points: int | None
    possible: int
    decided_by: str
    confidence: float
    at: Ms | None
    quote: str
    reason: str

    @property
    def lost(self) -> int:
        return 0 if self.points is None else max(0, self.possible - self.points)


class HitFact(NamedTuple):
    """What one active rule found in the call: how often, and the first place. Only `cannot_tell`: times 0."""

    rule: str
    title: str
    label: str
    severity: str
    times: int
    at: Ms
    quote: str


class TalkFact(NamedTuple):
    """Times of the call. `characters` are the agent's, spoken in `agent` milliseconds."""

    hold: Ms
    holds: int
    silence: Ms
    longest_silence: Ms
    agent: Ms
    customer: Ms
    characters: int

    @property
    def pace(self) -> float | None:
        """Characters a minute; None where the agent says too little to tell."""
        return self.characters * 60_000 / self.agent if self.agent >= 5_000 else None


class SectionFact(NamedTuple):
    """A section added up: points and possible points of what is decided, and whether something is open."""

    title: str
    points: int
    possible: int
    open: bool


class FatalFact(NamedTuple):
    """Why a card is void, and the first place that shows it."""

    title: str
    at: Ms | None
    quote: str


class CardFact(NamedTuple):
    """The sums of a card. `lowest` and `highest` are what the total can still become, out of `full`.
    `void`: something fatal, `fatal` says what."""

    template: str
    title: str
    version: int
    lowest: int
    highest: int
    full: int
    pass_mark: int | None
    passed: bool | None
    acceptable: bool
    void: bool
    fatal: tuple[FatalFact, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFacts:
    """One scoring. `card` is None where no template is for the call."""

    card: CardFact | None
    sections: tuple[SectionFact, ...]
    items: tuple[ItemFact, ...]
    hits: tuple[HitFact, ...]
    talk: TalkFact

    @property
    def reviewed(self) -> bool:
        return any(item.decided_by == REVIEW for item in self.items)

    @property
    def fatal(self) -> bool:
        return self.card is not None and self.card.void

    @property
    def forbidden(self) -> int:
        """How often forbidden words were found."""
        return sum(hit.times for hit in self.hits if hit.label == FORBIDDEN)

    @property
    def rate(self) -> float | None:
        """Points of the decided items out of what they can bring; None where nothing is decided."""
        decided = [item for item in self.items if item.points is not None and item.possible]
        possible = sum(item.possible for item in decided)
        return sum(item.points or 0 for item in decided) / possible if possible else None


def facts_of(
    transcript: Transcript,
    findings: Sequence[Finding],
    rules: Mapping[str, RuleNote],
    card: Scorecard | None,
) -> CallFacts:
    """The facts of one scoring; `rules` describes every rule that the findings name."""
    first = {f.id: f for f in findings if f.outcome is Outcome.PRESENT}
    return CallFacts(
        card=None if card is None else _card(card, first),
        sections=_sections(card) if card else (),
        items=tuple(_item(item, first) for item in card.items) if card else (),
        hits=_hits(findings, rules),
        talk=_talk(transcript),
    )


def _fatal(cause: FatalCause, present: Mapping[str, Finding]) -> FatalFact:
    first = _first(cause.findings, present)
    return FatalFact(
        title=cause.title, at=first.span.start if first else None, quote=_quote(first) if first else ""
    )


def _first(names: Sequence[str], present: Mapping[str, Finding]) -> Finding | None:
    """The earliest of these findings that is there."""
    places = [present[name] for name in names if name in present]
    return min(places, key=lambda f: f.span.start, default=None)


def _card(card: Scorecard, present: Mapping[str, Finding]) -> CardFact:
    return CardFact(
        template=card.template_id,
        title=card.template_title,
        version=card.template_version,
        lowest=_tenths(card.lowest),
        highest=_tenths(card.highest),
        full=_tenths(card.full or card.points_possible),
        pass_mark=None if card.pass_mark is None else _tenths(card.pass_mark),
        passed=card.passed,
        acceptable=card.acceptable,
        void=card.fatal,
        fatal=tuple(_fatal(cause, present) for cause in card.fatals if cause.holds),
    )


def _sections(card: Scorecard) -> tuple[SectionFact, ...]:
    """As the card adds them up; for a card from before it did, from its items."""
    if card.sections:
        return tuple(
            SectionFact(
                title=section.title,
                points=_tenths(section.points),
                possible=_tenths(section.possible - section.open),
                open=section.open > 0,
            )
            for section in card.sections
        )
    named: dict[str, list[ScoredItem]] = {}
    for item in card.items:
        if item.verdict is not Verdict.NOT_APPLICABLE:
            named.setdefault(item.section, []).append(item)
    return tuple(_section(title, items) for title, items in named.items())


def _section(title: str, items: Sequence[ScoredItem]) -> SectionFact:
    decided = [(item.points, item.points_possible) for item in items if item.points is not None]
    return SectionFact(
        title=title,
        points=sum(_tenths(points) for points, _ in decided),
        possible=sum(_tenths(possible) for _, possible in decided),
        open=len(decided) < len(items),
    )


def _item(item: ScoredItem, present: Mapping[str, Finding]) -> ItemFact:
    first = _first(item.findings, present)
    points = None if item.points is None else _tenths(item.points)
    counts = item.verdict is not Verdict.NOT_APPLICABLE and not item.bonus
    possible = _tenths(item.points_possible) if counts else 0
    lost = points is not None and points < possible
    return ItemFact(
        id=item.id,
        title=item.title,
        section=item.section,
        points=points,
        possible=possible,
        decided_by=item.decided_by.value,
        confidence=round(item.confidence, 3),
        at=first.span.start if first else None,
        quote=_quote(first) if first else "",
        reason=_short(item.reason, LONGEST_REASON) if lost else "",
    )


def _hits(findings: Sequence[Finding], rules: Mapping[str, RuleNote]) -> tuple[HitFact, ...]:
    grouped: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.outcome is not Outcome.ABSENT and rules[finding.rule_id].status is Status.ACTIVE:
            grouped.setdefault(finding.rule_id, []).append(finding)
    return tuple(_hit(found, rules[rule]) for rule, found in sorted(grouped.items()))


def _hit(found: Sequence[Finding], rule: RuleNote) -> HitFact:
    present = [finding for finding in found if finding.outcome is Outcome.PRESENT]
    first = min(present or found, key=lambda f: f.span.start)
    return HitFact(
        rule=first.rule_id,
        title=rule.title,
        label=rule.label,
        severity=rule.severity.value,
        times=len(present),
        at=first.span.start,
        quote=_quote(first) if present else "",
    )


def _talk(transcript: Transcript) -> TalkFact:
    agent, customer = transcript.of(Role.AGENT), transcript.of(Role.CUSTOMER)
    silences = [span.duration for span in transcript.silences]
    holds = [hold.span for hold in transcript.holds]
    return TalkFact(
        hold=total(holds),
        holds=len(holds),
        silence=sum(silences),
        longest_silence=max(silences, default=0),
        agent=total(turn.span for turn in agent),
        customer=total(turn.span for turn in customer),
        characters=sum(character.isalnum() for turn in agent for character in turn.text),
    )


def _quote(finding: Finding) -> str:
    return _short(finding.evidence[0].quote, LONGEST_QUOTE) if finding.evidence else ""


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _tenths(points: Decimal) -> int:
    return int(points * 10)
