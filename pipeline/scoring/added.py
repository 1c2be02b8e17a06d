"""Findings that people added: words in a call that a rule is about and did not hear.

Such a finding counts as present and certain. Its id leaves the person out, as it leaves the rule's text out:
two people who mark the same words found one thing, and so did a rule that comes to hear them later.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.findings import Evidence, Finding, How, Outcome
from pipeline.ruleset import RuleSet
from pipeline.scorecard import Decision, Review
from pipeline.timeline import Role, Span
from pipeline.units import clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """What a person marked: words of one turn, as heard, that show what the rule is about."""

    rule: str
    span: Span
    turn: int
    role: Role
    quote: str

    @property
    def value(self) -> str:
        """Canonical JSON: the value of the decision."""
        plain = {
            "rule": self.rule,
            "start": self.span.start,
            "end": self.span.end,
            "turn": self.turn,
            "role": self.role.value,
            "quote": self.quote,
        }
        return json.dumps(plain, sort_keys=True, ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def read(cls, value: str) -> "Added | None":
        """What the value of a decision says; None: it is no such value."""
        try:
            plain = json.loads(value)
            return cls(
                rule=str(plain["rule"]),
                span=Span(int(plain["start"]), int(plain["end"])),
                turn=int(plain["turn"]),
                role=Role(plain["role"]),
                quote=str(plain["quote"]),
            )
        except (KeyError, TypeError, ValueError):
            return None

    def finding(self, recording_id: str, who: str, reason: str) -> Finding:
        """The finding that `who` makes of it."""
        place = Evidence(span=self.span, role=self.role, turn=self.turn, quote=self.quote, how=How.PERSON)
        return Finding(
            recording_id=recording_id,
            rule_id=self.rule,
            outcome=Outcome.PRESENT,
            confidence=1.0,
            role=self.role,
            span=self.span,
            evidence=(place,),
            explanation=f"{How.PERSON.chinese}（{who}）" + (f"：{reason}" if reason else ""),
        )


def told(review: Review) -> str:
    """The value of a decision as people read it: of an added finding rule, place and words."""
    added = Added.read(review.value) if review.decision is Decision.FINDING_ADDED else None
    return review.value if added is None else f"{added.rule} {clock(added.span.start)} “{added.quote}”"


def by_person(finding: Finding) -> bool:
    """Whether a person added it."""
    return any(place.how is How.PERSON for place in finding.evidence)


def with_people(
    findings: Sequence[Finding], reviews: Iterable[Review], ruleset: RuleSet
) -> Sequence[Finding]:
    """The findings of the rules, then those that these reviews add, by place, whatever the order of the
    reviews. One of a rule that the set does not hold is left out, and one where the rule, or somebody
    earlier, found the same."""
    heard = [finding for finding in findings if not by_person(finding)]
    said = [review for review in reviews if review.decision is Decision.FINDING_ADDED]
    if not said:
        return findings if len(heard) == len(findings) else heard
    made: list[Finding] = []
    for review in sorted(said, key=lambda r: (r.at, r.who, r.value, r.reason)):
        added = Added.read(review.value)
        if added is None or ruleset.rule(added.rule) is None:
            continue
        if found_at(added.rule, added.span, (*heard, *made)) is None:
            made.append(added.finding(review.recording_id, review.who, review.reason))
    made.sort(key=lambda f: (f.span.start, f.span.end, f.rule_id))
    return [*heard, *made]


def found_at(rule: str, span: Span, findings: Iterable[Finding]) -> Finding | None:
    """What was found for a rule in words that overlap these."""
    for finding in findings:
        if finding.rule_id == rule and finding.outcome is Outcome.PRESENT:
            places = [place.span for place in finding.evidence] or [finding.span]
            if any((place & span).duration for place in places):
                return finding
    return None
